"""`clipmill run`: a job spec, as schedulers call it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.commands.label import add_unattended
from pipelines.outcome import Outcome

if TYPE_CHECKING:
    from pipelines.job_specs import JobSpec

HELP = "run a job spec (TOML); the same command again labels only what is new"
EXAMPLES = """
clipmill run job.toml
clipmill run job.toml --check
clipmill run job.toml --dry-run
clipmill run job.toml --set labels.fps=10 --set output=/data/out --json
clipmill run daily.toml --allow-empty --wait --log-format json --metrics-file /var/lib/node_exporter/daily.prom
clipmill run daily.toml --date 2026-03-01
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
        "--date",
        metavar="YYYY-MM-DD",
        help="the day that {date} and {date-1} in the spec's paths are counted from (default: today, UTC)",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--check",
        action="store_true",
        help="check the spec, print the job as it would run, and look at no clip and no network",
    )
    instead.add_argument(
        "--dry-run", action="store_true", help="say what would be labelled and why, and write nothing"
    )
    parser.add_argument(
        "--allow-empty",
        action="store_true",
        help="inputs that hold no clip yet, or are not there yet, are no error: exit 0 where there is nothing to do",
    )
    add_unattended(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    """Runs the spec."""
    from pipelines.job_dates import read_day
    from pipelines.job_specs import read_spec

    spec = read_spec(arguments.job, arguments.set, read_day(arguments.date))
    if arguments.check:
        return _checked(spec, arguments.beam_arguments)
    from pipelines.commands.label import foretell, label

    job = spec.job
    if arguments.allow_empty:
        from pipelines.beam_options import beam_options
        from pipelines.empty_inputs import with_clips

        # what a URL holds is known only by the options that lead there
        beam_options(arguments.beam_arguments)
        present = with_clips(spec)
        if present is None:
            return _nothing_yet(spec, None if arguments.dry_run else arguments.metrics_file)
        job = present
    if arguments.dry_run:
        return foretell(job, arguments.beam_arguments)
    return label(job, arguments)


def _checked(spec: "JobSpec", beam_arguments: list[str]) -> Outcome:
    from pipelines.job_text import job_toml
    from pipelines.readiness import with_absolute_paths

    if beam_arguments:
        from pipelines.beam_options import beam_options

        beam_options(beam_arguments)
    job = with_absolute_paths(spec.job)
    data = {"job": job.model_dump(mode="json"), "date": f"{spec.day}"}
    return Outcome(data, (job_toml(job),))


def _nothing_yet(spec: "JobSpec", metrics_file: Path | None) -> Outcome:
    from pipelines.logs import event
    from pipelines.readiness import with_absolute_paths
    from pipelines.run_metrics import check_metrics_file, metrics_text, write_metrics
    from pipelines.run_record import empty_record

    inputs = ", ".join(spec.job.inputs)
    record = empty_record(with_absolute_paths(spec.job))
    if metrics_file:
        check_metrics_file(metrics_file)
        write_metrics(metrics_file, metrics_text(record))
    event("no_clip_yet", inputs=spec.job.inputs)
    counts = {key: record[key] for key in ("output", "clips", "frames", "detections", "shards")}
    data = {"run_id": None, **counts, "notes": [f"no clip yet in {inputs}"]}
    return Outcome(data, (f"nothing to do: no clip yet in {inputs}",))
