"""One file of a Rerun recording, put together in memory; the only module that imports Rerun."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import rerun
from rerun import blueprint

from transforms.exports.drive_times import TimedFrame
from transforms.exports.frames import CATEGORY_INDEX, Box, Clip, ExportError

_APPLICATION: Final = "clipmill"
"""Recordings of one application share the arrangement of their views."""

_TOLD: Final = {
    "speed_mps": "vehicle_speed_mps",
    "steering_wheel_angle_deg": "steering_wheel_angle",
    "accelerator_pedal_position": "accelerator_pedal_position",
    "brake_applied": "brake_applied",
}
"""Entities and columns of telemetry."""

_MEDIA_TYPES: Final = {".jpg": "image/jpeg", ".png": "image/png"}


class Recording:
    """A file of a recording.

    Args:
        recording_id: files with the same one are one recording.
        name: what a viewer calls it.
        suffix: ending of the images' files.

    Raises:
        ExportError: Rerun is switched off.
    """

    def __init__(self, recording_id: str, name: str, suffix: str) -> None:
        # else what Rerun cannot take is a warning, and missing from the recording
        rerun.set_strict_mode(True)
        # its own properties tell when the file was made
        self._stream = rerun.RecordingStream(_APPLICATION, recording_id=recording_id, send_properties=False)
        if not rerun.is_enabled(self._stream):
            raise ExportError("the environment switches Rerun off: unset RERUN, then export again")
        self._bytes = rerun.binary_stream(self._stream)
        self._media_type = _MEDIA_TYPES[suffix]
        rerun.send_recording_name(name, self._stream)
        # what is not columns is written when a while has passed: now, or it may stand anywhere
        self._stream.flush()
        classes = rerun.AnnotationContext([(index, name) for name, index in CATEGORY_INDEX.items()])
        rerun.log("/", classes, static=True, recording=self._stream)
        self._stream.flush()

    def add(self, clip: Clip, frames: Sequence[TimedFrame]) -> None:
        """Adds some frames of a clip, at least one; all of them have images, or none has."""
        utc = [item.frame.utc_ns for item in frames if item.frame.utc_ns is not None]
        times = [
            *_times(utc if len(utc) == len(frames) else None, [item.time_ns for item in frames]),
            rerun.TimeColumn("frame", sequence=[item.number for item in frames]),
        ]
        path = ["camera", clip.camera]
        pictures = [item.frame.picture for item in frames if item.frame.picture is not None]
        if pictures:
            images = rerun.EncodedImage.columns(blob=pictures, media_type=[self._media_type] * len(pictures))
            self._send(_entity(*path, "image"), times, images)
        columns = [*_box_columns(frames), *_frame_columns(clip, frames)]
        self._send(_entity(*path, "boxes"), times, columns)

    def tell(self, clip: Clip, telemetry: pa.Table, clip_ns: int) -> None:
        """Adds telemetry of a clip.

        Args:
            clip: the clip.
            telemetry: its rows.
            clip_ns: when it began, since the drive's first clip did.
        """
        since_ns = telemetry["timestamp_ns"].to_numpy()
        utc_ns = None if clip.start_utc_ns is None else clip.start_utc_ns + since_ns
        times = _times(utc_ns, clip_ns + since_ns)
        for name, column in _TOLD.items():
            values = telemetry[column].cast(pa.float64()).to_numpy()
            self._send(f"telemetry/{name}", times, rerun.Scalars.columns(scalars=values))

    def finish(self, cameras: Iterable[str], *, has_telemetry: bool) -> bytes:
        """The file, whole; nothing can be added any more.

        Args:
            cameras: those that are shown, side by side.
            has_telemetry: whether telemetry is shown below them.
        """
        views: blueprint.Container = blueprint.Grid(
            *(blueprint.Spatial2DView(origin=_entity("camera", camera), name=camera) for camera in cameras)
        )
        if has_telemetry:
            curves = (blueprint.TimeSeriesView(origin=f"telemetry/{name}", name=name) for name in _TOLD)
            views = blueprint.Vertical(views, blueprint.Horizontal(*curves), row_shares=[3, 1])
        # by time it plays as fast as it was driven; unless told, the viewer goes by frames
        arranged = blueprint.Blueprint(views, blueprint.TimePanel(timeline="drive_time"))
        rerun.send_blueprint(arranged, recording=self._stream)
        content = self._bytes.read()
        assert content is not None
        return content

    def _send(
        self, entity: str, times: Iterable[rerun.TimeColumn], columns: Iterable[rerun.ComponentColumn]
    ) -> None:
        rerun.send_columns(entity, times, columns, recording=self._stream)


class _Values:
    """Values of a component of our own, of a type that does not hang on what they happen to be.

    Args:
        values: the values, one after another.
        kind: their type.
    """

    def __init__(self, values: Iterable[object], kind: pa.DataType) -> None:
        self._values = pa.array(list(values), kind)

    def as_arrow_array(self) -> "pa.Array[Any]":
        """The values, as Rerun asks for them."""
        return self._values


def _entity(*parts: str) -> str:
    return rerun.new_entity_path(list(parts))


def _times(utc_ns: npt.ArrayLike | None, drive_ns: npt.ArrayLike) -> list[rerun.TimeColumn]:
    """Times of rows, int64[N] in ns: Unix time, where it is known, and since the drive's first clip began."""
    utc = np.asarray([] if utc_ns is None else utc_ns, np.int64).astype("datetime64[ns]")
    since = np.asarray(drive_ns, np.int64).astype("timedelta64[ns]")
    known = [] if utc_ns is None else [rerun.TimeColumn("capture_time", timestamp=utc)]
    return [*known, rerun.TimeColumn("drive_time", duration=since)]


def _box_columns(frames: Sequence[TimedFrame]) -> list[rerun.ComponentColumn]:
    """A row a frame, with as many values as it has boxes: none clears those of the frame before."""
    boxes = [box for item in frames for box in item.frame.boxes]
    counts = [len(item.frame.boxes) for item in frames]
    edges = np.array([box.edges for box in boxes], np.float64).reshape(-1, 4)
    drawn = rerun.Boxes2D.columns(
        centers=(edges[:, :2] + edges[:, 2:]) / 2,
        half_sizes=(edges[:, 2:] - edges[:, :2]) / 2,
        class_ids=[CATEGORY_INDEX[box.category] for box in boxes],
        labels=[_label(box) for box in boxes],
    )
    told = {
        "score": _Values((box.score for box in boxes), pa.float64()),
        "label_source": _Values((box.label_source for box in boxes), pa.string()),
        "object_number": _Values((box.object_number for box in boxes), pa.int64()),
        "object_id": _Values((box.object_id for box in boxes), pa.string()),
        "detection_id": _Values((box.detection_id for box in boxes), pa.string()),
    }
    own = (rerun.ComponentColumn(name, values, lengths=counts) for name, values in told.items())
    return [*drawn.partition(counts), *own]


def _frame_columns(clip: Clip, frames: Sequence[TimedFrame]) -> list[rerun.ComponentColumn]:
    told = {
        "clip_id": _Values((clip.clip_id for _ in frames), pa.string()),
        "frame_id": _Values((item.frame.frame_id for item in frames), pa.string()),
        "timestamp_ns": _Values((item.frame.timestamp_ns for item in frames), pa.int64()),
    }
    return [rerun.ComponentColumn(name, values) for name, values in told.items()]


def _label(box: Box) -> str:
    number = "" if box.object_number is None else f" #{box.object_number}"
    return f"{box.category}{number} {box.score:.2f}"
