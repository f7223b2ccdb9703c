"""Boxes carried on from, or back from, the one frame in which the detector sees them.

The points in a box say how it moves and grows (median flow: Kalal et al., ICPR 2010), those that differ from the
rest weighing little: they are behind the thing, or lost.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.motion.camera import camera_steps
from transforms.labels.motion.medians import median_of_counted
from transforms.labels.motion.trails import Trail

__all__ = ["Extended", "carry_backward", "carry_forward"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
BoxArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]

_ROUNDS: Final = 5
_GROWTH_RIDGE: Final = 0.01
"""Keeps points that lie close together from telling growth, as a share of the box's squared sides."""

_AGREE_GRAINS: Final = 3.0
"""Luma pixels off the box's motion up to which a point is of one mind with it."""

_LEAST_SCALE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Extended:
    """Boxes before or after a known one.

    Attributes:
        boxes: xyxy edges in pixels of the frame, float32[F, N, 4], in the trail's order of frames; they may leave
            the frame.
        confidence: how many of the points in the known box are alive and of one mind, as a share of them and one
            more, float32[F, N]; 1 in the frame of the known box. Without any points a box moves as the camera
            makes it, at confidence 0; when the last is lost it goes on as it did.
    """

    boxes: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]


def carry_forward(trail: Trail, boxes_at_start: BoxArray, *, points_only: bool = False) -> Extended:
    """Carries boxes on from a frame in which they are known.

    Args:
        trail: points followed from that frame on.
        boxes_at_start: xyxy edges in pixels in the trail's first frame, float[N, 4].
        points_only: boxes without points stay where they are, which saves finding out what the camera does.
    """
    boxes, confidence = _extended(trail, boxes_at_start.astype(np.float64), points_only=points_only)
    return Extended(boxes.astype(np.float32), confidence.astype(np.float32))


def carry_backward(trail: Trail, boxes_at_end: BoxArray, *, points_only: bool = False) -> Extended:
    """Carries boxes back from a frame in which they are known.

    Args:
        trail: points followed up to that frame.
        boxes_at_end: xyxy edges in pixels in the trail's last frame, float[N, 4].
        points_only: as in `carry_forward`.
    """
    survivors = trail.alive[-1]
    back = replace(
        trail,
        timestamps_ns=-trail.timestamps_ns[::-1],
        positions=trail.positions[::-1, survivors],
        alive=trail.alive[::-1, survivors],
    )
    boxes, confidence = _extended(back, boxes_at_end.astype(np.float64), points_only=points_only)
    return Extended(boxes[::-1].astype(np.float32), confidence[::-1].astype(np.float32))


def _extended(trail: Trail, known: FloatArray, *, points_only: bool) -> tuple[FloatArray, FloatArray]:
    """Boxes float64[F, N, 4] from the first frame's on, and confidence float64[F, N]."""
    middles, sides = (known[:, :2] + known[:, 2:]) / 2, known[:, 2:] - known[:, :2]
    confidence = np.zeros((len(trail.positions), len(known)))
    start = trail.positions[0][None]
    inside = ((start >= known[:, None, :2]) & (start <= known[:, None, 2:])).all(axis=2)
    some, used = inside.any(axis=1), inside.any(axis=0)
    if points_only or some.all():
        moves, growth = np.zeros((*confidence.shape, 2)), np.zeros(confidence.shape)
    else:
        moves, growth = _with_camera(trail, known, middles)
    if some.any():
        places = trail.positions[:, used].astype(np.float64) @ (1, 1j)
        arms = places[0] - (middles[some] @ (1, 1j))[:, None]
        # nothing has moved in the first frame
        alive = inside[some][:, None][..., used] & trail.alive[1:, used]
        size = (sides[some] ** 2).sum(axis=1)
        shift, grown, agreeing = _median_flow(arms, places[1:] - places[0], alive, size, trail.grain_px)
        moves[1:, some] = np.stack([shift.real, shift.imag], axis=2)
        growth[1:, some] = grown
        confidence[1:, some] = agreeing / (inside.sum(axis=1)[some] + 1)
    confidence[0] = 1.0
    centres, half = middles + moves, sides * np.maximum(1 + growth, _LEAST_SCALE)[..., None] / 2
    return np.concatenate([centres - half, centres + half], axis=2), confidence


def _with_camera(trail: Trail, known: FloatArray, middles: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Moves float64[F, N, 2] and growth float64[F, N] of boxes that stand still in the world."""
    frames = len(trail.positions)
    moves, growth = np.zeros((frames, len(known), 2)), np.zeros((frames, len(known)))
    places, scale = middles, 1.0
    for frame, step in enumerate(camera_steps(trail, known).matrices, start=1):
        places = places @ step[:, :2].T + step[:, 2]
        scale *= float(np.hypot(step[0, 0], step[1, 0]))
        moves[frame], growth[frame] = places - middles, scale - 1
    return moves, growth


def _median_flow(
    arms: ComplexArray, flow: ComplexArray, alive: BoolArray, size: FloatArray, grain_px: float
) -> tuple[ComplexArray, FloatArray, npt.NDArray[np.int64]]:
    """How boxes move and grow, by the points in them; x and y are the parts of complex numbers.

    Args:
        arms: points seen from each box's middle in the first frame, complex128[N, P].
        flow: how far each point is from its first place, in the frames from the second on, complex128[F, P].
        alive: the points that count for a box in a frame, bool[N, F, P].
        size: sum of every box's squared sides, float64[N].
        grain_px: sides of a luma pixel.

    Returns:
        Moves of the middles complex128[F, N], growth float64[F, N], and how many points agree int64[F, N].
    """
    arms = arms[:, None]
    move = median_of_counted(flow.real, alive) + 1j * median_of_counted(flow.imag, alive)
    growth = np.zeros(move.shape)
    for turn in range(_ROUNDS):
        rest = np.abs(flow - move[..., None] - growth[..., None] * arms)
        spread = np.full(move.shape, grain_px)
        if turn < _ROUNDS - 1:
            spread = np.maximum(spread, 1.5 * median_of_counted(rest, alive))
        weights = np.where(alive, (1 + (rest / spread[..., None]) ** 2) ** -2.0, 0.0)
        mass = np.maximum(weights.sum(axis=2), 1e-12)
        centre, mean = (weights * arms).sum(axis=2) / mass, (weights * flow).sum(axis=2) / mass
        lever = arms - centre[..., None]
        growth = (weights * (np.conj(lever) * (flow - mean[..., None])).real).sum(axis=2)
        growth /= (weights * np.abs(lever) ** 2).sum(axis=2) + _GROWTH_RIDGE * size[:, None] + 1e-12
        move = mean - growth * centre
    agreeing = (alive & (rest < _AGREE_GRAINS * grain_px)).sum(axis=2)
    _go_on(move, growth, lost=~np.asarray(alive.any(axis=2)))
    return move.T, growth.T, agreeing.T


def _go_on(move: ComplexArray, growth: FloatArray, lost: BoolArray) -> None:
    """Boxes that have lost their last point go on as in the last two frames; both arrays are changed.

    What has lost it in the second frame of all, the arrays' first, stays.
    """
    for frame in range(1, lost.shape[1]):
        gone = lost[:, frame]
        for values in (move, growth):
            before = values[gone, frame - 1]
            values[gone, frame] = before + (before - (values[gone, frame - 2] if frame > 1 else 0))
