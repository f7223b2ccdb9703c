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

JPEG_QUALITY: Final = 95
"""What training sets are commonly kept at; PNG loses nothing and takes some five times the room."""

_ENCODERS: Final[Mapping[ImageKind, tuple[str, list[int]]]] = {
    "jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]),
    "png": (".png", []),
}


def pictured(
    frames: Iterable[Frame], clip: ClipRef, open_stream: OpenStream, kind: ImageKind
) -> Iterator[Frame]:
    """Frames with their images, found by PTS in one pass over the clip.

    Args:
        frames: labelled frames of the clip, in the order of time.
        clip: the clip, whose bytes are those that were labelled.
        open_stream: opens the clip's URI.
        kind: jpeg or png.

    Yields:
        The frames that are found; the others are missing.

    Raises:
        ClipError: nothing of the clip can be read.
        OSError: it cannot be opened.
    """
    wanted = iter(frames)
    frame = next(wanted, None)
    with open_stream(clip.uri) as stream, ClipDecoder(stream, clip) as decoder:
        for decoded in decoder.frames(Sampling.parse("all")):
            # labelled frames advance the clip's time, so the first of equal PTS is the one that was seen
            while frame is not None and frame.timestamp_ns < decoded.timestamp_ns:
                frame = next(wanted, None)
            if frame is None:
                return
            if decoded.pts == frame.pts and not decoded.is_damaged:
                yield frame.pictured(encode(decoded.bgr(clip.width, clip.height), kind))
                frame = next(wanted, None)


def encode(picture: npt.NDArray[np.uint8], kind: ImageKind) -> bytes:
    """An image file.

    Args:
        picture: BGR, uint8[height, width, 3].
        kind: jpeg or png.
    """
    suffix, options = _ENCODERS[kind]
    return cv2.imencode(suffix, picture, options)[1].tobytes()
