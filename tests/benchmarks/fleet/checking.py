"""Predictions of small real runs against what they took."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from clip_sets import many_clips
from fleet.costs import Entry, Measured, from_entries
from fleet.dispatch import Dispatch, dealt, free
from fleet.measuring import (
    Labelled,
    beginning_and_finishing,
    from_data_set,
    label,
    one_process,
    planning,
    planning_once,
    probing,
    reading,
)
from poison import write_site
from scale import CLIP

from transforms.clips.refs import ClipRef, InputFile
from transforms.mill import PROGRESS
from transforms.set_aside import MAX_ATTEMPTS
from transforms.tables.layout import RUNS
from transforms.tasks import probe_file

_CALIBRATING = 17
_CHECKED = 16
_LISTED = 30_000
_FINISHED = 30_000
_STALL_S = 5.0
_DRAWS = 200
_PROCESSES = ("--", "--direct_num_workers=2", "--direct_running_mode=multi_processing")


def measure_and_check(folder: Path) -> Iterator[Entry]:
    """Measures all that the simulation needs on small runs, and predicts larger ones from it.

    Args:
        folder: for clips and data sets.

    Yields:
        What was measured, and predictions (kind `checked`, [predicted, measured]), each as soon as it is known.
    """
    clips = many_clips(folder / "clips", _CALIBRATING)
    run = label(folder / "clips", folder / "calibrating", "--workers", "1")
    # what others took of the core meanwhile is no cost of labelling
    entries = [
        replace(entry, value=float(f"{entry.value * run.core_share:.4g}"))
        if entry.name == "label_s"
        else entry
        for entry in from_data_set(run.output)
    ]
    entries += [*probing(clips), *reading(run.output)]
    plans, predicted_plan = planning(folder)
    ends, predicted_ends = beginning_and_finishing(run.output)
    entries += [*plans, *ends]
    probe_s = probe_seconds(clips, entries)
    start_s = max(0.0, (run.seconds - run.labelling_s) * run.core_share - probe_s)
    told = f"`clipmill label` over {_CALIBRATING} clips with one worker, less labelling and probing"
    entries.append(Entry("start_s", float(f"{start_s:.4g}"), "s", "measured", told))
    told = "processor time over time of that run; what is below 1, others had, and is taken off label_s and start_s"
    entries.append(Entry("core_share", float(f"{run.core_share:.3g}"), "of one core", "measured", told))
    yield from entries
    yield from _check_runs(folder, from_entries(Measured, entries), entries)
    peak, seconds = planning_once(folder / "listed-more", _LISTED)
    plan_s, plan_bytes = predicted_plan(_LISTED)
    yield _checked(
        "check_plan_s", plan_s, seconds, "s", f"a dry run over {_LISTED:,} known files, processor time"
    )
    yield _checked("check_plan_memory", plan_bytes / 1e6, peak / 1e6, "MB", "its peak memory")
    found, wanted = one_process(run.output, _FINISHED), predicted_ends(_FINISHED)
    told = f"beginning and finishing {_FINISHED:,} shards in one process, processor time"
    yield _checked(
        "check_ends_s", wanted.begin_s + wanted.finish_s, found.begin_s + found.finish_s, "s", told
    )
    yield _checked(
        "check_finish_memory",
        wanted.finish_bytes / 1e6,
        found.finish_bytes / 1e6,
        "MB",
        "memory to finish them",
    )
    yield _check_hanging(folder)


def probe_seconds(clips: Sequence[Path], entries: Sequence[Entry]) -> float:
    """What probing clips takes on one core."""
    costs = {entry.name: entry.value for entry in entries}
    file_s, byte_s = costs["probe_s"], costs["probe_byte_s"]
    assert isinstance(file_s, float)
    assert isinstance(byte_s, float)
    return sum(file_s + byte_s * path.stat().st_size for path in clips)


def _check_runs(folder: Path, measured: Measured, entries: Sequence[Entry]) -> Iterator[Entry]:
    clips = many_clips(folder / "checked", _CHECKED)
    ways: dict[str, tuple[int, Dispatch, tuple[str, ...]]] = {
        "one worker": (1, "free", ("--workers", "1")),
        "two workers, free": (2, "free", ("--workers", "2")),
        "two processes, dealt": (2, "dealt", _PROCESSES),
    }
    for number, (name, (workers, dispatch, how)) in enumerate(ways.items()):
        run = label(folder / "checked", folder / f"out{number}", *how)
        predicted = predict(run, workers, dispatch, measured, probe_seconds(clips, entries))
        told = f"`clipmill label` over {_CHECKED} clips, {name}; it had {run.processor_s / run.seconds:.2f} cores"
        yield _checked(f"check_label_{number}", predicted, run.seconds, "s", told)
        # this one holds on a busy machine, too
        alone = predict(run, 1, "free", measured, probe_seconds(clips, entries))
        yield _checked(f"check_work_{number}", alone, run.processor_s, "s", "its processor time")


def predict(
    run: Labelled, workers: int, dispatch: Dispatch, measured: Measured, probe_s: float, seed: int = 0
) -> float:
    """What a run on this machine should take, of which only the lengths of its shards are known.

    Args:
        run: it.
        workers: shards worked on at once.
        dispatch: how they were handed out.
        measured: what was measured before.
        probe_s: what probing takes on one core.
        seed: of the draws of single shards' costs.

    Returns:
        Seconds of the whole command, the median of many draws.
    """
    rng = np.random.default_rng(seed)
    lengths = np.array([record["camera_ns"] / 1e9 for record in run.records])
    hand_out = free if dispatch == "free" else dealt
    ends = [
        hand_out(
            measured.label_s * lengths * rng.choice(measured.shard_costs, len(lengths)), np.ones(workers)
        )
        for _ in range(_DRAWS)
    ]
    one_by_one = measured.begin_s + measured.finish_s + measured.record_s + measured.list_s + measured.plan_s
    return measured.start_s + probe_s / workers + float(np.median(ends)) + len(lengths) * one_by_one


def _check_hanging(folder: Path) -> Entry:
    """A clip that hangs its decoder holds its worker as long as the model has it."""
    clips = folder / "hanging"
    clips.mkdir()
    (clips / "hang-decode.mp4").write_bytes(CLIP.read_bytes())
    job = folder / "hanging.toml"
    job.write_text(
        f'inputs = ["{clips}"]\noutput = "{folder / "hung"}"\nmodels = ["demo"]\n'
        f"max_failed_share = 1.0\nstall_s = {_STALL_S}\n",
        encoding="utf-8",
    )
    site = write_site(folder / "site")["PYTHONPATH"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([site, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "pipelines.cli", "run", str(job), "--json"]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    (record,) = (folder / "hung").glob(f"{RUNS}/*/{PROGRESS}/*.json")
    found = json.loads(record.read_text(encoding="utf-8"))
    probed = probe_file(InputFile(uri=str(CLIP), root=str(CLIP), bytes=CLIP.stat().st_size), None)
    assert isinstance(probed, ClipRef)
    wanted = MAX_ATTEMPTS * (_STALL_S + probed.duration_ns / 1e9)
    return _checked(
        "check_hanging_s",
        wanted,
        found["seconds"],
        "s",
        f"a clip that hangs its decoder, `stall_s = {_STALL_S:g}`",
    )


def _checked(name: str, predicted: float, measured: float, unit: str, what: str) -> Entry:
    return Entry(name, [float(f"{predicted:.4g}"), float(f"{measured:.4g}")], unit, "checked", what)
