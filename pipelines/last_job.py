"""The job that a data set was last labelled by."""

import json
from pathlib import Path
from typing import Final

from pipelines.job_specs import override
from pipelines.jobs import AutolabelJob, check_job
from pipelines.outcome import UsageError
from transforms.labels.private_places import places_digest
from transforms.tables.beginning import unfinished
from transforms.tables.layout import RUNS
from transforms.tables.store import LocalStore

RUN_RECORD: Final = "run.json"
"""File of a run that tells its job and what it came to; written when it has ended."""


def read_last_job(dataset: Path, overrides: list[str]) -> AutolabelJob:
    """Reads the job of the last run that ended.

    Args:
        dataset: the data set; the job writes there, wherever it wrote then.
        overrides: `key=value`, as `clipmill run --set` takes them.

    Raises:
        UsageError: no run has ended there, or its record cannot be used.
    """
    if run := unfinished(LocalStore(dataset)):
        raise UsageError(
            f"{dataset}: run {run.run_id} has not finished ({run.labelled} of {run.planned} shards); "
            "run its command again first"
        )
    records = sorted((dataset / RUNS).glob(f"*/{RUN_RECORD}"))
    if not records:
        raise UsageError(f"{dataset}: no run has ended here ({RUNS}/*/{RUN_RECORD} is missing)")
    try:
        values = json.loads(records[-1].read_bytes())["job"]
        values = {**values, "output": str(dataset), "labels": dict(values["labels"])}
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{records[-1]}: no record of a run") from error
    # what it took from there stands here by now
    values.pop("base", None)
    # of private places only a digest is kept
    places = values["labels"].pop("location_privacy", None)
    for item in overrides:
        override(values, item)
    job = check_job(values, str(records[-1]))
    if places_digest(job.labels.location_privacy) != places:
        raise UsageError(
            f"{dataset}: its last job had other private places, which are not kept readable; "
            "give them again: --set 'labels.location_privacy=[...]'"
        )
    return job
