"""What a data set holds, as far as a training's cost depends on it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from math import fsum
from typing import Any, Final, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc

from transforms.budget.errors import BudgetUsageError

_NS_PER_HOUR: Final = 3_600_000_000_000

CLIP_COLUMNS: Final = (
    "camera",
    "width",
    "height",
    "duration_ns",
    "frame_count",
    "bytes",
    "duplicate_of",
)
"""Columns of `clips` that figures are read from."""

FRAME_COLUMNS: Final = ("sample_index", "is_damaged")
"""Columns of `frames` that tell labelled frames from others."""

COUNTED_TABLES: Final = ("clips", "frames", "detections", "tracks")
"""Tables whose files are read for figures."""


Origin = Literal["measured", "scaled", "supposed"]
"""How the figures of a data set came to be."""


@dataclass(frozen=True, slots=True)
class CameraFigures:
    """The clips of one camera at one resolution.

    Attributes:
        camera: the camera's name.
        width: displayed width in pixels.
        height: displayed height in pixels.
        fps_mean: shown frames a second.
        hours: length of its clips together.
    """

    camera: str
    width: int
    height: int
    fps_mean: float
    hours: float


@dataclass(frozen=True, slots=True)
class DatasetFigures:
    """The figures of a data set, duplicates left out.

    Attributes:
        camera_hours: length of all clips together.
        clips: number of clips.
        frames: labelled frames.
        cameras: by camera and resolution, sorted.
        detections: rows of `detections`.
        tracks: rows of `tracks`.
        bytes: size of the clips.
        origin: measured in a data set, scaled from one, or supposed.
    """

    camera_hours: float
    clips: int
    frames: int
    cameras: tuple[CameraFigures, ...]
    detections: int = 0
    tracks: int = 0
    bytes: int = 0
    origin: Origin = "measured"

    @classmethod
    def of_hours(
        cls,
        hours: float,
        *,
        camera: str = "camera",
        width: int = 1280,
        height: int = 960,
        fps_mean: float = 36.0,
    ) -> Self:
        """Figures of footage that does not exist yet: one camera, nothing labelled.

        Args:
            hours: camera-hours.
            camera: its name.
            width: pixels; the default is the front camera's of TeslaCam clips.
            height: pixels.
            fps_mean: frames a second.
        """
        return cls(hours, 0, 0, (CameraFigures(camera, width, height, fps_mean, hours),), origin="supposed")

    @property
    def source(self) -> str:
        """Where the figures come from, in words."""
        if self.origin == "supposed":
            camera = self.cameras[0]
            return f"a supposed camera of {camera.width} x {camera.height} at {camera.fps_mean:g} Hz"
        return "the data set's cameras" + (", scaled to the fleet" if self.origin == "scaled" else "")

    def times(self, factor: float) -> Self:
        """The figures of so many times as much of the same.

        Args:
            factor: of hours, labelled frames, detections, tracks and bytes.
        """
        cameras = tuple(replace(camera, hours=camera.hours * factor) for camera in self.cameras)
        counts = {name: getattr(self, name) for name in ("clips", "frames", "detections", "tracks", "bytes")}
        # what there is some of, there is some of, however small the factor: 0 frames would mean "not labelled"
        scaled = {name: max(round(count * factor), min(count, 1)) for name, count in counts.items()}
        origin: Origin = "scaled" if self.origin == "measured" else self.origin
        return replace(
            self, camera_hours=self.camera_hours * factor, cameras=cameras, origin=origin, **scaled
        )

    def as_json(self) -> dict[str, object]:
        """The form that `budget --json` and the table's metadata carry."""
        return {**asdict(self), "cameras": [asdict(camera) for camera in self.cameras]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `as_json`."""
        cameras = tuple(CameraFigures(**camera) for camera in data["cameras"])
        return cls(**{**data, "cameras": cameras})


@dataclass(frozen=True, slots=True)
class Tally:
    """Whole-number counts that add up to figures, in any order and grouping.

    Attributes:
        clips: number of clips.
        frames: labelled frames.
        detections: rows of `detections`.
        tracks: rows of `tracks`.
        bytes: size of the clips.
        cameras: (camera, width, height, duration_ns, shown frames), sorted, each camera and size once.
    """

    clips: int = 0
    frames: int = 0
    detections: int = 0
    tracks: int = 0
    bytes: int = 0
    cameras: tuple[tuple[str, int, int, int, int], ...] = ()

    def figures(self) -> DatasetFigures:
        """Turns counts into hours and rates."""
        cameras = tuple(
            CameraFigures(
                camera,
                width,
                height,
                fps_mean=shown * 1e9 / duration_ns if duration_ns else 0.0,
                hours=duration_ns / _NS_PER_HOUR,
            )
            for camera, width, height, duration_ns, shown in self.cameras
        )
        return DatasetFigures(
            camera_hours=fsum(camera.hours for camera in cameras),
            clips=self.clips,
            frames=self.frames,
            cameras=cameras,
            detections=self.detections,
            tracks=self.tracks,
            bytes=self.bytes,
        )


def total(tallies: Iterable[Tally]) -> Tally:
    """Adds tallies.

    >>> total([Tally(clips=1), Tally(clips=2, frames=5)])
    Tally(clips=3, frames=5, detections=0, tracks=0, bytes=0, cameras=())
    """
    clips = frames = detections = tracks = size = 0
    cameras: dict[tuple[str, int, int], tuple[int, int]] = {}
    for tally in tallies:
        clips += tally.clips
        frames += tally.frames
        detections += tally.detections
        tracks += tally.tracks
        size += tally.bytes
        for camera, width, height, duration_ns, shown in tally.cameras:
            seen = cameras.get((camera, width, height), (0, 0))
            cameras[camera, width, height] = (seen[0] + duration_ns, seen[1] + shown)
    rows = tuple((*key, *counts) for key, counts in sorted(cameras.items()))
    return Tally(clips, frames, detections, tracks, size, rows)


def tally_clips(clips: pa.Table) -> Tally:
    """Counts the clips of a `clips` table, without duplicates.

    Args:
        clips: at least `CLIP_COLUMNS`.
    """
    _require(clips, CLIP_COLUMNS, "clips")
    kept = clips.filter(pc.is_null(clips["duplicate_of"]))
    columns = [kept[name].to_pylist() for name in ("camera", "width", "height", "duration_ns", "frame_count")]
    each = (Tally(clips=1, cameras=(row,)) for row in zip(*columns, strict=True))
    return total([*each, Tally(bytes=pc.sum(kept["bytes"]).as_py() or 0)])


def tally_frames(frames: pa.Table) -> Tally:
    """Counts the labelled frames of a `frames` table: those with a sample index and without damage.

    Args:
        frames: at least `FRAME_COLUMNS`.
    """
    _require(frames, FRAME_COLUMNS, "frames")
    labelled = pc.and_(pc.is_valid(frames["sample_index"]), pc.invert(frames["is_damaged"]))
    return Tally(frames=pc.sum(labelled).as_py() or 0)


def _require(table: pa.Table, columns: Iterable[str], name: str) -> None:
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise BudgetUsageError(
            f"table {name} lacks {', '.join(missing)}: label the clips again with this version"
        )
