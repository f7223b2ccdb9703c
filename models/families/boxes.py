"""Networks that give boxes, scores and labels as they are: D-FINE, RT-DETR, and suppression inside the graph."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.card import BoxesOutputs, ModelCard
from models.families.candidates import Candidates, Outputs, Shapes

_DEFAULT: Final = BoxesOutputs()
_RANK_WITHOUT_BATCH: Final = 1
_WANTED: Final = 3


def _picked(names: BoxesOutputs, found: Iterable[str]) -> list[str]:
    """Boxes, scores and labels among the outputs: by name, else the only one whose name contains the word."""
    outputs = list(found)
    picked = []
    for wanted, words in (
        (names.boxes, ("box",)),
        (names.scores, ("score",)),
        (names.labels, ("label", "class")),
    ):
        similar = [name for name in outputs if any(word in name.lower() for word in words)]
        if wanted in outputs:
            picked.append(wanted)
        elif len(similar) == 1:
            picked += similar
    return picked


@dataclass(frozen=True, slots=True)
class PlainBoxes:
    """N boxes a picture with their scores and class indices; N may differ from picture to picture."""

    version: int = 1

    def expected(self, card: ModelCard, input_height: int, input_width: int) -> str:
        """The outputs that this family has, as text; the input's size does not matter to it."""
        del input_height, input_width
        names = card.outputs or _DEFAULT
        count = f", {names.count} [1]" if names.count else ""
        return f"{names.boxes} [1, N, 4], {names.scores} [1, N], {names.labels} [1, N]{count}"

    def fits(self, card: ModelCard, shapes: Shapes, batch: int, input_height: int, input_width: int) -> bool:
        """Whether outputs of these names and shapes are this family's."""
        del input_height, input_width
        names = card.outputs or _DEFAULT
        picked = _picked(names, shapes)
        if len(picked) != _WANTED or (names.count is not None and names.count not in shapes):
            return False
        boxes, scores, labels = (shapes[name] for name in picked)
        if scores != labels or boxes != (*scores, 4):
            return False
        return scores[:-1] == (batch,) or (scores[:-1] == () and batch == 1)

    def decode(
        self, card: ModelCard, outputs: Outputs, item: int, input_height: int, input_width: int
    ) -> Candidates:
        """Reads the boxes of picture `item` of the batch."""
        names = card.outputs or _DEFAULT
        boxes, scores, labels = (outputs[name] for name in _picked(names, outputs))
        if scores.ndim > _RANK_WITHOUT_BATCH:
            boxes, scores, labels = boxes[item], scores[item], labels[item]
        if names.count is not None:
            valid = int(outputs[names.count].reshape(-1)[item])
            boxes, scores, labels = boxes[:valid], scores[:valid], labels[:valid]
        kept = np.flatnonzero(scores >= card.min_score)
        edges = boxes[kept].astype(np.float32)
        if names.box_format == "cxcywh":
            halves = edges[:, 2:] * np.float32(0.5)
            edges = np.concatenate([edges[:, :2] - halves, edges[:, :2] + halves], axis=1)
        if names.box_unit == "share":
            edges *= np.array([input_width, input_height] * 2, dtype=np.float32)
        classes = labels[kept].astype(np.intp) - names.first_label
        return Candidates(edges, scores[kept].astype(np.float32), classes)
