"""Shards without some of their clips, and without what they know of clips of the minute before."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from transforms.budget.demand.figures import Tally, tally_clips, tally_frames, total
from transforms.corrections.table import Corrections, groups_digest
from transforms.labels.ingredients import label_digest, with_corrections
from transforms.removal.known import KnownClip, read_rows
from transforms.removal.selecting import Selection
from transforms.tables.commits import ShardSummary
from transforms.tables.digests import digest
from transforms.tables.files import read_parquet
from transforms.tables.layout import table_file
from transforms.tables.schemas import SHARD_TABLES
from transforms.tables.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrinking:
    """What leaves one shard.

    Attributes:
        shard: the shard as it is.
        gone: its clips that go.
        detached: its clips that stay, but follow one that goes: their tracks begin anew.
        unknown: detections of other shards that go.
    """

    shard: ShardSummary
    gone: frozenset[str]
    detached: frozenset[str]
    unknown: frozenset[str]

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the shard stays."""
        return all(clip in self.gone for clip, _ in self.shard.clips)


def shrinkings(
    store: Store, shards: Sequence[ShardSummary], selection: Selection, known: Sequence[KnownClip]
) -> list[Shrinking]:
    """Finds the shards that hold anything of a selection.

    Args:
        store: the data set.
        shards: every committed shard.
        selection: what is to go.
        known: every clip that has a row.
    """
    ids, uris = selection.clip_ids, selection.uris
    gone = {
        shard.name: frozenset(clip for clip, uri in shard.clips if clip in ids or uri in uris)
        for shard in shards
    }
    detached = _followers(shards, gone, {clip.clip_id: clip.camera for clip in known})
    unknown: dict[str, set[str]] = defaultdict(set)
    for shard in shards:
        if gone[shard.name]:
            unknown[shard.drive_id].update(_detections(store, shard, gone[shard.name]))
    return [
        Shrinking(
            shard=shard,
            gone=gone[shard.name],
            detached=frozenset(detached[shard.name]),
            unknown=frozenset(unknown[shard.drive_id]),
        )
        for shard in shards
        if gone[shard.name]
        or detached[shard.name]
        or any(
            identity in unknown[shard.drive_id]
            for known_ids in shard.heads.values()
            for identity in known_ids
        )
    ]


def _followers(
    shards: Sequence[ShardSummary], gone: Mapping[str, frozenset[str]], cameras: Mapping[str, str]
) -> dict[str, set[str]]:
    """Clips that the same camera took in the minute after one that goes, by shard."""
    found: dict[str, set[str]] = defaultdict(set)
    last: ShardSummary | None = None
    for shard in sorted(shards, key=lambda shard: (shard.drive_id, shard.name)):
        if last is not None and last.drive_id == shard.drive_id and shard.heads:
            lost = {cameras.get(clip, "") for clip in gone[last.name]}
            found[shard.name] = {
                clip
                for clip, _ in shard.clips
                if clip not in gone[shard.name] and cameras.get(clip, "") in lost
            }
        last = shard
    return found


def _detections(store: Store, shard: ShardSummary, clips: Collection[str]) -> Iterator[str]:
    for row in read_rows(store, table_file("detections", shard.name), ("clip_id", "detection_id")):
        if row["clip_id"] in clips:
            yield row["detection_id"]


def shrink(
    store: Store, what: Shrinking, corrections: Corrections
) -> tuple[ShardSummary, dict[str, pa.Table]]:
    """The shard as it is written anew.

    Args:
        store: the data set.
        what: what leaves it.
        corrections: those of all clips that stay.

    Returns:
        Its summary without `files`, and a table for every shard table. The label digest is another one: the next run
        that finds the shard's clips labels it again.
    """
    shard = what.shard
    tables = {name: _without(_read(store, name, shard.name), what.gone) for name in SHARD_TABLES}
    tracks = tables["tracks"]
    clip_of = dict(zip(tracks["track_id"].to_pylist(), tracks["clip_id"].to_pylist(), strict=True))
    heads = {
        track: known
        for track, known in shard.heads.items()
        if track in clip_of and clip_of[track] not in what.detached and what.unknown.isdisjoint(known)
    }
    tables["tracks"] = _detached(tracks, heads)
    counts = {name: table.num_rows for name, table in tables.items()}
    clips = tuple((clip, uri) for clip, uri in shard.clips if clip not in what.gone)
    uris = {uri for _, uri in shard.clips} - {uri for _, uri in clips}
    tallies = (
        tally_clips(tables["clips"]),
        tally_frames(tables["frames"]),
        Tally(detections=counts["detections"], tracks=counts["tracks"]),
    )
    # no plan is made from these clips: the next run that finds them labels them again
    made_from = shard.made_from | {
        "clips": digest((shard.label_digest, sorted(what.gone), sorted(what.detached)))
    }
    groups = corrections.groups(shard.name, [clip for clip, _ in clips])
    made_from = with_corrections(made_from, groups_digest(groups))
    staying = {item.correction_id for group in groups for item in group}
    summary = replace(
        shard,
        label_digest=label_digest(made_from),
        made_from=made_from,
        files=(),
        counts=counts,
        clips=clips,
        event_ids=tuple(sorted({event for event in tables["clips"]["event_id"].to_pylist() if event})),
        frames_labelled={clip: shard.frames_labelled.get(clip, 0) for clip, _ in clips},
        tally=total(tallies),
        tracks=tuple(track for track in shard.tracks if track in clip_of),
        heads=heads,
        tail={detection: track for detection, track in shard.tail.items() if track in clip_of},
        failures=tuple(
            failure
            for failure in shard.failures
            if failure.clip_id not in what.gone and failure.uri not in uris
        ),
        conflicts={name: why for name, why in shard.conflicts.items() if name in staying},
    )
    return summary, tables


def _read(store: Store, table: str, shard: str) -> pa.Table:
    schema = SHARD_TABLES[table]
    try:
        content = store.read(table_file(table, shard))
    except FileNotFoundError:
        return schema.empty_table()
    # without the file's metadata: the commit that it may hold is the old one
    return read_parquet(content).replace_schema_metadata(None).cast(schema)


def _without(table: pa.Table, clips: Collection[str]) -> pa.Table:
    gone = pc.is_in(table["clip_id"], value_set=pa.array(sorted(clips), pa.string()))
    return table.filter(pc.invert(gone)).combine_chunks()


def _detached(tracks: pa.Table, heads: Collection[str]) -> pa.Table:
    """Tracks whose begin in the minute before is still known keep it."""
    column = tracks.schema.get_field_index("previous_detection_id")
    stays = pc.is_in(tracks["track_id"], value_set=pa.array(sorted(heads), pa.string()))
    previous = pc.if_else(stays, tracks["previous_detection_id"], pa.scalar(None, pa.string()))
    return tracks.set_column(column, tracks.schema.field(column), previous).combine_chunks()
