"""Places of a drive that are worth a look: events, failures, damaged frames, hard braking, objects close by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.viewing.drives import named_ns, placed, stamp_ns
from transforms.viewing.viewed_set import Condition, ViewedClip, ViewedSet

__all__ = ["FINDERS", "Jump", "hard_brakings", "jumps", "spells"]

HARD_BRAKING_MPS2: Final = -3.0
"""What naturalistic driving studies take for hard braking is between 0.3 g and 0.45 g; this is the gentle end."""

_BRAKING_OVER_NS: Final = 500_000_000
"""Speed is compared over this time: from one frame to the next its steps are larger than what is looked for."""

_CLOSE_SHARE: Final = 0.4
"""Share of the picture's height from which an object counts as close by."""

_CLOSE_SCORE: Final = 0.5

_ROAD_USERS: Final = ("person", "rider", "bicycle", "motorcycle", "car", "truck", "bus", "train", "animal")

_APART_NS: Final = 1_500_000_000
"""What is closer together than this is one spell."""

_MOST: Final = 500
"""Jumps of one kind."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A place to jump to.

    Attributes:
        kind: name of its finder.
        at_ns: time since the drive's begin.
        stop_ns: its end; the same where it has no length.
        clip_id: the clip that shows it; None where it concerns all cameras.
        text: what there is.
    """

    kind: str
    at_ns: int
    stop_ns: int
    clip_id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class _Drive:
    viewed: ViewedSet
    clips: Sequence[ViewedClip]
    begins: Mapping[str, int]

    def rows(
        self, clip: ViewedClip, table: str, columns: Sequence[str], *more: Condition
    ) -> Iterator[pa.Table]:
        """A clip's rows, shard by shard: of an hour not all is held at once."""
        for shard in self.viewed.shards_of(clip, 0, max(1, clip.duration_ns)):
            yield self.viewed.rows(table, [shard], columns, [("clip_id", "=", clip.clip_id), *more])


def jumps(viewed: ViewedSet, drive_id: str) -> list[dict[str, Any]]:
    """All places of a drive, in the order of time; at most 500 of each kind.

    Args:
        viewed: the data set.
        drive_id: one of its drives.

    Raises:
        ChangedError: the data set has changed.
    """
    clips = sorted(
        (clip for clip in viewed.clips.values() if clip.drive_id == drive_id), key=lambda clip: clip.clip_id
    )
    if not clips:
        return []
    drive = _Drive(viewed, clips, placed(clips)[1])
    found = [jump for finder in FINDERS.values() for jump in islice(finder(drive), _MOST)]
    return [asdict(jump) for jump in sorted(found, key=lambda jump: (jump.at_ns, jump.kind, jump.text))]


def _events(drive: _Drive) -> Iterator[Jump]:
    ids = sorted({clip.event_id for clip in drive.clips if clip.event_id})
    columns = ("event_id", "kind", "reason", "timestamp", "city", "street")
    for row in drive.viewed.whole("events", columns, [("event_id", "in", ids)]).to_pylist() if ids else ():
        own = [clip for clip in drive.clips if clip.event_id == row["event_id"]]
        at = _event_ns(drive, own, row["timestamp"])
        words = [
            row["kind"],
            (row["reason"] or "no event.json").replace("_", " "),
            row["street"],
            row["city"],
        ]
        yield Jump("event", at, at, None, ", ".join(word for word in words if word))


def _event_ns(drive: _Drive, clips: Sequence[ViewedClip], timestamp: str | None) -> int:
    """event.json's time is the car's local one, as the digits in the clips' names are: counted from such a clip."""
    first = min(clips, key=lambda clip: drive.begins[clip.clip_id])
    begin = drive.begins[first.clip_id]
    event = stamp_ns(timestamp.replace("T", "_").replace(":", "-")) if timestamp else None
    named = named_ns(first.uri)
    stop = max(drive.begins[clip.clip_id] + clip.duration_ns for clip in clips)
    if event is None or named is None:
        return begin
    return min(max(begin + event - named, begin), stop)


def _failures(drive: _Drive) -> Iterator[Jump]:
    ids = [clip.clip_id for clip in drive.clips]
    rows = drive.viewed.whole("failures", ("clip_id", "error", "message"), [("clip_id", "in", ids)])
    for row in rows.to_pylist():
        at = drive.begins[row["clip_id"]]
        yield Jump("failure", at, at, row["clip_id"], f"{row['error']}: {row['message']}")


def _damage(drive: _Drive) -> Iterator[Jump]:
    for clip in drive.clips:
        begin = drive.begins[clip.clip_id]
        for table in drive.rows(clip, "frames", ("timestamp_ns",), ("is_damaged", "=", True)):
            for first, last in spells(_times(table)):
                yield Jump(
                    "damage", begin + first, begin + last, clip.clip_id, f"{clip.camera}: damaged frames"
                )


def _braking(drive: _Drive) -> Iterator[Jump]:
    seen: list[tuple[int, int]] = []
    for clip in drive.clips:
        begin = drive.begins[clip.clip_id]
        tables = list(drive.rows(clip, "telemetry", ("timestamp_ns", "vehicle_speed_mps")))
        table = pa.concat_tables(tables) if tables else None
        if table is None or not table.num_rows:
            continue
        table = table.sort_by("timestamp_ns")
        speeds = table["vehicle_speed_mps"].to_numpy().astype(np.float64)
        for first, last, least in hard_brakings(_times(table), speeds):
            start, stop = begin + first, begin + last
            # every camera carries the same telemetry
            if all(stop + _APART_NS < other[0] or other[1] + _APART_NS < start for other in seen):
                seen.append((start, stop))
                yield Jump("braking", start, stop, None, f"{least:.1f} m/s²")


def hard_brakings(
    times_ns: npt.NDArray[np.int64], speeds_mps: npt.NDArray[np.float64]
) -> Iterator[tuple[int, int, float]]:
    """Spells in which the car slowed down by more than 3 m/s².

    Args:
        times_ns: times of the speeds, rising, int64[N].
        speeds_mps: m/s, float64[N].

    Yields:
        Begin and end in ns, and the strongest deceleration in m/s² (below 0).
    """
    good = np.isfinite(speeds_mps)
    times, speeds = times_ns[good], speeds_mps[good]
    if len(times) < 2:  # noqa: PLR2004 - a difference needs two
        return
    half = _BRAKING_OVER_NS // 2
    before = np.interp(times - half, times, speeds)
    after = np.interp(times + half, times, speeds)
    change = (after - before) / (_BRAKING_OVER_NS / 1e9)
    hard = change < HARD_BRAKING_MPS2
    for first, last in spells(times[hard]):
        inside = (times >= first) & (times <= last)
        yield first, last, float(change[inside].min())


def _close(drive: _Drive) -> Iterator[Jump]:
    columns = ("timestamp_ns", "track_id", "category", "y_min_px", "y_max_px")
    for clip in drive.clips:
        begin = drive.begins[clip.clip_id]
        for table in drive.rows(
            clip, "detections", columns, ("score", ">=", _CLOSE_SCORE), ("category", "in", _ROAD_USERS)
        ):
            heights = table["y_max_px"].to_numpy() - table["y_min_px"].to_numpy()
            shares = heights.astype(np.float64) / max(1, clip.height)
            tracks = np.array([row or "" for row in table["track_id"].to_pylist()], dtype=object)
            times, categories = table["timestamp_ns"].to_numpy(), table["category"].to_pylist()
            near = (shares >= _CLOSE_SHARE) & (tracks != "")
            for track in sorted(set(tracks[near])):
                own = np.flatnonzero(near & (tracks == track))
                text = f"{clip.camera}: {categories[own[0]]}, {shares[own].max():.0%} of the picture's height"
                for first, last in spells(np.sort(times[own])):
                    yield Jump("close", begin + first, begin + last, clip.clip_id, text)


def spells(times_ns: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Joins times that follow each other within 1.5 s.

    Args:
        times_ns: rising, int64[N].

    Yields:
        First and last time of each spell.

    >>> list(spells(np.array([0, 1_000_000_000, 9_000_000_000])))
    [(0, 1000000000), (9000000000, 9000000000)]
    """
    if not len(times_ns):
        return
    for spell in np.split(times_ns, np.flatnonzero(np.diff(times_ns) > _APART_NS) + 1):
        yield int(spell[0]), int(spell[-1])


def _times(table: pa.Table) -> npt.NDArray[np.int64]:
    return np.sort(table["timestamp_ns"].to_numpy())


FINDERS: Final[Mapping[str, Callable[[_Drive], Iterator[Jump]]]] = {
    "event": _events,
    "failure": _failures,
    "damage": _damage,
    "braking": _braking,
    "close": _close,
}
"""What is looked for. A table of moments becomes one more entry; the page lists kinds that it has no name for as well."""
