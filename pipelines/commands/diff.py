"""`clipmill diff`: what changed between two labellings."""

import argparse

from pipelines.folders import local_folder
from pipelines.outcome import ExitCode, JobError, Outcome, UsageError

HELP = "tell what changed between two labellings: clips, shards, rows, detections by category, networks, settings"
EXAMPLES = """
clipmill diff out-1 out-2
clipmill diff out-1 out-2 --json
clipmill diff out-1 out-2 --exit-code
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("first", type=local_folder, metavar="DIR1", help="the earlier data set")
    parser.add_argument("second", type=local_folder, metavar="DIR2", help="the later one")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 where rows differ (default: with 0 either way)"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Compares the data sets."""
    import pyarrow as pa

    from transforms.evaluation.compared_sets import compare_sets
    from transforms.evaluation.labellings import LabellingError, open_labelling
    from transforms.tables.finished import UnfinishedError
    from transforms.tables.queries import NotADatasetError
    from transforms.tables.store import LocalStore
    from transforms.views.difference_text import difference_text

    try:
        first, second = (
            open_labelling(LocalStore(place), str(place)) for place in (arguments.first, arguments.second)
        )
        found = compare_sets(first, second)
    except NotADatasetError as error:
        raise UsageError(str(error)) from error
    except (LabellingError, UnfinishedError, pa.ArrowInvalid) as error:
        raise JobError(str(error)) from error
    differs = arguments.exit_code and not found["equal"]
    return Outcome(found, difference_text(found), ExitCode.JOB_FAILED if differs else ExitCode.GOOD)
