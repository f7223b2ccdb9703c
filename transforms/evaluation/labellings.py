"""Reading two labellings side by side: clip by clip, and only what differs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.evaluation.differences import COLUMNS
from transforms.tables.commits import FileFacts
from transforms.tables.finished import SEALED, read_finished
from transforms.tables.schemas import TABLES
from transforms.tables.store import Store

Files = Mapping[str, Sequence[FileFacts]]
"""Files by table, in the order of their rows."""

_FRAME_COLUMNS: Final = ("frame_id", "clip_id")


class LabellingError(Exception):
    """A data set cannot be compared: what, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """A finished data set, as its manifest tells it.

    Attributes:
        place: its folder, for messages.
        store: the same, for reading.
        facts: dataset.json.
        units: shards (of a compacted copy: days) and their files.
        others: the files that belong to none.
    """

    place: str
    store: Store
    facts: Mapping[str, Any]
    units: Mapping[str, Files]
    others: Files

    def rows(self, table: str) -> int:
        """The rows of a table."""
        every = (files for files in (*self.units.values(), self.others))
        return sum(file.rows for files in every for file in files.get(table, ()))


@dataclass(frozen=True, slots=True)
class ClipRows:
    """The rows of one clip in one unit.

    Attributes:
        clip_id: the clip.
        frames: frame_id and clip_id.
        detections: the columns that are compared.
    """

    clip_id: str
    frames: pa.Table
    detections: pa.Table


def open_labelling(store: Store, place: str) -> Labelling:
    """Reads what a data set's manifest tells.

    Args:
        store: the data set.
        place: its folder, for messages.

    Raises:
        NotADatasetError: there is none, or one of another schema.
        UnfinishedError: a run on it has not ended.
    """
    finished = read_finished(store, place)
    units: dict[str, dict[str, list[FileFacts]]] = {}
    for shard, tables in finished.shards.items():
        # the parts of a day are cut by size: a row may stand in another part than before
        name = shard.partition("_")[0] if finished.is_sealed else shard
        for table, file in tables.items():
            units.setdefault(name, {}).setdefault(table, []).append(file)
    for files in (files for unit in units.values() for files in unit.values()):
        files.sort(key=lambda file: file.path.removesuffix(".parquet"))
    others: dict[str, list[FileFacts]] = {}
    for file in finished.others:
        others.setdefault(file.path.partition("/")[0], []).append(file)
    return Labelling(place, store, finished.facts, units, others)


def matching_units(first: Labelling, second: Labelling) -> Iterator[tuple[Files | None, Files | None]]:
    """The units of two labellings that hold the same minutes.

    Units of one name belong together; of the others those that begin with the same frame (a clip was renamed).

    Raises:
        LabellingError: only one of the two is a compacted copy.
    """
    if bool(first.facts.get(SEALED)) != bool(second.facts.get(SEALED)):
        raise LabellingError(
            f"{first.place} and {second.place}: only one is a compacted copy; compare two copies, or what they were made of"
        )
    shared = sorted(first.units.keys() & second.units.keys())
    yield from ((first.units[name], second.units[name]) for name in shared)
    alone = sorted(second.units.keys() - first.units.keys())
    begins = {_first_frame(second, second.units[name]): name for name in alone}
    begins.pop(None, None)
    for name in sorted(first.units.keys() - second.units.keys()):
        other = begins.pop(_first_frame(first, first.units[name]), None) if begins else None
        if other is not None:
            alone.remove(other)
        yield first.units[name], None if other is None else second.units[other]
    yield from ((None, second.units[name]) for name in alone)


def same_rows(first: Labelling, second: Labelling, files: Sequence[Sequence[FileFacts]]) -> bool:
    """Whether two files (or chains of them) hold the same rows; equal digests answer without a look.

    Args:
        first: the labelling of the one.
        second: that of the other.
        files: both, each in the order of its rows.
    """
    one, two = files
    if [file.sha256 for file in one] == [file.sha256 for file in two]:
        return True
    if sum(file.rows for file in one) != sum(file.rows for file in two):
        return False
    pieces = _row_groups(first.store, one, None), _row_groups(second.store, two, None)
    left: list[pa.Table | None] = [None, None]
    while True:
        for side, source in enumerate(pieces):
            while (held := left[side]) is None or not held.num_rows:
                left[side] = next(source, None)
                if left[side] is None:
                    # as many rows on both sides: the other one is at its end as well
                    return True
        both = [table for table in left if table is not None]
        count = min(table.num_rows for table in both)
        if not both[0].slice(0, count).equals(both[1].slice(0, count)):
            return False
        left = [table.slice(count) for table in both]


def side_by_side(
    first: Labelling, second: Labelling, units: tuple[Files, Files]
) -> Iterator[tuple[ClipRows | None, ClipRows | None]]:
    """The clips of two units, each with its counterpart; None where the other has no frame of the clip.

    Args:
        first: a labelling.
        second: another.
        units: a unit of each.

    Raises:
        LabellingError: a file is not in the order in which it was written.
    """
    one, two = units
    clips = [_clip_ids(side.store, unit.get("frames", ())) for side, unit in ((first, one), (second, two))]
    waiting: dict[str, ClipRows] = {}
    others = _clips(second, two)
    for rows in _clips(first, one):
        if rows.clip_id not in clips[1]:
            yield rows, None
            continue
        while rows.clip_id not in waiting:
            other = next(others)
            if other.clip_id in clips[0]:
                waiting[other.clip_id] = other
            else:
                yield None, other
        yield rows, waiting.pop(rows.clip_id)
    yield from ((None, other) for other in others)


def clip_rows(side: Labelling, unit: Files) -> dict[str, str]:
    """The clips that begin in a unit: clip_id to URI."""
    found: dict[str, str] = {}
    for rows in _row_groups(side.store, unit.get("clips", ()), ["clip_id", "uri"]):
        found |= {str(row["clip_id"]): str(row["uri"]) for row in rows.to_pylist()}
    return found


def distinct_objects(side: Labelling) -> int:
    """How many objects the tracks of a data set show."""
    parts = [
        rows["object_id"] for rows in _row_groups(side.store, side.others.get("objects", ()), ["object_id"])
    ]
    return pc.count_distinct(
        pa.chunked_array([c for part in parts for c in part.chunks], pa.string())
    ).as_py()


def _first_frame(side: Labelling, unit: Files) -> str | None:
    for rows in _row_groups(side.store, unit.get("frames", ()), ["frame_id"]):
        if rows.num_rows:
            return str(rows["frame_id"][0].as_py())
    return None


def _clip_ids(store: Store, frames: Sequence[FileFacts]) -> Collection[str]:
    pieces = _row_groups(store, frames, ["clip_id"])
    return {str(clip) for rows in pieces for clip in pc.unique(rows["clip_id"]).to_pylist()}


def _clips(side: Labelling, unit: Files) -> Iterator[ClipRows]:
    """Frames and detections of a unit, clip by clip: both are written in the same order of clips."""
    detections = _runs(side.store, unit.get("detections", ()), COLUMNS)
    none = pa.table({name: pa.array([], TABLES["detections"].field(name).type) for name in COLUMNS})
    following = next(detections, None)
    for clip, frames in _runs(side.store, unit.get("frames", ()), _FRAME_COLUMNS):
        own = none
        if following is not None and following[0] == clip:
            own, following = following[1], next(detections, None)
        yield ClipRows(clip, frames, own)
    if following is not None:
        raise LabellingError(
            f"{side.place}: detections of clip {following[0]} have no frames; see clipmill verify"
        )


def _runs(store: Store, files: Sequence[FileFacts], columns: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
    """Rows of one clip that follow each other."""
    clip, parts = None, list[pa.Table]()
    for rows in _row_groups(store, files, columns):
        if not rows.num_rows:
            continue
        ids = rows["clip_id"].combine_chunks()
        differs = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1))
        edges = np.flatnonzero(differs.to_numpy(zero_copy_only=False)) + 1
        for start, stop in pairwise([0, *edges.tolist(), len(ids)]):
            own = ids[start].as_py()
            if own != clip and parts:
                yield str(clip), pa.concat_tables(parts)
                parts = []
            clip = own
            parts.append(rows.slice(start, stop - start))
    if parts:
        yield str(clip), pa.concat_tables(parts)


def _row_groups(
    store: Store, files: Sequence[FileFacts], columns: Sequence[str] | None
) -> Iterator[pa.Table]:
    """Rows piece by piece; no more than a row group is held."""
    for file in files:
        with closing(store.open(file.path)) as source:
            parquet = pq.ParquetFile(source)
            for number in range(parquet.num_row_groups):
                yield parquet.read_row_group(
                    number, None if columns is None else list(columns), use_threads=False
                )
