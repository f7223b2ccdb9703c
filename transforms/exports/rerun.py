"""Rerun: a recording a drive, all its cameras on the same timelines, in files of a bounded size.

A file is put together in memory: on a full disk Rerun's own writer to a path raises nothing and never ends. The files of a drive
have one recording id, and opened together they are one recording.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from transforms.exports.drive_times import DriveTimes, TimedFrame
from transforms.exports.folder import Folder
from transforms.exports.frames import Clip, ClipFrames, ExportError, Frame, frame_name

if TYPE_CHECKING:
    from transforms.exports.rerun_recording import Recording

CONVENTIONS: Final = {
    "box": "camera/<name>/boxes: Boxes2D, centre and half size in pixels; 0 is the frame's own left or upper edge",
    "category": "class_ids from 0 in the order of the taxonomy, whichever occur; the AnnotationContext of / names them",
    "frame": "timelines capture_time (Unix time, where it is known), drive_time (since the drive's first clip) and frame (from 0)",
    "object": "object_number, the same over the whole drive, after # in the label, and object_id; null where no track holds the box",
    "telemetry": "telemetry/speed_mps, steering_wheel_angle_deg, accelerator_pedal_position and brake_applied, of one camera's clips",
    "score": "beside each box, as are label_source and detection_id; clip_id, frame_id and timestamp_ns beside each frame",
}

MOST_BYTES: Final = 128 << 20
"""Images and labels of one file, which is held in memory until it is written."""

_CHUNK_BYTES: Final = 4 << 20
"""Images and labels of a chunk, the least that a viewer fetches or lets go of."""

_ROW_BYTES: Final = 200
"""About what a frame takes beside its image, and what a box takes: their ids above all."""


def write(folder: Folder, clips: Iterable[ClipFrames], suffix: str) -> None:
    """Writes an export; holds the frames of one file.

    Args:
        folder: where.
        clips: clips and their frames, drive by drive.
        suffix: ending of the images' files.

    Raises:
        ExportError: Rerun is not installed, or switched off.
    """
    recording_of = _recording_class()
    for drive_id, items in groupby(clips, key=lambda item: item.clip.drive_id):
        files = _Files(recording_of, folder, drive_id, suffix)
        times = DriveTimes()
        told_by = None
        for item in items:
            times.begin(item.clip)
            # every camera has the same telemetry
            if told_by in {None, item.clip.camera}:
                for table in item.telemetry:
                    told_by = item.clip.camera
                    files.tell(item.clip, table, times.clip_ns)
            for frames, size in _chunks(times.of(frame) for frame in item.frames):
                files.add(item.clip, frames, size)
        files.end()


def picture_name(clip: Clip, frame: Frame, place: int, suffix: str) -> str:
    """Where a frame's image is: drive, camera, clip and time; `place` among the clip's exported frames is of no matter."""
    del place
    return f"{_folder(clip.drive_id)}/camera/{clip.camera}/image/{clip.clip_id}-{frame_name(frame)}{suffix}"


class _Files:
    """The files of a drive.

    Args:
        recording_of: makes a recording.
        folder: where.
        drive_id: the drive.
        suffix: ending of the images' files.
    """

    def __init__(self, recording_of: "type[Recording]", folder: Folder, drive_id: str, suffix: str) -> None:
        self._recording_of = recording_of
        self._folder = folder
        self._drive_id = drive_id
        self._suffix = suffix
        self._name = ""
        self._cameras: dict[str, None] = {}
        self._has_telemetry = False
        self._count = 0
        self._size = 0
        self._recording: Recording | None = None

    def add(self, clip: Clip, frames: Sequence[TimedFrame], size: int) -> None:
        """Adds some frames of a clip, at least one; a file that has grown large is written."""
        self._begun(clip).add(clip, frames)
        self._cameras[clip.camera] = None
        self._size += size
        if self._size >= MOST_BYTES:
            self.end()

    def tell(self, clip: Clip, telemetry: pa.Table, clip_ns: int) -> None:
        """Adds telemetry of a clip that began at this time of the drive."""
        self._begun(clip).tell(clip, telemetry, clip_ns)
        self._has_telemetry = True

    def _begun(self, clip: Clip) -> "Recording":
        """The file that is being made; a new one is called after the clip, if it is the drive's first."""
        if self._recording is None:
            self._name = self._name or _name(clip)
            self._recording = self._recording_of(self._drive_id, self._name, self._suffix)
        return self._recording

    def end(self) -> None:
        """Writes the file that is being made, if there is one."""
        if self._recording is not None:
            content = self._recording.finish(self._cameras, has_telemetry=self._has_telemetry)
            self._folder.write(f"{_folder(self._drive_id)}/{self._count:06d}.rrd", content)
            self._recording = None
            self._size = 0
            self._count += 1


def _chunks(frames: Iterable[TimedFrame]) -> Iterator[tuple[list[TimedFrame], int]]:
    """Frames some at a time, and about how many bytes they are."""
    held: list[TimedFrame] = []
    size = 0
    for item in frames:
        held.append(item)
        size += len(item.frame.picture or b"") + _ROW_BYTES * (1 + len(item.frame.boxes))
        if size >= _CHUNK_BYTES:
            yield held, size
            held, size = [], 0
    if held:
        yield held, size


def _name(clip: Clip) -> str:
    """What a drive is called after its first clip: when it began, where that is known."""
    if clip.start_utc_ns is None:
        return clip.drive_id
    return f"{np.datetime64(clip.start_utc_ns // 10**9, 's')}Z"


def _folder(drive_id: str) -> str:
    """The folder of a drive; ids are plain, but a data set may come from anybody."""
    return f"drive-{quote(drive_id, safe='')}"


def _recording_class() -> "type[Recording]":
    try:
        from transforms.exports.rerun_recording import Recording
    except ModuleNotFoundError as error:
        if error.name != "rerun":
            raise
        raise ExportError(
            "a rerun export needs rerun-sdk, which is not installed: pip install 'clipmill[rerun]'"
        ) from error
    return Recording
