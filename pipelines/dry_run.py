"""What a labelling job would do, and why; nothing is written to its output."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apache_beam as beam

from pipelines.autolabel import Resources, mill_options, plan
from pipelines.beam_options import beam_options
from pipelines.cores import cores_here
from pipelines.execution import execute
from pipelines.jobs import AutolabelJob
from pipelines.outcome import JobError
from pipelines.readiness import check, check_output, find_models
from transforms.access import storage_flags
from transforms.budget.labelling import SPEED_FILE, SpeedRecord
from transforms.discover import FAILED, FILES
from transforms.forecast import WriteForecast
from transforms.judge import JudgeShards
from transforms.probe import FAILED as PROBE_FAILED
from transforms.storage import open_store
from transforms.summarize import LeftOver
from transforms.tables.half_corrected import half_corrected


def build(root: beam.Pipeline, job: AutolabelJob, resources: Resources, path: str) -> None:
    """Wires the stages; runs nothing.

    Args:
        root: the pipeline.
        job: what would be labelled, with absolute paths.
        resources: networks and threads.
        path: the file of this machine that gets the forecast.
    """
    found, probed, shards, duplicates = plan(root, job, resources)
    left = (shards, duplicates) | "Left over" >> LeftOver(job.output)
    failures = (found[FAILED], probed[PROBE_FAILED]) | "Failures" >> beam.Flatten()
    _ = {
        "judged": shards | "Judge" >> JudgeShards(mill_options(job, resources).judge(job.output)),
        "files": found[FILES],
        "duplicates": duplicates,
        "failures": failures,
        "left": left,
    } | "Forecast" >> WriteForecast(path)


def forecast(job: AutolabelJob, beam_arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Says what a job would do.

    Args:
        job: the job.
        beam_arguments: Beam's own flags, of which those of storage hold here.

    Returns:
        Counts of clips and shards, camera-hours, reasons, the shards to label, and the seconds that this will
        take on this machine (None where the data set's runs have measured nothing).

    Raises:
        UsageError: as `autolabel.run`.
        JobError: corrections are half in place.
        ModelError: a network is not there or does not fit its card.
    """
    storage = storage_flags(beam_options(beam_arguments)[0].get_all_options())
    workers = job.workers or cores_here()
    options, _ = beam_options(storage, threads=workers)
    job = check(job)
    resources = Resources(find_models(job), "", workers, workers, storage=storage)
    store = open_store(job.output)
    check_output(store, job.output)
    if problem := half_corrected(store, job.output):
        raise JobError(problem)
    with TemporaryDirectory(prefix="clipmill-") as folder:
        path = Path(folder) / "forecast.json"
        execute(options, lambda root: build(root, job, resources, str(path)))
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {"output": job.output, **content, "estimated_seconds": _estimate(job, content, workers)}


def _estimate(job: AutolabelJob, content: dict[str, Any], workers: int) -> float | None:
    """Seconds by the speed of the last run that labelled anything, with the same device and sampling."""
    try:
        speed = SpeedRecord.model_validate_json(open_store(job.output).read(SPEED_FILE))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    if (speed.device, speed.sampling) != (job.device, job.labels.fps):
        return None
    camera_s: float = content["camera_hours"] * 3600
    return round(camera_s * speed.worker_seconds / speed.camera_seconds / workers, 1)
