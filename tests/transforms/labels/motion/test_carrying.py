import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from transforms.labels.motion.carrying import carry
from transforms.labels.motion.trails import PointTracker, Trail

FRAMES = 7
LINE = np.linspace(0, 1, FRAMES)
BRAKING = 1 - (1 - LINE) ** 2
"""Share of the way that a thing has gone which comes to rest at the end."""


def straight(start, end):
    return start + LINE[:, None, None] * (end - start)


def trail_of_points(positions, grain_px=4.0, size=(1280, 720)):
    positions = np.asarray(positions, np.float32)
    times = np.arange(len(positions)) * 33_333_333
    return Trail(0, times, positions, np.ones(positions.shape[:2], np.bool_), *size, grain_px)


def grid(box, columns=4, rows=3):
    """Points within a box, float64[columns * rows, 2]."""
    x = np.linspace(box[0], box[2], columns + 2)[1:-1]
    y = np.linspace(box[1], box[3], rows + 2)[1:-1]
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def background(count=60, seed=1):
    return np.random.default_rng(seed).uniform([0, 0], [1280, 720], (count, 2))


def test_a_braking_thing_is_followed_where_the_straight_line_is_off():
    box = np.array([200.0, 300, 320, 380])
    way = np.array([160.0, 20])
    moved = BRAKING[:, None] * way
    still = np.repeat(background()[None], FRAMES, axis=0)
    trail = trail_of_points(np.concatenate([grid(box) + moved[:, None], still], axis=1))
    truth = box + np.concatenate([moved, moved], axis=1)
    carried = carry(trail, truth[:1], truth[-1:])
    off_line = np.abs(straight(truth[0], truth[-1])[:, 0] - truth).max()
    assert off_line > 38
    assert np.abs(carried.boxes[:, 0] - truth).max() < 0.15 * off_line
    assert carried.own_points.tolist() == [12]
    assert carried.is_straight.tolist() == [False]


def test_growth_that_is_not_even_is_followed():
    middle = np.array([640.0, 360])
    box = np.array([560.0, 300, 720, 420])
    scales = 1 + 0.8 * LINE**2
    points = middle + scales[:, None, None] * (grid(box, 6, 5) - middle)
    still = np.repeat(background()[None], FRAMES, axis=0)
    truth = np.tile(middle, 2) + scales[:, None] * (box - np.tile(middle, 2))
    carried = carry(trail_of_points(np.concatenate([points, still], axis=1)), truth[:1], truth[-1:])
    assert np.abs(straight(truth[0], truth[-1])[:, 0] - truth).max() > 14
    assert np.abs(carried.boxes[:, 0] - truth).max() < 5


def test_a_shaking_camera_moves_things_without_points():
    shake = np.array([0, 6, 9, 4, -5, -8, 0.0])[:, None, None] * [0, 1]
    trail = trail_of_points(background() + shake)
    boxes = np.array([[600.0, 300, 606, 306]])
    carried = carry(trail, boxes, boxes)
    assert carried.own_points.tolist() == [0]
    assert carried.is_straight.tolist() == [False]
    assert carried.boxes[:, 0] == pytest.approx(boxes + np.tile(shake[:, 0], 2), abs=0.5)


def test_what_moves_behind_a_thing_does_not_move_it():
    box = np.array([300.0, 300, 500, 400])
    moved = LINE[:, None] * [120.0, 0]
    on_it = grid(box, 2, 2) + moved[:, None]
    behind = grid(box, 6, 5) + BRAKING[:, None, None] * [-70.0, 0]
    truth = box + np.concatenate([moved, moved], axis=1)
    carried = carry(trail_of_points(np.concatenate([on_it, behind], axis=1)), truth[:1], truth[-1:])
    assert carried.own_points.tolist() == [4]
    # what most points share is theirs; a thing's own four outweigh it
    assert np.abs(carried.boxes[:, 0] - truth).max() < 6


boxes_in_frame = hnp.arrays(np.float32, (3, 2, 2, 2), elements=st.floats(0, 700, width=32)).map(
    lambda corners: np.sort(corners, axis=2).transpose(1, 0, 2, 3).reshape(2, 3, 4)
)


@given(boxes_in_frame, st.integers(2, 9), st.integers(0, 20), st.integers(0, 99))
def test_the_ends_are_the_known_boxes_whatever_the_points(ends, frames, count, seed):
    rng = np.random.default_rng(seed)
    trail = trail_of_points(rng.uniform(0, 700, (frames, count, 2)))
    carried = carry(trail, ends[0], ends[1])
    assert carried.boxes.shape == (frames, 3, 4)
    assert carried.boxes.dtype == np.float32
    assert np.array_equal(carried.boxes[0], ends[0])
    assert np.array_equal(carried.boxes[-1], ends[1])
    assert np.isfinite(carried.boxes).all()
    assert (carried.boxes[..., :2] >= 0).all()


@given(st.floats(-60, 60), st.floats(-40, 40), st.floats(0.7, 1.4))
def test_even_motion_is_the_straight_line(right, down, scale):
    box = np.array([500.0, 300, 700, 420])
    middle = np.array([600.0, 360])
    later_middle = middle + np.array([right, down])
    ends = np.stack([box, np.tile(later_middle, 2) + scale * (box - np.tile(middle, 2))])
    points = grid(box, 6, 5)
    later = later_middle + scale * (points - middle)
    trail = trail_of_points(points + LINE[:, None, None] * (later - points))
    carried = carry(trail, ends[:1], ends[1:])
    assert carried.boxes == pytest.approx(straight(ends[:1], ends[1:]), abs=0.02)


def test_a_plain_picture_gives_the_straight_line_and_says_so():
    tracker = PointTracker(1280, 720)
    for frame in range(FRAMES):
        tracker.add(np.full((180, 320), 80, np.uint8), frame * 33_333_333, is_anchor=frame in {0, FRAMES - 1})
    (trail,) = tracker.finish()
    start = np.array([[10.0, 20, 60, 80], [300, 300, 420, 380]])
    end = start + np.array([40, 4, 60, 8])
    carried = carry(trail, start, end)
    assert carried.is_straight.all()
    assert not carried.own_points.any()
    assert carried.boxes == pytest.approx(straight(start, end), abs=1e-3)


def test_uneven_time_stamps_bend_the_straight_line():
    still = np.repeat(background()[None], 3, axis=0).astype(np.float32)
    trail = Trail(0, np.array([0, 10, 100]), still, np.ones(still.shape[:2], np.bool_), 1280, 720, 4.0)
    start = np.array([[100.0, 100, 200, 200]])
    carried = carry(trail, start, start + 50)
    assert carried.boxes[1] == pytest.approx(start + 5, abs=1e-3)


def test_sides_at_the_frames_edge_stay_there():
    shake = np.array([0, 8, 0, -8, 8, -8, 0.0])[:, None, None] * [1, 0]
    trail = trail_of_points(background() + shake)
    start, end = np.array([[0.0, 300, 90, 400]]), np.array([[0.0, 300, 60, 400]])
    boxes = carry(trail, start, end).boxes[:, 0]
    assert not boxes[:, 0].any()
    assert boxes[1:-1, 2] - straight(start, end)[1:-1, 0, 2] == pytest.approx(shake[1:-1, 0, 0], abs=0.6)


def test_no_box_and_no_frame_between(trail_of, texture, view):
    trail = trail_of([view(texture()), view(texture(), ((1, 0, 5), (0, 1, 0)))])
    none = np.empty((0, 4), np.float32)
    assert carry(trail, none, none).boxes.shape == (2, 0, 4)
    box = np.array([[50, 50, 90, 90]], np.float32)
    assert np.array_equal(carry(trail, box, box + 5).boxes, [box, box + 5])


def test_a_thing_in_pictures_that_brakes_before_a_shaking_background(texture, view, trail_of):
    scene, thing = cv2.convertScaleAbs(texture(1), alpha=0.5), texture(2)[:30, :50]
    pictures, truth = [], []
    for share, down in zip(BRAKING, (0, 1, 2, 1, -1, -2, 0), strict=True):
        picture = view(scene, ((1, 0, 0), (0, 1, down)))
        left, top = 60 + round(18 * share), 80 + down
        picture[top : top + 30, left : left + 50] = thing
        pictures.append(picture)
        truth.append([left, top, left + 50, top + 30])
    truth = 4.0 * np.array(truth)
    carried = carry(trail_of(pictures, frame_size=(1280, 720)), truth[:1], truth[-1:])
    off_line = np.abs(straight(truth[0], truth[-1])[:, 0] - truth).max()
    assert off_line > 18
    assert np.abs(carried.boxes[:, 0] - truth).max() < off_line / 3
    assert carried.own_points[0] >= 4
