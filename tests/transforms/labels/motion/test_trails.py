from dataclasses import astuple

import numpy as np
import pytest

from transforms.labels.motion.trails import PointTracker, Trail


def moved(trail, matrix):
    """Where the trail's points should be, had the scene been moved by a matrix since the first frame."""
    return trail.positions[0] @ np.array(matrix)[:, :2].T + np.array(matrix)[:, 2]


def about(x, y, scale=1.0, turn_deg=0.0, shift=(0.0, 0.0)):
    """Grows and turns around a place, then shifts."""
    angle = np.radians(turn_deg)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([linear, [x, y] - linear @ [x, y] + shift])


@pytest.mark.parametrize(
    "step",
    [
        about(160, 90, shift=(1.3, -0.6)),
        about(160, 90, scale=1.02),
        about(120, 60, turn_deg=1.5),
        about(160, 90, scale=0.985, turn_deg=-0.8, shift=(3.4, 2.2)),
    ],
    ids=["shift", "zoom", "turn", "all"],
)
def test_known_motion_is_followed_to_a_tenth_of_a_pixel_a_step(texture, view, trail_of, step):
    scene, matrix, matrices = texture(), np.eye(3), []
    for _ in range(6):
        matrices.append(matrix[:2])
        matrix = np.vstack([step, [0, 0, 1]]) @ matrix
    trail = trail_of([view(scene, one) for one in matrices])
    assert trail.alive.all(axis=0).mean() > 0.75
    for frame, one in enumerate(matrices):
        off = np.linalg.norm(trail.positions[frame] - moved(trail, one), axis=1)[trail.alive[frame]]
        # a fit of shifts alone drifts on what grows and turns
        assert np.median(off) < 0.05 + 0.04 * frame
        assert np.percentile(off, 95) < 0.15 + 0.1 * frame


@pytest.mark.parametrize("shift", [(58, 0), (-40, 24), (0, -30)])
def test_a_leap_of_a_fifth_of_the_picture_is_followed(texture, view, trail_of, shift):
    scene = texture()
    trail = trail_of([view(scene), view(scene, about(0, 0, shift=shift))])
    assert len(trail.timestamps_ns) == 2
    alive = trail.alive[1]
    assert alive.mean() > 0.4
    off = np.linalg.norm(trail.positions[1] - trail.positions[0] - shift, axis=1)[alive]
    assert np.mean(off < 0.2) > 0.9


def test_positions_are_in_pixels_of_the_frame(texture, view, trail_of):
    scene = texture()
    pictures = [view(scene), view(scene, about(0, 0, shift=(4, 2)))]
    trail = trail_of(pictures, frame_size=(1280, 720))
    kept = trail.alive[1]
    assert np.median((trail.positions[1] - trail.positions[0])[kept], axis=0) == pytest.approx(
        [16, 8], abs=0.2
    )
    assert (trail.positions[0].max(axis=0) > [1200, 640]).all()
    assert trail.grain_px == 4
    assert (trail.frame_width, trail.frame_height) == (1280, 720)


def test_points_that_leave_the_frame_are_lost_and_stay_lost(texture, view, trail_of):
    scene = texture()
    trail = trail_of([view(scene, about(0, 0, shift=(20 * frame, 0))) for frame in range(6)])
    gone = trail.positions[0, :, 0] + 100 > 322
    assert gone.sum() > 20
    assert not trail.alive[-1, gone].any()
    assert not (trail.alive[1:] & ~trail.alive[:-1]).any()


def test_drops_that_show_for_one_frame_are_given_up(texture, view, trail_of):
    scene, rng = texture(), np.random.default_rng(3)
    pictures = [view(scene, about(0, 0, shift=(frame, 0))) for frame in range(4)]
    for picture in pictures:
        picture[:, :160] = 100
        for x, y in rng.integers([5, 5], [150, 170], (40, 2)):
            picture[y : y + 4, x : x + 2] = 230
    trail = trail_of(pictures)
    drops, rest = trail.positions[0, :, 0] < 156, trail.positions[0, :, 0] > 170
    assert drops.sum() > 15
    assert trail.alive[-1, drops].mean() < 0.2
    assert trail.alive[-1, rest].mean() > 0.9


def test_trails_join_at_anchors_and_end_with_the_clip(texture, view):
    scene = texture()
    tracker = PointTracker(640, 360)
    for frame in range(8):
        shifted = view(scene, about(0, 0, shift=(frame, 0)))
        assert tracker.add(shifted, 40_000_000 * frame, is_anchor=frame in {2, 5, 6}) is False
    trails = tracker.finish()
    assert [(trail.first, trail.last) for trail in trails] == [(0, 2), (2, 5), (5, 6), (6, 7)]
    assert trails[1].timestamps_ns.tolist() == [80_000_000, 120_000_000, 160_000_000, 200_000_000]
    for trail in trails:
        assert trail.positions.shape == (*trail.alive.shape, 2)
        assert trail.alive[0].all()
    assert tracker.cuts == []


def test_no_trail_crosses_a_cut(texture, view):
    scenes = [texture(1), texture(2)]
    tracker = PointTracker(640, 360)
    told = [
        tracker.add(view(scenes[frame >= 4]), 40_000_000 * frame, is_anchor=frame % 6 == 0)
        for frame in range(9)
    ]
    assert told == [frame == 4 for frame in range(9)]
    assert [(trail.first, trail.last) for trail in tracker.finish()] == [(0, 3), (4, 6), (6, 8)]
    assert tracker.cuts == [4]


def test_another_size_of_picture_begins_another_scene(texture, view):
    tracker = PointTracker(640, 360)
    scene = texture()
    for frame, width in enumerate((320, 320, 240, 240)):
        tracker.add(view(scene, width=width), 40_000_000 * frame, is_anchor=False)
    assert tracker.cuts == [2]
    assert [(trail.first, trail.last) for trail in tracker.finish()] == [(0, 1), (2, 3)]


def test_the_same_pictures_give_the_same_trails(texture, view, trail_of):
    pictures = [view(texture(), about(160, 90, scale=1.01**frame)) for frame in range(4)]
    first, second = trail_of(pictures), trail_of([picture.copy() for picture in pictures])
    for one, other in zip(astuple(first), astuple(second), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 320), (9, 16), (16, 9), (320, 6)])
def test_tiny_pictures(shape):
    rng = np.random.default_rng(4)
    tracker = PointTracker(shape[1], shape[0])
    for frame in range(4):
        noise = rng.integers(0, 256, shape).astype(np.uint8)
        tracker.add(noise, frame, is_anchor=frame == 2)
    covered = [(trail.first, trail.last) for trail in tracker.finish()]
    assert all(first < last for first, last in covered)


def test_nothing_and_a_single_frame_leave_no_trail():
    tracker = PointTracker(16, 9)
    assert tracker.finish() == []
    tracker.add(np.zeros((9, 16), np.uint8), 0, is_anchor=True)
    assert tracker.finish() == []


@pytest.mark.parametrize(
    ("times", "shares"),
    [
        ([0, 10, 40], [0, 0.25, 1]),
        ([5, 3, 9], [0, 0, 1]),
        ([7, 7, 7], [0, 0.5, 1]),
        ([7, 5, 6], [0, 0.5, 1]),
    ],
)
def test_shares_of_a_trails_time(times, shares):
    empty = np.zeros((3, 0, 2), np.float32)
    trail = Trail(0, np.array(times), empty, np.zeros((3, 0), np.bool_), 16, 9, 1.0)
    assert trail.shares.tolist() == shares
