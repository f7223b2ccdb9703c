"""Smoothing of tracks: every box by all boxes of its track, those before it and those after it.

Rauch, Tung and Striebel, "Maximum likelihood estimates of linear dynamic systems", AIAA Journal 3(8), 1965, on the
filter of `kalman.py`.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.camera_path import CameraPath
from transforms.labels.hindsight.grids import TrackGrid, track_grids
from transforms.labels.kalman import BoxNoise, corrected, predicted, started, to_centres, to_edges
from transforms.labels.sightings import Sightings

SMOOTHING_NOISE: Final = BoxNoise(velocity_per_s=4.0, acceleration=2.0)
"""Less stiff than the tracker's: boxes of KITTI tracking at 10 Hz are best at 1 to 2, of rendered scenes at 5 Hz at 2
to 4, and it matters little. What a new track's velocity is, nobody knows: with the tracker's expectation of standing
still, what passes at speed is smoothed away from its boxes; 8 does as well."""

UNSURE: Final = 4.0
"""The noise of a box grows by this many times from score 1 to score 0: on KITTI tracking boxes below .5 lie four
times as far from the truth as those above .99, on rendered scenes 2 does as well."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SmoothedGrid:
    """The smoothed path of some tracks, cell by cell.

    Attributes:
        grid: the tracks.
        states: centre and size and their velocities, float64[2, K, L, 4] in pixels and pixels a second.
    """

    grid: TrackGrid
    states: FloatArray

    @property
    def boxes(self) -> FloatArray:
        """Edges of the smoothed boxes, xyxy in pixels, float64[K, L, 4]."""
        places = self.states[0]
        return to_edges(places.reshape(-1, 4)).reshape(places.shape)


def smoothed_paths(seen: Sightings, camera: CameraPath | None = None) -> list[SmoothedGrid]:
    """Smooths every track.

    Args:
        seen: a clip with tracks.
        camera: how the camera moved the picture, if that is known.

    Returns:
        All tracks, in some order.
    """
    return [SmoothedGrid(grid, _smooth(seen, grid, camera)) for grid in track_grids(seen)]


def smooth(seen: Sightings, paths: list[SmoothedGrid]) -> Sightings:
    """Puts the smoothed boxes in the place of the rows'.

    Args:
        seen: the clip.
        paths: its `smoothed_paths`.
    """
    boxes = seen.boxes.copy()
    for path in paths:
        filled = path.grid.filled
        boxes[path.grid.rows[filled]] = path.boxes[filled]
    return replace(seen, boxes=boxes)


def _smooth(seen: Sightings, grid: TrackGrid, camera: CameraPath | None) -> FloatArray:
    """Forward filter, then backward smoother: float64[2, K, L, 4]."""
    times_s = seen.timestamps_ns[grid.frames] / 1e9
    filled = grid.filled
    measured = to_centres(seen.boxes[grid.rows].reshape(-1, 4).astype(np.float64)).reshape(*filled.shape, 4)
    doubt = 1 + UNSURE * (1 - seen.scores[grid.rows].astype(np.float64))
    length = filled.shape[1]
    state = started(measured[:, 0], SMOOTHING_NOISE, doubt[:, 0])
    forecasts, filtered = [state], [state]
    for step in range(1, length):
        elapsed_s = times_s[:, step] - times_s[:, step - 1]
        forecast = predicted(state, elapsed_s, SMOOTHING_NOISE)
        if camera is not None:
            forecast = camera.moved(forecast, grid.frames[:, step - 1], grid.frames[:, step])
        state = forecast
        have = filled[:, step]
        if have.any():
            state = forecast.copy()
            state[:, have] = corrected(
                forecast[:, have], measured[have, step], SMOOTHING_NOISE, doubt[have, step]
            )
        forecasts.append(forecast)
        filtered.append(state)
    smoothed = np.empty((2, length, len(filled), 4))
    smoothed[:, -1] = state[:2]
    for step in range(length - 2, -1, -1):
        elapsed_s = times_s[:, step + 1] - times_s[:, step]
        smoothed[:, step] = _stepped_back(
            filtered[step], forecasts[step + 1], smoothed[:, step + 1], elapsed_s
        )
    return smoothed.transpose(0, 2, 1, 3)


def _stepped_back(
    filtered: FloatArray, forecast: FloatArray, later: FloatArray, elapsed_s: FloatArray
) -> FloatArray:
    """Place and velocity of a step, given those of the next: float64[2, K, 4].

    The gain is P F' Q^-1, of 2 x 2 matrices: P of the filtered state, Q of the forecast, F of constant velocity.
    """
    place, velocity, place_variance, covariance, velocity_variance = filtered
    step = elapsed_s[:, None]
    ahead = place_variance + step * covariance
    ahead_velocity = covariance + step * velocity_variance
    q_place, q_mixed, q_velocity = forecast[2:]
    determinant = q_place * q_velocity - q_mixed * q_mixed
    surprise, velocity_surprise = later - forecast[:2]
    stands = step <= 0
    determinant = np.where(stands, 1.0, determinant)
    by_place = (surprise * q_velocity - velocity_surprise * q_mixed) / determinant
    by_velocity = (velocity_surprise * q_place - surprise * q_mixed) / determinant
    moved = place + ahead * by_place + covariance * by_velocity
    turned = velocity + ahead_velocity * by_place + velocity_variance * by_velocity
    # after the end of its track a line stands still: what is known there is what is known at the end
    return np.stack([np.where(stands, later[0], moved), np.where(stands, later[1], turned)])
