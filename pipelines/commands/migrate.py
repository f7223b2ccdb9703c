"""`clipmill migrate`: a data set of an older schema brought to the current one."""

import argparse
from pathlib import Path

from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome, UsageError

HELP = "bring a data set of an older schema to the current one, without labelling again"
EXAMPLES = """
clipmill migrate out
clipmill migrate out --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")


def run(arguments: argparse.Namespace) -> Outcome:
    """Migrates the data set."""
    from pipelines.locks import output_lock
    from transforms.tables.layout import DATASET
    from transforms.tables.migrating import MigrationError, migrate
    from transforms.tables.queries import NotADatasetError
    from transforms.tables.schemas import SCHEMA_VERSION

    root: Path = arguments.dataset
    if not (root / DATASET).is_file():
        # before the lock, which makes the folder
        raise UsageError(f"{root}: no data set here ({DATASET} is missing)")
    try:
        with output_lock(str(root)):
            done = migrate(root)
    except NotADatasetError as error:
        raise UsageError(str(error)) from error
    except MigrationError as error:
        raise JobError(str(error)) from error
    data = {
        "dataset": str(root),
        "schema_before": done.version_before,
        "schema": SCHEMA_VERSION,
        "files": {"rewritten": done.rewritten, "kept": done.kept},
    }
    if done.version_before == SCHEMA_VERSION:
        return Outcome(data, (f"{root}: has schema {SCHEMA_VERSION} already",))
    earlier = f", {done.kept} by an earlier run" if done.kept else ""
    human = f"{root}: from schema {done.version_before} to {SCHEMA_VERSION}, {done.rewritten} files rewritten{earlier}"
    return Outcome(data, (human,))
