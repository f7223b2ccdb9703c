"""The tables that are written whole, the manifest and dataset.json, once clips have left their shards."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from transforms.budget.demand.figures import total
from transforms.budget.estimates import estimates_table
from transforms.budget.request import BudgetRequest
from transforms.clips.sources import name_clip
from transforms.labels.joining import first_tracks, objects_table
from transforms.removal.known import KnownClip
from transforms.removal.records import FORGOTTEN
from transforms.removal.selecting import Selection, has_folder
from transforms.splits.table import read_splits, splits_without
from transforms.tables.commits import ShardSummary
from transforms.tables.dataset import remove_orphans, write_dataset, write_manifest, write_whole
from transforms.tables.files import read_parquet
from transforms.tables.layout import DATASET, DUPLICATES, table_file
from transforms.tables.schemas import CLIPS, WHOLE_TABLES
from transforms.tables.store import Store


@dataclass(frozen=True, slots=True)
class EventCameras:
    """The cameras of an event that loses clips.

    Attributes:
        present: cameras that still have a clip; without any the event goes.
        lost: cameras without the clip of a minute that others still have.
    """

    present: frozenset[str]
    lost: frozenset[str]


def event_cameras(selection: Selection, kept: Sequence[KnownClip]) -> dict[str, EventCameras]:
    """What the events of a selection's clips have left.

    Args:
        selection: what is to go.
        kept: clips that stay.
    """
    staying, gone = _by_event(kept), _by_event(selection.clips)
    found = {}
    for event, clips in gone.items():
        minutes = {_minute(clip) for clip in staying[event]}
        found[event] = EventCameras(
            present=frozenset(clip.camera for clip in staying[event]),
            lost=frozenset(clip.camera for clip in clips if _minute(clip) in minutes),
        )
    return found


def _by_event(clips: Sequence[KnownClip]) -> dict[str, list[KnownClip]]:
    found: dict[str, list[KnownClip]] = defaultdict(list)
    for clip in clips:
        if clip.event_id:
            found[clip.event_id].append(clip)
    return found


def _minute(clip: KnownClip) -> str | None:
    name = name_clip(clip.uri, clip.uri)
    return name.minute if name else None


def whole_without(
    store: Store, selection: Selection, cameras: Mapping[str, EventCameras]
) -> dict[str, pa.Table]:
    """The tables of clips, events and failures that stand beside the shards, without what is to go.

    Args:
        store: the data set.
        selection: what is to go.
        cameras: the events that lose clips.

    Returns:
        `events`, `coverage`, `failures`, `splits` and `corrections`, and as `clips` the duplicates' rows.
    """
    duplicates = _read(store, table_file("clips", DUPLICATES), CLIPS)
    tables = {
        name: _read(store, table_file(name), WHOLE_TABLES[name])
        for name in ("events", "coverage", "failures")
    }
    ids, uris = selection.clip_ids, selection.uris
    return {
        "clips": _rows_without(duplicates, {"clip_id": ids, "duplicate_of": ids, "uri": uris}),
        "events": _events(tables["events"], selection, cameras),
        "coverage": _rows_without(tables["coverage"], {"clip_id": ids}),
        "failures": _rows_without(tables["failures"], {"clip_id": ids, "uri": uris}),
        "splits": splits_without(read_splits(store), ids),
        "corrections": _rows_without(
            _read(store, table_file("corrections"), WHOLE_TABLES["corrections"]), {"clip_id": ids}
        ),
    }


def unnamed(corrections: pa.Table, mentions: Callable[[str], bool]) -> pa.Table:
    """Corrections of clips that stay, without names of files that tell of what is to go.

    Args:
        corrections: rows of `corrections`.
        mentions: knows texts that name what is to go.
    """
    names = [str(name) for name in corrections["source"].to_pylist()]
    known = {name: mentions(name) or mentions(PurePosixPath(name).stem) for name in set(names)}
    column = corrections.schema.get_field_index("source")
    told = pa.array([FORGOTTEN if known[name] else name for name in names], pa.string())
    return corrections.set_column(column, corrections.schema.field(column), told)


def _read(store: Store, path: str, schema: pa.Schema) -> pa.Table:
    with suppress(FileNotFoundError):
        return read_parquet(store.read(path)).replace_schema_metadata(None).cast(schema)
    return schema.empty_table()


def _rows_without(table: pa.Table, values: Mapping[str, Collection[str]]) -> pa.Table:
    """The rows that have none of some values in some columns."""
    for column, gone in values.items():
        found = pc.is_in(table[column], value_set=pa.array(sorted(gone), pa.string()))
        table = table.filter(pc.invert(found))
    return table.combine_chunks()


def _events(events: pa.Table, selection: Selection, cameras: Mapping[str, EventCameras]) -> pa.Table:
    """Events that still have a clip; a camera that lost one is missing from then on."""
    kept = []
    for row in events.to_pylist():
        now = cameras.get(row["event_id"])
        is_gone = now is not None and not now.present
        if is_gone or any(has_folder(row["uri"], name) for name in selection.vehicles):
            continue
        if now is not None:
            row["cameras_present"] = sorted(now.present.intersection(row["cameras_present"]))
            row["cameras_missing"] = sorted(now.lost.union(row["cameras_missing"]))
        kept.append(row)
    return pa.Table.from_pylist(kept, events.schema)


def finish(store: Store, shards: Sequence[ShardSummary], tables: Mapping[str, pa.Table]) -> None:
    """Writes everything that stands beside the shards.

    Args:
        store: the data set.
        shards: every shard that stays, as it is now.
        tables: what `whole_without` gave.
    """
    remove_orphans(store, shards)
    settings = json.loads(store.read(DATASET))["settings"]
    drives: dict[str, list[ShardSummary]] = defaultdict(list)
    for shard in shards:
        drives[shard.drive_id].append(shard)
    first: dict[str, str] = {}
    for drive in drives.values():
        first |= first_tracks(drive)
    figures = total(shard.tally for shard in shards).figures()
    whole = {
        **{name: table for name, table in tables.items() if name != "clips"},
        "objects": objects_table(shards, first),
        "budget": estimates_table(BudgetRequest().answer(figures)),
    }
    files = write_whole(store, whole, tables["clips"])
    manifest = write_manifest(store, shards, files)
    rows: Counter[str] = Counter()
    for shard in shards:
        rows.update(shard.counts)
    rows.update({file.path.partition("/")[0]: file.rows for file in files})
    write_dataset(store, manifest, rows, shards, settings)
