"""Scores along tracks: how sure a box is follows from its neighbours in time and from its whole track."""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.hindsight.grids import track_order
from transforms.labels.sightings import Sightings

OWN_WEIGHT: Final = 0.1
NEAR_WEIGHT: Final = 0.4
TRACK_WEIGHT: Final = 0.45
LIFE_WEIGHT: Final = 0.3
"""Weights of the evidence, in logits: the box's own score, the mean around it in time, the mean of its track, and the
logarithm of the seconds that the object was seen for. Logistic regressions on KITTI tracking at 10, 5 and 2.5 Hz lie
around them, with more for the life; that much costs precision where clips are short. One set for every detector."""

NEAR_S: Final = 0.3
"""Standard deviation of the time over which neighbours count, in seconds; .15 to .6 give the same within .001 HOTA."""

_FARTHEST_NS: Final = round(3 * NEAR_S * 1e9)
"""Three standard deviations; whole nanoseconds, so that a clip's begin does not decide what is within them."""

_SHARPEST: Final = 1e-4
"""Scores nearer to 0 or 1 than this count as this near."""

FloatArray = npt.NDArray[np.float64]


def logits(scores: npt.NDArray[np.floating]) -> FloatArray:
    """Log odds of scores, float64[N]."""
    bounded = np.clip(scores.astype(np.float64), _SHARPEST, 1 - _SHARPEST)
    result: FloatArray = np.log(bounded / (1 - bounded))
    return result


def probabilities(values: FloatArray) -> npt.NDArray[np.float32]:
    """The inverse of `logits`, float32[N]."""
    return (1 / (1 + np.exp(-values))).astype(np.float32)


def rescore(seen: Sightings, bias: float = 0.0) -> Sightings:
    """Scores every row by its track; a row without one is a track of one box.

    Args:
        seen: detections of a clip with tracks.
        bias: added to all log odds; tells how sure this network's scores are to be taken in general.
    """
    own = logits(seen.scores)
    near, mean, life_s = own.copy(), own.copy(), np.full(len(own), seen.step_s)
    order = track_order(seen)
    if len(order):
        _, starts, counts = np.unique(seen.tracks[order], return_index=True, return_counts=True)
        mean[order] = np.repeat(np.add.reduceat(own[order], starts) / counts, counts)
        life_s[order] *= np.repeat(counts, counts)
        near[order] = _near_means(seen.timestamps_ns[seen.frames[order]], own[order], seen.tracks[order])
    evidence = OWN_WEIGHT * own + NEAR_WEIGHT * near + TRACK_WEIGHT * mean + LIFE_WEIGHT * np.log(life_s)
    return replace(seen, scores=probabilities(evidence + bias))


def _near_means(
    times_ns: npt.NDArray[np.int64], values: FloatArray, tracks: npt.NDArray[np.int32]
) -> FloatArray:
    """Mean of a track's values around every row, weighted by a Gaussian of their distance in time.

    Rows farther away than `_FARTHEST_NS` do not count.

    Args:
        times_ns: int64[M]; rows are sorted by track and then by time.
        values: float64[M].
        tracks: int32[M].
    """
    total, weight = values.copy(), np.ones(len(values))
    for shift in range(1, len(values)):
        distance_ns = times_ns[shift:] - times_ns[:-shift]
        near = (tracks[shift:] == tracks[:-shift]) & (distance_ns <= _FARTHEST_NS)
        if not near.any():
            break
        share = np.where(near, np.exp(-0.5 * (distance_ns / 1e9 / NEAR_S) ** 2), 0.0)
        total[shift:] += share * values[:-shift]
        weight[shift:] += share
        total[:-shift] += share * values[shift:]
        weight[:-shift] += share
    return total / weight
