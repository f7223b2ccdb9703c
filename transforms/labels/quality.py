"""How sharp and how bright a frame is."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Quality", "measure"]

_SMALLEST: Final = 3
"""Pixels a side that the Laplacian needs to see a neighbour that is not mirrored."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of a frame's luma.

    Attributes:
        sharpness: variance of the Laplacian; figures of pictures of one size can be compared.
        luma_mean: mean of the luma, 0 to 255.
        luma_std: its standard deviation.
    """

    sharpness: float
    luma_mean: float
    luma_std: float


def measure(luma: NDArray[np.uint8]) -> Quality:
    """Measures a frame.

    Args:
        luma: luma picture as `SampledFrame.luma` gives it, uint8[height, width].

    Returns:
        Its figures; sharpness is 0 for pictures of less than 3 x 3 pixels.

    >>> measure(np.full((8, 8), 7, np.uint8))
    Quality(sharpness=0.0, luma_mean=7.0, luma_std=0.0)
    """
    mean, std = cv2.meanStdDev(luma)
    sharpness = 0.0
    if min(luma.shape) >= _SMALLEST:
        # 16 bits hold four neighbours of 255
        _, spread = cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_16S))
        sharpness = float(spread[0, 0]) ** 2
    return Quality(sharpness=sharpness, luma_mean=float(mean[0, 0]), luma_std=float(std[0, 0]))
