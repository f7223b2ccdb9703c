"""Planning: which clips are the same, which follow each other, and where a shard begins and ends."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from itertools import pairwise
from typing import Final

from transforms.clips.clock import parse_minute
from transforms.clips.refs import ClipName, ClipRef
from transforms.clips.travelling import travels
from transforms.tables.digests import digest
from transforms.tables.ids import stable_id

MINUTE_NS: Final = 60_000_000_000
WHOLE_CLIP_NS: Final = 2**62
"""The end of a window that no clip reaches."""

GAP_S: Final = 5.0
"""Longest pause between two minutes of one drive: file lengths differ by a second and names tell seconds."""

CONTEXT_GAP_S: Final = 2.0
"""Longest pause over which tracks may go on: no more than two clocks of whole seconds can be apart by."""

_EVENT_KINDS: Final = frozenset({"SavedClips", "SentryClips", "EncryptedClips"})


@travels
@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The end of the same camera's previous minute.

    Attributes:
        clip: the clip that holds it.
        start_ns: begin of the window in that clip's time.
        stop_ns: its end, not included.
        offset_ns: what brings that clip's time to the time of the part it leads to.
    """

    clip: ClipRef
    start_ns: int
    stop_ns: int
    offset_ns: int


@travels
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one camera gives to a shard.

    Attributes:
        clip: the clip.
        start_ns: begin of the window in the clip's time.
        stop_ns: its end, not included.
        context: what leads to it, if anything.
    """

    clip: ClipRef
    start_ns: int
    stop_ns: int
    context: Context | None


@travels
@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlan:
    """One minute of a drive with all its cameras: the unit of work, of failure and of commit.

    Attributes:
        name: the shard's file name without its ending.
        drive_id: the drive it belongs to.
        event_ids: event of each part's clip, "" for none.
        parts: one a camera, sorted by camera.
    """

    name: str
    drive_id: str
    event_ids: tuple[str, ...]
    parts: tuple[Part, ...]

    def clips(self) -> list[ClipRef]:
        """Every clip that is opened for it, those of the context included."""
        contexts = (part.context.clip for part in self.parts if part.context)
        return [*(part.clip for part in self.parts), *contexts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A clip whose bytes another clip has as well.

    Attributes:
        clip: the clip; its id covers its place, for the content's id is the kept clip's.
        duplicate_of: clip_id of the kept clip.
    """

    clip: ClipRef
    duplicate_of: str


_CAR_MINUTE: Final = re.compile(r".*-\d{4}-\d\d-\d\d_\d\d-\d\d(?:-\d\d)?-([0-9a-f]{8})", re.ASCII)
"""The name of a shard that is a minute of a car, and in it the begin of the digest of the car's name."""


class TwoCarsError(Exception):
    """Two cars cannot be told apart by their names."""


def event_id(clip: ClipRef) -> str:
    """The event a clip lies in, "" for none."""
    return event_folder_id(clip.name) if clip.name.event_folder else ""


def event_folder_id(name: ClipName) -> str:
    """The id of an event: the car's name and the event folder's place below it."""
    assert name.event_folder is not None
    place = name.event_folder.rstrip("/").split("/")[-2:]
    return stable_id("event", name.vehicle, name.folder_kind, *place)


def split_duplicates(same: Iterable[ClipRef]) -> tuple[ClipRef, list[Duplicate]]:
    """Chooses the clip to keep of several with the same bytes.

    Args:
        same: clips with one content digest, at least one.

    Returns:
        The clip in an event folder before others, then the smallest URI; and the rest.
    """
    kept, *others = sorted(same, key=lambda clip: (_rank(clip), clip.uri))
    return kept, [Duplicate(clip=clip, duplicate_of=kept.clip_id) for clip in others]


def own_drive_id(clip: str) -> str:
    """The drive of a clip that is one by itself, cut at whole minutes of its own time.

    Args:
        clip: its id.
    """
    return stable_id("drive", clip)


def drive_key(clip: ClipRef) -> str:
    """What clips must share to be of one drive: the car, or for other clips the clip itself."""
    return f"vehicle\x1f{clip.name.vehicle}" if clip.name.minute else f"clip\x1f{clip.clip_id}"


def plan_drives(clips: Iterable[ClipRef], context_ns: int) -> Iterator[ShardPlan]:
    """Cuts the clips of one `drive_key` into shards.

    Args:
        clips: clips without duplicates, in any order.
        context_ns: how much of the previous minute a shard sees.

    Yields:
        Shards; the same ones for any order of the clips.

    Raises:
        TwoCarsError: two folders of cars have one name.
    """
    clips = list(clips)
    if len(cars := sorted({clip.name.car for clip in clips if clip.name.minute})) > 1:
        vehicle = clips[0].name.vehicle
        raise TwoCarsError(
            f"two cars are both called {vehicle!r} ({cars[0]} and {cars[1]}): "
            "give a folder above them as the input, so that their names differ"
        )
    minutes: dict[str, list[ClipRef]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: (_rank(clip), clip.uri)):
        if clip.name.minute is None:
            yield from _cut_clip(clip, context_ns)
            continue
        if all(other.name.camera != clip.name.camera for other in minutes[clip.name.minute]):
            minutes[clip.name.minute].append(clip)
        else:
            # another recording of the same camera and minute (a trimmed export, say): a drive of its own
            yield from _cut_clip(clip, context_ns)
    yield from _chain_minutes(minutes, context_ns)


def car_digest(shard: str) -> str | None:
    """What the name of a shard tells of the car, wherever its clips lie; None for a clip on its own.

    Args:
        shard: the shard's name.

    >>> car_digest("car7-2024-05-01_10-20-30-0a1b2c3d"), car_digest("night-0a1b2c3d4e-m0000")
    ('0a1b2c3d', None)
    """
    match = _CAR_MINUTE.fullmatch(shard)
    return match[1] if match else None


_CUT_MINUTE: Final = re.compile(r".*-m(\d{4,})", re.ASCII)


def minute_of_clip(shard: str) -> int | None:
    """Which minute of its clip's own time a shard holds, by its name; None where it holds its clips whole.

    Args:
        shard: the shard's name.

    >>> minute_of_clip("night-0a1b2c3d4e-m0012"), minute_of_clip("car7-2024-05-01_10-20-30-0a1b2c3d")
    (12, None)
    """
    match = _CUT_MINUTE.fullmatch(shard)
    return int(match[1]) if match else None


def _rank(clip: ClipRef) -> bool:
    return clip.name.folder_kind not in _EVENT_KINDS


def _cut_clip(clip: ClipRef, context_ns: int) -> Iterator[ShardPlan]:
    drive = own_drive_id(clip.clip_id)
    name = f"{_slug(clip.uri)}-{clip.content_sha256[:10]}"
    for minute, start in enumerate(range(0, max(clip.duration_ns, 1), MINUTE_NS)):
        last = start + MINUTE_NS >= clip.duration_ns
        context = Context(clip=clip, start_ns=max(0, start - context_ns), stop_ns=start, offset_ns=0)
        part = Part(
            clip=clip,
            start_ns=start,
            stop_ns=WHOLE_CLIP_NS if last else start + MINUTE_NS,
            context=context if start and context_ns else None,
        )
        yield ShardPlan(
            name=f"{name}-m{minute:04d}", drive_id=drive, event_ids=(event_id(clip),), parts=(part,)
        )


def _chain_minutes(minutes: dict[str, list[ClipRef]], context_ns: int) -> Iterator[ShardPlan]:
    begin = _begins_s(minutes)
    ordered = sorted(minutes, key=lambda minute: (begin[minute], minute))
    pause_s = {
        later: abs(begin[later] - begin[earlier] - max(clip.duration_ns for clip in minutes[earlier]) / 1e9)
        for earlier, later in pairwise(ordered)
    }
    drive = ""
    for at, minute in enumerate(ordered):
        clips = sorted(minutes[minute], key=lambda clip: clip.name.camera)
        vehicle = clips[0].name.vehicle
        if not at or pause_s[minute] > GAP_S:
            drive = stable_id("drive", vehicle, minute)
        goes_on = at and pause_s[minute] <= CONTEXT_GAP_S
        before = {clip.name.camera: clip for clip in minutes[ordered[at - 1]]} if goes_on else {}
        parts = tuple(
            Part(
                clip=clip,
                start_ns=0,
                stop_ns=WHOLE_CLIP_NS,
                context=_tail(before.get(clip.name.camera), context_ns),
            )
            for clip in clips
        )
        yield ShardPlan(
            name=f"{_slug(vehicle)}-{minute}-{digest(vehicle)[:8]}",
            drive_id=drive,
            event_ids=tuple(event_id(clip) for clip in clips),
            parts=parts,
        )


def _tail(clip: ClipRef | None, context_ns: int) -> Context | None:
    if clip is None or not context_ns:
        return None
    start = max(0, clip.duration_ns - context_ns)
    return Context(clip=clip, start_ns=start, stop_ns=WHOLE_CLIP_NS, offset_ns=-clip.duration_ns)


def _begins_s(minutes: dict[str, list[ClipRef]]) -> dict[str, float]:
    """When each minute of a car begins, all by one clock: UTC where every minute has it, else the names' local time."""
    utc = {
        minute: min(known) / 1e9
        for minute, clips in minutes.items()
        if (known := [clip.start_utc_ns for clip in clips if clip.start_utc_ns is not None])
    }
    if len(utc) == len(minutes):
        return utc
    return {minute: _local_s(minute) for minute in minutes}


def _local_s(minute: str) -> float:
    local, _ = parse_minute(minute)
    assert local is not None, "a clip's name has a minute only where it is a time"
    return local.replace(tzinfo=UTC).timestamp()


def _slug(text: str) -> str:
    """The last part of a path as plain ASCII for a file name.

    >>> _slug("/a/Nürnberg Süd.mp4")
    'Nurnberg_Sud'
    """
    stem = text.rstrip("/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    ascii_text = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "_", ascii_text).strip("_")[:40] or "clip"
