"""YuNet: scores and boxes of faces at three strides, an output each; Wu et al. 2023, doi 10.1007/s11633-023-1423-y."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.card import ModelCard
from models.detections import FloatArray
from models.families.candidates import NOTHING, Candidates, Outputs, Shapes

STRIDES: Final = (8, 16, 32)
_WIDTHS: Final = {"cls": 1, "obj": 1, "bbox": 4}

_MAX_LOG_SIZE: Final = np.float32(10.0)
"""e^10 strides are wider than any input: the bound only keeps a broken network from overflowing."""


@dataclass(frozen=True, slots=True)
class Yunet:
    """`centre = (bbox[0:2] + cell) * stride`, `size = exp(bbox[2:4]) * stride`, `score = sqrt(cls * obj)`.

    The outputs with the points of the face (`kps_8` and so on) are not read.
    """

    version: int = 1

    def expected(self, card: ModelCard, input_height: int, input_width: int) -> str:
        """The outputs that this family has for one picture of this size, as text."""
        del card
        wanted = self._shapes(1, input_height, input_width)
        return ", ".join(f"{name} {list(shape)}" for name, shape in wanted.items())

    def fits(self, card: ModelCard, shapes: Shapes, batch: int, input_height: int, input_width: int) -> bool:
        """Whether outputs of these shapes are this family's."""
        wanted = self._shapes(batch, input_height, input_width)
        return len(card.classes) == 1 and all(shapes.get(name) == shape for name, shape in wanted.items())

    def decode(
        self, card: ModelCard, outputs: Outputs, item: int, input_height: int, input_width: int
    ) -> Candidates:
        """Reads the boxes of picture `item` of the batch."""
        del input_height
        boxes, scores = [], []
        for stride in STRIDES:
            surely = outputs[f"cls_{stride}"][item, :, 0] * outputs[f"obj_{stride}"][item, :, 0]
            likely = np.flatnonzero(surely >= np.float32(card.min_score) ** 2)
            if len(likely):
                raw: FloatArray = outputs[f"bbox_{stride}"][item, likely]
                rows, columns = np.divmod(likely, input_width // stride)
                centres = (raw[:, :2] + np.stack([columns, rows], axis=1).astype(np.float32)) * stride
                halves = np.exp(np.minimum(raw[:, 2:], _MAX_LOG_SIZE)) * np.float32(stride / 2)
                boxes.append(np.concatenate([centres - halves, centres + halves], axis=1))
                scores.append(np.sqrt(np.clip(surely[likely], 0, 1)))
        if not boxes:
            return NOTHING
        found = np.concatenate(scores)
        return Candidates(np.concatenate(boxes), found, np.zeros(len(found), np.intp))

    @staticmethod
    def _shapes(batch: int, input_height: int, input_width: int) -> dict[str, tuple[int, ...]]:
        return {
            f"{name}_{stride}": (batch, (input_height // stride) * (input_width // stride), width)
            for name, width in _WIDTHS.items()
            for stride in STRIDES
        }
