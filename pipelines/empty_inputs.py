"""Scheduled jobs whose clips are not there yet."""

from pathlib import Path

from pipelines.job_specs import JobSpec
from pipelines.jobs import AutolabelJob
from pipelines.outcome import UsageError
from transforms.clips.refs import InputFile
from transforms.discover import EVENT_FILE, list_input
from transforms.storage import is_remote


def with_clips(spec: JobSpec) -> AutolabelJob | None:
    """The job without the inputs that hold no clip yet.

    A folder of a day that has not come is no error, a disk that is not mounted is: the folders above the first date or
    wildcard of an input must be there, and so must an input that has neither. Of URLs nobody can tell; there an
    answer without clips is enough.

    Args:
        spec: the job spec of a day.

    Returns:
        The job; None where no input holds a clip yet.

    Raises:
        UsageError: the lasting part of an input is not there.
    """
    for place in spec.lasting:
        if not is_remote(place) and not Path(place).exists():
            raise UsageError(f"{place}: no such file or folder, with --allow-empty too: is its disk mounted?")
    job = spec.job
    kept = tuple(item for item in job.inputs if not _is_empty(item, job.output))
    return job.model_copy(update={"inputs": kept}) if kept else None


def _is_empty(item: str, output: str) -> bool:
    """Whether an input gives neither a clip nor anything that cannot be read, which is not the same as nothing."""
    return all(
        isinstance(found, InputFile) and found.uri.endswith("/" + EVENT_FILE)
        for found in list_input(item, output)
    )
