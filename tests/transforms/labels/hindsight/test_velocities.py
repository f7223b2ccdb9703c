"""Velocities that followed points tell, beside the camera's."""

from dataclasses import replace

import numpy as np
import pytest
from sighted import HEIGHT, WIDTH, box, pan, sightings

from transforms.labels.hindsight.associating import associate
from transforms.labels.hindsight.velocities import PointVelocities
from transforms.labels.motion.trails import Trail
from transforms.labels.sightings import NO_TRACK
from transforms.labels.tracking import TrackerSettings

STEP_S = 0.2
TIMES_S = np.arange(3) * STEP_S
NONE = np.full(4, np.nan)


def trail_of(paths, first=0, alive=None):
    """Points by their places in each frame, float[F, P, 2]."""
    positions = np.asarray(paths, np.float32)
    return Trail(
        first=first,
        timestamps_ns=np.rint((first + np.arange(len(positions))) * STEP_S * 1e9).astype(np.int64),
        positions=positions,
        alive=np.ones(positions.shape[:2], bool) if alive is None else alive,
        frame_width=WIDTH,
        frame_height=HEIGHT,
        grain_px=2.0,
    )


def points_of(edges, move, grow=1.0):
    """Twelve points in a box and where they are a frame later, float[2, 12, 2]."""
    low, high = np.array(edges[:2]), np.array(edges[2:])
    grid = np.stack(np.meshgrid([0.2, 0.4, 0.6, 0.8], [0.25, 0.5, 0.75]), axis=-1).reshape(-1, 2)
    middle, arms = (low + high) / 2, (grid - 0.5) * (high - low)
    return np.stack([middle + arms, middle + np.array(move) + grow * arms])


def test_what_the_camera_does_is_taken_out_in_both_directions():
    early, late = box(300, 200), box(240, 212, 44, 33)
    seen = sightings([(0, None, early, 0.9), (1, None, late, 0.9)], TIMES_S[:2])
    found = PointVelocities.measured(seen, [trail_of(points_of(early, (-60, 12), 1.1))], pan([10 + 2j]))
    assert found.ahead[0] == pytest.approx(np.array([-70, 10, 4, 3]) / STEP_S, rel=0.03)
    # time runs backwards: what moved to the left comes back to the right, and the camera's pan with it
    assert found.back[1] == pytest.approx(np.array([70, -10, -4, -3]) / STEP_S, rel=0.04)
    assert np.isnan(found.ahead[1]).all()
    assert np.isnan(found.back[0]).all()


def test_nothing_is_said_without_points_of_one_mind():
    edges = box(300, 200)
    seen = sightings([(0, None, edges, 0.9), (0, None, box(100, 100), 0.9)], TIMES_S[:2])
    good = points_of(edges, (-60, 0))
    told = PointVelocities.measured(seen, [trail_of(good)], pan([0])).ahead
    assert np.isfinite(told[0]).all()
    assert np.array_equal(told[1], NONE, equal_nan=True)
    scattered = good.copy()
    scattered[1] += np.random.default_rng(1).uniform(-90, 90, scattered[1].shape)
    lost = np.array([[True] * 12, [True] * 3 + [False] * 9])
    for other in (trail_of(scattered), trail_of(good, alive=lost)):
        assert np.isnan(PointVelocities.measured(seen, [other], pan([0])).ahead).all()


def test_only_trails_between_two_looks_that_take_time_count():
    edges = box(300, 200)
    seen = sightings([(0, None, edges, 0.9)], TIMES_S[:2])
    trail = trail_of(points_of(edges, (-60, 0)))
    for unlike in (
        replace(seen, seen=np.array([True, False])),
        replace(seen, timestamps_ns=np.zeros(2, np.int64)),
    ):
        assert np.isnan(PointVelocities.measured(unlike, [trail], pan([0])).ahead).all()


@pytest.mark.parametrize("both_directions", [True, False])
def test_what_passes_at_speed_is_one_object(both_directions):
    # two cars in file, each where the one before was when the network last looked
    boxes = [[box(500, 200), box(400, 200)], [box(400, 200), box(300, 200)], [box(300, 200), box(200, 200)]]
    seen = sightings([(frame, None, edges, 0.9) for frame, two in enumerate(boxes) for edges in two], TIMES_S)
    trails = [
        trail_of(np.concatenate([points_of(edges, (-100, 0)) for edges in boxes[frame]], axis=1), frame)
        for frame in range(2)
    ]
    camera = pan([0, 0])
    velocities = PointVelocities.measured(seen, trails, camera)
    settings = TrackerSettings()
    found = associate(seen, settings, camera, velocities, both_directions=both_directions).tracks.tolist()
    assert found in ([0, 1] * 3, [1, 0] * 3)
    # without the points the second car is taken for the first
    blind = associate(seen, settings, camera, both_directions=both_directions).tracks
    assert blind[[0, 5]].tolist() == [NO_TRACK] * 2
    assert blind[1] == blind[2] != blind[3] == blind[4]
