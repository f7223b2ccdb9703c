"""References to networks: small, immutable, and all that travels to the workers."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from models import preprocessing
from models.card import ModelCard
from models.families import FAMILIES

Device = Literal["cpu", "cuda"]

POSTPROCESSING_VERSION: Final = 1
"""Counted up whenever the same candidates give other detections."""

_CARD_FIELDS_THAT_SHAPE_RESULTS: Final[dict[str, Any]] = {
    **dict.fromkeys(("version", "task", "family", "classes", "class_map", "input", "outputs"), True),
    **dict.fromkeys(("min_score", "confident_score", "nms_iou", "drop_own_bonnet"), True),
    "calibration": {"fallback", "categories"},
}


@dataclass(frozen=True)
class ModelRef:
    """A network that was found, and how it is to be used.

    Attributes:
        card: what is known of it.
        path: absolute path of its file.
        sha256: hex digest of that file; one of the card's.
        size: long side of the input in px.
        device: where it runs.
    """

    card: ModelCard = field(hash=False)
    path: str
    sha256: str
    size: int
    device: Device

    @cached_property
    def digest(self) -> str:
        """Hex sha256 over everything that shapes the detections: network, card, size and our own processing.

        Names, licences and places are left out: the same network under another name gives the same labels.
        """
        facts = {
            "network": self.sha256,
            "size": self.size,
            "card": self.card.model_dump(mode="json", include=_CARD_FIELDS_THAT_SHAPE_RESULTS),
            "preprocessing": preprocessing.VERSION,
            "decoding": FAMILIES[self.card.family].version,
            "postprocessing": POSTPROCESSING_VERSION,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
