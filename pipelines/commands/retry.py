"""`clipmill retry`: the last job once more, with the clips that failed."""

import argparse

from pipelines.commands.label import add_unattended
from pipelines.folders import local_folder
from pipelines.outcome import Outcome

HELP = "run a data set's last job again and try the clips that failed, those that were set aside included"
EXAMPLES = """
clipmill retry out
clipmill retry out --workers 1 --set clip_memory_gb=16
clipmill retry out --log-format json --metrics-file /var/lib/node_exporter/clipmill.prom
"""
TAKES_BEAM_FLAGS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument(
        "--workers", type=int, metavar="N", help="shards worked on at once (default: the job's)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a value of the job, such as stall_s or clip_memory_gb",
    )
    add_unattended(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    """Runs the last job again."""
    from pipelines.commands.label import label
    from pipelines.last_job import read_last_job

    overrides = list(arguments.set)
    if arguments.workers is not None:
        overrides.append(f"workers={arguments.workers}")
    job = read_last_job(arguments.dataset, overrides)
    return label(job, arguments, retries_failed=True)
