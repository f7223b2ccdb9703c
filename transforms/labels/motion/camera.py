"""The camera's own motion: how most of the picture moves from frame to frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.motion.medians import median_of_counted
from transforms.labels.motion.trails import Trail

__all__ = ["CameraMotions", "camera_motions", "camera_steps"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
BoolArray = npt.NDArray[np.bool_]

MIN_POINTS: Final = 8
"""Of fewer points that agree no motion is told."""

MIN_SHARE: Final = 0.3
"""A smaller share of points that agree is none of the background."""

_ROUNDS: Final = 8
_AGREE_GRAINS: Final = 1.0
_AGREE_SHARE: Final = 0.3
"""How far off the fitted motion a point may be and still agree: luma pixels, or if more, a share of what points move
by. Where the camera drives on, near things move more than far ones; a smaller share takes a part of the picture for
the whole, and what stands is then missed by up to twice as much."""


@dataclass(frozen=True, slots=True)
class CameraMotions:
    """How the background moves between pairs of frames, as similarities: turn, scale and shift.

    A matrix takes x, y, 1 in pixels of the earlier frame to pixels of the later. Things at other distances than
    most move otherwise when the camera moves along: it is exact for a camera that turns only.

    Attributes:
        matrices: float64[T, 2, 3].
        shares: share of the points that agree, float64[T].
        known: whether the motion could be told, bool[T]; else its matrix is the identity.
    """

    matrices: FloatArray
    shares: FloatArray
    known: BoolArray


def camera_motions(
    trails: Sequence[Trail], moving: Sequence[npt.NDArray[np.floating]] | None = None
) -> CameraMotions:
    """Fits the motion that most points share from the first to the last frame of trails, all trails at once.

    Iteratively reweighted least squares with the weights of Geman and McClure, whose scale goes down from what
    all points spread to what still agrees (graduated non-convexity: Black and Rangarajan, IJCV 1996). No chance is
    involved.

    Args:
        trails: points followed, T of them, of one clip.
        moving: for each trail the xyxy edges of things in its first frame that may move of themselves, in pixels of
            the frame, float[N, 4]; points in them do not count.
    """
    most = max((trail.positions.shape[1] for trail in trails), default=0)
    ends = np.zeros((2, len(trails), most), np.complex128)
    alive = np.zeros((len(trails), most), np.bool_)
    for number, trail in enumerate(trails):
        count = trail.positions.shape[1]
        ends[:, number, :count] = _points(trail.positions[[0, -1]])
        alive[number, :count] = trail.alive[-1]
        if moving is not None:
            alive[number, :count] &= _outside(trail, moving[number])
    grain_px = trails[0].grain_px if trails else 1.0
    return CameraMotions(*_fit(ends[0], ends[1], alive, grain_px))


def camera_steps(trail: Trail, moving: npt.NDArray[np.floating]) -> CameraMotions:
    """The same from every frame of one trail to the next, F - 1 motions.

    Args:
        trail: points followed.
        moving: xyxy edges of things in its first frame whose points do not count, float[N, 4].
    """
    points = _points(trail.positions)
    alive = trail.alive[1:] & _outside(trail, moving)
    return CameraMotions(*_fit(points[:-1], points[1:], alive, trail.grain_px))


def _outside(trail: Trail, boxes: npt.NDArray[np.floating]) -> BoolArray:
    """Points that lie in none of the boxes in the trail's first frame, bool[P]."""
    start = trail.positions[0][:, None]
    inside = ((start >= boxes[:, :2]) & (start <= boxes[:, 2:])).all(axis=2)
    result: BoolArray = ~inside.any(axis=1)
    return result


def _points(positions: npt.NDArray[np.float32]) -> ComplexArray:
    places = positions.astype(np.float64)
    result: ComplexArray = places[..., 0] + 1j * places[..., 1]
    return result


def _fit(
    before: ComplexArray, after: ComplexArray, alive: BoolArray, grain_px: float
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Similarities z -> a z + b between two sets of points in the complex plane.

    Args:
        before: complex128[S, P].
        after: the same.
        alive: which points count, bool[S, P].
        grain_px: sides of a luma pixel.

    Returns:
        Matrices float64[S, 2, 3], shares of points that agree float64[S], and which could be told bool[S].
    """
    total = np.count_nonzero(alive, axis=1)
    middle = np.divide(before.sum(axis=1, where=alive), np.maximum(total, 1))[:, None]
    arms = before - middle
    flow = after - before
    # begins with a mere shift by the median
    factor = np.zeros(len(total), np.complex128)
    shift = median_of_counted(flow.real, alive) + 1j * median_of_counted(flow.imag, alive)
    limit = np.maximum(_AGREE_GRAINS * grain_px, _AGREE_SHARE * median_of_counted(np.abs(flow), alive))
    for turn in range(_ROUNDS):
        rest = np.abs(flow - shift[:, None] - factor[:, None] * arms)
        spread = median_of_counted(rest, alive)
        scale = np.maximum(3 * spread * (1 - turn / _ROUNDS), limit)[:, None]
        weights = np.where(alive, (1 + (rest / scale) ** 2) ** -2.0, 0.0)
        mass = weights.sum(axis=1)
        safe = np.maximum(mass, 1e-12)[:, None]
        centre = (weights * arms).sum(axis=1)[:, None] / safe
        mean = (weights * flow).sum(axis=1)[:, None] / safe
        lever = arms - centre
        inertia = (weights * np.abs(lever) ** 2).sum(axis=1)
        # a luma pixel's worth for every point: where all lie together, nothing turns or grows
        factor = (weights * np.conj(lever) * (flow - mean)).sum(axis=1) / (
            inertia + mass * grain_px**2 + 1e-12
        )
        shift = (mean - factor[:, None] * centre)[:, 0]
    rest = np.abs(flow - shift[:, None] - factor[:, None] * arms)
    agreeing = np.count_nonzero(alive & (rest < limit[:, None]), axis=1)
    shares = agreeing / np.maximum(total, 1)
    known = (agreeing >= MIN_POINTS) & (shares >= MIN_SHARE)
    grow = np.where(known, 1 + factor, 1.0)
    move = np.where(known, shift - factor * middle[:, 0], 0.0)
    rows = [
        np.stack([grow.real, -grow.imag, move.real], axis=1),
        np.stack([grow.imag, grow.real, move.imag], axis=1),
    ]
    return np.stack(rows, axis=1), shares, known
