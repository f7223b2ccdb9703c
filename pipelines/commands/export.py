"""`clipmill export`: labels in other tools' formats."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.blurring import HINT, add_blur_arguments, blur_asked
from pipelines.export_choices import known_or_refused, narrowed, refuse_place
from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome, UsageError

if TYPE_CHECKING:
    from transforms.exports.exporting import Progress
    from transforms.exports.record import Exported
    from transforms.exports.settings import ExportSettings

HELP = "write the labels, and the frames, in another tool's format"
EXAMPLES = """
clipmill export out --format coco -o coco
clipmill export out --format yolo -o yolo --category car --category person --min-score 0.5
clipmill export out --format mot -o mot --camera front --with-images --json
clipmill export out --format coco -o coco --with-images --blur-model yunet --require-blur
"""

_SHOWN = 5
"""Clips that are named one by one where a person reads; --json names all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument(
        "--format",
        dest="form",
        required=True,
        metavar="FORMAT",
        help="coco, yolo, mot, kitti, cvat, webdataset, fiftyone or rerun",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=local_folder,
        required=True,
        metavar="OUT",
        help="folder of the export: new, empty, or an earlier export of this data set and format, which is replaced",
    )
    parser.add_argument(
        "--min-score", type=float, default=0.3, metavar="S", help="least score of boxes (default: 0.3)"
    )
    for option, metavar, words in (
        ("--category", "C", "only boxes of this category; repeatable"),
        ("--label-source", "L", "only boxes that are detected, interpolated, …; repeatable"),
        ("--camera", "NAME", "only clips of this camera; repeatable"),
        ("--clip", "CLIP", "only this clip: id, path, URL or file name; repeatable"),
    ):
        parser.add_argument(option, action="append", default=[], metavar=metavar, help=words)
    parser.add_argument(
        "--model", metavar="NAME", help="only labels of this network, where there are several (or its digest)"
    )
    parser.add_argument(
        "--split-version",
        metavar="NAME",
        help="yolo, fiftyone: the version of the splits by which frames are sorted (default: the only one there is)",
    )
    images = parser.add_mutually_exclusive_group()
    images.add_argument(
        "--with-images",
        action="store_true",
        help="decode and write the frames (coco, mot, kitti: not unless told)",
    )
    images.add_argument(
        "--no-images", action="store_true", help="labels alone (cvat, rerun: images unless told)"
    )
    parser.add_argument(
        "--image-format", default="jpeg", metavar="KIND", help="jpeg, of quality 95, or png (default: jpeg)"
    )
    add_blur_arguments(parser)
    parser.add_argument(
        "--require-blur",
        action="store_true",
        help="refuse to write frames in which a face or a plate is left as it is (CLIPMILL_REQUIRE_BLUR=1: always)",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Exports."""
    settings = _settings(arguments)

    from pyarrow import ArrowException

    from transforms.exports.exporting import absolute, export
    from transforms.exports.frames import ExportError
    from transforms.exports.labelled_set import LabelledSet
    from transforms.exports.remembered import RememberedExport, forget_export, remember, remembered
    from transforms.storage import open_stream
    from transforms.tables.finished import UnfinishedError
    from transforms.tables.queries import NotADatasetError
    from transforms.tables.store import LocalStore

    dataset, output = absolute(arguments.dataset), absolute(arguments.output)
    store = LocalStore(dataset)
    notes = []
    try:
        labels = LabelledSet(store, arguments.dataset)
        settings = narrowed(settings, labels, arguments)
        refuse_place(dataset, output, settings.form)
        was_known = False
        try:
            was_known = any(export.output == str(output) for export in remembered(store))
            remember(store, RememberedExport(str(output), settings.form))
        except OSError as error:
            notes.append(
                f"{dataset}: cannot be written to ({error.strerror}): clipmill forget will not know of this export"
            )
        try:
            with _progress() as progress:
                exported = export(labels, dataset, output, settings, open_stream, progress)
        except BaseException:
            if not (was_known or notes):
                forget_export(store, str(output))
            raise
    except NotADatasetError as error:
        raise UsageError(str(error)) from error
    except (ExportError, UnfinishedError) as error:
        raise JobError(str(error)) from error
    except ArrowException as error:
        raise JobError(
            f"{dataset}: cannot be read ({str(error).splitlines()[0]}); see clipmill verify"
        ) from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # tables and dataset.json may come from anybody
        raise JobError(
            f"{dataset}: not what clipmill writes ({type(error).__name__}: {error}); see clipmill verify"
        ) from error
    if settings.images and settings.blur.kinds and not settings.blur.networks:
        notes.append(HINT)
    return _outcome(output, settings, exported, notes)


def _settings(arguments: argparse.Namespace) -> "ExportSettings":
    """What can be said of the options before the data set is opened."""
    from models.taxonomy import CATEGORIES
    from transforms.exports.formats import FORMATS
    from transforms.exports.settings import IMAGE_KINDS, ExportSettings
    from transforms.labels.privacy.settings import NO_BLUR
    from transforms.labels.sightings import LABEL_SOURCES

    if not 0 <= arguments.min_score <= 1:
        raise UsageError(f"--min-score {arguments.min_score:g}: must lie between 0 and 1")
    known_or_refused("--format", [arguments.form], FORMATS)
    known_or_refused("--image-format", [arguments.image_format], IMAGE_KINDS)
    known_or_refused("--category", arguments.category, CATEGORIES)
    known_or_refused("--label-source", arguments.label_source, LABEL_SOURCES)
    images = FORMATS[arguments.form].images
    if arguments.no_images and images == "always":
        raise UsageError(f"--no-images: {arguments.form} cannot do without images")
    if arguments.split_version is not None and not FORMATS[arguments.form].has_splits:
        raise UsageError(f"--split-version: {arguments.form} tells no splits")
    with_images = arguments.with_images or (images != "when told" and not arguments.no_images)
    return ExportSettings(
        form=arguments.form,
        min_score=arguments.min_score,
        categories=tuple(sorted(set(arguments.category))),
        cameras=tuple(sorted(set(arguments.camera))),
        label_sources=tuple(sorted(set(arguments.label_source))),
        images=with_images,
        image_kind=arguments.image_format,
        blur=blur_asked(arguments, required=arguments.require_blur) if with_images else NO_BLUR,
    )


@contextmanager
def _progress() -> "Iterator[Progress]":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("exporting"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _outcome(output: Path, settings: "ExportSettings", exported: "Exported", notes: list[str]) -> Outcome:
    images = exported.frames if settings.images else 0
    skipped = [
        {"clip_id": clip.clip_id, "uri": clip.uri, "frames": clip.frames, "reason": clip.reason}
        for clip in exported.skipped
    ]
    data = {
        "format": settings.form,
        "output": str(output),
        "clips": len(exported.clips),
        "frames": exported.frames,
        "boxes": exported.boxes,
        "images": images,
        "blurred": exported.blurred,
        "skipped": skipped,
        "settings": settings.as_json(),
        "settings_digest": settings.digest,
        "notes": notes,
    }
    lines = [
        (
            f"{output}: {settings.form}, {len(exported.clips)} clips, {exported.frames} frames, "
            f"{exported.boxes} boxes, {images} images"
            f"{f', {exported.blurred} regions blurred' if exported.blurred else ''}"
        ),
        *(
            f"skipped: {clip.uri}: {'all' if clip.frames is None else clip.frames} frames: {clip.reason}"
            for clip in exported.skipped[:_SHOWN]
        ),
        *([f"skipped: {len(skipped) - _SHOWN} clips more"] if len(skipped) > _SHOWN else []),
        *(f"note: {note}" for note in notes),
    ]
    return Outcome(data, ("\n".join(lines),))
