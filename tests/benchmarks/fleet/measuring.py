"""Measures what the simulation needs: small real runs, and the stages that one process does for all shards."""

import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds
from fleet.costs import Entry
from pydantic import TypeAdapter
from scale import planned
from throughput import label_command

from transforms.begin import _begin
from transforms.budget.labelling import newest_speed
from transforms.clips.memory import recall
from transforms.clips.refs import ClipRef, InputFile
from transforms.discover import list_inputs
from transforms.labels.settings import LabelSettings
from transforms.mill import PROGRESS
from transforms.summarize import Finish
from transforms.tables.checks import find_problems
from transforms.tables.commits import ShardSummary, committed_shards, read_commit
from transforms.tables.digests import canonical_json
from transforms.tables.layout import MANIFEST, RUNS
from transforms.tables.manifest import read_manifest
from transforms.tables.store import LocalStore
from transforms.tasks import probe_file

LISTED = (2_000, 10_000)
FINISHED = (4_000, 12_000)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A run that labelled.

    Attributes:
        output: its data set.
        seconds: of the whole command.
        processor_s: processor time of it and of all that it started.
        records: what it noted of each shard.
    """

    output: Path
    seconds: float
    processor_s: float
    records: Sequence[dict[str, Any]]

    @property
    def labelling_s(self) -> float:
        """From the begin of the first shard to the end of the last."""
        begins = min(record["ended"] - record["seconds"] for record in self.records)
        return float(max(record["ended"] for record in self.records) - begins)

    @property
    def core_share(self) -> float:
        """Of one core's time, what it got: below 1 where it waited, or others had the core."""
        return min(1.0, self.processor_s / self.seconds)


def label(inputs: Path, output: Path, *more: str) -> Labelled:
    """Runs `clipmill label`."""
    started, processor = time.perf_counter(), children_s()
    subprocess.run(label_command(inputs, str(output), *more), check=True, capture_output=True)
    seconds = time.perf_counter() - started
    return Labelled(output, seconds, children_s() - processor, records_of(output))


def children_s() -> float:
    """Processor time of all processes that this one has started and waited for, in s."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def records_of(output: Path) -> list[dict[str, Any]]:
    """What the newest run noted of the shards that it labelled.

    Raises:
        ValueError: it labelled none.
    """
    runs = sorted(path for path in (output / RUNS).glob(f"*/{PROGRESS}") if path.is_dir())
    found = [json.loads(path.read_text(encoding="utf-8")) for path in runs[-1].glob("*.json")] if runs else []
    written = [record for record in found if record["state"] == "written" and record["camera_ns"]]
    if not written:
        raise ValueError(f"{output}: its last run labelled no shard; name a data set as a run has left it")
    return written


def from_data_set(output: Path) -> list[Entry]:
    """What a data set and the notes of its last run tell.

    Args:
        output: the data set.

    Raises:
        ValueError: they tell nothing.
    """
    store = LocalStore(output)
    speed = newest_speed(store)
    if speed is None:
        raise ValueError(f"{output}: no run has noted a speed on processor cores; label something into it")
    records = records_of(output)
    label_s = speed.frames_per_camera_hour / 3600 / speed.frames_per_second_per_core
    each = np.array([record["seconds"] / record["camera_ns"] for record in records])
    mean = sum(record["seconds"] for record in records) / sum(record["camera_ns"] for record in records)
    # shards that stand for all have the mean cost, whatever the length of those that were measured
    shape = each / mean
    files = [row for row in read_manifest(store) if row["shard"] not in {None, "all", "empty", "duplicates"}]
    shards = len(committed_shards(store))
    told = "the data set and what its run noted"
    spent = sum(record["seconds"] for record in records)
    shares = {
        name: sum(record[f"{name}_s"] for record in records) / spent for name in ("decode", "detect", "track")
    }
    return [
        _entry("label_s", label_s, "core-s a camera-s", f"{told}: {speed.source}, {speed.sampling} frames/s"),
        Entry(
            "shard_costs", _rounded(shape / shape.mean()), "of the mean", "measured", f"{told}: single shards"
        ),
        *(
            _entry(f"{name}_share", share, "of label_s", f"{told}: `{name}_s`")
            for name, share in shares.items()
        ),
        _entry("files_per_shard", len(files) / shards, "files", told),
        _entry("file_bytes", sum(row["bytes"] for row in files) / len(files), "B", told),
        _entry("manifest_bytes", (output / MANIFEST).stat().st_size / len(read_manifest(store)), "B", told),
    ]


def hanging_share(output: Path) -> float | None:
    """Which share of a data set's clips decoders died of, or hung at; None where there was none.

    Args:
        output: the data set.
    """
    failures = ds.dataset(output / "failures" / "all.parquet").to_table(["uri", "error"]).to_pylist()
    fatal = {row["uri"] for row in failures if row["error"] in {"crashed_decoder", "timeout", "too_large"}}
    clips = {row["uri"] for row in ds.dataset(output / "clips").to_table(["uri"]).to_pylist()}
    found = clips | {row["uri"] for row in failures}
    return len(fatal) / len(found) if fatal else None


def probing(clips: Sequence[Path]) -> list[Entry]:
    """Probes clips in this process: what each takes, and each of its bytes, by least squares."""
    sizes, seconds = [], []
    for path in clips:
        file = InputFile(uri=str(path), root=str(path), bytes=path.stat().st_size)
        started = time.process_time()
        probe_file(file, None)
        seconds.append(time.process_time() - started)
        sizes.append(file.bytes)
    byte_s, file_s = np.polyfit(sizes, seconds, 1)
    told = f"{len(clips)} clips of {min(sizes) / 1e6:.1f} to {max(sizes) / 1e6:.1f} MB, processor time"
    return [
        _entry("probe_s", max(0.0, float(file_s)), "s a file", told),
        _entry("probe_byte_s", max(0.0, float(byte_s)), "s a byte", told),
    ]


def planning(folder: Path) -> tuple[list[Entry], Callable[[int], tuple[float, float]]]:
    """Lists and plans files that are known already.

    Returns:
        (entries, what planning so many files is predicted to take: seconds and bytes).
    """
    few, many = LISTED
    peaks, seconds = {}, {}
    for count in LISTED:
        peaks[count], seconds[count] = planning_once(folder / f"listed{count}", count)
    inputs = [str(folder / f"listed{many}" / "car")]
    started = time.process_time()
    found = list_inputs(inputs, "")
    list_s = (time.process_time() - started) / len(found)
    # its share of the slope; what is left is everything from there to the judgement
    plan_s = max(0.0, (seconds[many] - seconds[few]) / (many - few) - list_s)
    plan_bytes = max(0.0, (peaks[many] - peaks[few]) / (many - few))
    told = f"scale.py: dry runs over {few:,} and {many:,} known files, their difference in processor time"
    entries = [
        _entry("list_s", list_s, "s a file", f"{many:,} files of one folder, processor time"),
        _entry("plan_s", plan_s, "s a file", told),
        _entry("plan_bytes", plan_bytes, "B a file", told),
    ]

    def predicted(count: int) -> tuple[float, float]:
        return seconds[few] + (list_s + plan_s) * (count - few), peaks[few] + plan_bytes * (count - few)

    return entries, predicted


def planning_once(folder: Path, count: int) -> tuple[int, float]:
    """Plans so many files that are known already: peak memory in bytes, and processor time in s."""
    before = children_s()
    peak, _, _ = planned(folder, count)
    return peak, children_s() - before


@dataclass(frozen=True, slots=True)
class OneProcess:
    """What the stages before and after labelling take in one process.

    Attributes:
        begin_s: seconds of processor time before labelling.
        begin_bytes: memory that they added.
        finish_s: after it.
        finish_bytes: the same.
    """

    begin_s: float
    begin_bytes: float
    finish_s: float
    finish_bytes: float


def one_process(output: Path, shards: int) -> OneProcess:
    """Begins and finishes a data set of so many shards, all like those of a real one.

    Each half runs in a fresh process, so that the memory it adds can be told.

    Args:
        output: the real data set.
        shards: how many.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        begin_s, begin_bytes = pool.submit(_beginning, output, shards).result()
        finish_s, finish_bytes = pool.submit(_finishing, output, shards).result()
    return OneProcess(begin_s, begin_bytes, finish_s, finish_bytes)


def beginning_and_finishing(output: Path) -> tuple[list[Entry], Callable[[int], OneProcess]]:
    """What a data set's shards cost where one process works for all.

    Args:
        output: a data set to take shards from.

    Returns:
        (entries, what so many shards are predicted to take).
    """
    few, many = FINISHED
    first, second = one_process(output, few), one_process(output, many)

    def slope(name: str) -> float:
        return max(0.0, (getattr(second, name) - getattr(first, name)) / (many - few))

    told = (
        f"the stage's own function on {few:,} and {many:,} shards like those of a real run, their difference"
    )
    units = {"begin_s": "s", "begin_bytes": "B", "finish_s": "s", "finish_bytes": "B"}
    entries = [_entry(name, slope(name), f"{unit} a shard", told) for name, unit in units.items()]

    def predicted(count: int) -> OneProcess:
        grown = {name: getattr(first, name) + slope(name) * (count - few) for name in units}
        return OneProcess(**grown)

    return entries, predicted


def reading(output: Path) -> list[Entry]:
    """What the client and `clipmill verify` read of each shard."""
    shards = len(committed_shards(LocalStore(output)))
    records_of(output)
    started = time.process_time()
    read = len(records_of(output))
    record_s = (time.process_time() - started) / read
    list(find_problems(output))
    started = time.process_time()
    assert not list(find_problems(output)), output
    verify_s = (time.process_time() - started) / shards
    return [
        _entry("record_s", record_s, "s a shard", f"{read} records of a real run, processor time"),
        _entry(
            "verify_s", verify_s, "s a shard", f"all checks of a data set of {shards} shards, processor time"
        ),
    ]


def _beginning(output: Path, shards: int) -> tuple[float, float]:
    commits = _commits(output)
    before = _memory()
    rows = [
        (copy.name, copy.label_digest, False, copy.clips)
        for copy in (_like(commits[number % len(commits)], number) for number in range(shards))
    ]
    with _data_set() as made:
        started = time.process_time()
        _begin(["network"], made, "run", rows, [])
        return time.process_time() - started, _memory() - before


def _finishing(output: Path, shards: int) -> tuple[float, float]:
    commits = _commits(output)
    known = list(recall(LocalStore(output), None).values())
    before = _memory()
    copies = [_like(commits[number % len(commits)], number) for number in range(shards)]
    clips = [_clip_like(known[number % len(known)].clip, number) for number in range(shards)]
    files = [InputFile(uri=clip.uri, root="/clips", bytes=clip.bytes, version="1") for clip in clips]
    objects = [(copy.drive_id, track, track) for copy in copies for track in copy.tracks]
    with _data_set() as made:
        finish = Finish(LabelSettings(), ["/clips"], made, "run", None)
        started = time.process_time()
        finish(
            None,
            files=files,
            clips=clips,
            summaries=copies,
            left=[],
            duplicates=[],
            events=[],
            failures=[],
            objects=objects,
        )
        return time.process_time() - started, _memory() - before


@contextmanager
def _data_set() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="clipmill-fleet-") as folder:
        yield folder


def _commits(output: Path) -> list[ShardSummary]:
    store = LocalStore(output)
    found = (read_commit(store, name) for name in committed_shards(store))
    return [commit for commit in found if commit is not None]


_SUMMARY = TypeAdapter(ShardSummary)
_CLIP = TypeAdapter(ClipRef)


def _like(commit: ShardSummary, number: int) -> ShardSummary:
    """A shard of its own with rows like another's; nothing in memory is shared with it."""
    text = canonical_json(commit).replace(commit.name, f"{commit.name}-{number}")
    return _SUMMARY.validate_json(text)


def _clip_like(clip: ClipRef, number: int) -> ClipRef:
    return replace(_CLIP.validate_json(canonical_json(clip)), uri=f"{clip.uri}-{number}")


def _memory() -> int:
    """The most memory that this process has held, in bytes.

    Not `getrusage`: Linux hands its figure on from the process that started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _entry(name: str, value: float, unit: str, source: str) -> Entry:
    return Entry(name, float(f"{value:.4g}"), unit, "measured", source)


def _rounded(values: np.ndarray) -> list[float]:
    return sorted(float(f"{value:.4g}") for value in values)
