import numpy as np
import pytest

from transforms.labels.motion.departures import believed, departures
from transforms.labels.motion.trails import Trail


def trail_of_paths(paths, grain_px=4.0, times=None):
    paths = np.asarray(paths, np.float32)
    times = np.arange(len(paths)) * 40_000_000 if times is None else np.array(times)
    return Trail(0, times, paths, np.ones(paths.shape[:2], np.bool_), 1280, 720, grain_px)


def scattered(count=60, seed=1):
    return np.random.default_rng(seed).uniform([0, 0], [1280, 720], (count, 2))


def test_even_motion_departs_from_nothing():
    frames = np.arange(6)[:, None, None]
    strays = departures(trail_of_paths(scattered() + frames * scattered(seed=2) / 50))
    assert strays.departures == pytest.approx(0, abs=1e-3)
    assert strays.shared(scattered(5, 3)) == pytest.approx(0, abs=1e-3)


def test_times_count_and_not_frames():
    times = np.array([0, 10, 60, 100])
    paths = scattered() + (times[:, None, None] / 100) * [30, -10]
    assert departures(trail_of_paths(paths, times=times)).departures == pytest.approx(0, abs=1e-3)


def test_what_all_points_share_is_told_in_spite_of_others():
    shake = np.array([0, 9, 14, -6, 3, 0.0])
    places = scattered(100)
    paths = places + shake[:, None, None] * [0.2, 1]
    paths[1:-1, :30] += [[-25, 9]]
    strays = departures(trail_of_paths(paths))
    shared = strays.shared(scattered(5, 3))
    assert shared[[0, -1]] == pytest.approx(0, abs=1e-6)
    assert shared[..., 1] == pytest.approx(np.repeat(shake[:, None], 5, axis=1), abs=0.6)
    assert shared[..., 0] == pytest.approx(np.repeat(0.2 * shake[:, None], 5, axis=1), abs=0.6)


def test_a_roll_is_told_by_slopes():
    places = scattered(100)
    roll = np.array([0, 0.02, 0.0])[:, None, None]
    around = places - [640, 360]
    paths = places + roll * np.stack([-around[:, 1], around[:, 0]], axis=1)
    shared = departures(trail_of_paths(paths)).shared(np.array([[100.0, 100.0], [1200.0, 600.0]]))
    truth = np.array([[5.2, -10.8], [-4.8, 11.2]])
    # what keeps slopes small takes some of it
    assert (shared[1] * truth > 0).all()
    assert np.abs(shared[1] - truth).max() < 3


def test_noise_is_hardly_believed():
    rng = np.random.default_rng(4)
    paths = scattered(100) + rng.normal(size=(7, 100, 2))
    strays = departures(trail_of_paths(paths))
    plain = np.abs(strays.slopes[1:-1, 0])
    assert np.abs(strays.shared(np.array([[640.0, 360.0]]))).max() < plain.max() / 2
    assert strays.noise_px > 0.4


@pytest.mark.parametrize("count", [0, 1, 7])
def test_of_few_points_nothing_is_shared(count):
    paths = scattered(count) + np.array([0, 20, 0])[:, None, None]
    strays = departures(trail_of_paths(paths))
    assert strays.noise_px == np.inf
    assert strays.departures.shape == (3, count, 2)
    assert not strays.shared(scattered(4)).any()


def test_lost_points_are_left_out():
    trail = trail_of_paths(scattered() + np.array([0, 20, 0])[:, None, None])
    trail.alive[2, 10:] = False
    assert departures(trail).positions.shape == (3, 10, 2)


def test_belief_is_the_share_of_power():
    values = np.zeros((4, 2, 2))
    values[1:3, 0] = [3, 4]
    assert believed(values, 25.0).tolist() == [[0.5], [0.0]]
    assert believed(values[:2], 25.0).tolist() == [[0.0], [0.0]]
