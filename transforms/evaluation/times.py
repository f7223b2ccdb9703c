"""Frames of truth and frames of labels that show the same moment."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

GREATEST_TOLERANCE_NS: Final = 50_000_000
"""A car ahead moves by a few pixels in that time, one that crosses by its own width in two of them."""

IntArray = npt.NDArray[np.int64]


def default_tolerance_ns(first: IntArray, second: IntArray) -> int:
    """Half of the smaller frame distance, at most 50 ms.

    Args:
        first: times of one side's frames of a clip in ns, int64[N], ascending.
        second: times of the other's, int64[M], ascending.

    >>> default_tolerance_ns(np.arange(5) * 100_000_000, np.arange(5) * 40_000_000)
    20000000
    """
    distances = [float(np.median(np.diff(times))) for times in (first, second) if len(times) > 1]
    return int(min([GREATEST_TOLERANCE_NS, *(distance / 2 for distance in distances)]))


def match_times(first: IntArray, second: IntArray, tolerance_ns: int) -> tuple[IntArray, IntArray]:
    """Frames of both sides that are each other's nearest; each frame is used once at most.

    Args:
        first: times of one side's frames of a clip in ns, int64[N], ascending, no two alike.
        second: times of the other's, int64[M], the same.
        tolerance_ns: how far the two may lie apart.

    Returns:
        Indices into `first` and `second`, int64[K] each, ascending.
    """
    if not len(first) or not len(second):
        none = np.zeros(0, dtype=np.int64)
        return none, none
    there, back = _nearest(first, second), _nearest(second, first)
    own = np.arange(len(first))
    mutual = (back[there] == own) & (np.abs(second[there] - first) <= tolerance_ns)
    return own[mutual], there[mutual]


def _nearest(times: IntArray, among: IntArray) -> IntArray:
    """Index of the nearest of the other times, the earlier of two as near, int64[N]."""
    after = np.searchsorted(among, times).clip(0, len(among) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(among[before] - times) <= np.abs(among[after] - times), before, after)


def times_by_clip(frames: pa.Table) -> dict[str, IntArray]:
    """Times of the frames of every clip, int64[N] each, ascending, no two alike.

    Args:
        frames: clip_id and timestamp_ns.
    """
    clips = np.array(frames["clip_id"].to_pylist(), dtype=object)
    times = frames["timestamp_ns"].to_numpy().astype(np.int64)
    order = np.argsort(clips, kind="stable")
    names, starts = np.unique(clips[order].astype(str), return_index=True)
    parts = np.split(times[order], starts[1:])
    return {str(name): np.unique(part) for name, part in zip(names, parts, strict=len(names) > 0)}


def moved(table: pa.Table, moments: dict[str, tuple[IntArray, IntArray]]) -> pa.Table:
    """The rows of a table that lie on certain frames, with those frames' times on the other side.

    Args:
        table: clip_id, timestamp_ns and more.
        moments: clip → times in the table, int64[K], ascending, and the times that replace them, int64[K].
    """
    clips = np.array(table["clip_id"].to_pylist(), dtype=object)
    times = table["timestamp_ns"].to_numpy().astype(np.int64)
    kept = np.zeros(len(times), dtype=bool)
    replaced = times.copy()
    for clip, (before, after) in moments.items():
        rows = np.flatnonzero(clips == clip)
        if len(before) and len(rows):
            place = np.searchsorted(before, times[rows]).clip(0, len(before) - 1)
            hit = before[place] == times[rows]
            kept[rows[hit]] = True
            replaced[rows[hit]] = after[place[hit]]
    column = table.column_names.index("timestamp_ns")
    return table.set_column(column, "timestamp_ns", pa.array(replaced)).filter(pa.array(kept))
