"""Tables of any tool's detections as arrays: every row checked, and an order that does not depend on the rows'."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

EDGES: Final = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
NEEDED: Final = ("clip_id", "timestamp_ns", "category", *EDGES, "score")
"""Columns of the detections."""

FRAME_KEY: Final = ("clip_id", "timestamp_ns")
"""Columns of the frames."""

_LARGEST_PX: Final = 1e6
_LAST_NS: Final = 2**62

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
_Column: TypeAlias = "pa.ChunkedArray[Any]"


class TableError(ValueError):
    """The tables cannot be used: what, in which row, and what is expected."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """Detections of many clips, by clip, time, category, box and score.

    Attributes:
        clips: names of all clips that have a frame, ascending.
        words: all categories as the table calls them, ascending.
        frame_times_ns: times of all frames, by clip, ascending within it, int64[F].
        frame_bounds: first frame of every clip, and F, int64[C + 1].
        row_bounds: first row of every clip, and N, int64[C + 1].
        order: where each row stands in the table, int64[N].
        frames: index of each row's frame among those of its clip, int32[N].
        word_of: index into `words`, int32[N].
        boxes: xyxy edges in pixels, float64[N, 4].
        scores: float64[N], 0..1.
        repeats: how many rows before a row have the same clip, time, category and box, int64[N].
    """

    clips: list[str]
    words: list[str]
    frame_times_ns: IntArray
    frame_bounds: IntArray
    row_bounds: IntArray
    order: IntArray
    frames: npt.NDArray[np.int32]
    word_of: npt.NDArray[np.int32]
    boxes: FloatArray
    scores: FloatArray
    repeats: IntArray


def table_rows(detections: pa.Table, frames: pa.Table) -> TableRows:
    """Checks the tables and sorts the detections.

    Args:
        detections: `NEEDED` and any other columns.
        frames: `FRAME_KEY` of every frame that was looked at, those without a detection included.

    Raises:
        TableError: a column is missing or of another type, a value is missing or out of range, or a detection
            lies at a time that is not among the frames.
    """
    _check_columns("detections", detections, NEEDED)
    _check_columns("frames", frames, FRAME_KEY)
    clip_of, frame_clip_of, clips = _codes(
        _text("detections", detections, "clip_id"), _text("frames", frames, "clip_id")
    )
    word_of, _, words = _codes(_text("detections", detections, "category"), pa.chunked_array([], pa.string()))
    times, frame_times = _times("detections", detections), _times("frames", frames)
    boxes = np.stack([_numbers(detections, name) for name in EDGES], axis=1)
    scores = _numbers(detections, "score")
    _check_boxes(boxes)
    _refuse("detections", ~((scores >= 0) & (scores <= 1)), "score must lie between 0 and 1", scores)
    # every frame and every detection by clip and place of its time among all times
    every = np.unique(np.concatenate([times, frame_times]))
    keys = clip_of * len(every) + np.searchsorted(every, times)
    frame_keys = np.unique(frame_clip_of * len(every) + np.searchsorted(every, frame_times))
    frame_of = np.searchsorted(frame_keys, keys)
    found = frame_keys[np.minimum(frame_of, len(frame_keys) - 1)] == keys if len(frame_keys) else keys < 0
    if not found.all():
        row = int(np.argmin(found))
        raise TableError(
            f"detections: row {row} (from 0): clip {clips[clip_of[row]]!r} has no frame at {times[row]} ns in frames: "
            f"list every frame that was looked at; {np.count_nonzero(~found)} rows lie at such times"
        )
    order, repeats = _ordered(detections, (frame_of, word_of, *boxes.T), scores)
    starts = np.arange(len(clips) + 1) * len(every)
    frame_bounds = np.searchsorted(frame_keys, starts)
    return TableRows(
        clips=clips,
        words=words,
        frame_times_ns=every[frame_keys % max(len(every), 1)],
        frame_bounds=frame_bounds,
        row_bounds=np.searchsorted(keys[order], starts),
        order=order,
        frames=(frame_of - frame_bounds[clip_of])[order].astype(np.int32),
        word_of=word_of[order].astype(np.int32),
        boxes=boxes[order],
        scores=scores[order],
        repeats=repeats,
    )


def without_views(table: pa.Table) -> pa.Table:
    """The same with columns of the view types as plain ones: Arrow can do little with views.

    Args:
        table: any table.
    """
    plain = pa.schema([_unviewed(field) for field in table.schema])
    return table if plain.equals(table.schema) else table.cast(plain)


def _unviewed(field: "pa.Field[Any]") -> "pa.Field[Any]":
    if pa.types.is_string_view(field.type):
        return field.with_type(pa.large_string())
    return field.with_type(pa.large_binary()) if pa.types.is_binary_view(field.type) else field


def plain_text(kind: pa.DataType) -> pa.DataType:
    """The type of a text column once it is no dictionary; the same type for all else."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _ordered(
    detections: pa.Table, keys: tuple[npt.NDArray[np.number], ...], scores: FloatArray
) -> tuple[IntArray, IntArray]:
    """Sorts rows by keys, then by falling score, then by whatever else the table says of them.

    Returns:
        Places of the rows, int64[N]; how many rows before a row have the same keys, int64[N].
    """
    names = [name for name in detections.column_names if name not in NEEDED]
    columns = (-scores, *reversed(keys))
    order = np.lexsort(columns)
    alike = _follows_alike((*keys, scores), order)
    if alike.any() and names:
        # rows that differ in other columns only are rare: their text is made for them alone
        twins = np.sort(order[alike | np.append(alike[1:], False)])
        told = [
            repr(list(row.values())) for row in detections.select(names).take(pa.array(twins)).to_pylist()
        ]
        ranks = np.zeros(len(order), np.int64)
        ranks[twins] = np.unique(np.array(told, dtype=object), return_inverse=True)[1]
        order = np.lexsort((ranks, *columns))
    alike = _follows_alike(keys, order)
    places = np.arange(len(order))
    return order, places - np.maximum.accumulate(np.where(alike, 0, places))


def _follows_alike(
    keys: Iterable[npt.NDArray[np.number]], order: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Which rows, in this order, have the same keys as the one before, bool[N]."""
    same = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        same &= np.diff(key[order]) == 0
    return np.concatenate([np.zeros(min(len(order), 1), bool), same])


def _check_columns(table: str, rows: pa.Table, needed: tuple[str, ...]) -> None:
    names = rows.column_names
    if missing := [name for name in needed if name not in names]:
        raise TableError(f"{table}: no column {', '.join(missing)}; there are {', '.join(names) or 'none'}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TableError(f"{table}: column {', '.join(twice)} is there more than once")


def _codes(first: _Column, second: _Column) -> tuple[IntArray, IntArray, list[str]]:
    """Two columns of texts as indices into all of their texts, which ascend by their characters."""
    texts = sorted({str(text) for column in (first, second) for text in pc.unique(column).to_pylist()})
    known = pa.array(texts, pa.large_string())
    codes = [
        pc.index_in(column.cast(pa.large_string()), value_set=known).to_numpy().astype(np.int64)
        for column in (first, second)
    ]
    return codes[0], codes[1], texts


def _text(table: str, rows: pa.Table, name: str) -> _Column:
    column = rows[name]
    kind = plain_text(column.type)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if not (is_text or _is_empty(column)):
        raise TableError(f"{table}: column {name} is {column.type}; text (string) is expected")
    column = column.cast(pa.string() if pa.types.is_null(kind) else kind)
    _refuse(table, column.is_null().to_numpy(), f"{name} is missing")
    return column


def _times(table: str, rows: pa.Table) -> IntArray:
    column = rows["timestamp_ns"]
    if not (pa.types.is_integer(column.type) or _is_empty(column)):
        raise TableError(
            f"{table}: column timestamp_ns is {column.type}; whole nanoseconds (int64) are expected"
        )
    _refuse(table, column.is_null().to_numpy(), "timestamp_ns is missing")
    times: IntArray = column.cast(pa.int64(), safe=False).to_numpy()
    # a uint64 that int64 cannot hold has become negative
    lowest = 0 if column.type == pa.uint64() else -_LAST_NS
    _refuse(table, (times > _LAST_NS) | (times < lowest), "timestamp_ns is out of range")
    return times


def _numbers(rows: pa.Table, name: str) -> FloatArray:
    """A column of finite numbers, float64[N]; there is one zero only."""
    column = rows[name]
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or _is_empty(column)):
        raise TableError(f"detections: column {name} is {kind}; numbers (float or integer) are expected")
    values = column.cast(pa.float64(), safe=False).to_numpy()
    missing = column.is_null().to_numpy()
    _refuse("detections", missing, f"{name} is missing")
    _refuse("detections", ~np.isfinite(values), f"{name} is not a finite number", values)
    result: FloatArray = values + 0.0
    return result


def _is_empty(column: _Column) -> bool:
    """A table without rows often has columns without a type."""
    return len(column) == 0 and pa.types.is_null(column.type)


def _check_boxes(boxes: FloatArray) -> None:
    for low, high in ((0, 2), (1, 3)):
        _refuse(
            "detections", boxes[:, high] < boxes[:, low], f"{EDGES[high]} is less than {EDGES[low]}", boxes
        )
    far = np.abs(boxes).max(axis=1, initial=0.0) > _LARGEST_PX
    _refuse("detections", far, "the box reaches beyond a million pixels", boxes)


def _refuse(
    table: str, broken: npt.NDArray[np.bool_], message: str, values: npt.NDArray[np.float64] | None = None
) -> None:
    if broken.any():
        row = int(np.argmax(broken))
        value = "" if values is None else f" ({', '.join(f'{one:g}' for one in np.atleast_1d(values[row]))})"
        count = int(np.count_nonzero(broken))
        others = f"; so it is in {count} rows" if count > 1 else ""
        raise TableError(f"{table}: row {row} (from 0): {message}{value}{others}")
