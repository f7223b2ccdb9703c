"""COCO JSON: one file for all clips, with the `videos` that tracking tools add.

A box is `[x, y, width, height]` in pixels: left and upper edge as we have them, as in COCO's own files.
"""

import json
import shutil
from collections.abc import Iterable
from typing import IO, Final

from transforms.exports.folder import Folder
from transforms.exports.frames import CATEGORY_INDEX, Box, Clip, ClipFrames, Frame, frame_name

CONVENTIONS: Final = {
    "box": "x, y, width, height in pixels; x and y are the left and upper edge, 0 at the frame's own edge",
    "category": "id from 1 in the order of the taxonomy, whichever occur",
    "frame": "images.timestamp_ns since the clip's first shown frame; frame_id counts from 0 within the video",
    "object": "annotations.track_id, the same number over the whole drive; absent where no track holds the box",
    "file_name": "below images/",
}

ANNOTATIONS: Final = "annotations.json"
IMAGES: Final = "images"


def picture_name(clip: Clip, frame: Frame, place: int, suffix: str) -> str:
    """Path of a frame's image below the export; `place` among the clip's exported frames is of no matter."""
    del place
    return f"{IMAGES}/{_name(clip, frame, suffix)}"


def _name(clip: Clip, frame: Frame, suffix: str) -> str:
    return f"{clip.clip_id}/{frame_name(frame)}{suffix}"


def write(folder: Folder, clips: Iterable[ClipFrames], suffix: str) -> None:
    """Writes an export.

    Args:
        folder: where.
        clips: clips and their frames.
        suffix: ending of the images' files.
    """
    with folder.create(ANNOTATIONS) as sink, folder.scratch() as videos, folder.scratch() as annotations:
        sink.write(_head().encode())
        lists = {"images": _List(sink), "videos": _List(videos), "annotations": _List(annotations)}
        for video_id, item in enumerate(clips, 1):
            lists["videos"].add(_video(video_id, item.clip))
            for frame in item.frames:
                image_id = lists["images"].count + 1
                name = _name(item.clip, frame, suffix)
                lists["images"].add(_image(image_id, video_id, name, item.clip, frame))
                for box in frame.boxes:
                    lists["annotations"].add(_annotation(lists["annotations"].count + 1, image_id, box))
                if frame.picture is not None:
                    folder.write(f"{IMAGES}/{name}", frame.picture)
        for name, part in (("videos", videos), ("annotations", annotations)):
            sink.write(f'\n],\n"{name}": [\n'.encode())
            part.seek(0)
            shutil.copyfileobj(part, sink)
        sink.write(b"\n]\n}\n")


class _List:
    """Items of a JSON list, written as they come, a line each."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self.count = 0

    def add(self, item: dict[str, object]) -> None:
        separator = b",\n" if self.count else b""
        self._sink.write(separator + json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode())
        self.count += 1


def _head() -> str:
    info = {"description": "labels of clipmill", "version": "1"}
    categories = [{"id": index + 1, "name": name} for name, index in CATEGORY_INDEX.items()]
    return f'{{\n"info": {json.dumps(info)},\n"licenses": [],\n"categories": {json.dumps(categories)},\n"images": [\n'


def _video(video_id: int, clip: Clip) -> dict[str, object]:
    return {
        "id": video_id,
        "name": clip.clip_id,
        "width": clip.width,
        "height": clip.height,
        "camera": clip.camera,
        "uri": clip.uri,
        "drive_id": clip.drive_id,
        "start_utc_ns": clip.start_utc_ns,
    }


def _image(image_id: int, video_id: int, name: str, clip: Clip, frame: Frame) -> dict[str, object]:
    return {
        "id": image_id,
        "file_name": name,
        "width": frame.width,
        "height": frame.height,
        "video_id": video_id,
        "frame_id": frame.number,
        "clip_id": clip.clip_id,
        "camera": clip.camera,
        "timestamp_ns": frame.timestamp_ns,
        "utc_ns": frame.utc_ns,
    }


def _annotation(annotation_id: int, image_id: int, box: Box) -> dict[str, object]:
    tracked = {} if box.object_number is None else {"track_id": box.object_number, "object_id": box.object_id}
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": CATEGORY_INDEX[box.category] + 1,
        "bbox": [box.edges[0], box.edges[1], box.width, box.height],
        "area": round(box.width * box.height, 3),
        "segmentation": [],
        "iscrowd": 0,
        "score": box.score,
        "label_source": box.label_source,
        "detection_id": box.detection_id,
        **tracked,
    }
