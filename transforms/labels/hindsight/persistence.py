"""How an unknown tool's scores are to be taken: objects last, false detections flicker.

The rescoring gives log odds that are right up to a constant, which depends on the tool: one gives .9 to all it finds,
another one .5. That constant is found without truth. Rows of tracks that last are counted as right, all others as
wrong: some of either are not, but about as many of the one as of the other. The constant is the one with which the
scores, taken as probabilities, add up to that count.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.hindsight.grids import track_order
from transforms.labels.hindsight.rescoring import probabilities
from transforms.labels.sightings import Sightings

LASTING_S: Final = 1.0
LASTING_BOXES: Final = 3
LASTING_SHARE: Final = 0.75
"""A track lasts when there are so many seconds from its first to its last box, it has so many boxes, and they stand in
so large a share of the frames between. The share tells most: on KITTI tracking half of all that is falsely seen stands
there for a second, but one in five of those without many a gap. .7 instead moves the bias by .5, half or twice the
seconds by .4."""

SHORTEST_CLIP_S: Final = 3.0
"""Shorter clips tell nothing of what lasts: objects that cross their borders are cut short."""

FEWEST_ROWS: Final = 200
"""Of fewer rows nothing is concluded."""

LOWEST: Final = -6.0
HIGHEST: Final = 3.0
"""Bounds of the constant."""

_HALVINGS: Final = 40


def lasting(seen: Sightings) -> npt.NDArray[np.bool_]:
    """Which rows lie in tracks that last, bool[N].

    Args:
        seen: detections of a clip with tracks.
    """
    result = np.zeros(len(seen.frames), bool)
    order = track_order(seen)
    if len(order):
        _, starts, counts = np.unique(seen.tracks[order], return_index=True, return_counts=True)
        ends = starts + counts - 1
        first, last = seen.frames[order[starts]], seen.frames[order[ends]]
        looked = np.concatenate([[0], np.cumsum(seen.seen)])
        share = counts / (looked[last + 1] - looked[first])
        # a track of exactly a second is one, whatever the rounding of its times
        life_s = seen.times_s[order[ends]] - seen.times_s[order[starts]] + 1e-6
        lasts = (life_s >= LASTING_S) & (counts >= LASTING_BOXES) & (share >= LASTING_SHARE)
        result[order] = np.repeat(lasts, counts)
    return result


def tells(seen: Sightings) -> bool:
    """Whether a clip is long enough, and looked at often enough, to tell what lasts.

    Args:
        seen: any rows of the clip.
    """
    times_ns = seen.timestamps_ns
    is_long = len(times_ns) > 0 and (int(times_ns[-1]) - int(times_ns[0])) / 1e9 >= SHORTEST_CLIP_S
    return is_long and seen.step_s * (LASTING_BOXES - 1) <= LASTING_S


def score_bias(log_odds: npt.NDArray[np.float64], is_lasting: npt.NDArray[np.bool_]) -> float:
    """The bias of the rescoring under which the scores add up to the rows of tracks that last.

    Args:
        log_odds: of all rows, rescored without bias, float64[N].
        is_lasting: their `lasting`, bool[N].

    Returns:
        Between `LOWEST` and `HIGHEST`; 0 for fewer than `FEWEST_ROWS` rows, and where nothing lasts.

    >>> round(score_bias(np.full(400, 1.0), np.arange(400) < 200), 6)
    -1.0
    """
    wanted = int(np.count_nonzero(is_lasting))
    if len(log_odds) < FEWEST_ROWS or not wanted:
        return 0.0
    low, high = LOWEST, HIGHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float(probabilities(log_odds + middle).sum(dtype=np.float64)) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2
