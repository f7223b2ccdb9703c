"""`clipmill compact`: the minute files of a data set merged, in a second data set."""

import argparse
import os
from pathlib import Path

from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome, UsageError

HELP = "merge the minute files of a data set into one file a table and day, in a second, sealed data set"
EXAMPLES = """
clipmill compact out
clipmill compact out -o out-2026-01 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument(
        "-o", "--output", type=local_folder, metavar="OUT", help="folder of the copy (default: DIR-compact)"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Compacts the data set."""
    from pipelines.locks import output_lock
    from transforms.tables.compacting import CompactionError, compact
    from transforms.tables.finished import UnfinishedError
    from transforms.tables.layout import DATASET
    from transforms.tables.queries import NotADatasetError

    source = Path(os.path.abspath(arguments.dataset))  # noqa: PTH100 - resolve() would follow the user's links
    asked = arguments.output or source.with_name(f"{source.name}-compact")
    target = Path(os.path.abspath(asked))  # noqa: PTH100 - the same
    if not (source / DATASET).is_file():
        raise UsageError(f"{arguments.dataset}: no data set here ({DATASET} is missing)")
    _refuse_place(source, target)
    try:
        with output_lock(str(target)):
            done = compact(source, target)
    except NotADatasetError as error:
        raise UsageError(str(error)) from error
    except (CompactionError, UnfinishedError) as error:
        raise JobError(str(error)) from error
    data = {
        "dataset": str(source),
        "output": str(target),
        "files_before": done.sources,
        "files": done.files,
        "written": done.written,
        "removed": done.removed,
        "bytes_before": done.bytes_before,
        "bytes": done.bytes_after,
    }
    human = (
        f"{target}: {done.files} files of {done.bytes_after / 1e6:.1f} MB "
        f"for {done.sources} of {done.bytes_before / 1e6:.1f} MB; {done.written} written, {done.removed} removed"
    )
    return Outcome(data, (human,))


def _refuse_place(source: Path, target: Path) -> None:
    """The copy goes where nothing is, or where it has been before."""
    import json

    from pipelines.locks import LOCK
    from transforms.tables.finished import SEALED
    from transforms.tables.layout import DATASET
    from transforms.tables.store import LocalStore

    here, there = source.resolve(), target.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise UsageError(f"{target}: the copy of {source} needs a folder apart from it")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target}: not a folder")
    if not target.is_dir():
        return
    try:
        facts = json.loads((target / DATASET).read_bytes())
    except FileNotFoundError:
        # a copy that was cut short at its first file leaves no more than these
        ours = {LOCK, *(stray.name for stray in LocalStore(target).strays())}
        other = next((item.name for item in target.iterdir() if item.name not in ours), None)
        if other is not None:
            raise UsageError(
                f"{target}: holds {other} and no data set; choose a new or empty folder"
            ) from None
        return
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or not facts.get(SEALED):
        raise UsageError(f"{target}: holds a data set that is not a compacted copy; choose another folder")
