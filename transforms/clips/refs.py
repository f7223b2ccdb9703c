"""References to clips: small, immutable, and all that travels between stages."""

from dataclasses import dataclass
from typing import Literal

from transforms.clips.travelling import travels

ClockSource = Literal["mvhd", "file_name", "none"]


@travels
@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file that was found under an input and may hold a clip.

    Attributes:
        uri: absolute path or URL.
        root: the input (file or folder) under which it was found, absolute path or URL.
        bytes: size of the file.
        version: what changes when the file is written again (its time of change, a store's own stamp); "" where
            nothing tells, or the file is so new that it may still be written.
    """

    uri: str
    root: str
    bytes: int
    version: str = ""


@travels
@dataclass(frozen=True, slots=True, kw_only=True)
class ClipName:
    """What a clip's place and name say, before a byte of it is read.

    Attributes:
        source: the module of `transforms.clips.sources` that knows this layout.
        vehicle: name of the car's folder relative to the input, `/`-separated; "" for generic clips.
        camera: front, back, left_repeater, ...; "unknown" where the name does not say.
        folder_kind: RecentClips, SavedClips, SentryClips, EncryptedClips or "".
        car: the car's folder, absolute; "" for generic clips.
        event_folder: URI of the event folder the clip lies in, or None.
        minute: the name's own time stamp (`YYYY-MM-DD_HH-MM-SS`, car-local, no zone), or None.
    """

    source: str
    vehicle: str
    camera: str
    folder_kind: str = ""
    car: str = ""
    event_folder: str | None = None
    minute: str | None = None


@travels
@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRef:
    """A clip that can be read, and all that probing knows of it (one pass, no decoding).

    Attributes:
        clip_id: uuid5 of the content.
        uri: absolute path or URL.
        name: what place and name say.
        content_sha256: hex digest of the file.
        bytes: size of the file.
        codec: FFmpeg's name of the codec.
        width: displayed width in pixels (rotation applied).
        height: displayed height in pixels.
        rotation_deg: clockwise turn that brings a decoded picture upright: 0, 90, 180 or 270.
        time_base: numerator and denominator of the seconds one PTS tick lasts.
        first_pts: PTS of the first shown frame (raw streams without PTS: 0).
        frame_count: shown frames, edit lists applied.
        duration_ns: from the first shown frame to the end of the last.
        fps_mean: shown frames a second.
        frame_jitter_ns: greatest deviation of a frame distance from the median one.
        start_utc_ns: Unix time of the first shown frame, or None.
        clock_source: where `start_utc_ns` comes from.
        clock_uncertainty_ns: half-width of its uncertainty, or None.
        clock_offset_ns: mvhd minus file name, rounded to 15 minutes, or None where either is missing.
        telemetry_rows: frames that carry telemetry.
    """

    clip_id: str
    uri: str
    name: ClipName
    content_sha256: str
    bytes: int
    codec: str
    width: int
    height: int
    rotation_deg: int
    time_base: tuple[int, int]
    first_pts: int
    frame_count: int
    duration_ns: int
    fps_mean: float
    frame_jitter_ns: int
    start_utc_ns: int | None
    clock_source: ClockSource
    clock_uncertainty_ns: int | None
    clock_offset_ns: int | None
    telemetry_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A thing that failed: one row of `failures`.

    Attributes:
        uri: the file or folder.
        clip_id: the clip, "" where it could not even be probed.
        stage: discover, probe, decode, label or write.
        error: a `ClipFault`.
        message: what and where and what to do, in one line.
        retryable: whether the next run should try again.
    """

    uri: str
    clip_id: str
    stage: Literal["discover", "probe", "decode", "label", "write"]
    error: str
    message: str
    retryable: bool
