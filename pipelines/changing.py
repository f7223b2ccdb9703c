"""What commands that change a finished data set in place have in common: what they refuse, and the lock."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from pyarrow import ArrowException

from pipelines.locks import output_lock
from pipelines.outcome import JobError, UsageError
from transforms.corrections.applying import resume
from transforms.corrections.table import CorrectionsError
from transforms.exports.frames import ExportError
from transforms.splits.table import SplitsError
from transforms.tables.beginning import unfinished
from transforms.tables.evolution import schema_problem
from transforms.tables.finished import SEALED
from transforms.tables.half_corrected import half_corrected
from transforms.tables.layout import DATASET
from transforms.tables.store import LocalStore


@contextmanager
def changing(root: Path, sealed: str, *, dry_run: bool) -> Iterator[None]:
    """Holds a data set that can be changed in place.

    Args:
        root: the data set's folder.
        sealed: what to do instead where it is a compacted copy.
        dry_run: only tell, without the lock: nothing is written.

    Raises:
        UsageError: there is no data set.
        JobError: another command is writing it, it is of another schema, not finished or sealed, a file is damaged,
            or an export of it cannot be written anew.
    """
    try:
        facts = json.loads((root / DATASET).read_bytes())
        schema = facts["schema_version"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{root}: no data set here ({DATASET} is missing)") from error
    except (ValueError, KeyError, TypeError) as error:
        raise JobError(f"{root / DATASET}: not what clipmill writes; see clipmill verify") from error
    if problem := schema_problem(root, schema):
        raise JobError(problem)
    if facts.get(SEALED):
        raise JobError(f"{root}: is a compacted copy, which is sealed; {sealed}")
    # what is only told must not wait for, nor hold up, nor write anything
    with nullcontext() if dry_run else output_lock(str(root)):
        try:
            if not dry_run:
                resume(root)
            _refuse_unfinished(root)
            yield
        except ArrowException as error:
            raise JobError(f"{root}: a file is no Parquet file; see clipmill verify") from error
        except (SplitsError, CorrectionsError) as error:
            raise JobError(f"{root}: {error}") from error
        except ExportError as error:
            raise JobError(f"{error}; then run the same command again") from error


def _refuse_unfinished(root: Path) -> None:
    """Makes sure that the labels are those of one time."""
    store = LocalStore(root)
    if problem := half_corrected(store, root):
        raise JobError(problem)
    if run := unfinished(store):
        raise JobError(
            f"{root}: run {run.run_id} has not finished ({run.labelled} of {run.planned} shards); "
            "run its command again first"
        )
