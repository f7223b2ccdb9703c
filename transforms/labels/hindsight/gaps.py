"""Gaps: frames in which a tracked object must have been, though the network did not see it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.hindsight.grids import TrackGrid, track_grids
from transforms.labels.hindsight.rescoring import logits, probabilities
from transforms.labels.hindsight.smoothing import SmoothedGrid
from transforms.labels.overlap import areas
from transforms.labels.sightings import INTERPOLATED, Additions, Sightings

LONG_WEIGHT: Final = 0.3
FAST_WEIGHT: Final = 1.0
MISSED_BIAS: Final = -0.9
"""Belief in a filled frame, in logits beside that of the boxes around it: less for a gap of more frames (by the
logarithm of their number), less where the object moves far in it (by the overlap that its ends lack), and less for not
having been seen at all. Logistic regressions on the gaps of KITTI tracking lie around these. Whether something nearer
hides the object tells nothing: the truth of KITTI has what is hidden, that of rendered scenes has not."""

LEAVING_WEIGHT: Final = 2.0
"""Less belief, in logits, in a box at the left or right side of the picture: what is not seen there has mostly left, or
has not come yet. Of the cars of KITTI tracking that would be believed at .5, 13 of 32 are there at the sides, 182 of 223
elsewhere; logistic regressions on parts of its sequences give 1.4 and more."""

SIDE_SHARE: Final = 0.3
"""A box is at a side that is nearer than this share of its width, or beyond it; .05 and .5 do nearly as well."""

LEAST_BELIEF: Final = 0.05
"""Rows that are believed less are not added."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gaps:
    """Frames between two boxes of a track.

    Attributes:
        frames: int32[A].
        boxes: xyxy edges in pixels, float64[A, 4].
        before: row of the box before, int32[A].
        after: row of the box after, int32[A].
        shares: how far from the one to the other in time, float64[A], 0..1.
        steps: frames that the network looked at from the one to the other, int64[A].
    """

    frames: npt.NDArray[np.int32]
    boxes: FloatArray
    before: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]
    shares: FloatArray
    steps: npt.NDArray[np.int64]


def fill_gaps(
    seen: Sightings, paths: list[SmoothedGrid] | None, max_gap_s: float, extent: FloatArray
) -> Additions:
    """The rows that are believed for frames that the network looked at between two boxes of a track.

    Args:
        seen: detections of a clip with tracks, scored along them.
        paths: its `smoothed_paths`; None = straight lines between the boxes.
        max_gap_s: longer gaps stay.
        extent: xyxy edges of the picture in pixels, float64[4].
    """
    gaps = find_gaps(seen, paths, max_gap_s)
    beliefs = probabilities(_beliefs(seen, gaps) - LEAVING_WEIGHT * at_side(gaps.boxes, extent))
    kept = beliefs >= LEAST_BELIEF
    return Additions(gaps.frames[kept], gaps.boxes[kept], beliefs[kept], gaps.before[kept], INTERPOLATED)


def find_gaps(seen: Sightings, paths: list[SmoothedGrid] | None, max_gap_s: float) -> Gaps:
    """Finds the frames between two boxes of a track.

    Args:
        seen: a clip with tracks.
        paths: its `smoothed_paths`; None = straight lines between the boxes.
        max_gap_s: longer gaps are left out.
    """
    if paths is None:
        parts = [_gaps(seen, grid, None, max_gap_s) for grid in track_grids(seen)]
    else:
        parts = [_gaps(seen, path.grid, path.boxes, max_gap_s) for path in paths]
    none = np.empty(0, np.int32)
    return Gaps(
        frames=np.concatenate([none, *(part.frames for part in parts)]),
        boxes=np.concatenate([np.empty((0, 4)), *(part.boxes for part in parts)]),
        before=np.concatenate([none, *(part.before for part in parts)]),
        after=np.concatenate([none, *(part.after for part in parts)]),
        shares=np.concatenate([np.empty(0), *(part.shares for part in parts)]),
        steps=np.concatenate([np.empty(0, np.int64), *(part.steps for part in parts)]),
    )


def at_side(boxes: FloatArray, extent: FloatArray) -> npt.NDArray[np.bool_]:
    """Which boxes are at the left or right side of the picture, bool[N].

    Args:
        boxes: xyxy edges in pixels, float64[N, 4].
        extent: xyxy edges of the picture in pixels, float64[4].
    """
    near = SIDE_SHARE * (boxes[:, 2] - boxes[:, 0])
    result: npt.NDArray[np.bool_] = (boxes[:, 0] - extent[0] < near) | (extent[2] - boxes[:, 2] < near)
    return result


def _gaps(seen: Sightings, grid: TrackGrid, smoothed: FloatArray | None, max_gap_s: float) -> Gaps:
    filled = grid.filled
    places = np.arange(filled.shape[1])
    previous = np.maximum.accumulate(np.where(filled, places, -1), axis=1)
    following = np.minimum.accumulate(np.where(filled, places, len(places))[:, ::-1], axis=1)[:, ::-1]
    lines, cells = np.nonzero(~filled & (following < len(places)))
    begins, ends = previous[lines, cells], following[lines, cells]
    before, after = grid.rows[lines, begins], grid.rows[lines, ends]
    frames = grid.frames[lines, cells]
    begins_ns = seen.timestamps_ns[seen.frames[before]]
    length_ns = seen.timestamps_ns[seen.frames[after]] - begins_ns
    shares = (seen.timestamps_ns[frames] - begins_ns) / np.maximum(length_ns, 1)
    if smoothed is None:
        far = shares[:, None]
        boxes = (1 - far) * seen.boxes[before] + far * seen.boxes[after]
    else:
        boxes = smoothed[lines, cells]
    short = length_ns / 1e9 <= max_gap_s
    return Gaps(
        frames[short], boxes[short], before[short], after[short], shares[short], (ends - begins)[short]
    )


def _beliefs(seen: Sightings, gaps: Gaps) -> FloatArray:
    """Log odds that an object is where a gap is filled, float64[A]."""
    own = logits(seen.scores)
    around = (1 - gaps.shares) * own[gaps.before] + gaps.shares * own[gaps.after]
    length = np.log(gaps.steps - 1.0)
    fast = 1 - _paired_iou(seen.boxes[gaps.before], seen.boxes[gaps.after])
    belief: FloatArray = around - LONG_WEIGHT * length - FAST_WEIGHT * fast + MISSED_BIAS
    return belief


def _paired_iou(first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]) -> FloatArray:
    """Overlap of each box with its own counterpart, float64[N]."""
    sides = np.minimum(first[:, 2:], second[:, 2:]) - np.maximum(first[:, :2], second[:, :2])
    shared = np.maximum(sides.astype(np.float64), 0.0).prod(axis=1)
    union = areas(first) + areas(second) - shared
    result: FloatArray = np.divide(shared, union, out=np.zeros(len(shared)), where=union > 0)
    return result
