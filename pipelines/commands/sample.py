"""`clipmill sample`: a rendered drive with its truth."""

import argparse
from pathlib import Path

from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome, UsageError

HELP = "write a rendered drive with exact truth: a TeslaCam stick and loose clips"
EXAMPLES = """
clipmill sample demo --seed 1
clipmill sample demo --seed 1 --seconds 8 --cameras front,back,left_repeater,right_repeater,left_pillar
clipmill sample many --seed 100 --clips 20
clipmill sample faces --seed 1 --clips 4 --private-parts
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "folder", type=local_folder, metavar="DIR", help="where to write; new, empty, or an earlier sample"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the world (default: 1)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=4.0,
        metavar="S",
        help="footage on either side of the minute border (default: 4)",
    )
    parser.add_argument("--cameras", metavar="NAMES", help="names of the car's cameras, separated by commas")
    parser.add_argument(
        "--clips", type=int, metavar="K", help="write K loose clips of as many worlds instead"
    )
    parser.add_argument(
        "--private-parts",
        action="store_true",
        help="with --clips: people with faces and vehicles with number plates, and a table of their true places",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Writes the sample."""
    from transforms.scenes.cameras import CAMERAS
    from transforms.scenes.samples import (
        DEFAULT_CAMERAS,
        MAX_SECONDS,
        earlier_files,
        write_clips,
        write_sample,
    )

    folder: Path = arguments.folder
    cameras = tuple(arguments.cameras.split(",")) if arguments.cameras else DEFAULT_CAMERAS
    _check_numbers(arguments, MAX_SECONDS)
    if unknown := [name for name in cameras if name not in CAMERAS]:
        raise UsageError(f"--cameras: no camera is called {unknown[0]!r}; there are {', '.join(CAMERAS)}")
    if len(set(cameras)) < len(cameras):
        raise UsageError("--cameras: each camera once")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    if folder.is_dir() and any(folder.iterdir()) and earlier_files(folder) is None:
        raise UsageError(f"{folder} is not empty and no earlier sample: name a new folder")
    try:
        if arguments.clips is None:
            report = write_sample(folder, arguments.seed, arguments.seconds, cameras)
        else:
            report = write_clips(
                folder,
                arguments.seed,
                arguments.clips,
                arguments.seconds,
                has_private_parts=arguments.private_parts,
            )
    except OSError as error:
        raise JobError(f"{folder}: cannot be written: {error.strerror or error}") from error
    data = {
        "output": str(folder),
        "files": len(report.files),
        "clips": sum(name.endswith(".mp4") for name in report.files),
        "frames": report.frames,
        "bytes": report.bytes,
        "truth_rows": report.rows,
    }
    text = f"{folder}: {data['clips']} clips, {report.frames} rendered frames, {report.bytes / 1e6:.1f} MB"
    return Outcome(data, (text,))


def _check_numbers(arguments: argparse.Namespace, max_seconds: float) -> None:
    if arguments.seed < 0:
        raise UsageError(f"--seed {arguments.seed}: must not be negative")
    if not 0 < arguments.seconds <= max_seconds:
        raise UsageError(f"--seconds {arguments.seconds:g}: must be above 0 and at most {max_seconds:g}")
    if arguments.clips is None:
        if arguments.private_parts:
            raise UsageError("--private-parts goes with --clips: the drive itself is the same for everybody")
        if arguments.seconds % 1:
            raise UsageError(f"--seconds {arguments.seconds:g}: files are named by whole seconds")
        return
    if arguments.clips < 1:
        raise UsageError(f"--clips {arguments.clips}: must be 1 or more")
    if arguments.cameras is not None:
        raise UsageError("--cameras does not go with --clips: loose clips are the front camera's")
