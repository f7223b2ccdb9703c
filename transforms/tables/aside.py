"""Shards that are changed in place: written aside first, so that whoever is killed while they are exchanged can go on."""

from collections.abc import Mapping

from transforms.clips.shards import minute_of_clip
from transforms.tables.commits import COMMIT_TABLE, ShardSummary, committed_shards, read_commit
from transforms.tables.layout import table_file
from transforms.tables.schemas import SHARD_TABLES
from transforms.tables.store import Store


def commits_of(store: Store) -> dict[str, ShardSummary]:
    """Every committed shard by name.

    Args:
        store: the data set.
    """
    found = ((name, read_commit(store, name)) for name in committed_shards(store))
    return {name: commit for name, commit in found if commit is not None}


def put_in_place(store: Store, aside: Store, shard: str) -> None:
    """Replaces a shard by what was written aside, the commit first away and last back.

    Args:
        store: the data set.
        aside: what was written.
        shard: the shard's name.
    """
    commit = table_file(COMMIT_TABLE, shard)
    store.delete(commit)
    for table in SHARD_TABLES:
        path = table_file(table, shard)
        if path == commit:
            continue
        try:
            store.write(path, aside.read(path))
        except FileNotFoundError:
            store.delete(path)
    store.write(commit, aside.read(commit))


def put_the_rest_in_place(store: Store, aside: Store, before: Mapping[str, str]) -> None:
    """Goes on where somebody was killed: but not where another run has labelled the shard's clips since.

    Args:
        store: the data set.
        aside: what was written.
        before: its shards, and the label digests that they had in the data set.
    """
    commits = commits_of(store)
    for name, digest in before.items():
        now, anew = commits.get(name), read_commit(aside, name)
        if anew is not None and (
            now.label_digest == digest
            if now
            else not any(_hold_the_same(anew, commit) for commit in commits.values())
        ):
            put_in_place(store, aside, name)


def _hold_the_same(first: ShardSummary, second: ShardSummary) -> bool:
    """Whether two shards label the same stretch of a clip."""
    minutes = {minute_of_clip(first.name), minute_of_clip(second.name)}
    are_apart = len(minutes) > 1 and None not in minutes
    return not are_apart and not {clip for clip, _ in first.clips}.isdisjoint(
        clip for clip, _ in second.clips
    )
