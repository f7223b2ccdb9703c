"""The road: a gently winding centreline on flat ground, and the strips beside it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_STEP_M: Final = 0.25


@dataclass(frozen=True)
class Road:
    """A road in a flat world; traffic keeps to the right.

    A place on the road is (s, d): metres along the centreline, metres to its left.

    Attributes:
        swings: amplitude (rad), wave number (rad/m) and phase (rad) of each sine of the heading, float64[K, 3].
        first_m: where the road begins.
        last_m: where it ends.
        lanes: travel lanes in each direction.
    """

    swings: tuple[tuple[float, float, float], ...]
    first_m: float
    last_m: float
    lanes: int
    lane_width_m: float = 3.5
    cycle_width_m: float = 1.7
    parking_width_m: float = 2.3
    sidewalk_width_m: float = 3.6

    @property
    def lanes_edge_m(self) -> float:
        """Distance of the outermost lane line from the centreline."""
        return self.lanes * self.lane_width_m

    @property
    def kerb_m(self) -> float:
        """Distance of the kerb from the centreline."""
        return self.lanes_edge_m + self.cycle_width_m + self.parking_width_m

    @property
    def sidewalk_edge_m(self) -> float:
        """Distance of the sidewalk's outer edge from the centreline."""
        return self.kerb_m + self.sidewalk_width_m

    def heading(self, s: npt.ArrayLike) -> FloatArray:
        """Direction of the centreline, radians anticlockwise from east, the shape of `s`."""
        along = np.asarray(s, np.float64)
        theta: FloatArray = np.sum([a * np.sin(k * along + phase) for a, k, phase in self.swings], axis=0)
        return theta

    def curvature(self, s: npt.ArrayLike) -> FloatArray:
        """Change of heading per metre, positive to the left, the shape of `s`."""
        along = np.asarray(s, np.float64)
        bend: FloatArray = np.sum([a * k * np.cos(k * along + phase) for a, k, phase in self.swings], axis=0)
        return bend

    @cached_property
    def _table(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        # The integral of cos(sum of sines) has no closed form: the midpoint rule on a fine grid is exact to 1e-6 m.
        grid = np.arange(self.first_m, self.last_m + _STEP_M, _STEP_M)
        middle = self.heading(grid[:-1] + _STEP_M / 2)
        x = np.concatenate([[0.0], np.cumsum(np.cos(middle) * _STEP_M)])
        y = np.concatenate([[0.0], np.cumsum(np.sin(middle) * _STEP_M)])
        return grid, x - np.interp(0.0, grid, x), y - np.interp(0.0, grid, y)

    def place(self, s: npt.ArrayLike, d: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """East and north in metres of places on the road, broadcast over `s` and `d`."""
        along, left = np.broadcast_arrays(np.asarray(s, np.float64), np.asarray(d, np.float64))
        grid, x, y = self._table
        theta = self.heading(along)
        east = np.interp(along, grid, x) - left * np.sin(theta)
        north = np.interp(along, grid, y) + left * np.cos(theta)
        return east, north


def draw_road(rng: np.random.Generator, first_m: float, last_m: float) -> Road:
    """Draws a road at random.

    Args:
        rng: source of the draws.
        first_m: where it begins, metres along the centreline.
        last_m: where it ends.
    """
    swings = tuple(
        (
            float(rng.uniform(0.03, 0.12)),
            2 * np.pi / float(rng.uniform(180.0, 420.0)),
            float(rng.uniform(0, 2 * np.pi)),
        )
        for _ in range(2)
    )
    return Road(swings=swings, first_m=first_m, last_m=last_m, lanes=int(rng.integers(1, 3)))
