"""The main job: clips in, a labelled data set with its compute budget out."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from models.registry import ModelRef
from pipelines.beam_options import beam_options, refuse_local_output, runner_name, workers_here
from pipelines.cores import cores_here
from pipelines.execution import execute
from pipelines.jobs import AutolabelJob
from pipelines.locks import output_lock
from pipelines.logs import event
from pipelines.outcome import JobError, UsageError
from pipelines.progress import RunProgress
from pipelines.readiness import check, find_models, prepare_output
from pipelines.run_record import Ended, RunResult, report, tell
from transforms.access import StorageFlags, storage_flags
from transforms.begin import BeginRun
from transforms.clips.shards import TwoCarsError
from transforms.corrections.applying import resume
from transforms.corrections.table import CorrectionsError
from transforms.discover import EVENTS, FAILED, FILES, Discover
from transforms.events import GatherEvents
from transforms.join import JoinTracks
from transforms.judge import JudgeShards, standing, work
from transforms.mill import MillOptions, MillShards
from transforms.plan import PlanShards
from transforms.probe import CLIPS, ProbeClips
from transforms.probe import FAILED as PROBE_FAILED
from transforms.set_aside import Patience
from transforms.storage import is_remote, open_store
from transforms.summarize import LeftOver, Summarize
from transforms.tables.store import LocalStore


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
    judged = shards | "Judge" >> JudgeShards(options.judge(job.output))
    names = [model.card.name for model in models]
    begun = (judged, duplicates) | "Begin" >> BeginRun(names, job.output, run_id)
    made = (
        judged
        | "Work" >> beam.FlatMap(work)
        | "Mill" >> MillShards(options, job.output, run_id, threads, begun)
    )
    milled = (judged | "Standing" >> beam.FlatMap(standing), made) | "All shards" >> beam.Flatten()
    left = (shards, duplicates) | "Left over" >> LeftOver(job.output)
    joined = (milled, left) | "Both" >> beam.Flatten() | "Join" >> JoinTracks(job.output)
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
        "joined": joined,
    } | "Summarize" >> Summarize(job.labels, job.inputs, job.output, run_id, job.timezone, job.base)


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
        if isinstance(store, LocalStore):
            try:
                resume(store.folder)
            except CorrectionsError as error:
                raise JobError(str(error)) from error
        resources = Resources(
            models,
            run_id,
            threads,
            workers_here(options, threads),
            retries_failed,
            storage_flags(options.get_all_options()),
        )
        started, began = datetime.now(UTC), time.monotonic()
        event(
            "run_started",
            run_id=run_id,
            output=job.output,
            inputs=len(job.inputs),
            models=[model.card.name for model in models],
            clipmill=version("clipmill"),
        )
        with RunProgress(store, run_id):
            _execute(job, resources, options)
        seconds = time.monotonic() - began
        ended = Ended(run_id, models, resources.workers, runner_name(options), started, seconds)
        result = report(store, job, ended)
    # that another run took the data set over is known only here
    tell(result)
    return result


def _execute(job: AutolabelJob, resources: Resources, options: PipelineOptions) -> None:
    try:
        execute(options, lambda root: build(root, job, resources))
    except JobError as error:
        cause = error.__cause__
        if isinstance(cause, TwoCarsError) or TwoCarsError.__name__ in str(cause):
            # the plan is made by a worker; from another process its errors come back as text
            raise UsageError(str(error)) from error
        raise
