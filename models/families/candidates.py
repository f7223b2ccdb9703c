"""What every decode family gives: boxes in the input's pixels, before suppression."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from models.card import ModelCard
from models.detections import FloatArray

Outputs = Mapping[str, npt.NDArray[Any]]
"""A network's outputs by name, in the graph's order."""

Shapes = Mapping[str, tuple[int, ...]]
"""The shapes of a network's outputs by name, in the graph's order."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Boxes of one picture that reach the card's least score.

    Attributes:
        boxes: xyxy edges in pixels of the network's input, not clipped, float32[N, 4].
        scores: float32[N].
        classes: the network's own class indices, intp[N].
    """

    boxes: FloatArray
    scores: FloatArray
    classes: npt.NDArray[np.intp]


NOTHING: Final = Candidates(
    np.empty((0, 4), dtype=np.float32), np.empty(0, dtype=np.float32), np.empty(0, dtype=np.intp)
)


class DecodeFamily(Protocol):
    """A family of networks whose outputs are read in the same way."""

    @property
    def version(self) -> int:
        """Counted up whenever the same outputs give other boxes."""
        ...

    def expected(self, card: ModelCard, input_height: int, input_width: int) -> str:
        """The outputs that this family has for one picture of this size, as text."""
        ...

    def fits(self, card: ModelCard, shapes: Shapes, batch: int, input_height: int, input_width: int) -> bool:
        """Whether outputs of these shapes, for `batch` pictures of this size, are this family's."""
        ...

    def decode(
        self, card: ModelCard, outputs: Outputs, item: int, input_height: int, input_width: int
    ) -> Candidates:
        """Reads the boxes of picture `item` of the batch."""
        ...
