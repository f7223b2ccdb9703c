"""The figures of a run in Prometheus' text form, as node_exporter's textfile collector takes them."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pipelines.outcome import JobError, UsageError
from transforms.tables.store import LocalStore

METRICS_FILE: Final = "metrics.prom"
"""File of a run with its figures."""

METRICS: Final = {
    "clipmill_run_info": "The run's clipmill; always 1.",
    "clipmill_run_exit_code": "Exit code of the run; 0 is good.",
    "clipmill_run_start_timestamp_seconds": "When the run began, in seconds since 1970.",
    "clipmill_run_end_timestamp_seconds": "When the run ended, in seconds since 1970.",
    "clipmill_run_duration_seconds": "Time from the begin of the run to its end.",
    "clipmill_run_clips": "Clips among the run's inputs, by what became of them.",
    "clipmill_run_failures": "Rows of the table of failures that the run's inputs gave, by fault.",
    "clipmill_run_shards": "Shards of the run's inputs, by what was done with them.",
    "clipmill_run_frames": "Frames with labels in all shards of the run's inputs.",
    "clipmill_run_detections": "Detections in all shards of the run's inputs.",
    "clipmill_run_labelled_frames": "Frames that this run labelled.",
    "clipmill_run_labelled_detections": "Detections that this run made.",
    "clipmill_run_labelled_camera_seconds": "Footage that this run labelled, each camera counted.",
    "clipmill_run_read_bytes": "Bytes of clips that this run labelled from, by their share of each file's time.",
    "clipmill_run_stage_seconds": "Working time of this run by stage, summed over workers.",
}
"""Names and what they mean; all are gauges, for each file tells of one run."""

Sample = tuple[dict[str, str], float]


def metrics_text(record: Mapping[str, Any]) -> str:
    """Writes a run's figures out.

    Args:
        record: what `run_record` gives, or the part of it that is known: figures that are not in it are left out.

    Returns:
        Text of version 0.0.4 of Prometheus' exposition format, every sample with the data set as a label.
    """
    lines: list[str] = []
    dataset = {"dataset": str(record["output"])}
    samples = dict(_samples(record))
    for name, told in METRICS.items():
        if name in samples:
            lines += [f"# HELP {name} {told}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_labels({**dataset, **labels})} {value!r}" for labels, value in samples[name]]
    return "\n".join(lines) + "\n"


def _samples(record: Mapping[str, Any]) -> Iterator[tuple[str, list[Sample]]]:
    started, ended = (datetime.fromisoformat(record[key]).timestamp() for key in ("started", "ended"))
    yield "clipmill_run_info", [({"version": record["versions"]["clipmill"]}, 1)]
    yield "clipmill_run_exit_code", [({}, int(record["exit_code"]))]
    yield "clipmill_run_start_timestamp_seconds", [({}, started)]
    yield "clipmill_run_end_timestamp_seconds", [({}, ended)]
    yield "clipmill_run_duration_seconds", [({}, record["wall_seconds"])]
    if "clips" in record:
        clips = {state: number for state, number in record["clips"].items() if state != "found"}
        yield "clipmill_run_clips", _by("state", clips)
        shards = {**record["shards"], "taken_over": record.get("taken_over", 0)}
        yield "clipmill_run_shards", _by("state", shards)
        yield "clipmill_run_frames", [({}, record["frames"])]
        yield "clipmill_run_detections", [({}, record["detections"])]
    if record.get("failures"):
        faults = sorted(failure["error"] for failure in record["failures"])
        yield "clipmill_run_failures", _by("error", {fault: faults.count(fault) for fault in faults})
    for key, value in record.get("labelled", {}).items():
        name = "clipmill_run_read_bytes" if key == "read_bytes" else f"clipmill_run_labelled_{key}"
        yield name, [({}, value)]
    if "stages_seconds" in record:
        stages = {name.removesuffix("_s"): value for name, value in record["stages_seconds"].items()}
        yield "clipmill_run_stage_seconds", _by("stage", stages)


def _by(label: str, values: Mapping[str, float]) -> list[Sample]:
    return [({label: name}, value) for name, value in values.items()]


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    # a file's name may hold what no text file does
    text = value.encode("utf-8", "backslashreplace").decode()
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def check_metrics_file(path: Path) -> None:
    """Makes sure before a run that its figures can be written after it.

    Args:
        path: the file.

    Raises:
        UsageError: its name or its folder does not go, or nothing can be written there.
    """
    if path.suffix != ".prom":
        raise UsageError(f"--metrics-file {path}: node_exporter reads only files that end in .prom")
    if not path.parent.is_dir():
        raise UsageError(f"--metrics-file {path}: {path.parent} is no folder")
    if path.is_dir():
        raise UsageError(f"--metrics-file {path}: is a folder")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        # the figures are written beside the file that is there, and then put in its place
        raise UsageError(f"--metrics-file {path}: {path.parent} is not writable")


def write_metrics(path: Path, text: str) -> None:
    """Puts the figures of a run in place; whoever reads them at this moment sees the old or the new ones.

    Args:
        path: the file.
        text: what `metrics_text` gave.

    Raises:
        JobError: they cannot be written.
    """
    try:
        LocalStore(path.parent).write(path.name, text.encode())
    except OSError as error:
        raise JobError(f"--metrics-file {path}: cannot be written: {error.strerror or error}") from error
