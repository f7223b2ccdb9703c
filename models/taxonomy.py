"""The categories every detector's classes are mapped to."""

from typing import Final

TAXONOMY_VERSION: Final = 1

CATEGORIES: Final[tuple[str, ...]] = (
    "person",
    "rider",
    "bicycle",
    "motorcycle",
    "car",
    "truck",
    "bus",
    "train",
    "traffic_light",
    "traffic_sign",
    "animal",
    "other",
)
"""Taxonomy 1, in the order of the category indices that travel inside the process (uint8)."""

PRIVATE_PARTS: Final[tuple[str, ...]] = ("face", "plate")
"""What networks of the task `privacy` look for: parts of road users that are blurred and never labelled."""
