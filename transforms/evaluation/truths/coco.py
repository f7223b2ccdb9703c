"""COCO JSON: images with a clip and a time, annotations with xywh boxes.

An image's clip is its `clip_id`, else the name of its `video_id`, else its `file_name` (the folder of it where that
is a picture). Its time is `timestamp_ns`, else `frame_index` or `frame_id` (from 0) by the `fps` of the image,
its video or `info`, else by the rate the caller tells.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
import pyarrow as pa

from transforms.evaluation.pairing import DONTCARE
from transforms.evaluation.truths.files import Files, TruthError, TruthFile, text
from transforms.evaluation.truths.rows import checked_fps, frame_time_ns
from transforms.evaluation.truths.truth import MOST_ROWS, Truth, checked_boxes, occlusion_of

_PICTURES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_INDEX_KEYS: Final = ("frame_index", "frame_id", "frame")
_TRACK_KEYS: Final = ("track_id", "instance_id")
_BOX_LENGTH: Final = 4

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Moment:
    """Where and when an image was taken."""

    clip: str
    time_ns: int


def read(files: Files, fps: float | None) -> Truth:
    """Reads COCO JSON files.

    Args:
        files: the files.
        fps: frames a second, where a file numbers its frames and does not tell their rate.

    Raises:
        TruthError: a file cannot be read.
    """
    tables, frames = [], []
    for path, file in sorted(files.items()):
        if path.endswith(".json"):
            boxes, times = _read_file(file, fps)
            tables.append(boxes)
            frames.append(times)
    return Truth("coco", pa.concat_tables(tables), pa.concat_tables(frames))


def _read_file(file: TruthFile, fps: float | None) -> tuple[pa.Table, pa.Table]:
    document = _document(file)
    categories = {
        _key(record, "id", f"{file.name}: category"): _name(record, f"{file.name}: category")
        for record in _records(document, "categories", file)
    }
    moments = _moments(document, file, fps)
    annotations = [
        record for record in _records(document, "annotations", file) if record.get("bbox") is not None
    ]
    boxes = np.full((len(annotations), _BOX_LENGTH), np.nan)
    columns: dict[str, list[object]] = {
        name: [] for name in ("clip_id", "timestamp_ns", "category", "track_id", "occlusion")
    }
    for index, record in enumerate(annotations):
        where = f"{file.name}: annotation {record.get('id', index + 1)}"
        moment = moments.get(_key(record, "image_id", where))
        category = categories.get(_key(record, "category_id", where))
        if moment is None or category is None:
            what = (
                f"image_id {record['image_id']}" if moment is None else f"category_id {record['category_id']}"
            )
            raise TruthError(f"{where}: {what} is not in the file")
        boxes[index] = _corners(record["bbox"], where)
        columns["clip_id"].append(moment.clip)
        columns["timestamp_ns"].append(moment.time_ns)
        columns["category"].append(DONTCARE if record.get("iscrowd") else category)
        columns["track_id"].append(_track(record))
        columns["occlusion"].append(occlusion_of(_attribute(record, "occluded")))
    table = checked_boxes(
        columns, boxes, lambda row: f"{file.name}: annotation {annotations[row].get('id', row + 1)}"
    )
    frames = {
        "clip_id": pa.array([moment.clip for moment in moments.values()], pa.string()),
        "timestamp_ns": pa.array([moment.time_ns for moment in moments.values()], pa.int64()),
    }
    return table, pa.table(frames)


def _document(file: TruthFile) -> Record:
    try:
        document = json.loads(text(file))
    except json.JSONDecodeError as error:
        raise TruthError(f"{file.name}: line {error.lineno}: no sound JSON ({error.msg})") from error
    except (ValueError, RecursionError) as error:
        raise TruthError(f"{file.name}: no sound JSON ({error})") from error
    if not isinstance(document, dict):
        raise TruthError(f"{file.name}: a JSON object with images, annotations and categories is expected")
    return document


def _records(document: Record, key: str, file: TruthFile) -> Sequence[Record]:
    """A list of objects of the file."""
    found = document.get(key)
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise TruthError(f"{file.name}: {key} is missing or not a list of objects: is it COCO JSON?")
    if len(found) > MOST_ROWS:
        raise TruthError(f"{file.name}: {len(found)} {key}; at most {MOST_ROWS} are read")
    return found


def _moments(document: Record, file: TruthFile, fps: float | None) -> dict[object, _Moment]:
    """Image id → where and when."""
    videos: dict[Any, Record] = {
        _key(video, "id", f"{file.name}: video"): video
        for video in (_records(document, "videos", file) if "videos" in document else ())
    }
    info = document.get("info")
    images = _records(document, "images", file)
    clips = [_clip(image, videos, file) for image in images]
    alone = {clip for clip, count in Counter(clips).items() if count == 1}
    moments: dict[object, _Moment] = {}
    for image, clip in zip(images, clips, strict=True):
        where = f"{file.name}: image {image.get('id')}"
        key = _key(image, "id", where)
        if key in moments:
            raise TruthError(f"{where}: the id stands twice")
        told = [
            record for record in (image, videos.get(image.get("video_id")), info) if isinstance(record, dict)
        ]
        moments[key] = _Moment(clip, _time(image, told, fps, where, is_alone=clip in alone))
    return moments


def _clip(image: Record, videos: Mapping[Any, Record], file: TruthFile) -> str:
    where = f"{file.name}: image {image.get('id')}"
    if isinstance(image.get("clip_id"), str):
        return str(image["clip_id"])
    if image.get("video_id") in videos:
        return _name(videos[image["video_id"]], f"{where}: its video")
    path = PurePosixPath(_name(image, where, "file_name"))
    return str(path.parent) if path.suffix.lower() in _PICTURES and len(path.parts) > 1 else str(path)


def _time(image: Record, told: Sequence[Record], fps: float | None, where: str, *, is_alone: bool) -> int:
    """Time of an image in ns."""
    if (time := image.get("timestamp_ns")) is not None:
        return _whole(time, f"{where}: timestamp_ns")
    for key in _INDEX_KEYS:
        if (index := image.get(key)) is not None:
            rates = [record["fps"] for record in told if record.get("fps") is not None]
            rate = checked_fps(rates[0] if rates else fps, where)
            if not isinstance(rate, (int, float)) or not 0 < rate < math.inf:
                raise TruthError(f"{where}: fps is {rate!r}, not a positive number")
            return frame_time_ns(_whole(index, f"{where}: {key}"), rate)
    if is_alone:
        return 0
    raise TruthError(f"{where}: neither timestamp_ns nor {' nor '.join(_INDEX_KEYS)}")


def _whole(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 2**62:
        raise TruthError(f"{what} is {str(value)[:40]!r}, not a whole number of sensible size")
    return round(value)


def _corners(bbox: object, where: str) -> tuple[float, float, float, float]:
    numbers = bbox if isinstance(bbox, list) and len(bbox) == _BOX_LENGTH else ()
    if not numbers or not all(isinstance(value, (int, float)) for value in numbers):
        raise TruthError(f"{where}: bbox is not [x, y, width, height]")
    try:
        left, top, width, height = map(float, numbers)
    except OverflowError as error:
        raise TruthError(f"{where}: bbox holds a number that is too large") from error
    return left, top, left + width, top + height


def _key(record: Record, key: str, where: str) -> int | str:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TruthError(f"{where}: {key} is {value!r}, not a number")
    return value


def _name(record: Record, where: str, key: str = "name") -> str:
    value = record.get(key) or record.get("file_name")
    if not isinstance(value, str):
        raise TruthError(f"{where}: {key} is missing")
    return value


def _track(record: Record) -> str | None:
    for key in _TRACK_KEYS:
        value = _attribute(record, key)
        if isinstance(value, (int, float, str)) and not (isinstance(value, (int, float)) and value < 0):
            return str(value)
    return None


def _attribute(record: Record, key: str) -> object:
    """A value of an annotation, or of its `attributes`, where labelling tools keep their own."""
    attributes = record.get("attributes")
    return record.get(key, attributes.get(key) if isinstance(attributes, dict) else None)
