"""The images of labelled frames, decoded from their clips again."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO, Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.clips.decoding import ClipDecoder
from transforms.clips.refs import ClipRef
from transforms.clips.sampling import Sampling
from transforms.exports.frames import Frame
from transforms.exports.settings import ImageKind

OpenStream = Callable[[str], BinaryIO]
Image = npt.NDArray[np.uint8]

JPEG_QUALITY: Final = 95
"""What training sets are commonly kept at; PNG loses nothing and takes some five times the room."""

_ENCODERS: Final[Mapping[ImageKind, tuple[str, list[int]]]] = {
    "jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]),
    "png": (".png", []),
}


def decoded(frames: Iterable[Frame], clip: ClipRef, open_stream: OpenStream) -> Iterator[tuple[Frame, Image]]:
    """Frames with their pictures, found by PTS in one pass over the clip.

    Args:
        frames: labelled frames of the clip, in the order of time.
        clip: the clip, whose bytes are those that were labelled.
        open_stream: opens the clip's URI.

    Yields:
        The frames that are found, and what they show as displayed, BGR uint8[height, width, 3]; the others are missing.

    Raises:
        ClipError: nothing of the clip can be read.
        OSError: it cannot be opened.
    """
    wanted = iter(frames)
    frame = next(wanted, None)
    with open_stream(clip.uri) as stream, ClipDecoder(stream, clip) as decoder:
        for shown in decoder.frames(Sampling.parse("all")):
            # labelled frames advance the clip's time, so the first of equal PTS is the one that was seen
            while frame is not None and frame.timestamp_ns < shown.timestamp_ns:
                frame = next(wanted, None)
            if frame is None:
                return
            if shown.pts == frame.pts and not shown.is_damaged:
                yield frame, shown.bgr(clip.width, clip.height)
                frame = next(wanted, None)


def pictured(
    frames: Iterable[Frame],
    clip: ClipRef,
    open_stream: OpenStream,
    kind: ImageKind,
    cover: Callable[[Frame, Image], Image] | None,
) -> Iterator[Frame]:
    """Frames with their images as they leave.

    Args:
        frames: labelled frames of the clip, in the order of time.
        clip: the clip, whose bytes are those that were labelled.
        open_stream: opens the clip's URI.
        kind: jpeg or png.
        cover: blurs what must not leave; None = the images as they were taken.

    Yields:
        The frames that are found; the others are missing.

    Raises:
        ClipError: nothing of the clip can be read.
        OSError: it cannot be opened.
    """
    for frame, picture in decoded(frames, clip, open_stream):
        shown = picture if cover is None else cover(frame, picture)
        yield frame.pictured(encode(shown, kind))


def encode(picture: Image, kind: ImageKind) -> bytes:
    """An image file.

    Args:
        picture: BGR, uint8[height, width, 3].
        kind: jpeg or png.
    """
    suffix, options = _ENCODERS[kind]
    return cv2.imencode(suffix, picture, options)[1].tobytes()
