"""Whether a labelling job can start: its inputs, networks and output are what they should be."""

import json
import os
from contextlib import suppress
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from models.refs import ModelRef
from models.registry import find_model
from models.sessions import load_detector
from pipelines.cores import cores_here
from pipelines.jobs import AutolabelJob
from pipelines.locks import LOCK
from pipelines.outcome import JobError, UsageError
from transforms.clips.sources import VIDEO_SUFFIXES
from transforms.discover import has_clip
from transforms.storage import check_scheme, is_remote, open_store
from transforms.tables.evolution import schema_problem
from transforms.tables.finished import SEALED
from transforms.tables.layout import DATASET
from transforms.tables.schemas import SCHEMA_VERSION
from transforms.tables.store import LocalStore, Store

MOST_WORKERS = 64
"""Workers that any machine may be asked for; more than a few a core only cost memory."""


def check(job: AutolabelJob) -> AutolabelJob:
    """Makes a job's paths absolute, and makes sure that there is something to label.

    Args:
        job: as it was asked for.

    Raises:
        UsageError: an input or the base is not there, or no input holds a clip.
        JobError: the output holds something else.
    """
    job = with_absolute_paths(job)
    most = max(MOST_WORKERS, 4 * cores_here())
    if (job.workers or 1) > most:
        raise UsageError(f"--workers {job.workers}: this machine has {cores_here()} cores; {most} at most")
    _refuse_empty(job)
    _refuse_base(job)
    if not is_remote(job.output):
        _refuse_foreign(Path(job.output))
    return job


def find_models(job: AutolabelJob) -> list[ModelRef]:
    """Finds a job's networks, and loads each once.

    Args:
        job: the job.

    Raises:
        UsageError: two of them are the same.
        ModelError: one is not there or does not fit its card.
    """
    models = [find_model(name, size=job.size, device=job.device) for name in job.models]
    if len({model.sha256 for model in models}) < len(models):
        raise UsageError(f"--model names one network twice: {', '.join(job.models)}")
    for model in models:
        # one that does not fit its card fails here, not in mid-run
        load_detector(model)
    return models


def with_absolute_paths(job: AutolabelJob) -> AutolabelJob:
    """The job as it is run, wherever that is."""
    inputs = tuple(sorted({item if is_remote(item) else os.path.abspath(item) for item in job.inputs}))  # noqa: PTH100 - resolve() would follow the user's links
    output, base = (
        place if place is None or is_remote(place) else os.path.abspath(place)  # noqa: PTH100 - the same
        for place in (job.output, job.base)
    )
    return job.model_copy(update={"inputs": inputs, "output": output, "base": base})


def _refuse_empty(job: AutolabelJob) -> None:
    for item in (*job.inputs, job.output, *((job.base,) if job.base else ())):
        try:
            check_scheme(item)
        except ValueError as error:
            raise UsageError(str(error)) from error
        except OSError as error:
            raise JobError(f"{item}: cannot be reached: {error.strerror}") from error
    for item in job.inputs:
        if not (is_remote(item) or Path(item).exists() or (has_magic(item) and glob(item, recursive=True))):
            raise UsageError(f"{item}: no such file or folder")
    if not any(has_clip(item, job.output) for item in job.inputs):
        raise UsageError(f"no clip ({', '.join(sorted(VIDEO_SUFFIXES))}) in {', '.join(job.inputs)}")


def _refuse_base(job: AutolabelJob) -> None:
    if job.base is None:
        return
    if job.base == job.output:
        raise UsageError(f"--base {job.base}: is the output itself, whose shards are kept anyway")
    facts = _facts(open_store(job.base))
    if facts is None:
        raise UsageError(f"--base {job.base}: no data set here ({DATASET} is missing)")
    if problem := schema_problem(job.base, facts.get("schema_version")):
        raise UsageError(f"--base {problem}")
    if facts.get(SEALED):
        raise UsageError(f"--base {job.base}: is a compacted copy; name the data set that it was made of")


def _refuse_foreign(output: Path) -> None:
    """A folder with other things in it is not made a data set: its files would mix with ours."""
    if output.is_dir() and not any((output / name).exists() for name in (DATASET, LOCK)):
        with suppress(StopIteration):
            other = next(output.iterdir())
            raise JobError(
                f"{output}: holds {other.name} and no data set; choose a new or empty output folder"
            )


def prepare_output(store: Store, output: str) -> None:
    """Makes sure that an output can be written, and removes what killed runs left behind.

    Args:
        store: the output, whose lock is held.
        output: its path or URL.

    Raises:
        JobError: it is of another schema, or sealed.
    """
    check_output(store, output)
    if isinstance(store, LocalStore):
        for stray in store.strays():
            stray.unlink(missing_ok=True)


def check_output(store: Store, output: str) -> None:
    """Makes sure that an output is of this schema and no sealed copy.

    Args:
        store: the output.
        output: its path or URL.

    Raises:
        JobError: it is not.
    """
    facts = _facts(store)
    if facts is None:
        facts = {"schema_version": SCHEMA_VERSION}
    if problem := schema_problem(output, facts.get("schema_version")):
        raise JobError(problem)
    if facts.get(SEALED):
        raise JobError(
            f"{output}: is a compacted copy, which is sealed; label into the data set that it was made of, "
            "then run `clipmill compact` again"
        )


def _facts(store: Store) -> dict[str, Any] | None:
    """What a data set's description tells: nothing where it cannot be read, None where there is none."""
    try:
        found = json.loads(store.read(DATASET))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
