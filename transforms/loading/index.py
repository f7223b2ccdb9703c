"""Where the samples of a data set are: units of about a minute of one clip, found without decoding anything."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from transforms.clips.shards import MINUTE_NS
from transforms.loading.samples import LoadingError, Selection
from transforms.splits.table import read_splits
from transforms.tables.files import read_parquet
from transforms.tables.finished import Finished
from transforms.tables.layout import table_file
from transforms.tables.store import Store

CLIP_COLUMNS: Final = ("clip_id", "drive_id", "camera", "uri", "content_sha256", "width", "height")
_FRAME_COLUMNS: Final = ("clip_id", "timestamp_ns", "sample_index", "is_damaged")
_DANGEROUS: Final = ("crashed_decoder", "timeout")
"""Faults of clips after which nobody opens them without a process of their own."""

LARGEST_STEP: Final = 2
"""A pause of more than so many usual steps between two frames ends a window: frames are missing there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedClip:
    """A clip of the data set, the columns of `clips` of the same names."""

    clip_id: str
    drive_id: str
    camera: str
    uri: str
    content_sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Unit:
    """Frames of a clip that are decoded in one pass.

    Attributes:
        clip_id: the clip.
        shard: the shard (of a compacted copy: the day) whose files hold its rows.
        row_group: the row group of `frames` that holds them.
        start_ns: time of its first frame.
        stop_ns: end of its time, not included.
        has_boxes: whether the shard has a file of `detections`.
        samples: how many it gives.
    """

    clip_id: str
    shard: str
    row_group: int
    start_ns: int
    stop_ns: int
    has_boxes: bool
    samples: int = 0


@dataclass(frozen=True, slots=True)
class Windows:
    """How frames are gathered.

    Attributes:
        length: frames of a window.
        stride: frames from the begin of one to the begin of the next.
    """

    length: int = 1
    stride: int = 1

    def __post_init__(self) -> None:
        if self.length < 1 or self.stride < 1:
            raise ValueError(f"windows of {self.length} frames, {self.stride} apart: both must be 1 or more")

    def starts(self, rows: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where windows begin in the labelled frames of a unit; none reaches over a damaged or missing frame.

        Args:
            rows: rows of `frames` of a unit, with `timestamp_ns`, `sample_index` and `is_damaged`.

        Returns:
            The rows that are labelled, in the order of time, int64[N], and the places among these at which windows begin,
            int64[W].
        """
        times = rows["timestamp_ns"].to_numpy()
        order = np.argsort(times, kind="stable")
        good = pc.and_not(pc.is_valid(rows["sample_index"]), rows["is_damaged"]).to_numpy()[order]
        # a frame at the time of another one does not advance the clip's time, and cannot be told from it
        good &= np.diff(times[order], prepend=-(2**62)) > 0
        labelled, places = order[good], np.flatnonzero(good)
        if self.length == 1:
            return labelled, np.arange(0, len(labelled), self.stride)
        steps = np.diff(times[labelled])
        usual = np.median(steps) if len(steps) else 0
        ends_run = (np.diff(places) > 1) | (steps > LARGEST_STEP * usual)
        ends = np.flatnonzero(ends_run) + 1
        starts = [
            np.arange(begin, end - self.length + 1, self.stride)
            for begin, end in pairwise([0, *ends.tolist(), len(labelled)])
        ]
        return labelled, np.concatenate(starts).astype(np.int64)


def read_clips(store: Store, finished: Finished, selection: Selection) -> dict[str, LoadedClip]:
    """The clips that a selection asks for, by id; those that made the decoder crash or hang are none.

    Raises:
        LoadingError: there is no such split or camera.
    """
    paths = [files["clips"].path for files in finished.shards.values() if "clips" in files]
    found = {
        row["clip_id"]: LoadedClip(**row)
        for path in paths
        for row in read_parquet(store.read(path), CLIP_COLUMNS).to_pylist()
    }
    cameras = {clip.camera for clip in found.values()}
    if unknown := set(selection.cameras) - cameras:
        raise LoadingError(f"camera {min(unknown)}: there is {', '.join(sorted(cameras)) or 'none'}")
    in_split = _clips_of_split(store, selection)
    left_out = _dangerous(store, finished)
    return {
        clip_id: clip
        for clip_id, clip in found.items()
        if clip_id not in left_out
        and (in_split is None or clip_id in in_split)
        and (not selection.cameras or clip.camera in selection.cameras)
    }


def find_units(
    store: Store, finished: Finished, clips: dict[str, LoadedClip], windows: Windows
) -> list[Unit]:
    """The units of some clips that give at least one sample: drive by drive in the order of time.

    Args:
        store: the data set.
        finished: what its manifest tells.
        clips: the clips by id.
        windows: how frames are gathered.
    """
    wanted = pa.array(list(clips), pa.string())
    units = [
        unit
        for shard, files in finished.shards.items()
        if "frames" in files
        for group, rows in _row_groups(store, files["frames"].path, wanted)
        for unit in _units(rows, windows, shard=shard, row_group=group, has_boxes="detections" in files)
    ]
    return sorted(
        units, key=lambda unit: (clips[unit.clip_id].drive_id, unit.shard, unit.row_group, unit.clip_id)
    )


def rows_of_unit(rows: pa.Table, unit: Unit) -> pa.Table:
    """Those rows of a table with `clip_id` and `timestamp_ns` that lie in a unit."""
    times = rows["timestamp_ns"]
    of_clip = pc.equal(rows["clip_id"], pa.scalar(unit.clip_id, pa.string()))
    in_time = pc.and_(
        pc.greater_equal(times, pa.scalar(unit.start_ns, pa.int64())),
        pc.less(times, pa.scalar(unit.stop_ns, pa.int64())),
    )
    return rows.filter(pc.and_(of_clip, in_time))


def _row_groups(store: Store, path: str, wanted: pa.StringArray) -> Iterator[tuple[int, pa.Table]]:
    with closing(store.open(path)) as source, pq.ParquetFile(source) as file:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, list(_FRAME_COLUMNS), use_threads=False)
            yield group, rows.filter(pc.is_in(rows["clip_id"], value_set=wanted))


def _units(
    rows: pa.Table, windows: Windows, *, shard: str, row_group: int, has_boxes: bool
) -> Iterator[Unit]:
    for clip_id in map(str, pc.unique(rows["clip_id"]).to_pylist()):
        of_clip = pc.equal(rows["clip_id"], pa.scalar(clip_id, pa.string()))
        times = rows["timestamp_ns"].filter(of_clip).to_numpy()
        first, last = int(times.min()), int(times.max())
        # a compacted copy has hours of a clip in one row group: they are cut into minutes, the rest goes to the last
        pieces = max(1, (last + 1 - first) // MINUTE_NS)
        edges = [*(first + piece * MINUTE_NS for piece in range(pieces)), last + 1]
        for start, stop in pairwise(edges):
            unit = Unit(clip_id, shard, row_group, start, stop, has_boxes)
            _, starts = windows.starts(rows_of_unit(rows, unit))
            if len(starts):
                yield replace(unit, samples=len(starts))


def _clips_of_split(store: Store, selection: Selection) -> set[str] | None:
    """Ids of the clips of a split; None for all."""
    if selection.split is None:
        return None
    rows = read_splits(store)
    versions = sorted(set(map(str, rows["version"].to_pylist())))
    if not versions:
        raise LoadingError(
            f"split {selection.split}: the data set has no splits; make them with clipmill split"
        )
    version = versions[0] if selection.version is None and len(versions) == 1 else selection.version
    if version is None or version not in versions:
        asked = "name a version of the splits" if version is None else f"version {version} of the splits"
        raise LoadingError(f"{asked}: there is {', '.join(versions)}")
    found: set[str] = set()
    known: set[str] = set()
    for row in _of_version(rows, version):
        known.add(row["split"])
        if row["split"] == selection.split:
            found.update(row["clip_ids"])
    if selection.split not in known:
        raise LoadingError(f"split {selection.split}: version {version} has {', '.join(sorted(known))}")
    return found


def _of_version(rows: pa.Table, version: str) -> Sequence[dict[str, Any]]:
    own: list[dict[str, Any]] = rows.filter(pc.equal(rows["version"], pa.scalar(version))).to_pylist()
    return own


def _dangerous(store: Store, finished: Finished) -> set[str]:
    path = table_file("failures")
    if path not in {file.path for file in finished.others}:
        return set()
    rows = read_parquet(store.read(path), ("clip_id", "error")).to_pylist()
    return {row["clip_id"] for row in rows if row["error"] in _DANGEROUS}
