"""Tesla's dashcam folders.

    <car>/TeslaCam/RecentClips/[YYYY-MM-DD/]<stamp>-<camera>.mp4
    <car>/TeslaCam/{SavedClips,SentryClips}/<stamp>/<stamp>-<camera>.mp4      + event.json, thumb.png, event.mp4
    <car>/TeslaCam/EncryptedClips/{RecentClips,SavedClips,SentryClips}/...    the same below

The stamp is the car's local time, without zone; old firmware leaves out its seconds.
"""

import re
from typing import Final

from transforms.clips.clock import parse_minute
from transforms.clips.refs import ClipName

__all__ = ["CAMERAS", "is_derived", "name_clip"]

CAMERAS: Final = ("front", "back", "left_repeater", "right_repeater", "left_pillar", "right_pillar")
"""The cameras of the newest hardware; older cars have the first four."""

_ALIASES: Final = {"rear_view": "back", "left_bpillar": "left_pillar", "right_bpillar": "right_pillar"}
_STAMP: Final = r"\d{4}-\d\d-\d\d_\d\d-\d\d(?:-\d\d)?"
_CLIP: Final = re.compile(rf"({_STAMP})-([a-z_]+)\.mp4", re.IGNORECASE | re.ASCII)
_EVENT_FOLDER: Final = re.compile(_STAMP, re.ASCII)
_TESLACAM: Final = "teslacam"
_KINDS: Final = {
    kind.lower(): kind for kind in ("RecentClips", "SavedClips", "SentryClips", "EncryptedClips")
}
_WITHOUT_EVENTS: Final = "recentclips"
_PREVIEW: Final = "event.mp4"


def name_clip(uri: str, root: str) -> ClipName | None:
    """Names a clip by its file name, and its car and event by the folders around it.

    Args:
        uri: absolute path or URL of the file.
        root: the input under which it was found.

    Returns:
        The name; None for files that are not called like a camera's minute.

    >>> name = name_clip("/fleet/car7/TeslaCam/RecentClips/2024-05-01_10-20-30-rear_view.mp4", "/fleet")
    >>> name.vehicle, name.camera, name.folder_kind, name.minute
    ('fleet/car7', 'back', 'RecentClips', '2024-05-01_10-20-30')
    """
    *folders, base = uri.split("/")
    match = _CLIP.fullmatch(base)
    if match is None:
        return None
    minute, camera = match[1], match[2].lower()
    first_kind, _ = _kinds_of(folders)
    return ClipName(
        source="teslacam",
        vehicle=_vehicle(car := _car(folders, first_kind), root),
        car="/".join(car),
        camera=_ALIASES.get(camera, camera),
        folder_kind="" if first_kind is None else _KINDS[folders[first_kind].lower()],
        event_folder=_event_folder(folders),
        minute=minute if parse_minute(minute)[0] else None,
    )


def is_derived(uri: str) -> bool:
    """Whether a video lies among an event's clips without being one, as the preview `event.mp4` does.

    Args:
        uri: absolute path or URL of the file.
    """
    *folders, base = uri.split("/")
    if _CLIP.fullmatch(base) or not folders:
        return False
    if base.lower() == _PREVIEW and _EVENT_FOLDER.fullmatch(folders[-1]):
        return True
    return _event_folder(folders) is not None


def _event_folder(folders: list[str]) -> str | None:
    last_kind = _kinds_of(folders)[1]
    if last_kind is None or folders[last_kind].lower() == _WITHOUT_EVENTS or last_kind + 1 == len(folders):
        return None
    return "/".join(folders[: last_kind + 2])


def _kinds_of(folders: list[str]) -> tuple[int | None, int | None]:
    """Where the first and the last of the innermost run of clip folders stand in the path."""
    places = [place for place, folder in enumerate(folders) if folder.lower() in _KINDS]
    if not places:
        return None, None
    last = places[-1]
    first = last - 1 if last - 1 in places else last
    return first, last


def _car(folders: list[str], first_kind: int | None) -> list[str]:
    """The car's folder: the one around its clip folders."""
    if first_kind is not None:
        car = folders[:first_kind]
    else:
        # a folder copied out of its place: the clips' own folder, or the one around an event's
        car = folders[:-1] if folders and _EVENT_FOLDER.fullmatch(folders[-1]) else folders
    return car[:-1] if car and car[-1].lower() == _TESLACAM else car


def _vehicle(car: list[str], root: str) -> str:
    """The car's folder, relative to the input and led by the input's own name."""
    inputs = root.rstrip("/").split("/")
    if len(car) > len(inputs) and car[: len(inputs)] == inputs:
        return "/".join([inputs[-1], *car[len(inputs) :]]).lstrip("/")
    return car[-1] if car else ""
