"""YOLOX: one output of [batch, cells, 5 + classes]; Ge et al. 2021, arXiv 2107.08430."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from models.card import ModelCard
from models.detections import FloatArray
from models.families.candidates import NOTHING, Candidates, Outputs, Shapes

STRIDES: Final = (8, 16, 32)

_MAX_LOG_SIZE: Final = np.float32(10.0)
"""e^10 strides are wider than any input: the bound only keeps a broken network from overflowing."""


def cell_count(input_height: int, input_width: int) -> int:
    """Cells of all strides together.

    >>> cell_count(256, 416)
    2184
    """
    return sum((input_height // stride) * (input_width // stride) for stride in STRIDES)


@lru_cache(maxsize=32)
def _cells(input_height: int, input_width: int) -> FloatArray:
    """Column, row and stride of every cell in the output's order, float32[cells, 3]."""
    levels = []
    for stride in STRIDES:
        rows, columns = np.mgrid[: input_height // stride, : input_width // stride]
        levels.append(np.stack([columns, rows, np.full_like(rows, stride)], axis=-1).reshape(-1, 3))
    return np.concatenate(levels).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Yolox:
    """`centre = (o[0:2] + cell) * stride`, `size = exp(o[2:4]) * stride`, `score = o[4] * o[5:]`."""

    version: int = 1

    def expected(self, card: ModelCard, input_height: int, input_width: int) -> str:
        """The outputs that this family has for one picture of this size, as text."""
        return f"one output [1, {cell_count(input_height, input_width)}, {5 + len(card.classes)}]"

    def fits(self, card: ModelCard, shapes: Shapes, batch: int, input_height: int, input_width: int) -> bool:
        """Whether outputs of these shapes are this family's."""
        return list(shapes.values()) == [
            (batch, cell_count(input_height, input_width), 5 + len(card.classes))
        ]

    def decode(
        self, card: ModelCard, outputs: Outputs, item: int, input_height: int, input_width: int
    ) -> Candidates:
        """Reads the boxes of picture `item` of the batch."""
        raw = next(iter(outputs.values()))[item]
        # No class score exceeds 1, so the one column of objectness rules out nearly every cell.
        likely = np.flatnonzero(raw[:, 4] >= card.min_score)
        if not len(likely):
            return NOTHING
        rows = raw[likely]
        classes = rows[:, 5:].argmax(axis=1)
        scores = rows[:, 4] * rows[np.arange(len(rows)), 5 + classes]
        kept = scores >= card.min_score
        rows, classes, scores = rows[kept], classes[kept], scores[kept]
        cells = _cells(input_height, input_width)[likely[kept]]
        centres = (rows[:, :2] + cells[:, :2]) * cells[:, 2:]
        halves = np.exp(np.minimum(rows[:, 2:4], _MAX_LOG_SIZE)) * (cells[:, 2:] * np.float32(0.5))
        return Candidates(np.concatenate([centres - halves, centres + halves], axis=1), scores, classes)
