"""Painting polygons of a scene into a frame and, for truth, into a buffer of ids."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.scenes.cameras import Viewpoint

FloatArray = npt.NDArray[np.float64]
FixedArray = npt.NDArray[np.int32]
Image = npt.NDArray[np.uint8]
Colour = tuple[float, float, float]

NEAR_M: Final = 0.25
"""Nothing nearer to the camera than this is seen."""

_SHIFT: Final = 4
_FAR_PX: Final = 20000.0
"""cv2 counts subpixels in 16 bits and overflows beyond 32767 pixels, so such polygons are cut around the frame."""


def clip_near(polygon: FloatArray) -> FloatArray:
    """Cuts off what lies behind the near plane.

    Args:
        polygon: corners in the camera's frame, float64[N, 3].

    Returns:
        Corners, float64[M, 3]; none when all lies behind.
    """
    depth = polygon[:, 2]
    inside = depth >= NEAR_M
    corners = []
    for index in range(len(polygon)):
        other = index - 1
        if inside[index] != inside[other]:
            share = (NEAR_M - depth[other]) / (depth[index] - depth[other])
            corners.append(polygon[other] + share * (polygon[index] - polygon[other]))
        if inside[index]:
            corners.append(polygon[index])
    return np.array(corners).reshape(-1, 3)


def clip_to_frame(polygon: FloatArray, width: float, height: float, margin: float = 0.0) -> FloatArray:
    """Cuts a convex polygon to the frame.

    Args:
        polygon: corners in pixels, float64[N, 2].
        width: of the frame, pixels.
        height: of the frame, pixels.
        margin: pixels added on every side.

    Returns:
        Corners, float64[M, 2].
    """
    for axis, limit, sign in (
        (0, -margin, 1),
        (0, width + margin, -1),
        (1, -margin, 1),
        (1, height + margin, -1),
    ):
        over = (polygon[:, axis] - limit) * sign
        corners = []
        for index in range(len(polygon)):
            other = index - 1
            if (over[index] >= 0) != (over[other] >= 0):
                share = over[other] / (over[other] - over[index])
                corners.append(polygon[other] + share * (polygon[index] - polygon[other]))
            if over[index] >= 0:
                corners.append(polygon[index])
        polygon = np.array(corners).reshape(-1, 2)
    return polygon


def hull(points: FloatArray) -> FloatArray:
    """Convex hull of pixels, float64[N, 2] to float64[M, 2]."""
    corners: FloatArray = cv2.convexHull(points.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    return corners


def convex_outline(view: Viewpoint, seen: FloatArray) -> FloatArray:
    """Outline of a convex body that the near plane may cut.

    Args:
        view: the camera.
        seen: the body's corners in the camera's frame, float64[N, 3].

    Returns:
        Corners in pixels, float64[M, 2]; none when all lies behind.
    """
    before, behind = seen[seen[:, 2] >= NEAR_M], seen[seen[:, 2] < NEAR_M]
    if not len(before):
        return np.zeros((0, 2))
    # The body before the plane is the hull of its corners there and of where lines to the others pierce the plane.
    share = (NEAR_M - behind[:, None, 2]) / (before[None, :, 2] - behind[:, None, 2])
    pierced = behind[:, None] + share[..., None] * (before[None] - behind[:, None])
    return hull(view.project(np.concatenate([before, pierced.reshape(-1, 3)])))


def fixed(pixels: FloatArray) -> FixedArray:
    """Pixels as cv2's fixed-point numbers; cv2 puts 0 at the middle of the first pixel, we at its edge."""
    return np.rint((pixels - 0.5) * (1 << _SHIFT)).astype(np.int32)


def drawable(pixels: FloatArray) -> bool:
    """Whether cv2 can count as far as pixels float64[..., 2] lie."""
    return bool(pixels.max(initial=0) < _FAR_PX and pixels.min(initial=0) > -_FAR_PX)


@lru_cache(maxsize=96)
def _halo(radius: int) -> FloatArray:
    grid = np.arange(-radius, radius + 1) / radius
    distance = np.hypot(grid[:, None], grid[None])
    share: FloatArray = (np.maximum(1 - distance, 0) ** 2.5)[..., None]
    return share


@dataclass(frozen=True, slots=True)
class Canvas:
    """A frame being painted.

    Attributes:
        view: the camera at its place.
        image: BGR uint8[h, w, 3].
        ids: which object each pixel shows (0 for none), uint8[h, w].
    """

    view: Viewpoint
    image: Image
    ids: Image

    def fill(self, corners: FixedArray, colour: Colour, *, smooth: bool = True) -> None:
        """Fills a convex polygon in the image.

        Args:
            corners: int32[N, 2], see `fixed`.
            colour: BGR.
            smooth: whether its edges are antialiased.
        """
        cv2.fillConvexPoly(self.image, corners, colour, cv2.LINE_AA if smooth else cv2.LINE_8, _SHIFT)

    def mark(self, corners: FixedArray, number: int) -> None:
        """Fills a convex polygon int32[N, 2] in the buffer of ids."""
        cv2.fillConvexPoly(self.ids, corners, number, cv2.LINE_8, _SHIFT)

    def tame(self, pixels: FloatArray) -> FloatArray:
        """Cuts a convex polygon float64[N, 2] around the frame where cv2 cannot count that far."""
        camera = self.view.camera
        return pixels if drawable(pixels) else clip_to_frame(pixels, camera.width, camera.height, 64.0)

    def quads(self, points: FloatArray, colours: FloatArray, *, smooth: bool) -> None:
        """Fills quads of the world in the image, in order.

        Args:
            points: corners, float64[N, 4, 3].
            colours: BGR, float64[N, 3].
            smooth: whether their edges are antialiased.
        """
        camera = self.view.camera
        seen = self.view.to_camera(points)
        depth = seen[..., 2]
        whole = depth.min(axis=1) >= NEAR_M
        pixels = self.view.project(np.where(depth[..., None] >= NEAR_M, seen, 1.0))
        low, high = pixels.min(axis=1), pixels.max(axis=1)
        inside = (high > 0).all(axis=1) & (low < (camera.width, camera.height)).all(axis=1)
        simple = whole & (low > -_FAR_PX).all(axis=1) & (high < _FAR_PX).all(axis=1)
        corners = fixed(np.clip(pixels, -_FAR_PX, _FAR_PX))
        candidates = np.flatnonzero((whole & inside) | (~whole & (depth.max(axis=1) >= NEAR_M)))
        for index, colour in zip(candidates.tolist(), colours[candidates].tolist(), strict=True):
            if simple[index]:
                self.fill(corners[index], colour, smooth=smooth)
                continue
            cut = self.tame(self.view.project(clip_near(seen[index])))
            if len(cut):
                self.fill(fixed(cut), colour, smooth=smooth)

    def glow(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Adds the halo of a light around a pixel."""
        reach = int(min(max(radius, 2), 90))
        camera = self.view.camera
        column, row = int(x), int(y)
        left, top = max(column - reach, 0), max(row - reach, 0)
        right, bottom = min(column + reach + 1, camera.width), min(row + reach + 1, camera.height)
        if left >= right or top >= bottom:
            return
        share = _halo(reach)[
            top - row + reach : bottom - row + reach, left - column + reach : right - column + reach
        ]
        area = self.image[top:bottom, left:right]
        cv2.add(area, (share * colour).astype(np.uint8), dst=area)
