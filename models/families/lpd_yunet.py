"""LPD-YuNet: corners of licence plates, told from prior boxes at four strides; opencv_zoo, license_plate_detection_yunet."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from models.card import ModelCard
from models.detections import FloatArray
from models.families.candidates import NOTHING, Candidates, Outputs, Shapes

_PRIORS: Final = ((8, (10, 16, 24)), (16, (32, 48)), (32, (64, 96)), (64, (128, 192, 256)))
"""Stride in px of the input, and the sides of the square prior boxes of each of its cells in px."""

_REACH: Final = np.float32(0.1)
"""Offsets of corners are in tenths of the prior box's side."""

_CORNERS: Final = slice(4, 14)
_CENTRE: Final = 2
"""Columns of `loc`: a box that is not used, then five points: two corners, the centre, two corners."""


@lru_cache(maxsize=32)
def _priors(input_height: int, input_width: int) -> FloatArray:
    """Centre and side of every prior box in the output's order, in px of the input, float32[N, 3]."""
    levels = []
    # the network's first convolution halves and rounds up; each map after it is half the one before, rounded down
    height, width = (input_height + 1) // 4, (input_width + 1) // 4
    for stride, sides in _PRIORS:
        height, width = height // 2, width // 2
        rows, columns, side = np.meshgrid(np.arange(height), np.arange(width), sides, indexing="ij")
        centres = ((columns + 0.5) * stride, (rows + 0.5) * stride, side)
        levels.append(np.stack(centres, axis=-1).reshape(-1, 3))
    return np.concatenate(levels).astype(np.float32)


@dataclass(frozen=True, slots=True)
class LpdYunet:
    """`corner = prior centre + 0.1 * loc * prior side`, `score = sqrt(conf[1] * iou)`; a box bounds the corners."""

    version: int = 1

    def expected(self, card: ModelCard, input_height: int, input_width: int) -> str:
        """The outputs that this family has for one picture of this size, as text."""
        del card
        count = len(_priors(input_height, input_width))
        return f"loc [{count}, 14], conf [{count}, 2], iou [{count}, 1]"

    def fits(self, card: ModelCard, shapes: Shapes, batch: int, input_height: int, input_width: int) -> bool:
        """Whether outputs of these shapes are this family's; it takes one picture a run."""
        count = len(_priors(input_height, input_width))
        wanted = {"loc": (count, 14), "conf": (count, 2), "iou": (count, 1)}
        return batch == 1 and len(card.classes) == 1 and dict(shapes) == wanted

    def decode(
        self, card: ModelCard, outputs: Outputs, item: int, input_height: int, input_width: int
    ) -> Candidates:
        """Reads the boxes of the picture."""
        del item
        scores = np.sqrt(np.clip(outputs["conf"][:, 1] * np.clip(outputs["iou"][:, 0], 0, 1), 0, 1))
        likely = np.flatnonzero(scores >= card.min_score)
        if not len(likely):
            return NOTHING
        priors = _priors(input_height, input_width)[likely]
        points = outputs["loc"][likely, _CORNERS].reshape(-1, 5, 2) * (_REACH * priors[:, None, 2:])
        corners = np.delete(points, _CENTRE, axis=1) + priors[:, None, :2]
        boxes: FloatArray = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        return Candidates(boxes, scores[likely], np.zeros(len(likely), np.intp))
