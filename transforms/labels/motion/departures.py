"""How followed points depart from moving evenly between a trail's first and last frame.

A point that is followed all the way has a straight line of its own, from where it is first to where it is last.
How far it strays from that in between is 0 at both ends and owes nothing to any box. The camera's shaking makes
all points stray alike; what a thing does of itself, only those on it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.motion.trails import Trail

__all__ = ["Departures", "departures"]

FloatArray = npt.NDArray[np.float64]

MIN_POINTS: Final = 8
"""Of fewer points nothing is said about what they share."""

_ROUNDS: Final = 4
_LEAST_SPREAD_GRAINS: Final = 0.15
"""Points cannot be told apart by less, in luma pixels."""

_RIDGE: Final = 0.03
"""Keeps the slopes of the shared part small against its middle, as a share of the points."""

_NOISE_GRAINS: Final = 0.1
"""What following makes of a straight line in all points alike, in luma pixels."""

_STANDARD_ERRORS: Final = 2.0
_ERROR_OF_MEDIAN: Final = 1.86
"""Median distance to standard error of a fit, times the root of the count: 1.4826 for a normal distribution's
deviation, 1.2533 for a median's efficiency."""


@dataclass(frozen=True, slots=True)
class Departures:
    """Departures of the points that are followed through a whole trail.

    Attributes:
        positions: of these points, pixels of the frame, float64[F, P, 2].
        departures: from each point's own straight line, float64[F, P, 2].
        slopes: what is shared: departure at `middle`, and its change along x and y, float64[F, 3, 2].
        middle: a place in the picture, float64[2].
        noise_px: how much of `slopes` may be chance; infinite where the points are too few.
    """

    positions: FloatArray
    departures: FloatArray
    slopes: FloatArray
    middle: FloatArray
    noise_px: float

    def shared(self, places: FloatArray) -> FloatArray:
        """What all points share, at places, pressed towards 0 where it may be chance.

        Args:
            places: x and y, float64[N, 2].

        Returns:
            float64[F, N, 2], 0 in the first frame and the last.
        """
        away = np.concatenate([np.ones((len(places), 1)), places - self.middle], axis=1)
        values = np.einsum("ni,fik->fnk", away, self.slopes)
        return np.asarray(values * believed(values, self.noise_px**2), np.float64)


def believed(values: FloatArray, chance: float | FloatArray) -> FloatArray:
    """The share of a departure to believe: its power over the power of departure and chance (Wiener's filter).

    Args:
        values: float64[F, N, 2].
        chance: squared pixels that chance brings, one for all or float64[N, 1].

    Returns:
        float64[N, 1], 0 to 1.
    """
    # the first and the last are 0 by definition
    power = (values[1:-1] ** 2).sum(axis=(0, 2))[:, None] / max(len(values) - 2, 1)
    return np.asarray(power / np.maximum(power + chance, 1e-12), np.float64)


def departures(trail: Trail) -> Departures:
    """Measures them.

    Args:
        trail: points followed.
    """
    through = trail.alive.all(axis=0)
    places = trail.positions[:, through].astype(np.float64)
    shares = trail.shares[:, None, None]
    strays = places - (places[0] * (1 - shares) + places[-1] * shares)
    frames, count, _ = places.shape
    if count < MIN_POINTS:
        return Departures(places, strays, np.zeros((frames, 3, 2)), np.zeros(2), np.inf)
    mean = places.mean(axis=0)
    middle = mean.mean(axis=0)
    reach = max(float(np.abs(mean - middle).max()), trail.grain_px)
    terms = np.concatenate([np.ones((count, 1)), (mean - middle) / reach], axis=1)
    ridge = np.diag([1e-9, _RIDGE * count, _RIDGE * count])
    weights = np.ones((frames, count))
    for _ in range(_ROUNDS):
        weighted = np.einsum("ni,fn->fin", terms, weights)
        slopes = np.linalg.solve(weighted @ terms + ridge, weighted @ strays)
        rest = np.hypot(*np.moveaxis(strays - terms @ slopes, 2, 0))
        typical = np.median(rest, axis=1, keepdims=True)
        spread = np.maximum(1.5 * typical, _LEAST_SPREAD_GRAINS * trail.grain_px)
        weights = (1 + (rest / spread) ** 2) ** -2.0
    error = _ERROR_OF_MEDIAN * float(np.sqrt(np.mean(typical**2) / count))
    slopes[:, 1:] /= reach
    noise = float(np.hypot(_NOISE_GRAINS * trail.grain_px, _STANDARD_ERRORS * error))
    return Departures(places, strays, slopes, middle, noise)
