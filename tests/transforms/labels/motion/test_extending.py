import numpy as np
import pytest

from transforms.labels.motion.extending import carry_backward, carry_forward
from transforms.labels.motion.trails import Trail

BOX = np.array([500.0, 300, 620, 380])
MIDDLE = np.array([560.0, 340])
FRAMES = 6


def points_in(box, columns=4, rows=3):
    x = np.linspace(box[0], box[2], columns + 2)[1:-1]
    y = np.linspace(box[1], box[3], rows + 2)[1:-1]
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def trail_of_points(positions, alive=None):
    positions = np.asarray(positions, np.float32)
    alive = np.ones(positions.shape[:2], np.bool_) if alive is None else alive
    return Trail(0, np.arange(len(positions)) * 33_333_333, positions, alive, 1280, 720, 4.0)


def growing(points):
    """Points and boxes that move and grow in every frame: float64[F, P, 2] and float64[F, 4]."""
    scales = 1.04 ** np.arange(FRAMES)
    shift = np.arange(FRAMES)[:, None] * [9.0, -3.0] + MIDDLE
    paths = shift[:, None] + scales[:, None, None] * (points - MIDDLE)
    return paths, np.tile(shift, 2) + scales[:, None] * (BOX - np.tile(MIDDLE, 2))


@pytest.fixture
def still():
    rng = np.random.default_rng(1)
    places = rng.uniform([0, 0], [1280, 720], (80, 2))
    outside = ((places < BOX[:2] - 80) | (places > BOX[2:] + 80)).any(axis=1)
    return np.repeat(places[outside][None], FRAMES, axis=0)


def test_forward_and_backward_follow_what_moves_and_grows(still):
    paths, truth = growing(points_in(BOX))
    trail = trail_of_points(np.concatenate([paths, still], axis=1))
    forward, backward = carry_forward(trail, truth[:1]), carry_backward(trail, truth[-1:])
    for extended, known in ((forward, 0), (backward, -1)):
        assert extended.boxes.shape == (FRAMES, 1, 4)
        assert extended.boxes.dtype == extended.confidence.dtype == np.float32
        assert extended.boxes[known, 0] == pytest.approx(truth[known], abs=1e-3)
        assert np.abs(extended.boxes[:, 0] - truth).max() < 2
        assert extended.confidence[known, 0] == 1
        others = np.delete(extended.confidence[:, 0], known)
        assert others == pytest.approx(12 / 13)


def test_points_behind_the_thing_are_outvoted(still):
    paths, truth = growing(points_in(BOX))
    behind = np.repeat(points_in(BOX, 3, 2)[None] + 5, FRAMES, axis=0)
    trail = trail_of_points(np.concatenate([paths, behind, still], axis=1))
    extended = carry_forward(trail, truth[:1])
    assert np.abs(extended.boxes[:, 0] - truth).max() < 4
    assert extended.confidence[-1, 0] == pytest.approx(12 / 19)


def test_confidence_falls_with_the_points_and_the_box_goes_on(still):
    paths, truth = growing(points_in(BOX))
    alive = np.ones((FRAMES, paths.shape[1] + still.shape[1]), np.bool_)
    alive[2:, :6] = False
    alive[4:, :12] = False
    trail = trail_of_points(np.concatenate([paths, still], axis=1), alive)
    extended = carry_forward(trail, truth[:1])
    assert extended.confidence[:, 0] == pytest.approx([1, 12 / 13, 6 / 13, 6 / 13, 0, 0])
    assert np.abs(extended.boxes[:, 0] - truth).max() < 5


def test_without_own_points_a_box_moves_as_the_camera_makes_it(still):
    pan = np.arange(FRAMES)[:, None, None] * [-12.0, 4.0]
    trail = trail_of_points(still + pan)
    extended = carry_forward(trail, BOX[None])
    assert extended.boxes[:, 0] == pytest.approx(BOX + np.tile(pan[:, 0], 2), abs=0.5)
    assert extended.confidence[:, 0].tolist() == [1, 0, 0, 0, 0, 0]


def test_without_any_points_a_box_stays():
    trail = trail_of_points(np.zeros((3, 0, 2)))
    for extended, known in ((carry_forward(trail, BOX[None]), 0), (carry_backward(trail, BOX[None]), 2)):
        assert extended.boxes[:, 0] == pytest.approx(np.tile(BOX, (3, 1)))
        assert extended.confidence[:, 0].tolist() == [float(frame == known) for frame in range(3)]


def test_points_lost_before_the_end_tell_nothing_of_a_box_at_the_end(still):
    paths, truth = growing(points_in(BOX))
    alive = np.ones((FRAMES, paths.shape[1] + still.shape[1]), np.bool_)
    alive[3:, :12] = False
    trail = trail_of_points(np.concatenate([paths, still], axis=1), alive)
    assert not carry_backward(trail, truth[-1:]).confidence[:-1].any()


def test_one_point_moves_a_box_but_does_not_grow_it(still):
    paths, truth = growing(points_in(BOX, 1, 1))
    extended = carry_forward(trail_of_points(np.concatenate([paths, still], axis=1)), truth[:1])
    boxes = extended.boxes[:, 0]
    assert (boxes[:, :2] + boxes[:, 2:]) / 2 == pytest.approx((truth[:, :2] + truth[:, 2:]) / 2, abs=0.1)
    assert boxes[:, 2:] - boxes[:, :2] == pytest.approx(np.tile(BOX[2:] - BOX[:2], (FRAMES, 1)), abs=1e-3)
    assert extended.confidence[-1, 0] == 0.5


def test_many_boxes_are_each_their_own(still):
    first, truth = growing(points_in(BOX))
    other = np.array([100.0, 100, 180, 160])
    second = points_in(other) + np.arange(FRAMES)[:, None, None] * [0, 7.0]
    trail = trail_of_points(np.concatenate([first, second, still], axis=1))
    both = carry_forward(trail, np.stack([truth[0], other]))
    for place, box in enumerate((truth[0], other)):
        alone = carry_forward(trail, box[None])
        assert both.boxes[:, place] == pytest.approx(alone.boxes[:, 0], abs=0.5)
    assert both.boxes[-1, 1] == pytest.approx(other + np.array([0, 35, 0, 35]), abs=0.5)


def test_no_box(still):
    extended = carry_forward(trail_of_points(still), np.empty((0, 4)))
    assert extended.boxes.shape == (FRAMES, 0, 4)
    assert extended.confidence.shape == (FRAMES, 0)


def test_with_points_only_a_box_without_any_stays(still):
    paths, truth = growing(points_in(BOX))
    moved = still + np.arange(FRAMES)[:, None, None] * [6.0, 2.0]
    trail = trail_of_points(np.concatenate([paths, moved], axis=1))
    bare = np.array([BOX[0] + 1, BOX[1] + 1, BOX[0] + 3, BOX[1] + 3])
    both = np.stack([truth[0], bare])
    whole, quick = carry_forward(trail, both), carry_forward(trail, both, points_only=True)
    assert np.array_equal(whole.boxes[:, 0], quick.boxes[:, 0])
    assert np.array_equal(whole.confidence, quick.confidence)
    assert np.array_equal(quick.boxes[-1, 1], bare.astype(np.float32))
    assert np.abs(whole.boxes[-1, 1] - bare).max() > 20
