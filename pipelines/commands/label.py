"""`clipmill label`: the main job."""

import argparse
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.label_text import forecast_text, run_text, too_many_failed_text
from pipelines.logs import FORMATS, LEVELS
from pipelines.outcome import ExitCode, JobError, Outcome, UsageError

HELP = "label clips: files, folders, globs or URLs in, a data set out"
EXAMPLES = """
clipmill label /media/stick/TeslaCam -o out --timezone America/Los_Angeles
clipmill label clips/*.mp4 -o out --model nanodet --fps 10 --workers 4
clipmill label clips -o out --fps 5 --label-fps all
clipmill label clips -o out --fps 5 --adaptive
clipmill label clips -o out --without extrapolation --without static_removal
clipmill label clips -o out --private-place 37.4925,-121.9445,800 --private-place=-33.8568,151.2153,500
clipmill label sample_data -o out --model demo --max-failed-share 0.5 --json
clipmill label clips -o v18 --base v17 --model yolox-tiny
clipmill label clips -o out --dry-run
clipmill label clips -o out --log-format json --metrics-file /var/lib/node_exporter/clipmill.prom
clipmill label gs://bucket/clips -o gs://bucket/labels -- --runner=FlinkRunner --flink_master=host:8081
"""
TAKES_BEAM_FLAGS = True
STEPS = (
    "ego_motion",
    "both_directions",
    "smoothing",
    "rescoring",
    "gap_filling",
    "extrapolation",
    "category_vote",
    "static_removal",
    "calibration",
)
"""Fields of `HindsightSettings`, which would take pydantic to import; a test holds them equal."""


def add_hindsight(parser: argparse.ArgumentParser, known: Sequence[str]) -> None:
    """Declares `--without` and `--online`.

    Args:
        parser: of the command.
        known: the steps that it takes.
    """
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument(
        "--without",
        action="append",
        choices=known,
        metavar="STEP",
        default=[],
        help=f"leave out a step of hindsight; repeatable: {', '.join(known)}",
    )
    steps.add_argument(
        "--online",
        action="store_true",
        help="no hindsight: tracks by what was seen so far, boxes and scores as the network gave them",
    )


def add_unattended(parser: argparse.ArgumentParser) -> None:
    """Declares what schedulers need: `--wait`, `--metrics-file`, `--log-format`, `--log-level`."""
    parser.add_argument(
        "--wait",
        action="store_true",
        help="wait while another run writes the same data set (default: exit 1)",
    )
    parser.add_argument(
        "--metrics-file",
        type=Path,
        metavar="FILE.prom",
        help="write the run's figures there as well, however it ends, where node_exporter's textfile collector looks",
    )
    parser.add_argument(
        "--log-format",
        choices=FORMATS,
        default="text",
        help="json: a JSON object a line on standard error for all that happens (default: text)",
    )
    parser.add_argument(
        "--log-level",
        choices=LEVELS,
        help="the least that is told on standard error (default: error for text, info for json)",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="file, folder, glob or URL")
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="the data set: a folder or a URL"
    )
    parser.add_argument(
        "--base",
        metavar="DIR",
        help="another data set (an earlier version): what is there as this job would make it is taken over, by hard "
        "links where the file system has them",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be labelled and why, and write nothing"
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="network: a card's name, CARD.toml or NET.onnx; repeatable (default: yolox-nano; demo is bundled)",
    )
    parser.add_argument(
        "--size", type=int, metavar="PX", help="long side of the network's input (default: the card's)"
    )
    parser.add_argument(
        "--fps",
        default="5",
        metavar="N",
        help="frames a second that the networks see, all, or keyframes (default: 5)",
    )
    parser.add_argument(
        "--label-fps",
        metavar="N",
        help="frames a second that get labels, or all: between the networks' frames boxes go along with the picture "
        "(default: the networks' frames only)",
    )
    parser.add_argument(
        "--adaptive",
        action="store_true",
        help="a frame that the networks should see by --fps waits until the picture has changed, 2 s at most: next to no "
        "frames of what stands still; the frames of --fps get labels all the same",
    )
    add_hindsight(parser, STEPS)
    parser.add_argument(
        "--rehash",
        action="store_true",
        help="hash known files again, in case one changed while its size and time of change did not",
    )
    parser.add_argument("--timezone", metavar="ZONE", help="zone of the times in TeslaCam's file names")
    parser.add_argument(
        "--private-place",
        action="append",
        default=[],
        metavar="LAT,LON,RADIUS_M",
        help="leave positions in this circle out of the data set; repeatable; with a southern latitude write "
        "--private-place=-33.86,151.21,500",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="shards worked on at once (default: one a core)"
    )
    parser.add_argument(
        "--device", default="cpu", choices=("cpu", "cuda"), help="where networks run (default: cpu)"
    )
    add_unattended(parser)
    parser.add_argument(
        "--max-failed-share",
        type=float,
        default=0.1,
        metavar="S",
        help="exit 3 when a larger share of the clips failed (default: 0.1)",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Labels the inputs."""
    from pipelines.jobs import DEFAULT_MODEL, check_job

    values = {
        "inputs": arguments.inputs,
        "output": arguments.output,
        "base": arguments.base,
        "models": arguments.model or [DEFAULT_MODEL],
        "size": arguments.size,
        "device": arguments.device,
        "rehash": arguments.rehash,
        "timezone": arguments.timezone,
        "workers": arguments.workers,
        "max_failed_share": arguments.max_failed_share,
        "labels": {
            "fps": arguments.fps,
            "label_fps": arguments.label_fps,
            "adaptive": arguments.adaptive,
            "location_privacy": [_place(text) for text in arguments.private_place],
            "hindsight": dict.fromkeys(STEPS if arguments.online else arguments.without, False),
        },
    }
    job = check_job(values, "options")
    if arguments.dry_run:
        return foretell(job, arguments.beam_arguments)
    return label(job, arguments)


def _place(text: str) -> dict[str, float]:
    try:
        latitude, longitude, radius = map(float, text.split(","))
    except ValueError as error:
        # the value itself stays out of messages, which may be kept in logs
        raise UsageError("--private-place: expected LAT,LON,RADIUS_M, three numbers") from error
    return {"latitude_deg": latitude, "longitude_deg": longitude, "radius_m": radius}


def label(job: Any, arguments: argparse.Namespace, *, retries_failed: bool = False) -> Outcome:
    """Runs a job and lays its result out.

    Args:
        job: an `AutolabelJob`.
        arguments: the command's, with what `add_unattended` declares and Beam's own flags.
        retries_failed: whether clips that failed are tried again though nothing has changed.
    """
    from transforms import isolated

    # its imports take as long as ours; with nothing to do, more of them would be in the way
    isolated.start(1)
    from pipelines.autolabel import run as run_job
    from pipelines.readiness import with_absolute_paths
    from pipelines.run_metrics import check_metrics_file, metrics_text, write_metrics
    from pipelines.run_record import failed_record

    metrics_file: Path | None = arguments.metrics_file
    if metrics_file:
        check_metrics_file(metrics_file)
    started = datetime.now(UTC)
    try:
        result = run_job(job, arguments.beam_arguments, retries_failed=retries_failed, waits=arguments.wait)
    except BaseException as error:
        if metrics_file:
            # what ended the run is to be told, not that this could not be written either
            with suppress(JobError):
                record = failed_record(with_absolute_paths(job), started, error)
                write_metrics(metrics_file, metrics_text(record))
        raise
    if metrics_file:
        write_metrics(metrics_file, result.metrics)
    human = run_text(result.data)
    if result.exit_code == ExitCode.TOO_MANY_FAILED:
        human += f"\n{too_many_failed_text(result.data, job.max_failed_share)}"
    return Outcome(result.data, (human,), result.exit_code)


def foretell(job: Any, beam_arguments: list[str]) -> Outcome:
    """Says what a job would do, and why.

    Args:
        job: an `AutolabelJob`.
        beam_arguments: Beam's own flags.
    """
    from pipelines.dry_run import forecast

    data = forecast(job, beam_arguments)
    return Outcome(data, (forecast_text(data),))
