"""MOTChallenge text: a folder a clip, in it `gt/gt.txt` with frame, id, left, top, width, height, conf, class, visibility.

MOTChallenge counts frames, and pixels, from 1: the frame's own left edge is at 1, not 0. `seqinfo.ini` says so in a
section of ours, for other tools' files differ there.
"""

from collections.abc import Iterable
from typing import Final

from transforms.exports.folder import Folder
from transforms.exports.frames import CATEGORY_INDEX, Box, Clip, ClipFrames, Frame, Span

FIRST_PIXEL: Final = 1
"""Where the frame's left and upper edge lie."""

CONVENTIONS: Final = {
    "box": "left, top, width, height in pixels; left and top are 1 at the frame's own edge",
    "category": "class from 1 in the order of the taxonomy, whichever occur; labels.txt names them",
    "frame": "number from 1; frame n was taken at (n - 1) / frameRate seconds, a frame that the clip lacks has no line",
    "object": "id from 1, the same over the whole drive; -1 where no track holds the box",
    "conf": "1: boxes count; scores have no place here",
    "visibility": "-1: not known",
}


def write(folder: Folder, clips: Iterable[ClipFrames], suffix: str) -> None:
    """Writes an export.

    Args:
        folder: where.
        clips: clips and their frames.
        suffix: ending of the images' files.
    """
    folder.write("labels.txt", "".join(f"{name}\n" for name in CATEGORY_INDEX).encode())
    for item in clips:
        clip, span = item.clip, Span()
        with folder.create(f"{clip.clip_id}/gt/gt.txt") as sink:
            for place, frame in enumerate(item.frames):
                span.add(frame)
                sink.write("".join(_line(frame, box) for box in frame.boxes).encode())
                if frame.picture is not None:
                    folder.write(picture_name(clip, frame, place, suffix), frame.picture)
        info = (
            f"[Sequence]\nname={clip.clip_id}\nimDir=img1\nframeRate={span.rate(clip):g}\n"
            f"seqLength={span.length}\nimWidth={clip.width}\nimHeight={clip.height}\nimExt={suffix}\n\n"
            f"[clipmill]\nfirstPixel={FIRST_PIXEL}\n"
        )
        folder.write(f"{clip.clip_id}/seqinfo.ini", info.encode())


def picture_name(clip: Clip, frame: Frame, place: int, suffix: str) -> str:
    """Path of a frame's image below the export; `place` among the clip's exported frames is of no matter."""
    del place
    return f"{clip.clip_id}/img1/{frame.number + 1:06d}{suffix}"


def _line(frame: Frame, box: Box) -> str:
    number = -1 if box.object_number is None else box.object_number
    left, top = (round(edge + FIRST_PIXEL, 3) for edge in box.edges[:2])
    category = CATEGORY_INDEX[box.category] + 1
    return f"{frame.number + 1},{number},{left},{top},{box.width},{box.height},1,{category},-1\n"
