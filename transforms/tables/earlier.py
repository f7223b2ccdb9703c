"""Rows of earlier runs that stay: what they tell of files that this run was not asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from transforms.clips.inputs import lies_in
from transforms.tables.commits import ShardSummary
from transforms.tables.files import read_parquet
from transforms.tables.layout import DUPLICATES, table_file
from transforms.tables.schemas import CLIPS
from transforms.tables.store import Store

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Earlier:
    """Rows that stay.

    Attributes:
        events: of shards that are left, and of event folders elsewhere of which no camera could be read.
        failures: of files elsewhere.
        duplicates: rows of `clips` of copies elsewhere, of clips that are still there; one table.
    """

    events: Sequence[Row] = ()
    failures: Sequence[Row] = ()
    duplicates: pa.Table = field(default_factory=CLIPS.empty_table)


def read_earlier(
    store: Store, shards: Sequence[ShardSummary], left: Sequence[ShardSummary], inputs: Sequence[str]
) -> Earlier:
    """Reads the tables that are about to be written anew.

    Args:
        store: the data set.
        shards: every shard that it has now.
        left: those of them whose clips are not among the inputs.
        inputs: of this run, absolute; what lies in them it tells itself.
    """
    referred = {event for shard in left for event in shard.event_ids}
    ids = {clip for shard in shards for clip, _ in shard.clips}
    events = _read(store, table_file("events"))
    failures = _read(store, table_file("failures"))
    copies = [
        row
        for row in _read(store, table_file("clips", DUPLICATES))
        if row["duplicate_of"] in ids and not lies_in(row["uri"], inputs)
    ]
    return Earlier(
        events=[
            row
            for row in events
            if row["event_id"] in referred or not (row["cameras_present"] or lies_in(row["uri"], inputs))
        ],
        failures=[row for row in failures if not lies_in(row["uri"], inputs)],
        duplicates=pa.Table.from_pylist(copies, CLIPS),
    )


def _read(store: Store, path: str) -> Sequence[Row]:
    """A table's rows; none where there is no such table."""
    try:
        return read_parquet(store.read(path)).to_pylist()
    except (FileNotFoundError, pa.ArrowInvalid):
        return []
