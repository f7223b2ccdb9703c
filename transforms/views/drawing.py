"""Labels drawn on frames."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.clips.decoding import ClipDecoder
from transforms.clips.refs import ClipRef
from transforms.clips.sampling import Sampling

Image = npt.NDArray[np.uint8]

_LINE_PX_PER_WIDTH: Final = 1 / 480


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box and its caption.

    Attributes:
        edges: x_min, y_min, x_max, y_max in pixels of the frame as displayed.
        caption: the text above it.
        key: boxes with equal keys get equal colours: the track, or the category.
    """

    edges: tuple[float, float, float, float]
    caption: str
    key: str


def draw(image: Image, boxes: list[DrawnBox]) -> Image:
    """Draws boxes on a copy of a frame.

    Args:
        image: BGR, uint8[height, width, 3].
        boxes: the boxes.

    Returns:
        BGR, uint8[height, width, 3].
    """
    drawn = image.copy()
    thickness = max(1, round(image.shape[1] * _LINE_PX_PER_WIDTH))
    scale = 0.28 * max(1.0, image.shape[1] / 640)
    for box in boxes:
        left, top, right, bottom = (round(edge) for edge in box.edges)
        colour = colour_of(box.key)
        cv2.rectangle(drawn, (left, top), (right, bottom), colour, thickness)
        (width, height), base = cv2.getTextSize(box.caption, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        foot = max(top, height + base)
        cv2.rectangle(drawn, (left, foot - height - base), (left + width, foot), colour, cv2.FILLED)
        cv2.putText(
            drawn,
            box.caption,
            (left, foot - base),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            (0, 0, 0),
            1,
            cv2.LINE_AA,
        )
    return drawn


def colour_of(key: str) -> tuple[int, int, int]:
    """A bright colour that belongs to a key.

    >>> colour_of("car") == colour_of("car")
    True
    """
    hue = sum(ord(char) * (at + 1) * 37 for at, char in enumerate(key)) % 180
    pixel = cv2.cvtColor(np.array([[[hue, 190, 255]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0]
    return int(pixel[0]), int(pixel[1]), int(pixel[2])


def frames_at(
    clip: ClipRef, wanted: set[int], open_stream: Callable[[str], BinaryIO]
) -> Iterator[tuple[int, Image]]:
    """Decodes frames by PTS.

    Args:
        clip: the clip.
        wanted: PTS of the frames.
        open_stream: opens the clip's URI.

    Yields:
        (pts, BGR uint8[height, width, 3] as displayed), in the decoder's order.
    """
    with open_stream(clip.uri) as stream, ClipDecoder(stream, clip) as decoder:
        for frame in decoder.frames(Sampling.parse("all"), 0, clip.duration_ns + 1):
            if frame.pts in wanted:
                yield frame.pts, frame.bgr(clip.width, clip.height)


def write_png(path: Path, image: Image) -> None:
    """Writes a picture.

    Args:
        path: the file; its folder is made.
        image: BGR, uint8[height, width, 3].

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
