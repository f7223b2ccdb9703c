"""Blurring: what was there cannot be told from what is left."""

from collections.abc import Iterable
from math import ceil, floor
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.labels.privacy.regions import Edges, Region

Image = npt.NDArray[np.uint8]

CELLS: Final = 3
"""Cells along a region's shorter side: a head comes out as a few colours, and every letter of a plate lies within one."""

MIN_CELL_PX: Final = 8
"""Sides of cells; smaller regions are one colour."""


def blurred(image: Image, regions: Iterable[Region]) -> Image:
    """A copy of a frame with regions replaced by the mean colours of large cells: nothing finer is left to be restored.

    Call it on frames at full resolution, before they are scaled, drawn on or encoded.

    Args:
        image: BGR, uint8[height, width, 3].
        regions: of this frame.

    Returns:
        BGR, uint8[height, width, 3].
    """
    covered = image.copy()
    height, width = image.shape[:2]
    for region in regions:
        left, top, right, bottom = pixels(region.edges, width, height)
        if left < right and top < bottom:
            patch = covered[top:bottom, left:right]
            patch[...] = _mosaic(patch)
    return covered


def pixels(edges: Edges, width: int, height: int) -> tuple[int, int, int, int]:
    """First column and row, and those after the last, of all pixels of a frame that a box touches.

    >>> pixels((-3.0, 1.2, 4.1, 5.0), 100, 100)
    (0, 1, 5, 5)
    """
    x_min, y_min, x_max, y_max = edges
    return max(floor(x_min), 0), max(floor(y_min), 0), min(ceil(x_max), width), min(ceil(y_max), height)


def _mosaic(patch: Image) -> Image:
    height, width = patch.shape[:2]
    cell = max(MIN_CELL_PX, -(-min(height, width) // CELLS))
    cells = (max(1, width // cell), max(1, height // cell))
    means = cv2.resize(patch, cells, interpolation=cv2.INTER_AREA)
    filled = cv2.resize(means, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(filled, np.uint8).reshape(patch.shape)
