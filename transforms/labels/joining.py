"""Joining tracks over the borders of minutes, exactly: by the detections that both sides saw."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from transforms.tables.commits import ShardSummary
from transforms.tables.ids import stable_id
from transforms.tables.schemas import OBJECTS


class Linked(Protocol):
    """What a shard tells of its tracks."""

    @property
    def tracks(self) -> Sequence[str]:
        """Its track ids."""
        ...

    @property
    def heads(self) -> Mapping[str, Sequence[str]]:
        """Track id to its detections in the previous minute, the last one first."""
        ...

    @property
    def tail(self) -> Mapping[str, str]:
        """Detection id to track id, at the end of the minute."""
        ...


def first_tracks(shards: Sequence[Linked]) -> dict[str, str]:
    """Finds which tracks of a drive go on with an earlier one.

    Detection ids are a function of frame, network and raw box, so a minute that looked into the end of
    the one before found the very ids that stand there: no matching by place or time is needed.

    Args:
        shards: the shards of one drive, in any order.

    Returns:
        Track id to the first track of the object, for every track that is not itself the first. Two tracks that
        continue one and the same track (an object that the next minute split) share it.
    """
    owner = {detection: track for shard in shards for detection, track in shard.tail.items()}
    before = {
        track: owner[known[0]]
        for shard in shards
        for track, detections in shard.heads.items()
        if (known := [detection for detection in detections if detection in owner])
    }
    first: dict[str, str] = {}
    for track in before:
        earliest = track
        while earliest in before:
            earliest = before[earliest]
        first[track] = earliest
    return first


def objects_table(shards: Iterable[ShardSummary], first: Mapping[str, str]) -> pa.Table:
    """The rows of `objects`, by drive and track.

    Args:
        shards: every shard of a data set.
        first: of `first_tracks`, for all of its drives.
    """
    pairs = sorted((shard.drive_id, track) for shard in shards for track in shard.tracks)
    columns = {
        "track_id": [track for _, track in pairs],
        "object_id": [stable_id("object", first.get(track, track)) for _, track in pairs],
        "drive_id": [drive for drive, _ in pairs],
    }
    return pa.table(columns, OBJECTS)
