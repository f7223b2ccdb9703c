import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.labels.motion.camera import camera_motions, camera_steps
from transforms.labels.motion.trails import Trail


def similarity(scale=1.0, turn_deg=0.0, shift=(0.0, 0.0)):
    angle = np.radians(turn_deg)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([linear, shift])


def trail_under(matrices, count=100, noise_px=0.0, seed=1):
    """Points in a frame of 1280 x 720 that move by a matrix from frame to frame."""
    rng = np.random.default_rng(seed)
    places = [rng.uniform([0, 0], [1280, 720], (count, 2))]
    for matrix in matrices:
        places.append(places[-1] @ matrix[:, :2].T + matrix[:, 2])
    positions = np.array(places) + rng.normal(size=(len(places), count, 2)) * noise_px
    times = np.arange(len(places)) * 40_000_000
    alive = np.ones(positions.shape[:2], np.bool_)
    return Trail(0, times, positions.astype(np.float32), alive, 1280, 720, 4.0)


NOTHING = np.empty((0, 4), np.float32)

STEPS = [
    similarity(1.01, 0.4, (3.0, -8.0)),
    similarity(0.99, -0.7, (30.0, 2.0)),
    similarity(shift=(-200.0, 4.0)),
]


@given(st.floats(0.8, 1.25), st.floats(-20, 20), st.tuples(st.floats(-150, 150), st.floats(-90, 90)))
def test_any_similarity_is_recovered(scale, turn_deg, shift):
    matrix = similarity(scale, turn_deg, shift)
    motions = camera_motions([trail_under([matrix])])
    assert motions.known.all()
    corners = np.array([[0, 0, 1], [1280, 0, 1], [0, 720, 1], [1280, 720, 1]])
    assert corners @ motions.matrices[0].T == pytest.approx(corners @ matrix.T, abs=0.05)


def test_every_step_is_told():
    motions = camera_steps(trail_under(STEPS, noise_px=0.4), NOTHING)
    assert motions.known.all()
    middle = np.array([640, 360, 1])
    for found, step in zip(motions.matrices, STEPS, strict=True):
        assert found @ middle == pytest.approx(step @ middle, abs=0.3)
        assert found[:, :2] == pytest.approx(step[:, :2], abs=1e-3)
    assert motions.shares == pytest.approx(1, abs=0.02)


def test_each_trail_is_told_as_a_whole_whatever_stands_beside_it():
    trails = [trail_under(STEPS, count=40), trail_under(STEPS[:1], count=100), trail_under([], count=5)]
    motions = camera_motions(trails)
    at = middle = np.array([640, 360, 1])
    for step in STEPS:
        at = np.append(step @ at, 1)
    assert motions.matrices[0] @ middle == pytest.approx(at[:2], abs=0.01)
    assert motions.matrices[1] @ middle == pytest.approx(STEPS[0] @ middle, abs=0.01)
    assert motions.matrices[2].tolist() == [[1, 0, 0], [0, 1, 0]]
    assert motions.known.tolist() == [True, True, False]


def test_no_trails_no_motions():
    assert camera_motions([]).matrices.shape == (0, 2, 3)


def test_things_that_move_of_themselves_do_not_count_for_much():
    trail = trail_under([STEPS[0]] * 2, count=150)
    trail.positions[1:, :50] += np.array([[[60, 20]], [[120, 40]]], np.float32)
    motions = camera_steps(trail, NOTHING)
    middle = np.array([640, 360, 1])
    assert motions.matrices[0] @ middle == pytest.approx(STEPS[0] @ middle, abs=0.2)
    assert motions.shares[0] == pytest.approx(2 / 3, abs=0.01)


def test_points_in_boxes_do_not_count():
    trail = trail_under([STEPS[0]])
    left = trail.positions[0, :, 0] < 900
    trail.positions[1, left] += [50, 10]
    boxes = np.array([[0, 0, 900, 720]], np.float32)
    middle = np.array([640, 360, 1])
    assert left.mean() > 0.6
    expected = STEPS[0] @ middle
    shifted = expected + np.array([50, 10])
    assert camera_motions([trail], [boxes]).matrices[0] @ middle == pytest.approx(expected, abs=0.5)
    assert camera_steps(trail, boxes).matrices[0] @ middle == pytest.approx(expected, abs=0.5)
    assert camera_motions([trail]).matrices[0] @ middle == pytest.approx(shifted, abs=0.5)


def test_lost_points_do_not_count():
    trail = trail_under([STEPS[1]] * 2)
    trail.alive[2, :60] = False
    trail.positions[2, :60] = 0
    motions = camera_steps(trail, NOTHING)
    middle = np.array([640, 360, 1])
    assert motions.matrices[1] @ middle == pytest.approx(STEPS[1] @ middle, abs=0.1)
    assert motions.shares[1] == 1


@pytest.mark.parametrize("count", [0, 1, 7])
def test_of_few_points_nothing_is_told(count):
    trail = trail_under([STEPS[0]], count=count)
    for motions in (camera_motions([trail]), camera_steps(trail, NOTHING)):
        assert motions.known.tolist() == [False]
        assert motions.matrices.tolist() == [[[1, 0, 0], [0, 1, 0]]]


def test_of_points_without_a_common_motion_nothing_is_told():
    trail = trail_under([STEPS[0]])
    trail.positions[1] = np.random.default_rng(2).uniform(0, 700, trail.positions[1].shape)
    motions = camera_motions([trail])
    assert motions.shares[0] < 0.3
    assert motions.known.tolist() == [False]
    assert motions.matrices.tolist() == [[[1, 0, 0], [0, 1, 0]]]


def test_a_camera_that_turns_is_told_from_its_pictures(texture, view, trail_of):
    scene, step = texture(), similarity(1.005, 0.5, (2.0, -1.0))
    pictures, matrix = [], np.eye(3)
    for _ in range(4):
        pictures.append(view(scene, matrix[:2]))
        matrix = np.vstack([step, [0, 0, 1]]) @ matrix
    motions = camera_steps(trail_of(pictures), NOTHING)
    middle = np.array([160, 90, 1])
    for found in motions.matrices:
        assert found @ middle == pytest.approx(step @ middle, abs=0.1)
        assert found[:, :2] == pytest.approx(step[:, :2], abs=1.5e-3)
