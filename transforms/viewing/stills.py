"""Single pictures of a clip, for what a browser cannot play."""

from collections.abc import Callable
from typing import BinaryIO, Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.clips.decoding import ClipDecoder, SampledFrame
from transforms.clips.refs import ClipRef
from transforms.clips.sampling import Sampling

__all__ = ["still"]

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
                shrink = min(1.0, _LONG_SIDE_PX / max(clip.width, clip.height))
                size = max(1, round(clip.width * shrink)), max(1, round(clip.height * shrink))
                found = shown.timestamp_ns, _encoded(shown.bgr(*size))
        if found is not None and (found[0] <= at_ns or not start):
            return found
    return None


def _encoded(picture: npt.NDArray[np.uint8]) -> bytes:
    """The JPEG of a picture, uint8[height, width, 3] BGR: every picture that the viewer's server makes passes here."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
