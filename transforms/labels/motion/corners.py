"""Where points can be followed well: corners, spread over the whole picture."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["pick_corners"]

MAX_CORNERS: Final = 160
"""More cost more time and carry boxes no better; from 160 on the figures of rendered clips stay the same."""

_CELL_PX: Final = 8
"""A corner for each cell of this size at most: a thing as small as two cells still gets some of its own."""

_MIN_STRENGTH: Final = 1e-5
"""Smaller eigenvalue, in OpenCV's units, that tells a corner from the rounding of a plain surface."""

_BLOCK_PX: Final = 3
_MARGIN_PX: Final = 2
"""At the very edge the picture's mirrored continuation makes corners of its own."""


def pick_corners(luma: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The best corner of each cell of a grid, the strongest of all cells first.

    The measure is the smaller eigenvalue of the structure tensor (Shi and Tomasi, CVPR 1994).

    Args:
        luma: uint8[height, width].

    Returns:
        x and y of pixels, counted from 0, float32[P, 2], P at most `MAX_CORNERS`.
    """
    height, width = luma.shape
    if min(height, width) <= 2 * _MARGIN_PX:
        return np.empty((0, 2), np.float32)
    rows, columns = -(-height // _CELL_PX), -(-width // _CELL_PX)
    strength = np.zeros((rows * _CELL_PX, columns * _CELL_PX), np.float32)
    inner = slice(_MARGIN_PX, height - _MARGIN_PX), slice(_MARGIN_PX, width - _MARGIN_PX)
    strength[inner] = cv2.cornerMinEigenVal(luma, _BLOCK_PX)[inner]
    cells = strength.reshape(rows, _CELL_PX, columns, _CELL_PX).swapaxes(1, 2).reshape(-1, _CELL_PX**2)
    best = cells.argmax(axis=1)
    strongest = np.take_along_axis(cells, best[:, None], axis=1)[:, 0]
    chosen = np.argsort(-strongest, kind="stable")[:MAX_CORNERS]
    chosen = chosen[strongest[chosen] > _MIN_STRENGTH]
    row, column = np.divmod(chosen, columns)
    down, right = np.divmod(best[chosen], _CELL_PX)
    return np.stack([column * _CELL_PX + right, row * _CELL_PX + down], axis=1).astype(np.float32)
