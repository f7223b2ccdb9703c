"""Text files with one box a line and frame numbers for times: what MOT and KITTI have in common."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import numpy as np
import pyarrow as pa

from transforms.evaluation.truths.files import TruthError, TruthFile, lines
from transforms.evaluation.truths.truth import MOST_ROWS, checked_boxes

_LAST_FRAME: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A line.

    Attributes:
        frame: number of the frame, from 0.
        category: what the box holds.
        track: number or name of the object, None = none.
        box: xyxy edges in pixels.
        occlusion: one of OCCLUSIONS, None where the line does not tell.
    """

    frame: int
    category: str
    track: str | None
    box: tuple[float, float, float, float]
    occlusion: str | None


@dataclass(frozen=True, slots=True)
class TextClip:
    """The file of one clip.

    Attributes:
        clip: the clip's name.
        file: its boxes.
        fps: frames a second.
    """

    clip: str
    file: TruthFile
    fps: float


def read_clips(clips: Iterable[TextClip], parse: Callable[[Sequence[str]], Row]) -> pa.Table:
    """The boxes of all clips.

    Args:
        clips: their files.
        parse: reads the fields of a line; its ValueError tells what is wrong with them.

    Raises:
        TruthError: a line cannot be read, or there are too many.
    """
    names: list[str] = []
    times: list[int] = []
    rows: list[Row] = []
    places: list[tuple[TruthFile, int]] = []
    for clip in clips:
        # a clip without a box has an empty file
        for number, line in lines(clip.file) if clip.file.bytes else ():
            try:
                row = parse(fields(line))
            except ValueError as error:
                raise TruthError(f"{clip.file.name}: line {number}: {error}") from error
            names.append(clip.clip)
            times.append(frame_time_ns(row.frame, clip.fps))
            rows.append(row)
            places.append((clip.file, number))
        if len(rows) > MOST_ROWS:
            raise TruthError(
                f"{clip.file.name}: more than {MOST_ROWS} boxes in all; evaluate part of the clips"
            )
    return checked_boxes(
        {
            "clip_id": names,
            "timestamp_ns": times,
            "category": [row.category for row in rows],
            "track_id": [row.track for row in rows],
            "occlusion": [row.occlusion for row in rows],
        },
        np.array([row.box for row in rows], dtype=np.float64).reshape(-1, 4),
        lambda row: f"{places[row][0].name}: line {places[row][1]}",
    )


def fields(line: str) -> list[str]:
    """The fields of a line, parted by commas or, where there are none, by blanks.

    >>> fields("1, 2,car"), fields("1 2  car")
    (['1', '2', 'car'], ['1', '2', 'car'])
    """
    return [part.strip() for part in line.split(",")] if "," in line else line.split()


def frame_number(field: str, first: int) -> int:
    """The number of a frame, counted from 0.

    Args:
        field: the number as text.
        first: what the form calls the first frame.

    Raises:
        ValueError: it is no whole number, or out of range.
    """
    value = number(field, "the frame")
    if value != int(value) or not first <= value <= _LAST_FRAME:
        raise ValueError(f"frame {field!r}: a whole number from {first} on is expected")
    return int(value) - first


def number(field: str, what: str) -> float:
    """A finite number.

    Raises:
        ValueError: the text is none.
    """
    try:
        value = float(field)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{what} is {field[:40]!r}, not a finite number")
    return value


def track_name(field: str) -> str | None:
    """The name of an object; None for -1 and other negative numbers.

    >>> track_name("7"), track_name("7.0"), track_name("-1")
    ('7', '7', None)

    Raises:
        ValueError: the text is no number.
    """
    value = number(field, "the track")
    if value < 0:
        return None
    return str(int(value)) if value == int(value) else field


def frame_time_ns(frame: int, fps: float) -> int:
    """Time of a frame since the first.

    Args:
        frame: its number, from 0.
        fps: frames a second.

    >>> frame_time_ns(3, 10)
    300000000
    """
    return round(frame * 1e9 / fps)


def clip_name(path: str) -> str:
    """The clip that a text file belongs to: `<clip>.txt` or `<clip>/gt/gt.txt`.

    >>> clip_name("0003.txt"), clip_name("MOT17-02/gt/gt.txt"), clip_name("gt.txt")
    ('0003', 'MOT17-02', 'gt')
    """
    parts = PurePosixPath(path).parts
    nested = parts[-2:] == ("gt", "gt.txt") and len(parts) > len(("gt", "gt.txt"))
    return parts[-3] if nested else PurePosixPath(path).stem


def checked_fps(fps: float | None, name: str) -> float:
    """The rate of numbered frames.

    Raises:
        TruthError: it is not known.
    """
    if fps is None:
        raise TruthError(
            f"{name}: frames are numbered, not timed: say with --truth-fps how many make a second"
        )
    return fps
