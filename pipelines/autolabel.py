"""The main job: clips in, a labelled data set with its compute budget out."""

import json
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import glob, has_magic
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from models.registry import ModelRef, find_model
from models.sessions import load_detector
from pipelines.beam_options import beam_options, refuse_local_output, workers_here
from pipelines.execution import execute
from pipelines.jobs import AutolabelJob
from pipelines.locks import LOCK, output_lock
from pipelines.outcome import JobError, UsageError
from pipelines.progress import RunProgress
from pipelines.speed import cores_here, measured_speed
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.labelling import SPEED_FILE
from transforms.budget.request import BudgetRequest
from transforms.clips.shards import TwoCarsError
from transforms.clips.sources import VIDEO_SUFFIXES
from transforms.discover import EVENTS, FAILED, FILES, Discover, has_clip
from transforms.events import GatherEvents
from transforms.join import JoinTracks
from transforms.mill import PROGRESS, MillShards
from transforms.plan import PlanShards, WritePlan
from transforms.probe import ProbeClips
from transforms.storage import check_scheme, is_remote, open_store
from transforms.summarize import SUMMARY, LeftOver, Summarize
from transforms.tables.layout import DATASET, run_file
from transforms.tables.schemas import SCHEMA_VERSION
from transforms.tables.store import LocalStore, Store

MOST_WORKERS = 64
"""Workers that any machine may be asked for; more than a few a core only cost memory."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job needs beside its spec.

    Attributes:
        models: the networks, found and checked.
        run_id: the name of this run.
        threads: clips worked on at once in one process.
        workers: shards worked on at once on this machine; None where the runner's workers may be elsewhere.
    """

    models: Sequence[ModelRef]
    run_id: str
    threads: int
    workers: int | None


def build(root: beam.Pipeline, job: AutolabelJob, resources: Resources) -> None:
    """Wires the stages; runs nothing.

    Args:
        root: the pipeline.
        job: what to label, with absolute paths.
        resources: networks and the run's name.
    """
    models, run_id, threads = resources.models, resources.run_id, resources.threads
    found = root | "Discover" >> Discover(job.inputs, job.output)
    probed = found[FILES] | "Probe" >> ProbeClips(job.timezone, job.output, threads)
    shards, duplicates = probed.clips | "Plan" >> PlanShards(job.labels.context_ns)
    planned = shards | "Note plan" >> WritePlan(job.output, run_id)
    milled = shards | "Mill" >> MillShards(job.labels, models, job.output, run_id, threads, planned)
    left = (shards, duplicates) | "Left over" >> LeftOver(job.output)
    objects = (milled, left) | "Both" >> beam.Flatten() | "Join" >> JoinTracks()
    events = (found[FILES], probed.clips, found[EVENTS]) | "Events" >> GatherEvents(
        job.labels.location_privacy
    )
    failures = (found[FAILED], probed.failed) | "Failures" >> beam.Flatten()
    _ = {
        "files": found[FILES],
        "clips": probed.clips,
        "summaries": milled,
        "left": left,
        "duplicates": duplicates,
        "events": events,
        "failures": failures,
        "objects": objects,
    } | "Summarize" >> Summarize(job.labels, job.output, run_id, job.timezone)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to.

    Attributes:
        data: the form of `label --json`.
        too_many_failed: whether more clips failed than the job allows.
    """

    data: dict[str, Any]
    too_many_failed: bool


def run(job: AutolabelJob, beam_arguments: Sequence[str]) -> RunResult:
    """Labels clips.

    Args:
        job: what to label.
        beam_arguments: Beam's own flags.

    Returns:
        The run's figures.

    Raises:
        UsageError: an input is not there or holds no clip, or a flag is unknown.
        JobError: the output cannot be written, or holds something else.
        ModelError: a network is not there or does not fit its card.
    """
    job = _absolute(job)
    workers = job.workers or cores_here()
    most = max(MOST_WORKERS, 4 * cores_here())
    if workers > most:
        raise UsageError(f"--workers {workers}: this machine has {cores_here()} cores; {most} at most")
    options, threads = beam_options(beam_arguments, workers)
    if not is_remote(job.output):
        refuse_local_output(options, job.output)
    _refuse_empty(job)
    models = _find_models(job)
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    store = open_store(job.output)
    if not is_remote(job.output):
        _refuse_foreign(Path(job.output))
    with output_lock(Path(job.output)) if not is_remote(job.output) else nullcontext():
        _prepare_output(store, job.output)
        resources = Resources(models, run_id, threads, workers_here(options, threads))
        started = time.monotonic()
        with RunProgress(store, run_id):
            _execute(job, resources, options)
        seconds = time.monotonic() - started
        return _report(store, job, resources, seconds)


def _execute(job: AutolabelJob, resources: Resources, options: PipelineOptions) -> None:
    try:
        execute(options, lambda root: build(root, job, resources))
    except JobError as error:
        cause = error.__cause__
        if isinstance(cause, TwoCarsError) or TwoCarsError.__name__ in str(cause):
            # the plan is made by a worker; from another process its errors come back as text
            raise UsageError(str(error)) from error
        raise


def _find_models(job: AutolabelJob) -> list[ModelRef]:
    models = [find_model(name, size=job.size, device=job.device) for name in job.models]
    if len({model.sha256 for model in models}) < len(models):
        raise UsageError(f"--model names one network twice: {', '.join(job.models)}")
    for model in models:
        # one that does not fit its card fails here, not in mid-run
        load_detector(model)
    return models


def _absolute(job: AutolabelJob) -> AutolabelJob:
    inputs = tuple(sorted({item if is_remote(item) else os.path.abspath(item) for item in job.inputs}))  # noqa: PTH100 - resolve() would follow the user's links
    output = job.output if is_remote(job.output) else os.path.abspath(job.output)  # noqa: PTH100 - the same
    return job.model_copy(update={"inputs": inputs, "output": output})


def _refuse_empty(job: AutolabelJob) -> None:
    for item in (*job.inputs, job.output):
        try:
            check_scheme(item)
        except ValueError as error:
            raise UsageError(str(error)) from error
    for item in job.inputs:
        if not (is_remote(item) or Path(item).exists() or (has_magic(item) and glob(item, recursive=True))):
            raise UsageError(f"{item}: no such file or folder")
    if not any(has_clip(item, job.output) for item in job.inputs):
        raise UsageError(f"no clip ({', '.join(sorted(VIDEO_SUFFIXES))}) in {', '.join(job.inputs)}")


def _refuse_foreign(output: Path) -> None:
    """A folder with other things in it is not made a data set: its files would mix with ours."""
    if output.is_dir() and not any((output / name).exists() for name in (DATASET, LOCK)):
        with suppress(StopIteration):
            other = next(output.iterdir())
            raise JobError(
                f"{output}: holds {other.name} and no data set; choose a new or empty output folder"
            )


def _prepare_output(store: Store, output: str) -> None:
    try:
        found = json.loads(store.read(DATASET))
    except FileNotFoundError:
        found = {"schema_version": SCHEMA_VERSION}
    except ValueError:
        found = None
    schema = found.get("schema_version") if isinstance(found, dict) else None
    if schema != SCHEMA_VERSION:
        raise JobError(
            f"{output}: holds a data set of schema {schema}, this version writes schema {SCHEMA_VERSION}; "
            "choose another output folder"
        )
    if isinstance(store, LocalStore):
        for stray in store.strays():
            stray.unlink(missing_ok=True)


def _report(store: Store, job: AutolabelJob, resources: Resources, seconds: float) -> RunResult:
    summary = json.loads(store.read(run_file(resources.run_id, SUMMARY)))
    figures = DatasetFigures.from_json(summary["figures"])
    folder = run_file(resources.run_id, PROGRESS)
    records = [json.loads(store.read(f"{folder}/{name}")) for name in sorted(store.sizes(folder))]
    written = [record for record in records if record["state"] == "written"]
    frames = sum(record["frames"] for record in written)
    began = min((record["ended"] - record["seconds"] for record in written), default=0.0)
    labelling_s = max((record["ended"] for record in written), default=0.0) - began
    data = {
        "run_id": resources.run_id,
        "output": job.output,
        **summary,
        "shards": {
            "written": sum(record["frames"] > 0 for record in written),
            "skipped": len(records) - len(written),
            "failed": sum(record["frames"] == 0 for record in written),
        },
        "seconds": round(labelling_s, 3),
        "frames_per_second": round(frames / labelling_s, 2) if labelling_s else 0.0,
        "notes": [
            f"the network {model.card.name} knows rendered scenes only: on other clips its labels mean nothing"
            for model in resources.models
            if model.card.for_rendered_scenes_only
        ],
        "models": [{"name": model.card.name, "sha256": model.sha256} for model in resources.models],
        "budget": [estimate.brief() for estimate in BudgetRequest().answer(figures)],
    }
    speed = measured_speed(job, resources.run_id, resources.workers, written)
    if speed is not None:
        store.write(SPEED_FILE, speed.model_dump_json().encode())
    record = {
        "job": job.model_dump(),
        **data,
        "speed": speed and speed.model_dump(),
        "wall_seconds": round(seconds, 3),
        "stages_seconds": {
            name: round(sum(item[name] for item in written), 3)
            for name in ("decode_s", "detect_s", "track_s")
        },
    }
    store.write(run_file(resources.run_id, "run.json"), json.dumps(record, indent=1).encode())
    clips = summary["clips"]
    share = clips["failed"] / max(1, clips["found"] - clips["duplicate"])
    return RunResult(data, share > job.max_failed_share)
