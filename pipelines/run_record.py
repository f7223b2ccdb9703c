"""What a run leaves behind beside its labels: its record, its figures, and how fast it was."""

import json
import logging
import platform
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

from models.errors import ModelUsageError
from models.registry import ModelRef
from pipelines.jobs import AutolabelJob
from pipelines.last_job import RUN_RECORD
from pipelines.logs import event
from pipelines.outcome import ExitCode, UsageError
from pipelines.run_metrics import METRICS_FILE, metrics_text
from pipelines.speed import measured_speed
from transforms.budget.labelling import SPEED_FILE
from transforms.mill import PROGRESS
from transforms.plan import PLAN
from transforms.summarize import SUMMARY
from transforms.tables.dataset import LIBRARIES
from transforms.tables.layout import run_file
from transforms.tables.store import Store

_READERS: Final = 8
"""Records that are read at once: on an object store each is a wait of some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to.

    Attributes:
        data: the form of `label --json`.
        exit_code: of the command.
        metrics: its figures in Prometheus' text form.
        seconds: how long it took.
    """

    data: dict[str, Any]
    exit_code: ExitCode
    metrics: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended.

    Attributes:
        run_id: its name.
        models: its networks.
        workers: shards worked on at once on this machine; None where the runner's workers may be elsewhere.
        runner: Beam's runner.
        started: when it began.
        seconds: how long it took.
    """

    run_id: str
    models: Sequence[ModelRef]
    workers: int | None
    runner: str
    started: datetime
    seconds: float


def report(store: Store, job: AutolabelJob, run: Ended) -> RunResult:
    """Writes a run's record, its figures, and how fast it labelled.

    Args:
        store: the data set.
        job: the job.
        run: the run.
    """
    summary = json.loads(store.read(run_file(run.run_id, SUMMARY)))
    folder = run_file(run.run_id, PROGRESS)
    with ThreadPoolExecutor(_READERS) as readers:
        read = readers.map(lambda name: store.read(f"{folder}/{name}"), sorted(store.sizes(folder)))
        records = [json.loads(content) for content in read]
    written = [record for record in records if record["state"] == "written"]
    plan = json.loads(store.read(run_file(run.run_id, PLAN)))
    data = _data(job, run, summary, records, plan["shards"])
    speed = measured_speed(job, run.run_id, run.workers, written)
    if speed is not None:
        store.write(SPEED_FILE, speed.model_dump_json().encode())
    clips = summary["clips"]
    share = clips["failed"] / max(1, clips["found"] - clips["duplicate"])
    code = ExitCode.TOO_MANY_FAILED if share > job.max_failed_share else ExitCode.GOOD
    record = {
        "job": job.model_dump(),
        **data,
        **_times(run.started, run.seconds, code),
        "runner": run.runner,
        "label_digest": plan["label_digest"],
        "speed": speed and speed.model_dump(),
        "labelled": {
            "frames": sum(item["frames"] for item in written),
            "detections": sum(item["detections"] for item in written),
            "camera_seconds": round(sum(item["camera_ns"] for item in written) / 1e9, 3),
            "read_bytes": sum(item["read_bytes"] for item in written),
        },
        "stages_seconds": {
            name: round(sum(item[name] for item in written), 3)
            for name in ("decode_s", "detect_s", "track_s")
        },
    }
    metrics = metrics_text(record)
    store.write(run_file(run.run_id, METRICS_FILE), metrics.encode())
    store.write(run_file(run.run_id, RUN_RECORD), json.dumps(record, indent=1).encode())
    return RunResult(data, code, metrics, run.seconds)


def tell(result: RunResult) -> None:
    """Says in the log which clips failed, and how the run ended.

    Args:
        result: what the run came to.
    """
    data = result.data
    for failure in data["failures"]:
        facts = {key: failure[key] for key in ("uri", "stage", "error", "retryable")}
        event("clip_failed", logging.WARNING, run_id=data["run_id"], **facts)
    shown = {key: data[key] for key in ("clips", "shards", "frames", "detections", "frames_per_second")}
    code, seconds = int(result.exit_code), round(result.seconds, 3)
    event("run_ended", run_id=data["run_id"], exit_code=code, seconds=seconds, **shown)


def _data(
    job: AutolabelJob,
    run: Ended,
    summary: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    planned: int,
) -> dict[str, Any]:
    """The form of `label --json`."""
    written = [record for record in records if record["state"] == "written"]
    frames = sum(record["frames"] for record in written)
    began = min((record["ended"] - record["seconds"] for record in written), default=0.0)
    labelling_s = max((record["ended"] for record in written), default=0.0) - began
    return {
        "run_id": run.run_id,
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
            for model in run.models
            if model.card.for_rendered_scenes_only
        ],
        "models": [
            {"name": model.card.name, "sha256": model.sha256, "digest": model.digest} for model in run.models
        ],
    }


def failed_record(job: AutolabelJob, started: datetime, error: BaseException) -> dict[str, Any]:
    """What there is to tell of a run that has come to nothing.

    Args:
        job: the job.
        started: when it began.
        error: what ended it.
    """
    if isinstance(error, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    elif isinstance(error, (UsageError, ModelUsageError)):
        code = ExitCode.BAD_USAGE
    else:
        code = ExitCode.JOB_FAILED
    seconds = (datetime.now(UTC) - started).total_seconds()
    return {"output": job.output, **_times(started, seconds, code)}


def empty_record(job: AutolabelJob) -> dict[str, Any]:
    """What there is to tell of a run whose clips are not there yet; it leaves nothing in the data set.

    Args:
        job: the job.
    """
    none = {
        "clips": dict.fromkeys(("found", "labelled", "failed", "duplicate"), 0),
        "frames": 0,
        "detections": 0,
        "shards": dict.fromkeys(("written", "skipped", "failed"), 0),
    }
    return {"output": job.output, **none, **_times(datetime.now(UTC), 0.0, ExitCode.GOOD)}


def _times(started: datetime, seconds: float, code: ExitCode) -> dict[str, Any]:
    """When, how it ended, and by what: nothing of the machine or of who started it."""
    return {
        "exit_code": int(code),
        "started": started.isoformat(timespec="milliseconds"),
        "ended": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "wall_seconds": round(seconds, 3),
        "versions": {
            "clipmill": version("clipmill"),
            "python": platform.python_version(),
            "libraries": {name: version(name) for name in LIBRARIES},
        },
    }
