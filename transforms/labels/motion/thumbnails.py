"""Coarse pictures: enough to find a scene again, and how far it leapt."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Thumbnail", "leap", "thumbnail"]

Luma = npt.NDArray[np.uint8]
Thumbnail = npt.NDArray[np.float32]

_WIDTH: Final = 48
_MIN_HEIGHT: Final = 16
_BACKGROUND_SIGMA: Final = 4.0
_REACH: Final = 0.25
"""How far a leap may be, as a share of the picture's sides."""


def thumbnail(luma: Luma) -> Thumbnail:
    """A coarse picture without its slow changes of brightness.

    Args:
        luma: uint8[height, width].

    Returns:
        Grey levels around 0, float32[h, 48].
    """
    height = round(_WIDTH * luma.shape[0] / luma.shape[1])
    # halving is quick, and shrinking by odd amounts is not
    while luma.shape[1] >= 2 * _WIDTH and luma.shape[0] >= 2 * height:
        luma = np.asarray(cv2.pyrDown(luma), np.uint8)
    size = (_WIDTH, int(np.clip(height, _MIN_HEIGHT, 4 * _WIDTH)))
    small = cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small - cv2.GaussianBlur(small, (0, 0), _BACKGROUND_SIGMA), np.float32)


def leap(before: Thumbnail, now: Thumbnail) -> tuple[float, float]:
    """How far the middle of the earlier picture has moved, to a step of the thumbnail.

    Args:
        before: of one frame, float32[h, w].
        now: of the next, the same shape.

    Returns:
        x and y as shares of the picture's width and height.
    """
    height, width = before.shape
    aside, down = round(width * _REACH), round(height * _REACH)
    middle = before[down : height - down, aside : width - aside]
    _, _, _, (left, top) = cv2.minMaxLoc(cv2.matchTemplate(now, middle, cv2.TM_CCOEFF_NORMED))
    return (left - aside) / width, (top - down) / height
