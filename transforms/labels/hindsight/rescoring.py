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
        seen: a clip with tracks; scores of rows that the network did not see are not looked at.
        bias: added to all log odds; tells how sure this network's scores are to be taken in general.
    """
    own = logits(seen.scores)
    life_s = np.full(len(own), seen.step_s)
    near, mean = own.copy(), own.copy()
    order = track_order(seen)
    if len(order):
        _, starts = np.unique(seen.tracks[order], return_index=True)
        detected = seen.is_detected[order].astype(np.float64)
        counts = np.add.reduceat(detected, starts)
        sizes = np.diff(np.append(starts, len(order)))
        mean[order] = np.repeat(np.add.reduceat(own[order] * detected, starts) / counts, sizes)
        life_s[order] = np.repeat(counts, sizes) * seen.step_s
        near[order] = _near_means(seen.times_s[order], own[order], detected, seen.tracks[order])
    evidence = OWN_WEIGHT * own + NEAR_WEIGHT * near + TRACK_WEIGHT * mean + LIFE_WEIGHT * np.log(life_s)
    return replace(seen, scores=probabilities(evidence + bias))


def _near_means(
    times_s: FloatArray, values: FloatArray, detected: FloatArray, tracks: npt.NDArray[np.int32]
) -> FloatArray:
    """Mean of a track's values around every row, weighted by a Gaussian of their distance in time.

    Rows farther than three standard deviations do not count, unless there are none nearer: then the nearest do.
    """
    total, weight = values * detected, detected.copy()
    shift = 1
    while shift < len(values):
        same = tracks[shift:] == tracks[:-shift]
        distance_s = times_s[shift:] - times_s[:-shift]
        near = same & (distance_s <= 3 * NEAR_S)
        if not near.any():
            break
        share = np.where(near, np.exp(-0.5 * (distance_s / NEAR_S) ** 2), 0.0)
        total[shift:] += share * (values * detected)[:-shift]
        weight[shift:] += share * detected[:-shift]
        total[:-shift] += share * (values * detected)[shift:]
        weight[:-shift] += share * detected[shift:]
        shift += 1
    alone = weight <= 0
    if alone.any():
        total[alone], weight[alone] = _nearest(times_s, values, detected, tracks, np.flatnonzero(alone)), 1.0
    return total / weight


def _nearest(
    times_s: FloatArray,
    values: FloatArray,
    detected: FloatArray,
    tracks: npt.NDArray[np.int32],
    rows: npt.NDArray[np.integer],
) -> FloatArray:
    """Value of the detected row of the same track that is nearest in time."""
    known = np.flatnonzero(detected > 0)
    after = np.searchsorted(known, rows).clip(max=len(known) - 1)
    before = np.maximum(after - 1, 0)
    here = known[np.stack([before, after])]
    distance_s = np.where(tracks[here] == tracks[rows], np.abs(times_s[here] - times_s[rows]), np.inf)
    nearest = np.where(distance_s[0] <= distance_s[1], here[0], here[1])
    result: FloatArray = values[nearest]
    return result
