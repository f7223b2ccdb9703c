"""WebDataset: tar files of samples; a sample is a frame's image and a JSON of the same name with its labels."""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from typing import Final

from transforms.exports.folder import Folder
from transforms.exports.frames import CATEGORY_INDEX, Box, Clip, ClipFrames, Frame, frame_name

CONVENTIONS: Final = {
    "box": "x_min, y_min, x_max, y_max: edges in pixels, 0 at the frame's own edge",
    "category": "name, and category_id from 0 in the order of the taxonomy, whichever occur",
    "frame": "key <clip_id>-<time in ns>; timestamp_ns since the clip's first shown frame",
    "object": "object_number, the same over the whole drive, and object_id; null where no track holds the box",
}

MOST_BYTES: Final = 256 << 20
"""Images and labels of one tar file: some hundreds of them are read at once by many readers."""


def write(folder: Folder, clips: Iterable[ClipFrames], suffix: str) -> None:
    """Writes an export.

    Args:
        folder: where.
        clips: clips and their frames.
        suffix: ending of the images' files.
    """
    samples = _samples(clips, suffix)
    sample = next(samples, None)
    number = 0
    while sample is not None:
        size = 0
        with (
            folder.create(f"shard-{number:06d}.tar") as sink,
            tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            while sample is not None and size < MOST_BYTES:
                for name, content in sample:
                    # tarfile's own defaults name no user and no time: the same bytes whenever, by whomever
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
                    size += len(content)
                sample = next(samples, None)
        number += 1


def picture_name(clip: Clip, frame: Frame, place: int, suffix: str) -> str:
    """Name of a frame's image in its tar file; `place` among the clip's exported frames is of no matter."""
    del place
    return f"{_key(clip, frame)}{suffix}"


def _key(clip: Clip, frame: Frame) -> str:
    return f"{clip.clip_id}-{frame_name(frame)}"


def _samples(clips: Iterable[ClipFrames], suffix: str) -> Iterator[list[tuple[str, bytes]]]:
    """Files of each frame."""
    for item in clips:
        for frame in item.frames:
            key = _key(item.clip, frame)
            labels = json.dumps(_labels(item.clip, frame), ensure_ascii=False, separators=(",", ":"))
            files = [] if frame.picture is None else [(f"{key}{suffix}", frame.picture)]
            yield [*files, (f"{key}.json", labels.encode())]


def _labels(clip: Clip, frame: Frame) -> dict[str, object]:
    return {
        "clip_id": clip.clip_id,
        "drive_id": clip.drive_id,
        "camera": clip.camera,
        "uri": clip.uri,
        "timestamp_ns": frame.timestamp_ns,
        "utc_ns": frame.utc_ns,
        "width": frame.width,
        "height": frame.height,
        "boxes": [_box(box) for box in frame.boxes],
    }


def _box(box: Box) -> dict[str, object]:
    x_min, y_min, x_max, y_max = box.edges
    return {
        "category": box.category,
        "category_id": CATEGORY_INDEX[box.category],
        "x_min": x_min,
        "y_min": y_min,
        "x_max": x_max,
        "y_max": y_max,
        "score": box.score,
        "label_source": box.label_source,
        "object_number": box.object_number,
        "object_id": box.object_id,
        "detection_id": box.detection_id,
    }
