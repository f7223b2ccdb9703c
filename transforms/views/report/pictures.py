"""The pictures of a report: frames decoded again, with their labels drawn on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import SEEK_END
from itertools import groupby, pairwise
from typing import BinaryIO, Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.clips.decoding import ClipDecoder
from transforms.clips.errors import ClipError
from transforms.clips.refs import ClipRef
from transforms.clips.reopening import ClipChangedError, reopen
from transforms.clips.sampling import Sampling
from transforms.views.drawing import colour_of
from transforms.views.report.choosing import Edges, Example

Image = npt.NDArray[np.uint8]
OpenStream = Callable[[str], BinaryIO]
Cover = Callable[[str, int, Image], Image]
"""A frame as it may leave: of a clip's id, its time in ns, and the frame as displayed, at full resolution."""

MOST_BYTES: Final = 8 * 2**20
"""Of all pictures together as JPEG; base64 makes a third more of them, which leaves room for the rest in 15 MB."""

_LONG_SIDE_PX: Final = 720
_QUALITIES: Final = (82, 70, 55, 40, 25)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_TEXT: Final = 0.6
_DASH_PX: Final = 8
_SMALL: Final = 1 / 7  # of the picture's width: boxes below are hard to see
_INSET: Final = 0.36  # of the picture's height
_MOST_MAGNIFIED: Final = 8.0


class RemoteClipError(Exception):
    """A clip's URI leads to an object store: a report connects to nothing."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame with its labels.

    Attributes:
        jpeg: the file; None where there is none.
        width: in pixels.
        height: in pixels.
        problem: why there is none, in words for people.
    """

    jpeg: bytes | None
    width: int = 0
    height: int = 0
    problem: str = ""


def pictures(examples: Sequence[Example], open_stream: OpenStream, cover: Cover) -> list[Picture]:
    """A picture of each example, in their order.

    Each clip is opened once and decoded from the keyframe before each wanted frame on.

    Args:
        examples: what to draw.
        open_stream: opens a clip's URI; raises `RemoteClipError` where that would leave this machine.
        cover: blurs what must not leave, before frames are scaled.
    """
    made: dict[int, Picture] = {}
    by_clip = sorted(
        range(len(examples)), key=lambda at: (examples[at].clip_id, examples[at].timestamp_ns, at)
    )
    allowed = MOST_BYTES // max(1, len(examples))
    for _, group in groupby(by_clip, key=lambda at: examples[at].clip_id):
        its = list(group)
        frames = _frames([examples[at] for at in its], open_stream, cover)
        for at in its:
            frame = frames[examples[at].timestamp_ns]
            made[at] = (
                Picture(None, problem=frame)
                if isinstance(frame, str)
                else picture(frame, examples[at], allowed)
            )
    return [made[at] for at in range(len(examples))]


def picture(image: Image, example: Example, most_bytes: int) -> Picture:
    """Every picture of a report comes from here: whatever is to happen to pixels before people see them.

    Args:
        image: the frame in the size that is shown, BGR, uint8[height, width, 3].
        example: its labels, in pixels of the frame as displayed.
        most_bytes: what the picture may take; it gets coarser until it fits.
    """
    drawn = _drawn(image, example)
    height, width = drawn.shape[:2]
    for quality in _QUALITIES:
        jpeg = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(jpeg) <= most_bytes:
            return Picture(jpeg, width, height)
    return Picture(None, problem="the picture has no room in a report of this size")


def _frames(
    examples: Sequence[Example], open_stream: OpenStream, cover: Cover
) -> Mapping[int, "Image | str"]:
    """Frames of one clip by their times; a text says why one cannot be had."""
    times = sorted({example.timestamp_ns: example for example in examples}.items())
    first = examples[0]
    if first.is_dangerous:
        return dict.fromkeys(dict(times), "the clip made the decoder crash or hang: it is not opened again")
    found: dict[int, Image | str] = {}
    try:
        clip = _reopened(first, open_stream)
        with open_stream(clip.uri) as stream, ClipDecoder(stream, clip) as decoder:
            for time_ns, example in times:
                image = next(_at(decoder, clip, example, cover), None)
                found[time_ns] = (
                    image if image is not None else "the frame does not come out of the clip any more"
                )
    except RemoteClipError:
        problem = "the clip lies in an object store; copy it to this machine"
    except FileNotFoundError:
        problem = "the clip is no longer where it was labelled"
    except ClipChangedError:
        problem = "the file at the clip's place has changed since it was labelled"
    except (ClipError, OSError, ValueError):
        problem = "the clip cannot be read any more"
    else:
        return found
    return {time_ns: found.get(time_ns, problem) for time_ns, _ in times}


def _reopened(example: Example, open_stream: OpenStream) -> ClipRef:
    """The example's clip, if its file is the one that was labelled."""
    # a data set may come from anybody: what it names may be any file, and is not read to compare its digest
    with open_stream(example.uri) as stream:
        size = stream.seek(0, SEEK_END)
    if size != example.bytes:
        raise ClipChangedError(f"{example.uri}: {size} bytes where {example.bytes} were labelled")
    return reopen(example.uri, example.content_sha256, open_stream)


def _at(decoder: ClipDecoder, clip: ClipRef, example: Example, cover: Cover) -> Iterator[Image]:
    """The frame of an example, in the size that is shown."""
    scale = min(1.0, _LONG_SIDE_PX / max(clip.width, clip.height))
    width, height = (max(1, round(side * scale)) for side in (clip.width, clip.height))
    time_ns = example.timestamp_ns
    for frame in decoder.frames(Sampling.parse("all"), time_ns, time_ns + 1):
        if frame.pts == example.pts:
            shown = cover(example.clip_id, time_ns, frame.bgr(clip.width, clip.height))
            scaled = cv2.resize(shown, (width, height), interpolation=cv2.INTER_AREA)
            yield np.asarray(scaled, np.uint8)


def _drawn(image: Image, example: Example) -> Image:
    """A copy with thin boxes around all labels, and the example's own box and name over them."""
    drawn = image.copy()
    height, width = image.shape[:2]
    scale = width / max(example.width, 1), height / max(example.height, 1)
    for other in example.others:
        left, top, right, bottom = _placed(other.edges, scale, width, height)
        cv2.rectangle(drawn, (left, top), (right, bottom), colour_of(other.category), 1)
    if example.network is not None and example.kind == "changed":
        _dashed(drawn, _placed(example.network.edges, scale, width, height))
    left, top, right, bottom = _placed(example.box.edges, scale, width, height)
    # a light line within a dark one is seen on any ground
    cv2.rectangle(drawn, (left, top), (right, bottom), (0, 0, 0), 5)
    cv2.rectangle(drawn, (left, top), (right, bottom), colour_of(example.box.category), 3)
    _magnify(image, drawn, (left, top, right, bottom), colour_of(example.box.category))
    _name(
        drawn,
        f"{example.box.category[:24]} {example.score:.2f}",
        (left, top, bottom),
        colour_of(example.box.category),
    )
    return drawn


def _placed(edges: Edges, scale: tuple[float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """Edges in pixels of the picture, within it."""
    across = [min(max(round(edge * scale[0]), 0), width - 1) for edge in edges[::2]]
    down = [min(max(round(edge * scale[1]), 0), height - 1) for edge in edges[1::2]]
    return across[0], down[0], across[1], down[1]


def _name(drawn: Image, text: str, at: tuple[int, int, int], colour: tuple[int, int, int]) -> None:
    """A plate above the box, or below it where there is no room, within the picture."""
    left, top, bottom = at
    height, width = drawn.shape[:2]
    (wide, high), base = cv2.getTextSize(text, _FONT, _TEXT, 1)
    room = high + base + 6
    foot = top - 2 if top >= room + 2 else min(bottom + room + 2, height - 1)
    start = max(0, min(left, width - wide - 8))
    cv2.rectangle(drawn, (start, foot - room), (start + wide + 8, foot), (0, 0, 0), cv2.FILLED)
    cv2.rectangle(drawn, (start, foot - room), (start + 4, foot), colour, cv2.FILLED)
    place = (start + 7, foot - base - 2)
    cv2.putText(drawn, text, place, _FONT, _TEXT, (255, 255, 255), 1, cv2.LINE_AA)


def _magnify(
    image: Image, drawn: Image, box: tuple[int, int, int, int], colour: tuple[int, int, int]
) -> None:
    """What is in a small box, magnified, in the corner above on the other side."""
    left, top, right, bottom = box
    height, width = image.shape[:2]
    size = max(right - left, bottom - top)
    room = round(height * _INSET)
    if size >= width * _SMALL or room < 2:  # noqa: PLR2004 - nothing can be shown in a pixel
        return
    side = min(max(2 * size, round(room / _MOST_MAGNIFIED), 2), height, width)
    x = min(max((left + right - side) // 2, 0), width - side)
    y = min(max((top + bottom - side) // 2, 0), height - side)
    inset = cv2.resize(image[y : y + side, x : x + side], (room, room), interpolation=cv2.INTER_CUBIC)
    times = room / side
    corners = [
        (round((across - x) * times), round((down - y) * times))
        for across, down in ((left, top), (right, bottom))
    ]
    cv2.rectangle(inset, corners[0], corners[1], colour, 1)
    cv2.rectangle(inset, (0, 0), (room - 1, room - 1), (255, 255, 255), 2)
    at = 0 if left + right > width else width - room
    if top < room and at < right and left < at + room:
        return
    drawn[:room, at : at + room] = inset


def _dashed(drawn: Image, box: tuple[int, int, int, int]) -> None:
    """The network's own box: white dashes on black."""
    left, top, right, bottom = box
    corners = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    for (x0, y0), (x1, y1) in pairwise(corners):
        cv2.line(drawn, (x0, y0), (x1, y1), (0, 0, 0), 3)
        steps = max(1, (abs(x1 - x0) + abs(y1 - y0)) // _DASH_PX)
        for step in range(0, steps, 2):
            ends = (step / steps, min(1.0, (step + 1) / steps))
            start, stop = ((round(x0 + (x1 - x0) * part), round(y0 + (y1 - y0) * part)) for part in ends)
            cv2.line(drawn, start, stop, (255, 255, 255), 1)
