"""`clipmill track`: hindsight alone, on detections of any tool."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.commands.label import add_hindsight
from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome, UsageError
from transforms.tables.layout import table_file

if TYPE_CHECKING:
    import pyarrow as pa

    from transforms.evaluation.truths.files import Files, TruthFile
    from transforms.labels.hindsight.settings import HindsightSettings
    from transforms.labels.tabular import LabelledTable
    from transforms.labels.tracking import TrackerSettings

HELP = "track detections of any tool, and improve them with hindsight"
EXAMPLES = """
clipmill track detections -o tracked
clipmill track detections -o tracked --online --json
clipmill track detections -o tracked --without extrapolation --without category_vote
clipmill track mot_texts -o tracked --fps 30
"""
STEPS: Final = (
    "both_directions",
    "smoothing",
    "rescoring",
    "gap_filling",
    "extrapolation",
    "category_vote",
)
"""Steps of `HindsightSettings` that need no pictures and no card."""

DETECTIONS_FILE: Final = "detections.parquet"
FRAMES_FILE: Final = "frames.parquet"

_TABLES: Final = ("detections", "tracks")
_MOST_ROWS: Final = 20_000_000
_MOST_FILES: Final = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "detections",
        type=local_folder,
        metavar="DETECTIONS",
        help=f"folder with {DETECTIONS_FILE} and {FRAMES_FILE}; or MOT text: a file, or a folder with one a clip",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="folder for detections and tracks"
    )
    add_hindsight(parser, STEPS)
    parser.add_argument(
        "--fps", type=float, metavar="N", help="frames a second of MOT text, which numbers its frames"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Tracks."""
    began = time.monotonic()
    output = _checked_output(arguments.output)
    _check(arguments)

    # tables then use the memory that arrays gave back: a fifth less for an hour of labels
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

    from transforms.labels.hindsight.settings import ONLINE, HindsightSettings
    from transforms.labels.table_rows import TableError
    from transforms.labels.tracking import TrackerSettings

    settings = ONLINE if arguments.online else HindsightSettings(**dict.fromkeys(arguments.without, False))
    # online a box gets its track when it is seen, and whether it stays alone is not known then
    tracker = TrackerSettings(min_detections=1) if arguments.online else TrackerSettings()
    try:
        found = _labelled(*_read(arguments.detections, arguments.fps), settings, tracker)
    except TableError as error:
        raise UsageError(f"{arguments.detections}: {error}") from error
    _write(output, found)
    data = {
        "input": str(arguments.detections),
        "output": str(output),
        "online": arguments.online,
        "clips": found.clips,
        "frames": found.frames,
        "detections": found.detections.num_rows,
        "label_sources": _label_sources(found.detections),
        "tracks": found.tracks.num_rows,
        "score_bias": round(found.score_bias, 4),
        "seconds": round(time.monotonic() - began, 3),
        "notes": [f"the input's column {name} was replaced" for name in found.replaced],
    }
    return Outcome(data, ("\n".join(_told(data)),))


def _told(data: Mapping[str, Any]) -> Iterator[str]:
    sources = ", ".join(f"{count} {source}" for source, count in data["label_sources"].items() if count)
    yield f"{data['clips']} clips, {data['frames']} frames: {data['tracks']} tracks"
    yield f"{data['detections']} rows ({sources or 'none'})"
    yield from (f"note: {note}" for note in data["notes"])
    yield f"written to {data['output']} in {data['seconds']:.1f} s"
    yield f"how good they are: clipmill evaluate {data['output']} --truth TRUTH"


def _check(arguments: argparse.Namespace) -> None:
    if not arguments.detections.exists():
        raise UsageError(f"{arguments.detections}: no such file or folder")
    if arguments.fps is not None and not 0 < arguments.fps <= 1e6:  # noqa: PLR2004 - no camera is faster
        raise UsageError(f"--fps {arguments.fps:g}: must be above 0")


def _checked_output(name: str) -> Path:
    """The output; a folder with other things in it is left alone: they would be taken for labels, or be replaced."""
    if "://" in name:
        raise UsageError(f"{name}: a local folder is expected")
    output = Path(name)
    if not output.is_dir():
        if output.exists():
            raise JobError(f"{output}: is no folder; choose a new or empty output folder")
        return output
    from transforms.tables.store import LocalStore

    ours = {output / table_file(table) for table in _TABLES} | set(LocalStore(output).strays())
    for path in sorted(output.iterdir()):
        inside = sorted(path.iterdir()) if path.name in _TABLES and path.is_dir() else [path]
        for other in inside:
            if other not in ours:
                raise JobError(
                    f"{output}: holds {other.relative_to(output)}, which is no output of track; choose a new or empty output folder"
                )
    return output


def _read(path: Path, fps: float | None) -> tuple["pa.Table", "pa.Table"]:
    """Detections and frames."""
    if path.is_file() and path.suffix == ".txt":
        return _read_text({path.name: _text_file(path)}, fps)
    if not path.is_dir():
        raise UsageError(
            f"{path}: a folder with {DETECTIONS_FILE} and {FRAMES_FILE}, or MOT text, is expected"
        )
    files = (path / DETECTIONS_FILE, path / FRAMES_FILE)
    if any(file.is_file() for file in files):
        if fps is not None:
            raise UsageError(f"--fps {fps:g}: is for MOT text; {DETECTIONS_FILE} tells times")
        return _read_parquet(files[0]), _read_parquet(files[1])
    texts = _mot_files(path)
    if not any(name.endswith(".txt") for name in texts):
        raise UsageError(f"{path}: holds neither {DETECTIONS_FILE} and {FRAMES_FILE} nor MOT text")
    return _read_text(texts, fps)


def _read_text(files: "Files", fps: float | None) -> tuple["pa.Table", "pa.Table"]:
    from transforms.labels.mot_detections import read_mot
    from transforms.labels.table_rows import TableError

    try:
        return read_mot(files, fps)
    except TableError as error:
        # the message names the file
        raise UsageError(str(error)) from error


def _read_parquet(file: Path) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not file.is_file():
        wanted = "every frame that was looked at" if file.name == FRAMES_FILE else "the boxes"
        raise UsageError(f"{file}: no such file; it holds {wanted}")
    try:
        with pq.ParquetFile(file) as source:
            if source.metadata.num_rows > _MOST_ROWS:
                raise UsageError(
                    f"{file}: {source.metadata.num_rows} rows; at most {_MOST_ROWS} are tracked at once: split it by clip"
                )
            return source.read()
    except (pa.ArrowException, ValueError) as error:
        raise UsageError(f"{file}: cannot be read ({str(error).splitlines()[0]})") from error


def _mot_files(folder: Path) -> "Files":
    """`<clip>.txt`, or `<clip>/det/det.txt` of MOTChallenge, and what lies beside."""
    found = {
        file.relative_to(folder).as_posix(): _text_file(file)
        for pattern in ("*.txt", "*.ini", "*/det/det.txt", "*/seqinfo.ini", "*/labels.txt")
        for file in folder.glob(pattern)
        if file.is_file() and not file.name.startswith(".")
    }
    if len(found) > _MOST_FILES:
        raise UsageError(f"{folder}: more than {_MOST_FILES} files; track part of the clips")
    return found


def _text_file(path: Path) -> "TruthFile":
    from transforms.evaluation.truths.files import TruthFile

    return TruthFile(str(path), path.stat().st_size, lambda: path.open("rb"))


def _labelled(
    detections: "pa.Table", frames: "pa.Table", settings: "HindsightSettings", tracker: "TrackerSettings"
) -> "LabelledTable":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from transforms.labels.tabular import label_table

    columns = (TextColumn("tracking"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True
    ) as bar:
        task = bar.add_task("", total=1.0)
        return label_table(
            detections, frames, settings, tracker, lambda share: bar.update(task, completed=share)
        )


def _write(output: Path, found: "LabelledTable") -> None:
    from transforms.tables.files import write_parquet
    from transforms.tables.store import LocalStore

    store = LocalStore(output)
    for stray in store.strays():
        stray.unlink(missing_ok=True)
    for table in _TABLES:
        with store.replacing(table_file(table)) as sink:
            write_parquet(sink, getattr(found, table), {"clipmill.table": table})


def _label_sources(detections: "pa.Table") -> dict[str, int]:
    from transforms.labels.sightings import LABEL_SOURCES

    counts = Counter(detections["label_source"].to_pylist())
    return {source: counts[source] for source in LABEL_SOURCES if source != "human"}
