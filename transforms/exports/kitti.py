"""KITTI tracking text: `label_02/<clip>.txt`, a line a box.

Its fields: frame, id, type, truncated, occluded, alpha, the four edges, then size, place and turn in space, and the score. What we do not know has the values that KITTI gives where it does not know either.
"""

from collections.abc import Iterable
from typing import Final

from transforms.exports.folder import Folder
from transforms.exports.frames import Box, Clip, ClipFrames, Frame, Span

CONVENTIONS: Final = {
    "box": "left, top, right, bottom edge in pixels, 0 at the frame's own edge",
    "category": "KITTI's types: Pedestrian, Cyclist (our rider), Car, Truck, Tram (our train), and Misc for all else",
    "frame": "number from 0; frame n was taken at n / rate seconds, a frame that the clip lacks has no line",
    "object": "id from 1, the same over the whole drive; -1 where no track holds the box",
    "unknown": "truncated, occluded, size -1; alpha, turn -10; place -1000",
    "score": "the 18th field",
}

_TYPES: Final = {"person": "Pedestrian", "rider": "Cyclist", "car": "Car", "truck": "Truck", "train": "Tram"}
_OTHER_TYPE: Final = "Misc"
"""KITTI has no other types, and its readers end at one that they do not know."""

_NOT_KNOWN: Final = "-1 -1 -1 -1000 -1000 -1000 -10"


def write(folder: Folder, clips: Iterable[ClipFrames], suffix: str) -> None:
    """Writes an export.

    Args:
        folder: where.
        clips: clips and their frames.
        suffix: ending of the images' files.
    """
    # TrackEval and KITTI's own kit read from it how long the sequences are
    with folder.create("evaluate_tracking.seqmap.training") as sequences:
        for item in clips:
            name, span = item.clip.clip_id, Span()
            with folder.create(f"label_02/{name}.txt") as sink:
                for place, frame in enumerate(item.frames):
                    span.add(frame)
                    sink.write("".join(_line(frame, box) for box in frame.boxes).encode())
                    if frame.picture is not None:
                        folder.write(picture_name(item.clip, frame, place, suffix), frame.picture)
            sequences.write(f"{name} empty 000000 {span.length:06d}\n".encode())


def picture_name(clip: Clip, frame: Frame, place: int, suffix: str) -> str:
    """Path of a frame's image below the export; `place` among the clip's exported frames is of no matter."""
    del place
    return f"image_02/{clip.clip_id}/{frame.number:06d}{suffix}"


def _line(frame: Frame, box: Box) -> str:
    number = -1 if box.object_number is None else box.object_number
    kind = _TYPES.get(box.category, _OTHER_TYPE)
    edges = " ".join(map(str, box.edges))
    return f"{frame.number} {number} {kind} -1 -1 -10 {edges} {_NOT_KNOWN} {box.score}\n"
