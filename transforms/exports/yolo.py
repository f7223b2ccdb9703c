"""YOLO text as Ultralytics reads it: a file an image, a line a box: class, centre and size as shares of the image."""

from collections.abc import Iterable
from typing import Final

from transforms.exports.folder import Folder
from transforms.exports.frames import CATEGORY_INDEX, Box, Clip, ClipFrames, Frame, frame_name
from transforms.splits.rule import SPLITS

CONVENTIONS: Final = {
    "box": "x and y of the centre, width and height, as shares of the image's width and height",
    "category": "class from 0 in the order of the taxonomy, whichever occur; data.yaml names them",
    "frame": "images/<clip_id>/<time in ns>, labels/ the same, below train, val, test or none where drives have splits; "
    "an image without a box has an empty file",
    "object": "none: the format has no place for it, nor for scores",
}


def write(folder: Folder, clips: Iterable[ClipFrames], suffix: str) -> None:
    """Writes an export; where clips have a split, in a folder for each.

    Args:
        folder: where.
        clips: clips and their frames.
        suffix: ending of the images' files.
    """
    written: set[str] = set()
    has_splits = False
    for item in clips:
        split = item.clip.split
        has_splits |= split is not None
        written.add(split or "")
        for place, frame in enumerate(item.frames):
            folder.write(
                f"labels/{_name(item.clip, frame)}.txt",
                "".join(_line(frame, box) for box in frame.boxes).encode(),
            )
            if frame.picture is not None:
                folder.write(picture_name(item.clip, frame, place, suffix), frame.picture)
    folder.write(
        "data.yaml", _description({name for name in SPLITS if name in written} if has_splits else None)
    )


def picture_name(clip: Clip, frame: Frame, place: int, suffix: str) -> str:
    """Path of a frame's image below the export; `place` among the clip's exported frames is of no matter."""
    del place
    return f"images/{_name(clip, frame)}{suffix}"


def _name(clip: Clip, frame: Frame) -> str:
    return "/".join(filter(None, (clip.split, clip.clip_id, frame_name(frame))))


def _description(splits: set[str] | None) -> bytes:
    """`data.yaml`.

    Args:
        splits: those that have frames; None where frames are not sorted by split.
    """
    if splits is None:
        # no split is made here: frames of one drive must not be on both sides
        sides = dict.fromkeys(("train", "val"), "images")
    else:
        # its readers want train and val named, also where no drive is there: they say so then
        sides = {name: f"images/{name}" for name in SPLITS if name in splits | {"train", "val"}}
    named = "".join(f"{side}: {place}\n" for side, place in sides.items())
    names = "".join(f"  {index}: {name}\n" for name, index in CATEGORY_INDEX.items())
    return f"{named}names:\n{names}".encode()


def _line(frame: Frame, box: Box) -> str:
    x_min, y_min, x_max, y_max = box.edges
    shares = (
        (x_min + x_max) / 2 / frame.width,
        (y_min + y_max) / 2 / frame.height,
        box.width / frame.width,
        box.height / frame.height,
    )
    return f"{CATEGORY_INDEX[box.category]} {' '.join(f'{share:.7f}' for share in shares)}\n"
