"""Networks that give distances to the four edges as distributions: NanoDet and PicoDet.

Generalised focal loss, Li et al. 2020, arXiv 2006.04388: every distance is the mean of a distribution over bins.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from models.card import ModelCard
from models.detections import FloatArray
from models.families.candidates import NOTHING, Candidates, Outputs, Shapes

_STRIDES: Final = (8, 16, 32, 64)
_BINS: Final = 8
_LEVEL_COUNTS: Final = (3, 4)


def cell_counts(input_height: int, input_width: int, levels: int) -> tuple[int, ...]:
    """Cells of each stride; a side that is no multiple of the stride gets one cell more.

    >>> cell_counts(416, 416, 4)
    (2704, 676, 169, 49)
    """
    return tuple(-(-input_height // stride) * -(-input_width // stride) for stride in _STRIDES[:levels])


@lru_cache(maxsize=32)
def _cells(input_height: int, input_width: int, stride: int) -> FloatArray:
    """Column and row of every cell, float32[cells, 2]."""
    rows, columns = np.mgrid[: -(-input_height // stride), : -(-input_width // stride)]
    return np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float32)


@dataclass(frozen=True, slots=True)
class EdgeDistances:
    """Per stride a map of class scores [cells, classes] and one of distances [cells, 4 * 8].

    Attributes:
        centre_shift_px: how far before the middle of a cell its centre is taken to lie, in px.
        version: counted up whenever the same outputs give other boxes.
    """

    centre_shift_px: float
    version: int = 1

    def expected(self, card: ModelCard, input_height: int, input_width: int) -> str:
        """The outputs that this family has for one picture of this size, as text."""
        counts = cell_counts(input_height, input_width, _LEVEL_COUNTS[-1])
        scores = ", ".join(f"[1, {count}, {len(card.classes)}]" for count in counts)
        distances = ", ".join(f"[1, {count}, {4 * _BINS}]" for count in counts)
        return f"{scores}, then {distances} (each with or without the last stride)"

    def fits(self, card: ModelCard, shapes: Shapes, batch: int, input_height: int, input_width: int) -> bool:
        """Whether outputs of these shapes are this family's."""
        levels = len(shapes) // 2
        if levels not in _LEVEL_COUNTS:
            return False
        counts = cell_counts(input_height, input_width, levels)
        wanted = [(batch, count, last) for last in (len(card.classes), 4 * _BINS) for count in counts]
        return list(shapes.values()) == wanted

    def decode(
        self, card: ModelCard, outputs: Outputs, item: int, input_height: int, input_width: int
    ) -> Candidates:
        """Reads the boxes of picture `item` of the batch."""
        maps = list(outputs.values())
        levels = len(maps) // 2
        found = [
            self._decode_level(
                maps[level][item],
                maps[levels + level][item],
                _cells(input_height, input_width, _STRIDES[level]),
                _STRIDES[level],
                card.min_score,
            )
            for level in range(levels)
        ]
        return Candidates(
            np.concatenate([part.boxes for part in found]),
            np.concatenate([part.scores for part in found]),
            np.concatenate([part.classes for part in found]),
        )

    def _decode_level(
        self, scores: FloatArray, distances: FloatArray, cells: FloatArray, stride: int, min_score: float
    ) -> Candidates:
        # One flat comparison is far cheaper than a maximum per cell, and nearly nothing passes it.
        passing = np.flatnonzero(scores >= min_score) // scores.shape[1]
        if not len(passing):
            return NOTHING
        first_of_cell = np.ones(len(passing), dtype=np.bool_)
        first_of_cell[1:] = passing[1:] != passing[:-1]
        likely = passing[first_of_cell]
        rows = scores[likely]
        classes = rows.argmax(axis=1)
        logits = distances[likely].reshape(-1, 4, _BINS)
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        edges = (weights @ np.arange(_BINS, dtype=np.float32)) / weights.sum(axis=2) * np.float32(stride)
        centres = cells[likely] * np.float32(stride) + np.float32(stride / 2 - self.centre_shift_px)
        boxes = np.concatenate([centres - edges[:, :2], centres + edges[:, 2:]], axis=1)
        return Candidates(boxes, rows[np.arange(len(rows)), classes], classes)
