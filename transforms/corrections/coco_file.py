"""COCO JSON, as tools write it back: often without the keys that COCO itself does not have.

An image's clip and time are `clip_id` and `timestamp_ns`, else what its `file_name` ends with, as exports call their images:
`<clip_id>/<timestamp_ns>.jpg`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

from transforms.corrections.corrected_files import (
    MOST_BOXES,
    MOST_BYTES,
    MOST_FRAMES,
    CorrectedFile,
    CorrectedFileError,
    FileClip,
    checked_box,
)

_FILE_NAME: Final = re.compile(r"(?:.*/)?([A-Za-z0-9][A-Za-z0-9_-]{0,99})/(\d{1,18})\.[A-Za-z]+")
_EDGES: Final = 4

Record = Mapping[str, Any]


def read_coco(stream: BinaryIO, name: str) -> CorrectedFile:
    """Reads a file.

    Args:
        stream: the file.
        name: what messages call it.

    Raises:
        CorrectedFileError: it is no such file, holds what is not read, or too much.
    """
    try:
        document = json.loads(stream.read(MOST_BYTES))
    except (ValueError, RecursionError) as error:
        raise CorrectedFileError(f"{name}: no sound JSON ({error})") from error
    if not isinstance(document, dict):
        raise CorrectedFileError(f"{name}: a JSON object with images, annotations and categories is expected")
    names = {
        _number(record, "id", f"{name}: category"): record.get("name")
        for record in _records(document, "categories", MOST_FRAMES, name)
    }
    clips: dict[str, FileClip] = {}
    images: dict[int, tuple[str, int]] = {}
    for record in _records(document, "images", MOST_FRAMES, name):
        clip, time_ns = _moment(record, name)
        images[_number(record, "id", f"{name}: image")] = clip, time_ns
        clips.setdefault(clip, FileClip(is_timed=True)).boxes.setdefault(time_ns, [])
    for record in _records(document, "annotations", MOST_BOXES, name):
        where = f"{name}: annotation {str(record.get('id'))[:100]}"
        image = images.get(_number(record, "image_id", where))
        if image is None:
            raise CorrectedFileError(f"{where}: its image_id is not among the images")
        category = names.get(_number(record, "category_id", where))
        box = checked_box(category, _corners(record, where), record.get("detection_id"), where)
        clips[image[0]].boxes[image[1]].append(box)
    if not images:
        raise CorrectedFileError(f"{name}: holds no image")
    info = document.get("info")
    told = info.get("date_created") if isinstance(info, dict) else None
    return CorrectedFile("coco", clips, told if isinstance(told, str) else "")


def _records(document: Record, key: str, most: int, name: str) -> Sequence[Record]:
    found = document.get(key)
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise CorrectedFileError(f"{name}: {key} is missing or not a list of objects: is it COCO JSON?")
    if len(found) > most:
        raise CorrectedFileError(f"{name}: {len(found)} {key}; at most {most} are read")
    return found


def _moment(record: Record, name: str) -> tuple[str, int]:
    clip, time_ns = record.get("clip_id"), record.get("timestamp_ns")
    if isinstance(clip, str) and isinstance(time_ns, int):
        return clip, time_ns
    match = _FILE_NAME.fullmatch(str(record.get("file_name")))
    if match is None:
        raise CorrectedFileError(
            f"{name}: image {str(record.get('file_name'))[:100]!r}: clip and time are not known: give it clip_id and "
            "timestamp_ns, or the file_name that the export gave it (<clip_id>/<timestamp_ns>.jpg)"
        )
    return match[1], int(match[2])


def _corners(record: Record, where: str) -> tuple[float, ...]:
    box = record.get("bbox")
    if not (
        isinstance(box, list)
        and len(box) == _EDGES
        and all(isinstance(edge, (int, float)) and not isinstance(edge, bool) for edge in box)
    ):
        raise CorrectedFileError(f"{where}: bbox is no list of four numbers")
    try:
        x, y, width, height = map(float, box)
    except OverflowError as error:
        raise CorrectedFileError(f"{where}: bbox is no list of four numbers") from error
    return x, y, x + width, y + height


def _number(record: Record, key: str, where: str) -> int:
    value = record.get(key)
    if not isinstance(value, int):
        raise CorrectedFileError(f"{where}: {key} is no whole number")
    return value
