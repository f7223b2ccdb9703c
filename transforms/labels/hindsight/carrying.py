"""Labels for the frames between those that the network looked at: boxes go along with the points seen in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.hindsight.grids import track_order
from transforms.labels.hindsight.rescoring import logits, probabilities
from transforms.labels.motion.carrying import carry
from transforms.labels.motion.extending import carry_backward, carry_forward
from transforms.labels.motion.trails import Trail
from transforms.labels.sightings import PROPAGATED, Additions, Sightings

LEAST_BELIEF: Final = 0.02
"""Boxes that are believed less are not carried: every one costs a row in all frames between."""

HALFWAY: Final = 0.5
"""A box that has no counterpart at the other end stands for its half of the time."""

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Carried:
    """Boxes of some rows in some frames.

    Attributes:
        frames: int64[G].
        rows: rows that are carried, int64[N].
        boxes: xyxy edges in pixels, float32[G, N, 4].
        beliefs: log odds, float64[G, N].
    """

    frames: RowArray
    rows: RowArray
    boxes: npt.NDArray[np.float32]
    beliefs: FloatArray


def carry_between(seen: Sightings, trails: Sequence[Trail]) -> Additions:
    """The boxes in the frames that the network did not look at.

    From one frame that it looked at to the next, the path of a tracked object begins and ends in its two boxes. A
    box without a counterpart is carried halfway, and beyond the last frame that was looked at as far as points are
    followed.

    Args:
        seen: a clip with tracks, scored along them.
        trails: points followed between frames that the network looked at, over all frames of the clip.
    """
    order = track_order(seen)
    following = np.full(len(seen.frames), -1, np.int64)
    same = seen.tracks[order][1:] == seen.tracks[order][:-1]
    following[order[:-1][same]] = order[1:][same]
    own = logits(seen.scores)
    starts = np.searchsorted(seen.frames, np.arange(len(seen.seen) + 1))
    parts = [_NOTHING]
    for trail in trails:
        first, last = (
            np.arange(starts[frame], starts[frame + 1]) if seen.seen[frame] else _NOTHING.rows
            for frame in (trail.first, trail.last)
        )
        first, last = (rows[seen.scores[rows] >= LEAST_BELIEF] for rows in (first, last))
        goes_on = np.isin(following[first], last)
        parts += _between(seen, own, trail, first[goes_on], following[first[goes_on]])
        parts += _one_sided(seen, own, trail, first[~goes_on], np.setdiff1d(last, following[first]))
    return Additions(
        np.concatenate([np.repeat(part.frames, len(part.rows)) for part in parts]),
        np.concatenate([part.boxes.reshape(-1, 4) for part in parts]),
        probabilities(np.concatenate([part.beliefs.reshape(-1) for part in parts])),
        np.concatenate([np.tile(part.rows, len(part.frames)) for part in parts]),
        PROPAGATED,
    )


_NOTHING: Final = _Carried(
    np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 0, 4), np.float32), np.empty((0, 0))
)


def _between(
    seen: Sightings, own: FloatArray, trail: Trail, first: RowArray, last: RowArray
) -> Iterator[_Carried]:
    """Objects with a box at both ends."""
    at = np.arange(1, len(trail.timestamps_ns) - 1)
    if len(at) and len(first):
        boxes = carry(trail, seen.boxes[first], seen.boxes[last]).boxes[at]
        share = trail.shares[at, None]
        yield _Carried(trail.first + at, first, boxes, (1 - share) * own[first] + share * own[last])


def _one_sided(
    seen: Sightings, own: FloatArray, trail: Trail, first: RowArray, last: RowArray
) -> Iterator[_Carried]:
    """Objects with a box at one end only; frames at either end that were not looked at are between as well."""
    begins, ends = bool(seen.seen[trail.first]), bool(seen.seen[trail.last])
    at = np.arange(begins, len(trail.timestamps_ns) - ends)
    early = trail.shares[at] < (HALFWAY if ends else np.inf)
    on, back = at[early], at[~early] if begins else at
    if len(first) and len(on):
        reached = trail.part(slice(0, int(on[-1]) + 1))
        yield _carried(trail, on, first, own, carry_forward(reached, seen.boxes[first]).boxes[on])
    if len(last) and len(back):
        reached = trail.part(slice(int(back[0]), len(trail.timestamps_ns)))
        yield _carried(
            trail, back, last, own, carry_backward(reached, seen.boxes[last]).boxes[back - back[0]]
        )


def _carried(
    trail: Trail, at: RowArray, rows: RowArray, own: FloatArray, boxes: npt.NDArray[np.float32]
) -> _Carried:
    """Boxes that are believed as where they come from."""
    return _Carried(trail.first + at, rows, boxes, np.broadcast_to(own[rows], (len(at), len(rows))))
