"""Detections as MOT text: frame (from 1), id, x, y, width, height, score, and where it is told the class."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

import numpy as np
import pyarrow as pa

from transforms.evaluation.truths.files import Files, TruthError, lines
from transforms.evaluation.truths.motchallenge import SIDE_FILES, class_names, class_of, sequence
from transforms.evaluation.truths.rows import fields, frame_number, frame_time_ns, number
from transforms.labels.table_rows import EDGES, TableError

_FEWEST_FIELDS: Final = 7
_SCORE, _CLASS = 6, 7
_MOST_FRAMES: Final = 20_000_000
"""All clips together; every frame up to the last one counts as looked at."""


def read_mot(files: Files, fps: float | None) -> tuple[pa.Table, pa.Table]:
    """Reads MOT text, a file a clip.

    Args:
        files: `<clip>.txt` or `<clip>/det/det.txt`, and `seqinfo.ini` and `labels.txt` where they lie beside.
        fps: frames a second of the clips whose `seqinfo.ini` does not tell.

    Returns:
        The detections and the frames of every clip: from the first to the last one with a box, or as many as
        `seqinfo.ini` tells.

    Raises:
        TableError: a line cannot be read, or the rate is not known.
    """
    try:
        return _read(files, fps)
    except TruthError as error:
        raise TableError(str(error)) from error


def _read(files: Files, fps: float | None) -> tuple[pa.Table, pa.Table]:
    detections, frames = [], []
    total = 0
    for path in sorted(files):
        if not path.endswith(".txt") or PurePosixPath(path).name in SIDE_FILES:
            continue
        rate, length = sequence(files, path)
        rate = rate or fps
        if rate is None:
            raise TableError(
                f"{files[path].name}: frames are numbered, not timed: say with --fps how many make a second"
            )
        clip = _clip_name(path)
        numbers, part = _boxes(files, path, clip, rate)
        count = max(length, int(numbers.max(initial=-1)) + 1)
        total += count
        if total > _MOST_FRAMES:
            raise TableError(
                f"{files[path].name}: more than {_MOST_FRAMES} frames in all; track part of the clips"
            )
        times = [frame_time_ns(frame, rate) for frame in range(count)]
        detections.append(part)
        frames.append(
            pa.table(
                {
                    "clip_id": pa.array([clip] * count, pa.string()),
                    "timestamp_ns": pa.array(times, pa.int64()),
                }
            )
        )
    if not detections:
        raise TableError("no MOT text is there")
    return pa.concat_tables(detections), pa.concat_tables(frames)


def _boxes(files: Files, path: str, clip: str, fps: float) -> tuple[np.ndarray, pa.Table]:
    names = class_names(files, path)
    numbers: list[int] = []
    categories: list[str] = []
    values: list[tuple[float, ...]] = []
    if files[path].bytes:
        for place, line in lines(files[path]):
            try:
                frame, category, box = _parse(fields(line), names)
            except ValueError as error:
                raise TableError(f"{files[path].name}: line {place}: {error}") from error
            numbers.append(frame)
            categories.append(category)
            values.append(box)
    columns = np.array(values, dtype=np.float64).reshape(-1, len(EDGES) + 1)
    table = pa.table(
        {
            "clip_id": pa.array([clip] * len(numbers), pa.string()),
            "timestamp_ns": pa.array([frame_time_ns(frame, fps) for frame in numbers], pa.int64()),
            "category": pa.array(categories, pa.string()),
            **{name: columns[:, index] for index, name in enumerate((*EDGES, "score"))},
        }
    )
    return np.array(numbers, dtype=np.int64), table


def _parse(parts: Sequence[str], names: Mapping[int, str]) -> tuple[int, str, tuple[float, ...]]:
    if len(parts) < _FEWEST_FIELDS:
        raise ValueError(f"{len(parts)} fields; frame, id, x, y, width, height, score are expected")
    left, top, width, height, score = (
        number(part, what)
        for part, what in zip(parts[2:7], ("x", "y", "the width", "the height", "the score"), strict=True)
    )
    if width < 0 or height < 0:
        raise ValueError("the box has a negative size")
    if not 0 <= score <= 1:
        raise ValueError(f"the score is {score:g}, not between 0 and 1")
    category = class_of(parts[_CLASS] if len(parts) > _CLASS else "-1", names)
    return frame_number(parts[0], 1), category, (left, top, left + width, top + height, score)


def _clip_name(path: str) -> str:
    """The clip that a text file belongs to.

    >>> _clip_name("0003.txt"), _clip_name("MOT17-02/det/det.txt"), _clip_name("det.txt")
    ('0003', 'MOT17-02', 'det')
    """
    parts = PurePosixPath(path).parts
    nested = parts[-2:] == ("det", "det.txt") and len(parts) > len(("det", "det.txt"))
    return parts[-3] if nested else PurePosixPath(path).stem
