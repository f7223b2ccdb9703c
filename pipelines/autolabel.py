"""The main job: clips in, a labelled data set with its compute budget out."""

import json
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from models.registry import ModelRef
from pipelines.beam_options import beam_options, refuse_local_output, workers_here
from pipelines.cores import cores_here
from pipelines.execution import execute
from pipelines.jobs import AutolabelJob
from pipelines.last_job import RUN_RECORD
from pipelines.locks import output_lock
from pipelines.outcome import JobError, UsageError
from pipelines.progress import RunProgress
from pipelines.readiness import check, find_models, prepare_output
from pipelines.speed import measured_speed
from transforms.access import StorageFlags, storage_flags
from transforms.begin import BeginRun
from transforms.budget.labelling import SPEED_FILE
from transforms.clips.shards import TwoCarsError
from transforms.discover import EVENTS, FAILED, FILES, Discover
from transforms.events import GatherEvents
from transforms.join import JoinTracks
from transforms.mill import PROGRESS, JudgeShards, MillOptions, MillShards, standing, work
from transforms.plan import PLAN, PlanShards
from transforms.probe import CLIPS, ProbeClips
from transforms.probe import FAILED as PROBE_FAILED
from transforms.set_aside import Patience
from transforms.storage import is_remote, open_store
from transforms.summarize import SUMMARY, LeftOver, Summarize
from transforms.tables.layout import run_file
from transforms.tables.store import Store

_READERS: Final = 8
"""Records that are read at once: on an object store each is a wait of some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job needs beside its spec.

    Attributes:
        models: the networks, found and checked.
        run_id: the name of this run.
        threads: clips worked on at once in one process.
        retries_failed: whether clips that failed are tried again though nothing has changed.
        workers: shards worked on at once on this machine; None where the runner's workers may be elsewhere.
        storage: how URLs are reached.
    """

    models: Sequence[ModelRef]
    run_id: str
    threads: int
    workers: int | None
    retries_failed: bool = False
    storage: StorageFlags = ()


def build(root: beam.Pipeline, job: AutolabelJob, resources: Resources) -> None:
    """Wires the stages; runs nothing.

    Args:
        root: the pipeline.
        job: what to label, with absolute paths.
        resources: networks and the run's name.
    """
    models, run_id, threads = resources.models, resources.run_id, resources.threads
    options = mill_options(job, resources)
    found, probed, shards, duplicates = plan(root, job, resources)
    judged = shards | "Judge" >> JudgeShards(options, job.output)
    names = [model.card.name for model in models]
    begun = (judged, duplicates) | "Begin" >> BeginRun(names, job.output, run_id)
    made = (
        judged
        | "Work" >> beam.FlatMap(work)
        | "Mill" >> MillShards(options, job.output, run_id, threads, begun)
    )
    milled = (judged | "Standing" >> beam.FlatMap(standing), made) | "All shards" >> beam.Flatten()
    left = (shards, duplicates) | "Left over" >> LeftOver(job.output)
    objects = (milled, left) | "Both" >> beam.Flatten() | "Join" >> JoinTracks()
    events = (found[FILES], probed[CLIPS], found[EVENTS]) | "Events" >> GatherEvents(
        job.labels.location_privacy
    )
    failures = (found[FAILED], probed[PROBE_FAILED]) | "Failures" >> beam.Flatten()
    _ = {
        "files": found[FILES],
        "clips": probed[CLIPS],
        "summaries": milled,
        "left": left,
        "duplicates": duplicates,
        "events": events,
        "failures": failures,
        "objects": objects,
    } | "Summarize" >> Summarize(job.labels, job.output, run_id, job.timezone)


def plan(root: beam.Pipeline, job: AutolabelJob, resources: Resources) -> tuple[Any, Any, Any, Any]:
    """Wires the stages that find out what there is to do; they write nothing.

    Args:
        root: the pipeline.
        job: what to label, with absolute paths.
        resources: networks and threads.

    Returns:
        What `Discover` and `ProbeClips` give, the shards, and the duplicates.
    """
    memories = [place for place in (job.base, job.output) if place]
    patience = mill_options(job, resources).patience
    found = root | "Discover" >> Discover(job.inputs, job.output)
    probed = found[FILES] | "Probe" >> ProbeClips(
        job.timezone, patience, memories, resources.threads, resources.storage, rehash=job.rehash
    )
    shards, duplicates = probed[CLIPS] | "Plan" >> PlanShards(job.labels.context_ns)
    return found, probed, shards, duplicates


def mill_options(job: AutolabelJob, resources: Resources) -> MillOptions:
    """How a job makes its shards."""
    return MillOptions(
        settings=job.labels,
        models=tuple(resources.models),
        # drivers of a GPU claim more memory of a process than anybody uses
        patience=Patience(job.stall_s, round(job.clip_memory_gb * 1e9) if job.device == "cpu" else None),
        base=job.base,
        retries_failed=resources.retries_failed,
        storage=resources.storage,
    )


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to.

    Attributes:
        data: the form of `label --json`.
        too_many_failed: whether more clips failed than the job allows.
    """

    data: dict[str, Any]
    too_many_failed: bool


def run(
    job: AutolabelJob, beam_arguments: Sequence[str], *, retries_failed: bool = False, waits: bool = False
) -> RunResult:
    """Labels clips.

    Args:
        job: what to label.
        beam_arguments: Beam's own flags.
        retries_failed: whether clips that failed are tried again though nothing has changed.
        waits: whether to wait for another run that writes the same data set.

    Returns:
        The run's figures.

    Raises:
        UsageError: an input is not there or holds no clip, or a flag is unknown.
        JobError: the output cannot be written, or holds something else.
        ModelError: a network is not there or does not fit its card.
    """
    # first of all: what a URL holds is known only by the options that lead there
    options, threads = beam_options(beam_arguments, threads=job.workers or cores_here())
    job = check(job)
    if not is_remote(job.output):
        refuse_local_output(options, job.output)
    models = find_models(job)
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    store = open_store(job.output)
    with output_lock(job.output, waits=waits):
        prepare_output(store, job.output)
        resources = Resources(
            models,
            run_id,
            threads,
            workers_here(options, threads),
            retries_failed,
            storage_flags(options.get_all_options()),
        )
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


def _report(store: Store, job: AutolabelJob, resources: Resources, seconds: float) -> RunResult:
    summary = json.loads(store.read(run_file(resources.run_id, SUMMARY)))
    folder = run_file(resources.run_id, PROGRESS)
    with ThreadPoolExecutor(_READERS) as readers:
        read = readers.map(lambda name: store.read(f"{folder}/{name}"), sorted(store.sizes(folder)))
        records = [json.loads(content) for content in read]
    written = [record for record in records if record["state"] == "written"]
    planned = json.loads(store.read(run_file(resources.run_id, PLAN)))["shards"]
    frames = sum(record["frames"] for record in written)
    began = min((record["ended"] - record["seconds"] for record in written), default=0.0)
    labelling_s = max((record["ended"] for record in written), default=0.0) - began
    data = {
        "run_id": resources.run_id,
        "output": job.output,
        **summary,
        "shards": {
            "written": sum(record["frames"] > 0 for record in written),
            "skipped": planned - len(records),
            "failed": sum(record["frames"] == 0 for record in written),
        },
        **({"taken_over": len(records) - len(written)} if job.base else {}),
        "seconds": round(labelling_s, 3),
        "frames_per_second": round(frames / labelling_s, 2) if labelling_s else 0.0,
        "notes": [
            f"the network {model.card.name} knows rendered scenes only: on other clips its labels mean nothing"
            for model in resources.models
            if model.card.for_rendered_scenes_only
        ],
        "models": [{"name": model.card.name, "sha256": model.sha256} for model in resources.models],
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
    store.write(run_file(resources.run_id, RUN_RECORD), json.dumps(record, indent=1).encode())
    clips = summary["clips"]
    share = clips["failed"] / max(1, clips["found"] - clips["duplicate"])
    return RunResult(data, share > job.max_failed_share)
