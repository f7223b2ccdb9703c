"""What every form of truth is read into."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.evaluation.pairing import BOX_COLUMNS, DONTCARE
from transforms.evaluation.truths.files import TruthError

OCCLUSIONS: Final = ("none", "partly", "largely", "unknown")
"""How much of an object is hidden: KITTI's levels 0 to 3."""

MOST_ROWS: Final = 20_000_000
"""Boxes of a truth: its table then takes about 2 GB."""

_LARGEST_PX: Final = 1e6
_LAST_NS: Final = 2**62
_VISIBLE: Final = 0.8
_HALF_VISIBLE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Truth:
    """Truth of some clips.

    Attributes:
        form: how it was written: the name of its reader.
        boxes: clip_id, timestamp_ns, category, track_id (null = none), the box, occlusion (one of
            `OCCLUSIONS`, null where the truth does not tell).
        frames: clip_id and timestamp_ns of the frames that were labelled, those without a box included; None
            = only the frames of `boxes` are known.
        files: clip → names of its file, where they are known.
        lights: clip → day, dusk or night, where it is known.
    """

    form: str
    boxes: pa.Table
    frames: pa.Table | None = None
    files: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lights: Mapping[str, str] = field(default_factory=dict)

    def labelled_frames(self) -> pa.Table:
        """clip_id and timestamp_ns of the frames that were labelled, as far as is known; each once."""
        source = self.boxes if self.frames is None else self.frames
        return source.select(["clip_id", "timestamp_ns"]).group_by(["clip_id", "timestamp_ns"]).aggregate([])


def checked_boxes(
    columns: Mapping[str, Sequence[object]],
    corners: npt.NDArray[np.float64],
    place: Callable[[int], str],
) -> pa.Table:
    """Makes the table `Truth.boxes` and checks every row.

    Args:
        columns: clip_id, timestamp_ns, category; track_id and occlusion where they are known.
        corners: xyxy edges in pixels, float64[N, 4].
        place: tells where a row stands, for messages.

    Raises:
        TruthError: an edge is not finite or beyond a million pixels, a box has its edges the wrong way round,
            a category is missing, or a time is out of range.
    """
    rows = len(corners)
    _refuse(~np.isfinite(corners).all(axis=1), place, "the box is not made of finite numbers")
    _refuse((np.abs(corners) > _LARGEST_PX).any(axis=1), place, "the box reaches beyond a million pixels")
    _refuse((corners[:, 2:] < corners[:, :2]).any(axis=1), place, "the box has a negative size")
    for name in ("clip_id", "timestamp_ns", "category"):
        lacking = (value is None or value == "" for value in columns[name])
        _refuse(np.fromiter(lacking, dtype=bool, count=rows), place, f"{name} is missing")
    times = np.array(columns["timestamp_ns"], dtype=np.float64)
    _refuse(np.abs(times) > _LAST_NS, place, "the time is out of range")
    categories = [DONTCARE if str(name).lower() == DONTCARE else str(name) for name in columns["category"]]
    nothing = [None] * rows
    return pa.table(
        {
            "clip_id": pa.array(list(columns["clip_id"]), pa.string()),
            "timestamp_ns": pa.array(list(columns["timestamp_ns"]), pa.int64()),
            "category": pa.array(categories, pa.string()),
            "track_id": pa.array(list(columns.get("track_id", nothing)), pa.string()),
            **{name: pa.array(corners[:, index]) for index, name in enumerate(BOX_COLUMNS)},
            "occlusion": pa.array(list(columns.get("occlusion", nothing)), pa.string()),
        }
    )


def occlusion_of(level: object) -> str | None:
    """How much is hidden, from KITTI's level (0 none to 3 unknown), a truth value, or None.

    >>> [occlusion_of(value) for value in (0, 1.0, True, None, -1)]
    ['none', 'partly', 'partly', None, None]
    """
    if not isinstance(level, (int, float)) or level not in range(len(OCCLUSIONS)):
        return None
    return OCCLUSIONS[int(level)]


def occlusion_by_visibility(visible: float | None) -> str | None:
    """How much is hidden, from the visible share: none from .8 on, partly from .5 on, else largely.

    >>> [occlusion_by_visibility(share) for share in (1.0, 0.6, 0.0, None, -1.0)]
    ['none', 'partly', 'largely', None, None]
    """
    if visible is None or not 0 <= visible <= 1:
        return None
    if visible >= _VISIBLE:
        return "none"
    return "partly" if visible >= _HALF_VISIBLE else "largely"


def _refuse(broken: npt.ArrayLike, place: Callable[[int], str], message: str) -> None:
    rows = np.flatnonzero(broken)
    if len(rows):
        raise TruthError(f"{place(int(rows[0]))}: {message}")
