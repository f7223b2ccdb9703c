"""Labelled tables: the columns of the input, and what was learnt beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.detections import FloatArray
from transforms.labels.sightings import ADDED, LABEL_SOURCES, NO_TRACK
from transforms.labels.table_rows import EDGES, TableRows, plain_text
from transforms.tables.ids import stable_id

NEW: Final = (
    "detection_id",
    "track_id",
    "score_raw",
    "label_source",
    "category_raw",
    *(f"raw_{edge}" for edge in EDGES),
)
"""Columns that are added; what the input has under these names is replaced."""

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_BLOCK: Final = 1 << 15
_ID_LENGTH: Final = 36
_BOX_DIGITS: Final = 64
"""Hexadecimal digits of four float64."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels of one clip, or of several one after another.

    Attributes:
        clips: index of each label's clip, int64[M].
        origins: row it came from, in the order of `TableRows`, `ADDED` for none, int64[M].
        times_ns: int64[M].
        boxes: xyxy edges in pixels, float32[M, 4].
        scores: float32[M].
        words: its category, index into `TableRows.words`, int32[M].
        tracks: numbers from 0 on, `NO_TRACK` for none, int64[M].
        sources: index into `LABEL_SOURCES`, uint8[M].
        moved: whether the box is another than the origin's, bool[M].
        rescored: whether the score is, bool[M].
    """

    clips: IntArray
    origins: IntArray
    times_ns: IntArray
    boxes: FloatArray
    scores: FloatArray
    words: npt.NDArray[np.int32]
    tracks: IntArray
    sources: npt.NDArray[np.uint8]
    moved: BoolArray
    rescored: BoolArray

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """The labels of several clips, no two of which share a track's number.

        Args:
            parts: at least one.
        """
        return cls(
            *(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls))
        )

    def part(self, begin: int, end: int) -> "Labelled":
        """Labels one after another, without a copy.

        Args:
            begin: the first.
            end: one past the last.
        """
        return Labelled(*(getattr(self, column.name)[begin:end] for column in fields(self)))

    def take(self, rows: npt.NDArray[np.integer]) -> "Labelled":
        """These labels in this order.

        Args:
            rows: int[K].
        """
        return Labelled(*(getattr(self, column.name)[rows] for column in fields(self)))


NOTHING: Final = Labelled(
    clips=np.empty(0, np.int64),
    origins=np.empty(0, np.int64),
    times_ns=np.empty(0, np.int64),
    boxes=np.empty((0, 4), np.float32),
    scores=np.empty(0, np.float32),
    words=np.empty(0, np.int32),
    tracks=np.empty(0, np.int64),
    sources=np.empty(0, np.uint8),
    moved=np.empty(0, bool),
    rescored=np.empty(0, bool),
)
"""Labels of no clip."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Names of labels and tracks.

    Attributes:
        labels: uuid5 of clip, time, category and box, and of how many rows before say the same; of an added
            label, of time and track. bytes[M].
        tracks: uuid5 of the track's first detection, by the track's number.
    """

    labels: npt.NDArray[np.bytes_]
    tracks: list[str]


def name_labels(rows: TableRows, labels: Labelled) -> tuple[Labelled, Ids]:
    """Names what was found.

    Args:
        rows: the input.
        labels: of all clips; within a track by time.

    Returns:
        The labels by clip, time and name, and their names.
    """
    ids = np.empty(len(labels.origins), f"S{_ID_LENGTH}")
    begun: dict[int, str] = {}
    for block in _blocks(np.flatnonzero(labels.origins != ADDED)):
        origins = labels.origins[block]
        columns = (
            labels.tracks[block],
            labels.clips[block],
            labels.times_ns[block],
            rows.word_of[origins],
            rows.repeats[origins],
        )
        # the digits of a number take longer than the whole id
        boxes = rows.boxes[origins].astype("<f8").tobytes().hex()
        named = []
        for at, (number, clip, time_ns, word, repeat) in enumerate(
            zip(*(one.tolist() for one in columns), strict=True)
        ):
            box = boxes[at * _BOX_DIGITS : (at + 1) * _BOX_DIGITS]
            parts = (rows.clips[clip], time_ns, rows.words[word], box)
            name = stable_id("detection", *parts, repeat) if repeat else stable_id("detection", *parts)
            named.append(name)
            begun.setdefault(number, name)
        ids[block] = named
    tracks = {number: stable_id("track", first) for number, first in begun.items() if number != NO_TRACK}
    for block in _blocks(np.flatnonzero(labels.origins == ADDED)):
        facts = (labels.sources[block], labels.times_ns[block], labels.tracks[block])
        ids[block] = [
            stable_id(LABEL_SOURCES[source], time_ns, tracks[number])
            for source, time_ns, number in zip(*(one.tolist() for one in facts), strict=True)
        ]
    place = np.lexsort((ids, labels.times_ns, labels.clips))
    return labels.take(place), Ids(ids[place], [tracks[number] for number in range(len(tracks))])


def _blocks(rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Rows in parts: Python's own numbers take many times the memory of an array's."""
    return [rows[begin : begin + _BLOCK] for begin in range(0, len(rows), _BLOCK)]


def detection_table(detections: pa.Table, rows: TableRows, labels: Labelled, ids: Ids) -> pa.Table:
    """The labels as a table.

    Args:
        detections: the input.
        rows: the same, sorted.
        labels: of all clips, by clip, time and name.
        ids: their names.

    Returns:
        The columns of the input and `NEW`, in the order of the labels. Added rows lack what only the input can tell. Boxes
        and scores are float32 where those of the input are, else float64; where hindsight changed nothing they are
        the input's to the last digit.
    """
    added = labels.origins == ADDED
    # of a table without rows nothing is taken
    origins = rows.order[np.where(added, 0, labels.origins)] if len(added) else labels.origins
    origin = pa.array(origins, pa.int64(), mask=added)
    derived = {"clip_id", "timestamp_ns", *NEW}
    own = {name: detections[name].take(origin) for name in detections.column_names if name not in derived}
    raw = {f"raw_{edge}": _settled(own[edge], pa.float64()) for edge in EDGES}
    raw["score_raw"] = _settled(own["score"], pa.float64())
    raw["category_raw"] = _settled(own["category"], pa.string())
    tracks = pa.array(labels.tracks, pa.int64(), mask=labels.tracks == NO_TRACK)
    made: dict[str, pa.ChunkedArray[Any] | pa.Array[Any]] = {
        **own,
        "clip_id": _texts(rows.clips, labels.clips, _settled(detections["clip_id"], pa.string()).type),
        "timestamp_ns": pa.array(labels.times_ns),
        "category": _texts(rows.words, labels.words, raw["category_raw"].type),
        "score": _where_changed(own["score"], labels.rescored | added, labels.scores),
        "detection_id": _names(ids.labels),
        "track_id": pa.array(ids.tracks, pa.string()).take(tracks),
        "label_source": _texts(LABEL_SOURCES, labels.sources, pa.string()),
        **raw,
    }
    for index, edge in enumerate(EDGES):
        made[edge] = _where_changed(own[edge], labels.moved | added, labels.boxes[:, index])
    order = [*(name for name in detections.column_names if name not in NEW), *NEW]
    return pa.table({name: made[name] for name in order}).combine_chunks()


def _names(ids: npt.NDArray[np.bytes_]) -> pa.StringArray:
    """Ids as text that lies where it lay."""
    ends = np.arange(0, (len(ids) + 1) * _ID_LENGTH, _ID_LENGTH, dtype=np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(ends.data), pa.py_buffer(ids.data))


def _texts(texts: Sequence[str], indices: npt.NDArray[np.integer], kind: pa.DataType) -> "pa.Array[Any]":
    return pa.array(texts, pa.string()).take(pa.array(indices, pa.int64())).cast(kind)


def _settled(column: "pa.ChunkedArray[Any]", otherwise: pa.DataType) -> "pa.ChunkedArray[Any]":
    """A column as plain text where it was a dictionary, and of some type where a table without rows has none."""
    kind = plain_text(column.type)
    return column.cast(otherwise if pa.types.is_null(kind) else kind)


def _where_changed(own: "pa.ChunkedArray[Any]", changed: BoolArray, values: FloatArray) -> "pa.Array[Any]":
    """The input's numbers, and others where they were changed."""
    kind = pa.float32() if own.type in {pa.float32(), pa.float16()} else pa.float64()
    kept = own.cast(pa.float64(), safe=False).to_numpy()
    return pa.array(np.where(changed, values, kept), kind)
