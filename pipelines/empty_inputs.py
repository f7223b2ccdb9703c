"""Scheduled jobs whose clips are not there yet."""

from pathlib import Path

from pipelines.job_specs import JobSpec
from pipelines.jobs import AutolabelJob
from pipelines.outcome import UsageError
from transforms.clips.refs import InputFile
from transforms.discover import EVENT_FILE, list_input
from transforms.storage import check_scheme, is_remote


def with_clips(spec: JobSpec) -> AutolabelJob | None:
    """The job without the inputs that hold no clip yet.

    A folder of a day that has not come is no error, a disk that is not mounted is: the folders above the first date or
    wildcard of an input must be there, and so must an input that has neither. Of URLs nobody can tell; there an
    answer without clips is enough, and one that gives no answer is left to the run, which tells why.

    Args:
        spec: the job spec of a day.

    Returns:
        The job; None where no input holds a clip yet.

    Raises:
        UsageError: the lasting part of an input is not there.
    """
    job = spec.job
    for item, place in zip(job.inputs, spec.lasting, strict=True):
        if not is_remote(item) and not Path(place).exists():
            raise UsageError(f"{place}: no such file or folder, with --allow-empty too: is its disk mounted?")
    kept = tuple(item for item in job.inputs if not _is_empty(item, job.output))
    return job.model_copy(update={"inputs": kept}) if kept else None


def _is_empty(item: str, output: str) -> bool:
    """Whether an input gives neither a clip nor anything that cannot be read, which is not the same as nothing."""
    try:
        # listing a bucket that is not there gives nothing either
        check_scheme(item)
    except (OSError, ValueError):
        return False
    return all(
        isinstance(found, InputFile) and found.uri.endswith("/" + EVENT_FILE)
        for found in list_input(item, output)
    )
