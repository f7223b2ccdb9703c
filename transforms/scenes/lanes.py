"""Truth of the lane lines: where they run in a frame."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from transforms.scenes.cameras import Camera
from transforms.scenes.worlds import World

LineKind = Literal["solid", "dashed", "kerb"]

_REACH: Final = np.concatenate([-np.geomspace(50, 2, 9), np.geomspace(2, 50, 9)])
_NEAREST_M: Final = 1.0


@dataclass(frozen=True, slots=True)
class LaneLine:
    """A line of the road in a frame; what stands before it is not taken into account.

    Attributes:
        kind: how it is painted.
        number: from the road's right edge to its left, whether in the frame or not.
        points: pixels, float32[N, 2], N at least 2, rear to front along the road.
    """

    kind: LineKind
    number: int
    points: npt.NDArray[np.float32]


def lines(world: World) -> list[tuple[LineKind, float]]:
    """Kind and place (metres to the left of the centreline) of every line, right to left."""
    road = world.road
    dashes = [n * road.lane_width_m for n in range(1, road.lanes)]
    left: list[tuple[LineKind, float]] = [("solid", 0.12), *(("dashed", d) for d in dashes)]
    left += [("solid", road.lanes_edge_m), ("kerb", road.kerb_m)]
    return [(kind, -d) for kind, d in reversed(left)] + left


def lane_truth(world: World, camera: Camera, time_s: float) -> list[LaneLine]:
    """The road's lines within 50 m of the car that a camera has in its frame.

    Args:
        world: the world.
        camera: one of the car's cameras.
        time_s: when.
    """
    ego = world.ego(time_s)
    view = camera.at(ego.x_m, ego.y_m, ego.yaw_rad)
    found = []
    for number, (kind, d) in enumerate(lines(world)):
        x, y = world.road.place(ego.s_m + _REACH, d)
        seen = view.to_camera(np.stack([x, y, np.zeros_like(x)], axis=1))
        before = seen[:, 2] >= _NEAREST_M
        pixels = view.project(np.where(before[:, None], seen, 1.0))
        inside = before & ((pixels >= 0) & (pixels <= (camera.width, camera.height))).all(axis=1)
        if np.count_nonzero(inside) > 1:
            # A sixteenth of a pixel is exact enough and packs well.
            points = (np.round(pixels[inside] * 16) / 16).astype(np.float32)
            found.append(LaneLine(kind, number, points))
    return found
