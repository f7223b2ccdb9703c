"""What a run does before it labels: what is no longer true goes, and the manifest says what is to come.

Whoever reads by glob while a run goes on, or after it was killed, may miss rows of shards in work. No row
stands twice: a clip that moved to another shard leaves its old one before the new one is written.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from transforms.tables.commits import (
    COMMIT_TABLE,
    ShardSummary,
    committed_shards,
    encode,
    file_metadata,
    is_ours,
    read_commit,
)
from transforms.tables.files import read_parquet
from transforms.tables.layout import DUPLICATES, EMPTY, MANIFEST, shard_of, table_file
from transforms.tables.manifest import COMMITTED, PENDING, encode_manifest, pending_row, read_manifest
from transforms.tables.schemas import CLIPS, SHARD_TABLES
from transforms.tables.store import Store

_UNFINISHED: Final = b"clipmill.unfinished"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that has begun and not ended.

    Attributes:
        run_id: the run.
        models: names of its networks.
        planned: shards it had to label.
        labelled: those of them that are as it wants them.
    """

    run_id: str
    models: tuple[str, ...]
    planned: int
    labelled: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What a run is about to do.

    Attributes:
        wanted: label digest of every planned shard by its name.
        work: names of those that cannot stay as they are.
        kept: (clip_id, uri) of the clips in them.
        copies: (clip_id, uri) of duplicates, with the ids of what they are copies of.
    """

    wanted: Mapping[str, str]
    work: Collection[str]
    kept: Sequence[tuple[str, str]]
    copies: Sequence[tuple[str, str]]


def begin(store: Store, planned: Planned, run_id: str, models: Iterable[str]) -> None:
    """Clears the way for a run.

    Args:
        store: the data set.
        planned: what it is about to do.
        run_id: the run.
        models: names of its networks.
    """
    wanted = planned.wanted
    outdated, left = part_unplanned(store, wanted, [*planned.kept, *planned.copies])
    gone = {shard.name for shard in outdated} | _without_commit(
        store, {*wanted, *(shard.name for shard in left)}
    )
    rows = [row for row in read_manifest(store) if row["state"] == COMMITTED]
    known = {row["shard"]: row["label_digest"] for row in rows if row["table"] == COMMIT_TABLE}
    pending = {
        name: digest for name, digest in wanted.items() if name in planned.work or known.get(name) != digest
    }
    if pending or gone:
        # told before it is done: whoever finds a file gone finds it pending, or not listed
        unlisted = pending.keys() | gone
        rows = [row for row in rows if row["shard"] not in unlisted]
        rows += [pending_row(name, digest) for name, digest in pending.items()]
        told = json.dumps({"run_id": run_id, "models": sorted(models)}, sort_keys=True)
        store.write(MANIFEST, encode_manifest(rows, {_UNFINISHED.decode(): told}))
    for name in sorted(gone):
        remove_shard(store, name)
    _remove_from_duplicates(store, {uri for _, uri in planned.kept})


def _without_commit(store: Store, stay: Collection[str]) -> set[str]:
    """Shards of which a killed run left files but no commit, and which nobody is about to write."""
    committed = set(committed_shards(store))
    found = {
        shard_of(file) for table in SHARD_TABLES for file in store.sizes(table) if file.endswith(".parquet")
    }
    return {
        name
        for name in found - committed - {*stay, DUPLICATES, EMPTY}
        if all(is_ours(store, table_file(table, name)) for table in SHARD_TABLES)
    }


def part_unplanned(
    store: Store, planned: Iterable[str], clips: Iterable[tuple[str, str]]
) -> tuple[list[ShardSummary], list[ShardSummary]]:
    """Committed shards of earlier runs that are not in the plan of this one.

    A shard whose clip now stands in another shard (it was moved, or its drive has grown), or whose file now
    holds something else, is no longer true; the clips of the others are just not among the inputs.

    Args:
        store: the data set.
        planned: names of the plan's shards.
        clips: (clip_id, uri) of the plan's clips and of their duplicates.

    Returns:
        (outdated, left over).
    """
    clips = list(clips)
    ids, uris = {clip for clip, _ in clips}, {uri for _, uri in clips}
    names = sorted(set(committed_shards(store)) - set(planned))
    parted: tuple[list[ShardSummary], list[ShardSummary]] = ([], [])
    for commit in (read_commit(store, name) for name in names):
        if commit is not None:
            is_left = not any(clip in ids or uri in uris for clip, uri in commit.clips)
            parted[is_left].append(commit)
    return parted


def remove_shard(store: Store, name: str) -> None:
    """Removes a shard's files, its commit first: from then on it is absent."""
    for table in sorted(SHARD_TABLES, key=lambda table: table != COMMIT_TABLE):
        store.delete(table_file(table, name))


def unfinished(store: Store) -> Unfinished | None:
    """The run that a data set's manifest still waits for, if any."""
    try:
        table = read_parquet(store.read(MANIFEST))
        told = json.loads((table.schema.metadata or {})[_UNFINISHED])
    except (FileNotFoundError, NotADirectoryError, KeyError, ValueError, pa.ArrowInvalid):
        return None
    wanted = {row["shard"]: row["label_digest"] for row in table.to_pylist() if row.get("state") == PENDING}
    commits = ((name, read_commit(store, name)) for name in wanted)
    labelled = sum(commit is not None and commit.label_digest == wanted[name] for name, commit in commits)
    return Unfinished(str(told["run_id"]), tuple(told["models"]), len(wanted), labelled)


def _remove_from_duplicates(store: Store, uris: set[str]) -> None:
    """Takes the rows of clips that this run plans anew out of the duplicates of the last one."""
    path = table_file("clips", DUPLICATES)
    try:
        table = read_parquet(store.read(path))
    except (FileNotFoundError, pa.ArrowInvalid):
        return
    stay = [uri not in uris for uri in table["uri"].to_pylist()]
    if all(stay):
        return
    left = table.filter(pa.array(stay))
    if left.num_rows:
        store.write(path, encode(left.cast(CLIPS), file_metadata()))
    else:
        store.delete(path)
