"""YOLO text as Ultralytics reads it: a file an image, a line a box: class, centre and size as shares of the image."""

from collections.abc import Iterable
from typing import Final

from transforms.exports.folder import Folder
from transforms.exports.frames import CATEGORY_INDEX, Box, Clip, ClipFrames, Frame, frame_name

CONVENTIONS: Final = {
    "box": "x and y of the centre, width and height, as shares of the image's width and height",
    "category": "class from 0 in the order of the taxonomy, whichever occur; data.yaml names them",
    "frame": "images/<clip_id>/<time in ns>, labels/ the same; an image without a box has an empty file",
    "object": "none: the format has no place for it, nor for scores",
}


def write(folder: Folder, clips: Iterable[ClipFrames], suffix: str) -> None:
    """Writes an export.

    Args:
        folder: where.
        clips: clips and their frames.
        suffix: ending of the images' files.
    """
    names = "".join(f"  {index}: {name}\n" for name, index in CATEGORY_INDEX.items())
    # no split is made here: frames of one drive must not be on both sides
    folder.write("data.yaml", f"train: images\nval: images\nnames:\n{names}".encode())
    for item in clips:
        for place, frame in enumerate(item.frames):
            name = f"{item.clip.clip_id}/{frame_name(frame)}"
            folder.write(f"labels/{name}.txt", "".join(_line(frame, box) for box in frame.boxes).encode())
            if frame.picture is not None:
                folder.write(picture_name(item.clip, frame, place, suffix), frame.picture)


def picture_name(clip: Clip, frame: Frame, place: int, suffix: str) -> str:
    """Path of a frame's image below the export; `place` among the clip's exported frames is of no matter."""
    del place
    return f"images/{clip.clip_id}/{frame_name(frame)}{suffix}"


def _line(frame: Frame, box: Box) -> str:
    x_min, y_min, x_max, y_max = box.edges
    shares = (
        (x_min + x_max) / 2 / frame.width,
        (y_min + y_max) / 2 / frame.height,
        box.width / frame.width,
        box.height / frame.height,
    )
    return f"{CATEGORY_INDEX[box.category]} {' '.join(f'{share:.7f}' for share in shares)}\n"
