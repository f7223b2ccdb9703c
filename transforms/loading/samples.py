"""What training code is given, and what it may ask for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.taxonomy import CATEGORIES

__all__ = [
    "CATEGORIES",
    "DEFAULT_BUFFER",
    "FrameLabels",
    "FrameSample",
    "LoadingError",
    "Selection",
    "WindowSample",
]

DEFAULT_BUFFER: Final = 64
"""Frames that are held to be mixed: 100 MB of 960 x 540."""


class LoadingError(Exception):
    """Samples cannot be read: what, where and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameLabels:
    """The labels of a frame.

    Attributes:
        frame_id: its row in `frames`.
        clip_id: its clip.
        drive_id: the clip's drive.
        camera: the clip's camera.
        timestamp_ns: time since the clip's first shown frame.
        boxes: x_min, y_min, x_max, y_max: continuous pixel edges of the picture that is given, float32[N, 4].
        categories: places in `CATEGORIES`, from 0, int32[N].
        scores: confidence, 0 to 1, float32[N].
        track_ids: the track of each box, "" where none holds it; equal in the frames of a minute.
        detection_ids: the row of each box in `detections`.
    """

    frame_id: str
    clip_id: str
    drive_id: str
    camera: str
    timestamp_ns: int
    boxes: NDArray[np.float32]
    categories: NDArray[np.int32]
    scores: NDArray[np.float32]
    track_ids: tuple[str, ...]
    detection_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FrameSample:
    """A frame.

    Attributes:
        image: the upright picture, RGB, uint8[height, width, 3].
        labels: its labels.
    """

    image: NDArray[np.uint8]
    labels: FrameLabels


@dataclass(frozen=True, slots=True, eq=False)
class WindowSample:
    """Labelled frames of one clip that follow each other.

    Attributes:
        images: the upright pictures in the order of time, RGB, uint8[T, height, width, 3].
        labels: the labels of each.
    """

    images: NDArray[np.uint8]
    labels: tuple[FrameLabels, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is asked for.

    Attributes:
        split: train, val or test of the table `splits`; None: all drives.
        version: version of the split; None: the only one there is.
        categories: categories whose boxes are given; empty = all. Frames without any of them are given too.
        cameras: cameras that are given; empty = all.
        min_score: boxes below it are left out, and so are those with score 0 (set aside as no object).
        model: name, or begin of the sha256, of the network whose labels are given; None: the only one there is.
        size: width and height of the pictures in pixels; None: as displayed.
        seed: shuffles; None: drive by drive in the order of time.
        buffer: frames that are held to be mixed; of windows as many as have so many frames.
        skip_unreadable: leave out clips that are gone, changed or damaged, with a warning; else they end the epoch.
    """

    split: str | None = None
    version: str | None = None
    categories: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    min_score: float = 0.3
    model: str | None = None
    size: tuple[int, int] | None = None
    seed: int | None = None
    buffer: int = DEFAULT_BUFFER
    skip_unreadable: bool = False

    def __post_init__(self) -> None:
        for name in self.categories:
            if name not in CATEGORIES:
                raise ValueError(f"category {name!r}: there is {', '.join(CATEGORIES)}")
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score {self.min_score}: must lie between 0 and 1")
        if self.size is not None and not all(0 < side <= _LONGEST_SIDE for side in self.size):
            raise ValueError(f"size {self.size}: width and height lie between 1 and {_LONGEST_SIDE} pixels")
        if self.buffer < 0:
            raise ValueError(f"buffer {self.buffer}: must be 0 or more")

    def as_json(self) -> Mapping[str, Any]:
        """What shapes the samples, for a digest."""
        return asdict(self)


_LONGEST_SIDE: Final = 16384
