"""What a data set knows of its drives that may tie them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.clips.shards import car_digest
from transforms.clips.sources import name_clip
from transforms.splits.rule import Drive
from transforms.tables.commits import ShardSummary
from transforms.tables.files import read_parquet
from transforms.tables.layout import table_file
from transforms.tables.store import Store

_CELLS_A_DEGREE: Final = 100
"""Cells of a place: 0.01 degrees, at most 1.1 km (the Earth's quarter meridian has 10,002 km)."""

_NS: Final = 1_000_000_000
_DATE: Final = len("2024-05-01")


def drives_of(
    store: Store, shards: Iterable[ShardSummary], copies: pa.Table, events: pa.Table, ties: Collection[str]
) -> list[Drive]:
    """What is known of every drive.

    | fact | value |
    | --- | --- |
    | vehicle | begin of the digest of the car's name, below the input that it was found in |
    | car | the car's folder |
    | place | position in hundredths of a degree, of a frame's telemetry or of an event |
    | day | on which the drive begins: by the names of its clips, else UTC |
    | folder | a clip's folder |
    | recording | the car's folder and the minute of a clip |

    A copy of a clip's bytes elsewhere tells of the clip's drive as well.

    Args:
        store: the data set.
        shards: every committed shard.
        copies: rows of `clips` of the duplicates.
        events: rows of `events`.
        ties: names of what ties; positions and clocks are read only where they are among them.

    Returns:
        The drives, by id.
    """
    found: dict[str, _Seen] = defaultdict(_Seen)
    drive_of: dict[str, str] = {}
    event_places = dict(_event_places(events)) if "place" in ties else {}
    for shard in shards:
        seen = found[shard.drive_id]
        if digest := car_digest(shard.name):
            seen.facts["vehicle"].add(digest)
        for clip, uri in shard.clips:
            drive_of[clip] = shard.drive_id
            seen.clips.add(clip)
            seen.look_at_path(uri)
        if "place" in ties:
            seen.facts["place"].update(
                event_places[event] for event in shard.event_ids if event in event_places
            )
            seen.facts["place"].update(_places(store, shard))
        if "day" in ties and not seen.days:
            seen.clock_days.update(_clock_days(store, shard))
    for row in copies.select(["uri", "duplicate_of"]).to_pylist():
        if row["duplicate_of"] in drive_of:
            found[drive_of[row["duplicate_of"]]].look_at_path(row["uri"])
    return [seen.as_drive(drive) for drive, seen in sorted(found.items())]


@dataclass(slots=True)
class _Seen:
    """What has been seen of a drive.

    Attributes:
        clips: its clips.
        days: by the names of its clips.
        clock_days: by their clocks, UTC.
        facts: values by the name of the fact, but for the day.
    """

    clips: set[str] = field(default_factory=set)
    days: set[str] = field(default_factory=set)
    clock_days: set[str] = field(default_factory=set)
    facts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def look_at_path(self, uri: str) -> None:
        """Adds what a clip's path tells."""
        self.facts["folder"].add(uri.rpartition("/")[0])
        name = name_clip(uri, uri)
        if name is None or name.minute is None:
            return
        self.days.add(name.minute[:_DATE])
        if name.car:
            self.facts["car"].add(name.car)
            self.facts["recording"].add(f"{name.car}\x1f{name.minute}")

    def as_drive(self, drive_id: str) -> Drive:
        """The drive; it has one day, or those that go over midnight would tie every day to the next."""
        facts = {name: frozenset(values) for name, values in self.facts.items()}
        if days := self.days or self.clock_days:
            facts["day"] = frozenset({min(days)})
        return Drive(drive_id, frozenset(self.clips), facts)


def _clock_days(store: Store, shard: ShardSummary) -> Iterator[str]:
    for start_ns in _read(store, shard, "clips", ["start_utc_ns"])["start_utc_ns"].to_pylist():
        if start_ns is not None:
            yield datetime.fromtimestamp(start_ns // _NS, UTC).date().isoformat()


def _places(store: Store, shard: ShardSummary) -> Iterator[str]:
    rows = _read(store, shard, "telemetry", ["latitude_deg", "longitude_deg"])
    latitude, longitude = (
        rows[name].to_numpy().astype(np.float64) for name in ("latitude_deg", "longitude_deg")
    )
    known = np.isfinite(latitude) & np.isfinite(longitude) & ((latitude != 0) | (longitude != 0))
    both = np.stack([latitude[known], longitude[known]])
    for latitude_cell, longitude_cell in np.unique(_cells(both), axis=1).T.tolist():
        yield f"{latitude_cell} {longitude_cell}"


def _event_places(events: pa.Table) -> Iterator[tuple[str, str]]:
    """(event_id, place) of the events that have a position."""
    for row in events.select(["event_id", "lat", "lon"]).to_pylist():
        if row["lat"] is not None and row["lon"] is not None:
            latitude_cell, longitude_cell = _cells(np.array([row["lat"], row["lon"]])).tolist()
            yield row["event_id"], f"{latitude_cell} {longitude_cell}"


def _cells(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.rint(degrees * _CELLS_A_DEGREE).astype(np.int64)


def _read(store: Store, shard: ShardSummary, table: str, columns: list[str]) -> pa.Table:
    """Some columns of a shard's table; no rows where it has none."""
    path = table_file(table, shard.name)
    if path not in {file.path for file in shard.files}:
        return pa.table({name: pa.array([], pa.float64()) for name in columns})
    return read_parquet(store.read(path), columns)
