"""The table `corrections`: what people said stays, and nothing but what they say anew is added to it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, Final

import pyarrow as pa

from models.taxonomy import CATEGORIES
from transforms.clips.shards import MINUTE_NS, minute_of_clip
from transforms.corrections.correction import ACTIONS, CORRECTING, Correction, Edges
from transforms.tables.digests import digest
from transforms.tables.files import read_parquet
from transforms.tables.layout import table_file
from transforms.tables.schemas import CORRECTIONS as SCHEMA
from transforms.tables.store import Store

TABLE: Final = "corrections"

EDGES: Final = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
_BEFORE: Final = tuple(name.replace("_px", "_before_px") for name in EDGES)
_PLAIN: Final = tuple(item.name for item in fields(Correction) if item.name not in {"box", "box_before"})

MOST_CORRECTIONS: Final = 2_000_000
"""Rows that the table may have: they are held in memory, some 1 kB each."""

Group = tuple[Correction, ...]
"""What one file says of one shard."""


class CorrectionsError(Exception):
    """The table cannot be read: what, where, and what to do. Nothing else knows what people said."""


def read_corrections(store: Store) -> tuple[Correction, ...]:
    """The table as it stands; nothing where there is none.

    Args:
        store: the data set.

    Raises:
        CorrectionsError: its file is something else.
    """
    path = table_file(TABLE)
    try:
        table = read_parquet(store.read(path)).replace_schema_metadata(None).cast(SCHEMA)
        return tuple(_correction(row) for row in table.to_pylist())
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except ValueError as error:
        # what Arrow says of a file that is none is a ValueError as well
        reason = str(error).partition("\n")[0]
        raise CorrectionsError(
            f"{path}: not a table of corrections ({reason}): put it back from a copy; nothing else holds what was corrected"
        ) from error


def corrections_table(
    corrections: Iterable[Correction], conflicts: Mapping[str, str] | None = None
) -> pa.Table:
    """The rows of `corrections`: the same table for the same corrections in any order.

    Args:
        corrections: what was said.
        conflicts: correction_id → why it does not stand as it was said.
    """
    rows = [
        {
            **{name: getattr(item, name) for name in _PLAIN},
            **dict(zip(EDGES, item.box or _NOTHING, strict=True)),
            **dict(zip(_BEFORE, item.box_before or _NOTHING, strict=True)),
            "correction_id": item.correction_id,
            "conflict": (conflicts or {}).get(item.correction_id),
        }
        for item in in_order(corrections)
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


_NOTHING: Final = (None, None, None, None)


def in_order(corrections: Iterable[Correction]) -> list[Correction]:
    """Corrections in the order in which they are applied."""
    return sorted(
        corrections, key=lambda item: (item.sequence, item.clip_id, item.timestamp_ns, item.correction_id)
    )


def joined(own: Sequence[Correction], other: Sequence[Correction]) -> tuple[Correction, ...]:
    """Corrections of a data set with those that another one has beside; its own come first.

    Args:
        own: of the data set.
        other: of the other one.
    """
    known = {item.correction_id for item in own}
    last = max((item.sequence for item in own), default=0)
    new = [item for item in other if item.correction_id not in known]
    numbers = {number: last + at for at, number in enumerate(sorted({item.sequence for item in new}), 1)}
    return (*own, *(replace(item, sequence=numbers[item.sequence]) for item in new))


def without_clips(corrections: Iterable[Correction], clip_ids: Collection[str]) -> list[Correction]:
    """Corrections of other clips than some."""
    return [item for item in corrections if item.clip_id not in clip_ids]


class Corrections:
    """Corrections by shard.

    Args:
        corrections: all of them.
    """

    def __init__(self, corrections: Iterable[Correction]) -> None:
        self._by_clip: dict[str, list[Correction]] = defaultdict(list)
        for item in in_order(corrections):
            self._by_clip[item.clip_id].append(item)

    @property
    def clip_ids(self) -> Collection[str]:
        """Ids of the clips that were looked at."""
        return self._by_clip.keys()

    def groups(self, shard: str, clip_ids: Iterable[str]) -> list[Group]:
        """What is applied to a shard: one group a file, in the order in which they were taken in.

        Frames of which a file says nothing but that they are right are no part of it: a shard that nobody changes
        stays as it is.

        Args:
            shard: its name.
            clip_ids: the clips that it labels.
        """
        minute = minute_of_clip(shard)
        found: dict[int, dict[str, list[Correction]]] = defaultdict(lambda: defaultdict(list))
        for clip in clip_ids:
            for item in self._by_clip.get(clip, ()):
                if minute is None or max(item.timestamp_ns, 0) // MINUTE_NS == minute:
                    found[item.sequence][item.frame_id].append(item)
        groups = []
        for number in sorted(found):
            frames = found[number].values()
            told = [
                item for items in frames if any(one.action in CORRECTING for one in items) for item in items
            ]
            if told:
                groups.append(tuple(in_order(told)))
        return groups


def groups_digest(groups: Sequence[Group]) -> str | None:
    """The digest of what is applied to a shard; None where nothing is.

    Args:
        groups: see `Corrections.groups`.
    """
    if not groups:
        return None
    return digest([[item.correction_id for item in group] for group in groups])


def _correction(row: Mapping[str, Any]) -> Correction:
    if row["action"] not in ACTIONS:
        raise ValueError(f"no action is called {row['action']!r}")
    has_box = row["action"] in {"keep", "change", "add"}
    if has_box != (_edges(row, EDGES) is not None) or has_box != (row["category"] in CATEGORIES):
        raise ValueError(f"{row['correction_id']}: box or category does not fit its action")
    item = Correction(
        **{name: row[name] for name in _PLAIN}, box=_edges(row, EDGES), box_before=_edges(row, _BEFORE)
    )
    if item.correction_id != row["correction_id"]:
        raise ValueError(f"{row['correction_id']}: is not the id of what the row says")
    return item


def _edges(row: Mapping[str, Any], names: Sequence[str]) -> Edges | None:
    edges = tuple(row[name] for name in names)
    with suppress(TypeError):
        x_min, y_min, x_max, y_max = edges
        if 0 <= x_min < x_max and 0 <= y_min < y_max:
            return (x_min, y_min, x_max, y_max)
        raise ValueError(f"{row['correction_id']}: {edges} is no box")
    return None
