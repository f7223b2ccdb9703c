"""What the file of a tool says of clips, before it is compared with the labels."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.taxonomy import CATEGORIES

MOST_BYTES: Final = 1 << 29
"""Size of a file that is read."""

MOST_BOXES: Final = 500_000
MOST_FRAMES: Final = 200_000
"""A clip of 11 hours at 5 frames a second."""

_LARGEST_PX: Final = 1e6


class CorrectedFileError(Exception):
    """The file cannot be taken in: what, where, and what to do."""


@dataclass(frozen=True, slots=True)
class FileBox:
    """A box of a file.

    Attributes:
        category: one of the taxonomy.
        edges: xyxy in pixels.
        detection_id: the label that it was made from, as the file tells; "" where it does not.
    """

    category: str
    edges: tuple[float, float, float, float]
    detection_id: str


@dataclass(slots=True)
class FileClip:
    """What a file says of a clip.

    Attributes:
        boxes: frame → its boxes; every frame that was looked at has an entry. Frames are places among those that were
            exported, from 0, or times in ns.
        is_timed: whether they are times.
        names: texts of the file that may tell which clip it is.
    """

    boxes: dict[int, list[FileBox]] = field(default_factory=dict)
    is_timed: bool = False
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CorrectedFile:
    """A file.

    Attributes:
        form: `cvat` or `coco`.
        clips: by clip_id; "" where the file does not tell it.
        at: when it was written, as it tells; "" where it does not.
        notes: what was left out.
    """

    form: str
    clips: Mapping[str, FileClip]
    at: str = ""
    notes: Sequence[str] = ()


def checked_box(category: object, edges: Sequence[float], detection_id: object, where: str) -> FileBox:
    """A box whose category is of the taxonomy and whose edges are numbers in their order.

    Args:
        category: its label.
        edges: xyxy in pixels.
        detection_id: the label that it was made from, if anything.
        where: its place, for messages.

    Raises:
        CorrectedFileError: it is none.
    """
    if category not in CATEGORIES:
        raise CorrectedFileError(
            f"{where}: {str(category)[:100]!r} is no category of the taxonomy ({', '.join(CATEGORIES)}): rename it in the tool"
        )
    x_min, y_min, x_max, y_max = edges
    if not all(math.isfinite(edge) and abs(edge) <= _LARGEST_PX for edge in edges):
        raise CorrectedFileError(f"{where}: the box is not made of numbers below a million pixels")
    if not (x_min < x_max and y_min < y_max):
        raise CorrectedFileError(f"{where}: the box has no area: draw or delete it in the tool")
    return FileBox(
        str(category), (x_min, y_min, x_max, y_max), detection_id if isinstance(detection_id, str) else ""
    )
