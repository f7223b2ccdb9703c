"""Single pictures of a clip, for what a browser cannot play or must not see as it is."""

from collections.abc import Callable
from typing import BinaryIO, Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.clips.decoding import ClipDecoder, SampledFrame
from transforms.clips.refs import ClipRef
from transforms.clips.sampling import Sampling
from transforms.viewing.covering import StillCover

__all__ = ["covered_still", "still"]

Image = npt.NDArray[np.uint8]

_LONG_SIDE_PX: Final = 1280
_QUALITY: Final = 85
_AROUND_NS: Final = 1_000_000_000
"""The frame that is shown at a time is looked for this long before it, and then from the clip's begin."""


def still(clip: ClipRef, at_ns: int, open_stream: Callable[[str], BinaryIO]) -> tuple[int, bytes] | None:
    """The frame that is on the screen at a time of the clip.

    Args:
        clip: the clip.
        at_ns: time since its first shown frame.
        open_stream: opens its URI.

    Returns:
        The frame's time in ns and a JPEG of at most 1280 pixels on its long side; None where nothing comes out.

    Raises:
        ClipError: nothing of the clip can be read.
        OSError: it cannot be opened.
    """
    for start in sorted({max(0, at_ns - _AROUND_NS), 0}, reverse=True):
        found: tuple[int, bytes] | None = None
        with open_stream(clip.uri) as stream, ClipDecoder(stream, clip) as decoder:
            shown: SampledFrame | None = None
            for frame in decoder.frames(Sampling.parse("all"), start):
                if shown is not None and frame.timestamp_ns > at_ns:
                    break
                shown = frame
            if shown is not None:
                found = shown.timestamp_ns, _encoded(shown.bgr(*_size(clip)))
        if found is not None and (found[0] <= at_ns or not start):
            return found
    return None


def covered_still(
    clip: ClipRef, cover: StillCover, open_stream: Callable[[str], BinaryIO]
) -> tuple[int, bytes] | None:
    """A labelled frame, with what must not be seen blurred at full resolution, before it is scaled and encoded.

    Args:
        clip: the clip.
        cover: tells which frame, and blurs it.
        open_stream: opens its URI.

    Returns:
        As `still` does; None where the labelled frame does not come out.

    Raises:
        ClipError: nothing of the clip can be read.
        ModelError: a network that looks for faces or plates cannot be had.
        OSError: it cannot be opened.
    """
    for start in dict.fromkeys((cover.time_ns, 0)):
        with open_stream(clip.uri) as stream, ClipDecoder(stream, clip) as decoder:
            for frame in decoder.frames(Sampling.parse("all"), start, cover.time_ns + 1):
                # labelled frames advance the clip's time, so the first of equal times is the one that was seen
                if frame.timestamp_ns == cover.time_ns:
                    if frame.is_damaged:
                        break
                    shown = cover(frame.bgr(clip.width, clip.height))
                    scaled = cv2.resize(shown, _size(clip), interpolation=cv2.INTER_AREA)
                    return cover.time_ns, _encoded(np.asarray(scaled, np.uint8))
    return None


def _size(clip: ClipRef) -> tuple[int, int]:
    """Width and height of a clip's stills in pixels."""
    shrink = min(1.0, _LONG_SIDE_PX / max(clip.width, clip.height))
    return max(1, round(clip.width * shrink)), max(1, round(clip.height * shrink))


def _encoded(picture: Image) -> bytes:
    """The JPEG of a picture, uint8[height, width, 3] BGR."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
