"""Which frames are trained on, and which are held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from models.taxonomy import CATEGORIES
from models.training.frames import FrameStore, Shard, read_shards

HELD_OUT_EVERY: Final = 20
"""One shard in so many is held out, to choose nothing but to watch."""

VALIDATION_FRAMES: Final = 120


def pick_classes(shards: Sequence[Shard]) -> list[str]:
    """Categories that occur in the truth, in the taxonomy's order."""
    seen = sorted({int(number) for shard in shards for number in np.unique(shard.categories)})
    return [CATEGORIES[number] for number in seen]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Frames of a training, and what they are for.

    Attributes:
        store: where the frames are.
        classes: of the network, names of categories.
        used: places of the frames that are trained on.
        watched: places of some that are held out.
    """

    store: FrameStore
    classes: tuple[str, ...]
    used: list[tuple[int, int]]
    watched: list[tuple[int, int]]


def read_training_set(frames: Path) -> TrainingSet:
    """Reads a folder of shards.

    Args:
        frames: the folder.
    """
    shards = read_shards(sorted(frames.glob("*.npz")))
    classes = pick_classes(shards)
    class_of = np.full(len(CATEGORIES), -1, np.int64)
    class_of[[CATEGORIES.index(name) for name in classes]] = np.arange(len(classes))
    store = FrameStore(shards, class_of)
    held_out = [place for place in store.places if place[0] % HELD_OUT_EVERY == HELD_OUT_EVERY - 1]
    return TrainingSet(
        store=store,
        classes=tuple(classes),
        used=[place for place in store.places if place[0] % HELD_OUT_EVERY != HELD_OUT_EVERY - 1],
        watched=held_out[:: max(1, len(held_out) // VALIDATION_FRAMES)],
    )
