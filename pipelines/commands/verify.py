"""`clipmill verify`: whether a data set is whole and sound."""

import argparse
from dataclasses import asdict

from pipelines.folders import local_folder
from pipelines.outcome import ExitCode, Outcome, UsageError

HELP = "check a data set: files, schemas, digests, keys between tables; exit 0 only when all hold"
EXAMPLES = """
clipmill verify out
clipmill verify out --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")


def run(arguments: argparse.Namespace) -> Outcome:
    """Checks the data set."""
    from transforms.tables.beginning import unfinished
    from transforms.tables.checks import find_problems
    from transforms.tables.queries import NotADatasetError
    from transforms.tables.store import LocalStore

    try:
        problems = list(find_problems(arguments.dataset))
        run = unfinished(LocalStore(arguments.dataset))
    except NotADatasetError as error:
        raise UsageError(str(error)) from error
    if problems:
        human = "\n".join([*problems, f"{arguments.dataset}: {len(problems)} problems"])
        data = {"sound": False, "problems": problems, **({"unfinished": asdict(run)} if run else {})}
        return Outcome(data, (human,), ExitCode.JOB_FAILED)
    return Outcome({"sound": True, "problems": []}, (f"{arguments.dataset}: sound",))
