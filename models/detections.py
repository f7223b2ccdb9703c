"""What a detector says about one frame."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
CategoryArray = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes of one frame, best score first.

    Attributes:
        boxes: xyxy edges in pixels of the frame as displayed, clipped to it, float32[N, 4].
        scores: the network's own confidence, float32[N], 0..1.
        categories: indices into the card's `vocabulary` (`models.taxonomy.CATEGORIES` for detectors), uint8[N].
    """

    boxes: FloatArray
    scores: FloatArray
    categories: CategoryArray
