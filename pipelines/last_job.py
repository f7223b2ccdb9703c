"""The job that a data set was last labelled by."""

import json
from pathlib import Path
from typing import Final

from pipelines.jobs import AutolabelJob, check_job, override
from pipelines.outcome import UsageError
from transforms.tables.layout import RUNS

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
    records = sorted((dataset / RUNS).glob(f"*/{RUN_RECORD}"))
    if not records:
        raise UsageError(f"{dataset}: no run has ended here ({RUNS}/*/{RUN_RECORD} is missing)")
    try:
        values = json.loads(records[-1].read_bytes())["job"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{records[-1]}: no record of a run") from error
    values = {**values, "output": str(dataset)}
    for item in overrides:
        override(values, item)
    return check_job(values, str(records[-1]))
