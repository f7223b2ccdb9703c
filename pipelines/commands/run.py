"""`clipmill run`: a job spec, as schedulers call it."""

import argparse
from pathlib import Path

from pipelines.commands.label import add_wait
from pipelines.outcome import Outcome

HELP = "run a job spec (TOML); the same command again labels only what is new"
EXAMPLES = """
clipmill run job.toml
clipmill run job.toml --dry-run
clipmill run job.toml --set labels.fps=10 --set output=/data/out --json
"""
TAKES_BEAM_FLAGS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("job", type=Path, metavar="JOB.toml", help="the job spec")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a value; dots lead into tables",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be labelled and why, and write nothing"
    )
    add_wait(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    """Runs the spec."""
    from pipelines.commands.label import foretell, label
    from pipelines.jobs import read_job

    job = read_job(arguments.job, arguments.set)
    if arguments.dry_run:
        return foretell(job, arguments.beam_arguments)
    return label(job, arguments.beam_arguments, waits=arguments.wait)
