"""MOT text: frame, id, x, y, width, height, conf, class, visibility; frames are counted from 1.

A folder may also have a MOTChallenge `seqinfo.ini` a clip (rate and number of frames) and a `labels.txt`
(names of the classes, a line each from class 1 on).
"""

import configparser
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Final

import pyarrow as pa

from transforms.evaluation.pairing import DONTCARE
from transforms.evaluation.truths.files import Files, TruthError, lines, text
from transforms.evaluation.truths.rows import (
    Row,
    TextClip,
    checked_fps,
    clip_name,
    frame_number,
    frame_time_ns,
    number,
    read_clips,
    track_name,
)
from transforms.evaluation.truths.truth import Truth, occlusion_by_visibility

_CLASSES: Final = {
    1: "pedestrian",
    2: "person_on_vehicle",
    3: "car",
    4: "bicycle",
    5: "motorcycle",
    6: "non_motorised_vehicle",
    7: "static_person",
    8: "distractor",
    9: "occluder",
    10: "occluder_on_the_ground",
    11: "occluder_full",
    12: "reflection",
    13: "crowd",
}
"""MOTChallenge's classes."""

SIDE_FILES: Final = ("labels.txt", "seqmap.txt")
"""Texts beside a clip's that hold no boxes."""

_FEWEST_FIELDS: Final = 6
_CONF, _CLASS, _VISIBILITY = 6, 7, 8
_LONGEST: Final = 10_000_000


def read(files: Files, fps: float | None) -> Truth:
    """Reads MOT text, a file a clip.

    Args:
        files: `<clip>.txt` or `<clip>/gt/gt.txt`, and what lies beside.
        fps: frames a second of the clips whose `seqinfo.ini` does not tell.

    Raises:
        TruthError: a file cannot be read, or the rate is not known.
    """
    texts = {
        path: file
        for path, file in sorted(files.items())
        if path.endswith(".txt") and PurePosixPath(path).name not in SIDE_FILES
    }
    tables, times = [], []
    all_timed = True
    for path, file in texts.items():
        clip = clip_name(path)
        rate, length = sequence(files, path)
        rate = checked_fps(rate or fps, file.name)
        parse = partial(_row, class_names(files, path), first_pixel(files, path))
        tables.append(read_clips([TextClip(clip, file, rate)], parse))
        all_timed &= length > 0
        times.append(
            pa.table(
                {
                    "clip_id": pa.array([clip] * length, pa.string()),
                    "timestamp_ns": pa.array(
                        [frame_time_ns(frame, rate) for frame in range(length)], pa.int64()
                    ),
                }
            )
        )
    return Truth("mot", pa.concat_tables(tables), pa.concat_tables(times) if all_timed else None)


def _row(names: Mapping[int, str], origin: int, parts: Sequence[str]) -> Row:
    if len(parts) < _FEWEST_FIELDS:
        raise ValueError(
            f"{len(parts)} fields; frame, id, x, y, width, height, conf, class, visibility are expected"
        )
    left, top, width, height = (
        number(part, what)
        for part, what in zip(parts[2:6], ("x", "y", "the width", "the height"), strict=True)
    )
    left, top = left - origin, top - origin
    ignored = len(parts) > _CONF and number(parts[_CONF], "conf") == 0
    category = class_of(parts[_CLASS] if len(parts) > _CLASS else "-1", names)
    visible = number(parts[_VISIBILITY], "the visibility") if len(parts) > _VISIBILITY else None
    return Row(
        frame=frame_number(parts[0], 1),
        category=DONTCARE if ignored else category,
        track=track_name(parts[1]),
        box=(left, top, left + width, top + height),
        occlusion=occlusion_by_visibility(visible),
    )


def class_of(field: str, names: Mapping[int, str]) -> str:
    """The name of a class; without one (-1, as in MOT15) all boxes hold pedestrians.

    Args:
        field: the field of a line.
        names: of the classes.
    """
    try:
        value = float(field)
    except ValueError:
        return field
    if value < 0:
        return _CLASSES[1]
    return names.get(int(value), f"class_{field}") if value == value // 1 else f"class_{field}"


def class_names(files: Files, path: str) -> Mapping[int, str]:
    """Names of the classes: those beside the file, else MOTChallenge's.

    Args:
        files: all files.
        path: of the clip's text among them.

    Raises:
        TruthError: the names cannot be read.
    """
    for folder in PurePosixPath(path).parents:
        if (file := files.get(str(folder / "labels.txt"))) is not None:
            return {index: name for index, (_, name) in enumerate(lines(file), 1)}
    return _CLASSES


def sequence(files: Files, path: str) -> tuple[float | None, int]:
    """Rate and number of frames that the clip's seqinfo.ini tells; None and 0 where it does not.

    Args:
        files: all files.
        path: of the clip's text among them.

    Raises:
        TruthError: the file cannot be read, or a number is out of range.
    """
    parser, name = _sequence_file(files, path)
    if parser is None:
        return None, 0
    try:
        rate = parser.getfloat("Sequence", "frameRate", fallback=0.0)
        length = parser.getint("Sequence", "seqLength", fallback=0)
    except (configparser.Error, ValueError) as error:
        raise TruthError(f"{name}: {str(error).splitlines()[0]}") from error
    if not 0 <= length <= _LONGEST or not 0 <= rate <= 1e6:  # noqa: PLR2004 - a rate no camera has
        raise TruthError(f"{name}: frameRate {rate:g} or seqLength {length} is out of range")
    return rate or None, length


def first_pixel(files: Files, path: str) -> int:
    """Where a clip's boxes have the frame's left and upper edge: 0 unless its seqinfo.ini says 1, as our own exports do.

    MOTChallenge counts pixels from 1, but most tools that write its form do not, and the files do not tell.

    Args:
        files: all files.
        path: of the clip's text among them.

    Raises:
        TruthError: the file cannot be read, or tells another number.
    """
    parser, name = _sequence_file(files, path)
    told = "0" if parser is None else parser.get("clipmill", "firstPixel", fallback="0")
    if told not in {"0", "1"}:
        raise TruthError(f"{name}: firstPixel {told[:40]!r} is neither 0 nor 1")
    return int(told)


def _sequence_file(files: Files, path: str) -> tuple[configparser.ConfigParser | None, str]:
    """A clip's seqinfo.ini, where there is one, and what messages call it."""
    for folder in PurePosixPath(path).parents[:2]:
        if (file := files.get(str(folder / "seqinfo.ini"))) is not None:
            parser = configparser.ConfigParser(interpolation=None)
            try:
                parser.read_string(text(file))
            except configparser.Error as error:
                raise TruthError(f"{file.name}: {str(error).splitlines()[0]}") from error
            return parser, file.name
    return None, ""
