"""Boxes carried through the frames between two in which the detector sees them.

The straight line is a good guess, and points know how things depart from it: those of the whole picture how the
camera shakes, those on a thing what the thing does of itself. Both are weighed against what following makes of
noise, so that where nothing is to be seen the straight line is left.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.motion.departures import believed, departures
from transforms.labels.motion.medians import median_of_counted
from transforms.labels.motion.trails import Trail

__all__ = ["Carried", "carry"]

FloatArray = npt.NDArray[np.float64]
BoxArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]

_AGREE_SHARE: Final = 0.1
_AGREE_GRAINS: Final = 1.0
"""A point belongs to a thing if it moved as the thing's box did, but for this share of the box's sides and so many
luma pixels; what is behind the thing moves otherwise, or else it does no harm."""

_POINT_NOISE_GRAINS: Final = 0.5
"""What following makes of a straight line in one point, in luma pixels."""

_PRIOR_POINTS: Final = 1.0
"""What all points share weighs as much as so many of a thing's own."""

_GROWTH_POINTS: Final = 4
"""Fewer points tell no growth."""

_GROWTH_RIDGE: Final = 0.02
"""Keeps points that lie close together from telling growth, as a share of the box's squared sides."""


@dataclass(frozen=True, slots=True)
class Carried:
    """Boxes between two known ones.

    Attributes:
        boxes: xyxy edges in pixels of the frame, float32[F, N, 4]; the first and the last are the known ones.
        own_points: points that moved with each thing, int32[N].
        is_straight: things whose boxes are a mere straight line, for want of points, bool[N].
    """

    boxes: npt.NDArray[np.float32]
    own_points: npt.NDArray[np.int32]
    is_straight: BoolArray


def carry(trail: Trail, boxes_at_start: BoxArray, boxes_at_end: BoxArray) -> Carried:
    """Carries boxes between two frames in both of which they are known.

    Args:
        trail: points followed from the one frame to the other.
        boxes_at_start: xyxy edges in pixels in the trail's first frame, float[N, 4].
        boxes_at_end: those of the same things in its last.
    """
    start, end = boxes_at_start.astype(np.float64), boxes_at_end.astype(np.float64)
    shares = trail.shares[:, None, None]
    straight = start * (1 - shares) + end * shares
    middles, halves = (straight[..., :2] + straight[..., 2:]) / 2, (straight[..., 2:] - straight[..., :2]) / 2
    strays = departures(trail)
    belongs = _belonging(strays.positions, start, end, trail.grain_px)
    moves = strays.shared(middles.mean(axis=0))
    moves += _own_moves(strays.departures, belongs, moves, trail.grain_px)
    growth, around = _own_growth(strays.positions, strays.departures, belongs, halves, trail.grain_px)
    middles += moves + growth * (middles - around)
    halves *= 1 + growth
    boxes = np.concatenate([middles - halves, middles + halves], axis=2)
    _keep_at_edges(boxes, straight, trail)
    boxes[0], boxes[-1] = start, end
    own_points = belongs.sum(axis=0, dtype=np.int32)
    is_straight = (own_points == 0) & (not np.isfinite(strays.noise_px))
    return Carried(boxes.astype(np.float32), own_points, is_straight)


def _belonging(positions: FloatArray, start: FloatArray, end: FloatArray, grain_px: float) -> BoolArray:
    """Which points are in which thing's box and moved as it did, bool[P, N]."""
    sides, later_sides = start[:, 2:] - start[:, :2], end[:, 2:] - end[:, :2]
    within = (positions[0][:, None] - start[:, :2]) / np.maximum(sides, 1e-6)
    within_later = (positions[-1][:, None] - end[:, :2]) / np.maximum(later_sides, 1e-6)
    apart = np.abs(within_later - within) * later_sides
    agrees = apart < _AGREE_GRAINS * grain_px + _AGREE_SHARE * later_sides
    return np.asarray(((within >= 0) & (within <= 1) & agrees).all(axis=2), np.bool_)


def _own_moves(strays: FloatArray, belongs: BoolArray, shared: FloatArray, grain_px: float) -> FloatArray:
    """How things move beyond what all points share.

    Args:
        strays: departures of the points, float64[F, P, 2].
        belongs: which point belongs to which thing, bool[P, N].
        shared: what all share, at every thing's middle, float64[F, N, 2].
        grain_px: sides of a luma pixel.

    Returns:
        float64[F, N, 2]; 0 for things without points.
    """
    used, counts = belongs.any(axis=1), belongs.sum(axis=0)
    some = counts > 0
    mine = belongs[used][:, some].T[None, :, None]
    more = median_of_counted(strays[:, None, used].swapaxes(2, 3), mine) - shared[:, some]
    more *= believed(more, (_POINT_NOISE_GRAINS * grain_px) ** 2 / counts[some, None])
    result = np.zeros_like(shared)
    result[:, some] = more * (counts / (counts + _PRIOR_POINTS))[some, None]
    return result


def _own_growth(
    positions: FloatArray, strays: FloatArray, belongs: BoolArray, halves: FloatArray, grain_px: float
) -> tuple[FloatArray, FloatArray]:
    """How things grow beyond growing evenly: the slope of their points' departures over their places.

    Args:
        positions: of the points, float64[F, P, 2].
        strays: their departures, float64[F, P, 2].
        belongs: which point belongs to which thing, bool[P, N].
        halves: half the sides of every thing, float64[F, N, 2].
        grain_px: sides of a luma pixel.

    Returns:
        Growth as a share, float64[F, N, 1], 0 for things with few points, and the points' middle, around which
        things grow, float64[F, N, 2].
    """
    mine, counts = belongs.T.astype(np.float64), belongs.sum(axis=0)
    around = mine @ positions / np.maximum(counts, 1)[:, None]
    inertia = mine @ (positions**2).sum(axis=2)[..., None] - (counts[:, None] * around**2).sum(
        axis=2, keepdims=True
    )
    torque = mine @ (positions * strays).sum(axis=2)[..., None]
    torque -= (around * (mine @ strays)).sum(axis=2, keepdims=True)
    firm = inertia + _GROWTH_RIDGE * 4 * (halves**2).sum(axis=2, keepdims=True) + 1e-9
    growth = torque / firm
    chance = 2 * (_POINT_NOISE_GRAINS * grain_px) ** 2 / firm.mean(axis=0)
    growth *= believed(growth, chance) * (counts >= _GROWTH_POINTS)[:, None]
    return growth, around


def _keep_at_edges(boxes: FloatArray, straight: FloatArray, trail: Trail) -> None:
    """Sides at the frame's edge in a known box are the frame's and not the thing's: they keep to the straight line.

    Args:
        boxes: is changed, float64[F, N, 4]; no side goes further out of the frame than in the known boxes.
        straight: the straight lines, float64[F, N, 4].
        trail: tells the frame's size.
    """
    size = np.array([trail.frame_width, trail.frame_height], np.float64)
    known, near = straight[[0, -1]], trail.grain_px / 2
    at_low, at_high = (known[..., :2] <= near).any(axis=0), (known[..., 2:] >= size - near).any(axis=0)
    kept = np.concatenate([at_low, at_high], axis=1)
    boxes[:, kept] = straight[:, kept]
    low = np.minimum(known.min(axis=0), 0.0)
    high = np.maximum(known.max(axis=0), np.concatenate([size, size]))
    np.clip(boxes, low, high, out=boxes)
