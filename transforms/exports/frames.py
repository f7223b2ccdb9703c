"""What formats are given: clips, their frames in the order of time, and the boxes of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from models.taxonomy import CATEGORIES

CATEGORY_INDEX: Final[Mapping[str, int]] = {name: index for index, name in enumerate(CATEGORIES)}
"""Categories by their place in the taxonomy, from 0: the same in every export, whatever it holds."""


class ExportError(Exception):
    """The export cannot be made: what, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Box:
    """A label.

    Attributes:
        detection_id: its row in the data set.
        model_digest: sha256 of the network.
        category: one of the taxonomy.
        edges: x_min, y_min, x_max, y_max: continuous pixel edges of the frame as displayed, to a thousandth of a pixel.
        score: confidence, 0 to 1, to a millionth.
        label_source: detected, interpolated, propagated, extrapolated or human.
        object_id: what it shows, over the whole drive; None where no track holds it.
        object_number: number of the object, from 1 on, the same in all frames of an export; None where there is none.
    """

    detection_id: str
    model_digest: str
    category: str
    edges: tuple[float, float, float, float]
    score: float
    label_source: str
    object_id: str | None
    object_number: int | None

    @property
    def width(self) -> float:
        """In pixels, to a thousandth."""
        return round(self.edges[2] - self.edges[0], 3)

    @property
    def height(self) -> float:
        """In pixels, to a thousandth."""
        return round(self.edges[3] - self.edges[1], 3)


@dataclass(frozen=True, slots=True)
class Frame:
    """A labelled frame.

    Attributes:
        frame_id: its row in the data set.
        number: its place in the clip, from 0: the sample where frames are taken at a rate, else the frame.
        pts: the container's PTS.
        timestamp_ns: time since the clip's first shown frame.
        utc_ns: Unix time; None where it is not known.
        width: as displayed, in pixels.
        height: the same.
        boxes: its labels.
        picture: the encoded image; None where images are not exported.
    """

    frame_id: str
    number: int
    pts: int
    timestamp_ns: int
    utc_ns: int | None
    width: int
    height: int
    boxes: tuple[Box, ...]
    picture: bytes | None = None

    def pictured(self, picture: bytes) -> "Frame":
        """The same frame with its image."""
        return replace(self, picture=picture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip of the data set.

    Attributes:
        clip_id: letters, digits and hyphens only: files are called after it.
        drive_id: its drive.
        camera: its camera.
        uri: its file.
        content_sha256: digest of the file, hexadecimal.
        width: as displayed, in pixels.
        height: the same.
        fps_mean: shown frames a second.
        start_utc_ns: Unix time of the first frame; None where it is not known.
        rate: frames a second that `Frame.number` counts; None where frames are not taken at a rate.
        split: train, val, test, or none for a drive that is held out; None where no version of the splits was asked for.
    """

    clip_id: str
    drive_id: str
    camera: str
    uri: str
    content_sha256: str
    width: int
    height: int
    fps_mean: float
    start_utc_ns: int | None
    rate: float | None
    split: str | None = None


@dataclass(frozen=True, slots=True)
class ClipFrames:
    """A clip and its frames, which can be gone through once.

    Attributes:
        clip: the clip.
        frames: its labelled frames in the order of time; only those that are exported.
        telemetry: rows of the table of that name, some at a time; read when they are asked for.
    """

    clip: Clip
    frames: Iterable[Frame]
    telemetry: Iterable[pa.Table] = ()


def frame_name(frame: Frame) -> str:
    """What the file of a frame is called, without suffix: its time in ns, which sorts as text.

    >>> frame_name(Frame("f", 0, 0, 200_000_000, None, 640, 360, ()))
    '000000200000000'
    """
    return f"{frame.timestamp_ns:015d}"


@dataclass(slots=True)
class Span:
    """What is known of the frames of a clip once they have been gone through.

    Attributes:
        frames: how many.
        first: the first one.
        last: the last one.
    """

    frames: int = 0
    first: Frame | None = None
    last: Frame | None = None

    def add(self, frame: Frame) -> None:
        """Takes in the next frame; its boxes and image are not kept."""
        bare = replace(frame, boxes=(), picture=None)
        self.frames += 1
        self.first = self.first or bare
        self.last = bare

    @property
    def length(self) -> int:
        """Frame numbers from 0 to the last one."""
        return 0 if self.last is None else self.last.number + 1

    def rate(self, clip: Clip) -> float:
        """Frame numbers a second: the rate of the samples, else as measured, else the clip's own."""
        if clip.rate is not None:
            return clip.rate
        if self.first is None or self.last is None or self.last.timestamp_ns <= self.first.timestamp_ns:
            return clip.fps_mean
        numbers = self.last.number - self.first.number
        return round(numbers * 1e9 / (self.last.timestamp_ns - self.first.timestamp_ns), 6)
