"""Drives as the viewer lays them out: every clip of every camera on one axis of time."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final, Literal

from transforms.clips.clock import parse_minute
from transforms.clips.sources.teslacam import name_clip
from transforms.viewing.viewed_set import ViewedClip, ViewedSet

__all__ = ["MOST_DRIVES", "Plays", "base_name", "drive", "drives", "named_ns", "placed", "plays"]

Plays = Literal["video", "frames", "no"]
"""How a clip can be shown: by the browser itself, as single pictures that the server decodes, not at all."""

MOST_DRIVES: Final = 2000
"""Drives that are listed; any other opens by its address."""

_BROWSERS: Final = {"h264": (".mp4", ".m4v", ".mov"), "vp9": (".mp4",), "av1": (".mp4",)}
"""Codecs that every current browser plays, in the files that it plays them from."""

_CAMERAS: Final = ("front", "left_pillar", "right_pillar", "left_repeater", "right_repeater", "back")


def base_name(uri: str) -> str:
    """The last part of a path or URL."""
    return uri.rstrip("/").rsplit("/", 1)[-1]


def plays(clip: ViewedClip, *, as_frames: bool = False) -> Plays:
    """How a clip can be shown.

    Args:
        clip: the clip.
        as_frames: nothing is handed out as a video.
    """
    if "://" in clip.uri:
        return "no"
    if as_frames:
        return "frames"
    endings = _BROWSERS.get(clip.codec, ())
    return "video" if clip.uri.lower().endswith(endings) and endings else "frames"


def named_ns(uri: str) -> int | None:
    """The time in a clip's file name, its digits read as UTC, in ns; None where it has none.

    >>> named_ns("/a/2024-05-01_10-20-30-front.mp4")
    1714558830000000000
    """
    name = name_clip(uri, uri)
    return None if name is None or name.minute is None else stamp_ns(name.minute)


def stamp_ns(stamp: str) -> int | None:
    """The digits of a car-local time (`YYYY-MM-DD_HH-MM-SS`, seconds optional) read as UTC, in ns."""
    local, _ = parse_minute(stamp)
    return None if local is None else round(local.replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def placed(clips: Sequence[ViewedClip]) -> tuple[int | None, dict[str, int]]:
    """Where the clips of a drive begin.

    All by one clock: UTC where every clip has it, else the times in the files' names, else nothing is known and each
    begins at 0.

    Args:
        clips: of one drive, at least one.

    Returns:
        The Unix time of the drive's begin in ns (None: not known), and each clip's begin after it in ns.
    """
    for clock in ("utc", "names"):
        begins = {clip.clip_id: clip.start_utc_ns if clock == "utc" else named_ns(clip.uri) for clip in clips}
        known = {clip_id: begin for clip_id, begin in begins.items() if begin is not None}
        if len(known) == len(clips):
            zero = min(known.values())
            return zero if clock == "utc" else None, {
                clip_id: begin - zero for clip_id, begin in known.items()
            }
    return None, {clip.clip_id: 0 for clip in clips}


def drives(viewed: ViewedSet) -> dict[str, Any]:
    """The list of drives, the newest first.

    Returns:
        `drives` with `drive_id, start_utc_ms, duration_ns, cameras, clips, name`; `left_off`: how many are not listed.
    """
    by_drive: dict[str, list[ViewedClip]] = defaultdict(list)
    for clip in viewed.clips.values():
        by_drive[clip.drive_id].append(clip)
    listed = sorted(by_drive.items(), key=lambda item: (-_begin(item[1]), item[0]))
    return {
        "drives": [
            {
                "drive_id": drive_id,
                "start_utc_ms": _milliseconds(placed(clips)[0]),
                "duration_ns": _duration(clips),
                "cameras": sorted({clip.camera for clip in clips}, key=_camera_order),
                "clips": len(clips),
                "name": base_name(_first(clips).uri),
            }
            for drive_id, clips in listed[:MOST_DRIVES]
        ],
        "left_off": max(0, len(listed) - MOST_DRIVES),
    }


def drive(viewed: ViewedSet, drive_id: str, *, as_frames: bool = False) -> dict[str, Any] | None:
    """One drive with its clips.

    Args:
        viewed: the data set.
        drive_id: the drive.
        as_frames: nothing is handed out as a video.

    Returns:
        `drive_id, start_utc_ms, duration_ns, cameras, clips`; a clip has its place on the drive's axis of time
        (`start_ns`) and how it `plays`. None where there is no such drive.
    """
    clips = [clip for clip in viewed.clips.values() if clip.drive_id == drive_id]
    if not clips:
        return None
    zero, begins = placed(clips)
    return {
        "drive_id": drive_id,
        "start_utc_ms": _milliseconds(zero),
        "duration_ns": _duration(clips),
        "cameras": sorted({clip.camera for clip in clips}, key=_camera_order),
        "clips": [
            {
                "clip_id": clip.clip_id,
                "camera": clip.camera,
                "name": base_name(clip.uri),
                "start_ns": begins[clip.clip_id],
                "duration_ns": clip.duration_ns,
                "width": clip.width,
                "height": clip.height,
                "fps": clip.fps_mean,
                "codec": clip.codec,
                "plays": plays(clip, as_frames=as_frames),
            }
            for clip in sorted(clips, key=lambda clip: (begins[clip.clip_id], clip.clip_id))
        ],
    }


def _first(clips: Sequence[ViewedClip]) -> ViewedClip:
    """The clip that begins first; of several the first by its place."""
    begins = placed(clips)[1]
    return min(clips, key=lambda clip: (begins[clip.clip_id], clip.uri))


def _begin(clips: Sequence[ViewedClip]) -> int:
    return min(clip.start_utc_ns or named_ns(clip.uri) or 0 for clip in clips)


def _duration(clips: Sequence[ViewedClip]) -> int:
    begins = placed(clips)[1]
    return max(begins[clip.clip_id] + clip.duration_ns for clip in clips)


def _milliseconds(time_ns: int | None) -> int | None:
    """As the browser's dates count; its numbers are not exact at Unix times in ns."""
    return None if time_ns is None else time_ns // 1_000_000


def _camera_order(camera: str) -> tuple[int, str]:
    return (_CAMERAS.index(camera) if camera in _CAMERAS else len(_CAMERAS), camera)
