"""Joining tracks over the borders of minutes, exactly: by the detections that both sides saw."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from transforms.tables.ids import stable_id


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


def join_drive(shards: Sequence[Linked]) -> dict[str, str]:
    """Finds which tracks of a drive show one object.

    Detection ids are a function of frame, network and raw box, so a minute that looked into the end of
    the one before found the very ids that stand there: no matching by place or time is needed.

    Args:
        shards: the shards of one drive, in any order.

    Returns:
        Track id to object id, for every track. Two tracks that continue one and the same track
        (an object that the next minute split) share its object.
    """
    owner = {detection: track for shard in shards for detection, track in shard.tail.items()}
    before = {
        track: owner[known[0]]
        for shard in shards
        for track, detections in shard.heads.items()
        if (known := [detection for detection in detections if detection in owner])
    }
    objects: dict[str, str] = {}
    for track in (track for shard in shards for track in shard.tracks):
        first = track
        while first in before:
            first = before[first]
        objects[track] = stable_id("object", first)
    return objects
