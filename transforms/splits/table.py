"""The table `splits`: what was said before is an input, and nothing but new drives is added to it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from transforms.splits.drives import drives_of
from transforms.splits.rule import HELD_OUT, RULES, SPLITS, Placed, place
from transforms.splits.versions import SplitUsageError, SplitVersion, make_version
from transforms.tables.commits import ShardSummary
from transforms.tables.files import read_parquet
from transforms.tables.layout import table_file
from transforms.tables.schemas import SPLITS as SCHEMA
from transforms.tables.store import Store

TABLE: Final = "splits"

_EVERY: Final = frozenset({*SPLITS, HELD_OUT})


class SplitsError(Exception):
    """The table cannot be read: what, where, and what to do. Nothing else knows where the drives were."""


def read_splits(store: Store) -> pa.Table:
    """The table as it stands; no rows where there is none.

    Args:
        store: the data set.

    Raises:
        SplitsError: its file is something else.
    """
    path = table_file(TABLE)
    try:
        table = read_parquet(store.read(path)).replace_schema_metadata(None).cast(SCHEMA)
        splits_by_version(table)
    except FileNotFoundError:
        return SCHEMA.empty_table()
    except (ValueError, SplitUsageError) as error:
        # what Arrow says of a file that is none is a ValueError as well
        reason = str(error).partition("\n")[0]
        raise SplitsError(
            f"{path}: not a table of splits ({reason}): put it back from a copy; without the file drives are placed anew"
        ) from error
    return table


def splits_by_version(table: pa.Table) -> dict[SplitVersion, list[Placed]]:
    """What the table says, by version.

    Args:
        table: rows of `splits`.

    Raises:
        SplitUsageError: a version of which the rows tell no sense.
    """
    found: dict[SplitVersion, list[Placed]] = defaultdict(list)
    made: dict[tuple[str, str, str], SplitVersion] = {}
    for row in table.to_pylist():
        told = (row["version"], row["tied_by"], row["shares"])
        if told not in made:
            made[told] = make_version(*told)
        if row["split"] not in _EVERY or row["rule"] not in RULES:
            raise SplitUsageError(
                f"version {row['version']}: no split is called {row['split']!r}, or no rule {row['rule']!r}"
            )
        found[made[told]].append(
            Placed(row["drive_id"], row["split"], row["rule"], frozenset(row["clip_ids"]))
        )
    if len({version.name for version in found}) < len(found):
        raise SplitUsageError("one version has several ties or shares")
    return found


def splits_table(placed: Mapping[SplitVersion, Iterable[Placed]]) -> pa.Table:
    """The rows of `splits`: the same table for the same places in any order.

    Args:
        placed: where the drives are, by version.
    """
    rows: list[dict[str, Any]] = [
        {
            "version": version.name,
            "drive_id": item.drive_id,
            "split": item.split,
            "rule": item.rule,
            "tied_by": version.tied_by,
            "shares": version.shares_text,
            "clip_ids": sorted(item.clips),
        }
        for version, items in placed.items()
        for item in items
    ]
    rows.sort(key=lambda row: (row["version"], row["drive_id"]))
    return pa.Table.from_pylist(rows, SCHEMA)


def kept_up(store: Store, shards: Sequence[ShardSummary], copies: pa.Table, events: pa.Table) -> pa.Table:
    """The table with the drives that there are now: by every version that it has, old ones stay and new ones are placed.

    Args:
        store: the data set.
        shards: every committed shard.
        copies: rows of `clips` of the duplicates.
        events: rows of `events`.

    Raises:
        SplitsError: the table cannot be read.
    """
    table = read_splits(store)
    if not table.num_rows:
        return table
    said = splits_by_version(table)
    clips: dict[str, set[str]] = defaultdict(set)
    for shard in shards:
        clips[shard.drive_id].update(clip for clip, _ in shard.clips)
    if all({item.drive_id: item.clips for item in items} == clips for items in said.values()):
        # nothing came and nothing went: positions need not be read
        return table
    names = {name for version in said for tie in version.ties for name in tie}
    drives = drives_of(store, shards, copies, events, names)
    return splits_table({version: place(drives, items, version) for version, items in said.items()})


def splits_without(table: pa.Table, clip_ids: Collection[str]) -> pa.Table:
    """The table without some clips, and without drives of which no clip is left.

    Args:
        table: rows of `splits`.
        clip_ids: the clips.
    """
    gone = frozenset(clip_ids)
    return splits_table(
        {
            version: [
                Placed(item.drive_id, item.split, item.rule, left)
                for item in items
                if (left := item.clips - gone)
            ]
            for version, items in splits_by_version(table).items()
        }
    )
