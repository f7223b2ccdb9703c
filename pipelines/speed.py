"""How fast a run labelled, from the records of its shards."""

import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipelines.cores import cores_here
from pipelines.jobs import AutolabelJob
from transforms.budget.labelling import SpeedRecord


def measured_speed(
    job: AutolabelJob, run_id: str, workers: int | None, written: Sequence[Mapping[str, Any]]
) -> SpeedRecord | None:
    """What the shards that a run labelled measured.

    Args:
        job: the job.
        run_id: its run.
        workers: shards worked on at once on this machine; None where the runner's workers may be elsewhere.
        written: the shards' records.

    Returns:
        None where no shard gave a frame.
    """
    names = ("frames", "camera_ns", "seconds", "decode_s")
    sums = {name: sum(record[name] for record in written) for name in names}
    if not (sums["frames"] and sums["camera_ns"]):
        return None
    return SpeedRecord(
        run_id=run_id,
        device=job.device,
        sampling=job.labels.fps,
        frames=sums["frames"],
        camera_seconds=sums["camera_ns"] / 1e9,
        worker_seconds=sums["seconds"],
        decode_seconds=sums["decode_s"],
        workers=workers,
        cores=cores_here() if workers is not None else None,
        cpu=_processor() if workers is not None else None,
    )


def _processor() -> str | None:
    """The processor's name, where the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, name = line.partition(":")
            if key.strip() == "model name":
                return name.strip()
    return platform.processor() or None
