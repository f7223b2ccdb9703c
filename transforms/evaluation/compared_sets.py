"""What changed between two labellings of the same clips."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.evaluation.differences import BoxChanges, box_changes
from transforms.evaluation.labellings import (
    ClipRows,
    Files,
    Labelling,
    clip_rows,
    distinct_objects,
    matching_units,
    same_rows,
    side_by_side,
)
from transforms.evaluation.pairing import BOX_COLUMNS
from transforms.tables.schemas import SHARD_TABLES, TABLES

KINDS: Final = ("added", "removed", "moved", "rescored", "recategorised")
"""What may become of a detection; one that both have may have moved, been rescored and be of another category."""

EXAMPLES: Final = 5
"""Examples of each kind."""

_NAMED: Final = 20
"""Clips of one side only that are named."""

_LINEAGE: Final = ("clipmill_version", "cpu", "libraries", "models", "settings")


@dataclass(slots=True)
class Tallies:
    """What is counted unit by unit.

    Attributes:
        shards: of each kind: equal, different, only_first, only_second.
        frames: in both, only_first, only_second.
        unchanged: detections that are the same in both.
        changes: (kind, category) → detections; of recategorised ones the category is the first's.
        categories: (category before, after) → detections that changed it.
        apart: detections in frames that only the first, only the second has.
        changed_tables: tables whose rows differ somewhere.
        clips: clip_id → URI of clips that begin in units that differ, of each side.
        examples: a few of each kind.
    """

    shards: Counter[str] = field(default_factory=Counter)
    frames: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    categories: Counter[tuple[str, str]] = field(default_factory=Counter)
    apart: list[int] = field(default_factory=lambda: [0, 0])
    changed_tables: set[str] = field(default_factory=set)
    clips: tuple[dict[str, str], dict[str, str]] = field(default_factory=lambda: ({}, {}))
    examples: dict[str, list[dict[str, object]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})


def compare_sets(first: Labelling, second: Labelling) -> dict[str, Any]:
    """Compares two data sets.

    Shards whose digests are equal are not read. Memory is bounded by a clip's rows in one shard (in compacted
    copies: by a clip's rows).

    Args:
        first: the earlier one.
        second: the later one.

    Returns:
        The form of `diff --json`.

    Raises:
        LabellingError: the two cannot be compared.
    """
    found = Tallies()
    networks = _networks(first) & _networks(second)
    for one, two in matching_units(first, second):
        _compare_units(first, second, (one, two), networks, found)
    for table in TABLES:
        files = [side.others.get(table, ()) for side in (first, second)]
        if not same_rows(first, second, files):
            found.changed_tables.add(table)
    lineage = dict(_lineage_differences(first.facts, second.facts))
    rows = {table: [first.rows(table), second.rows(table)] for table in TABLES}
    return {
        "first": first.place,
        "second": second.place,
        "equal": not found.changed_tables,
        "clips": _clip_differences(found),
        "shards": {kind: found.shards[kind] for kind in ("equal", "different", "only_first", "only_second")},
        "tables": {
            table: {"first": before, "second": after, "same": table not in found.changed_tables}
            for table, (before, after) in rows.items()
        },
        "frames": {kind: found.frames[kind] for kind in ("both", "only_first", "only_second")},
        "detections": _detection_differences(found),
        "tracks": rows["tracks"],
        "objects": [distinct_objects(first), distinct_objects(second)],
        "lineage": lineage,
        "examples": [example for kind in KINDS for example in found.examples[kind]],
    }


def _networks(side: Labelling) -> frozenset[str]:
    return frozenset(str(model["sha256"]) for model in side.facts["models"])


def _compare_units(
    first: Labelling,
    second: Labelling,
    units: tuple[Files | None, Files | None],
    networks: frozenset[str],
    found: Tallies,
) -> None:
    one, two = units
    if one is None or two is None:
        at = 0 if two is None else 1
        side, unit = (first, one) if one is not None else (second, two)
        assert unit is not None
        found.shards["only_first" if at == 0 else "only_second"] += 1
        found.frames["only_first" if at == 0 else "only_second"] += _count(unit, "frames")
        found.apart[at] += _count(unit, "detections")
        found.changed_tables.update(table for table in unit if _count(unit, table))
        found.clips[at].update(clip_rows(side, unit))
        return
    differing = [
        table
        for table in SHARD_TABLES
        if not same_rows(first, second, [unit.get(table, ()) for unit in (one, two)])
    ]
    found.shards["different" if differing else "equal"] += 1
    found.changed_tables.update(differing)
    if "clips" in differing:
        found.clips[0].update(clip_rows(first, one))
        found.clips[1].update(clip_rows(second, two))
    if not {"frames", "detections"} & set(differing):
        found.unchanged += _count(one, "detections")
        found.frames["both"] += _count(one, "frames")
        return
    for before, after in side_by_side(first, second, (one, two)):
        _compare_clips(before, after, networks, found)


def _count(unit: Files, table: str) -> int:
    return sum(file.rows for file in unit.get(table, ()))


def _compare_clips(
    before: ClipRows | None, after: ClipRows | None, networks: frozenset[str], found: Tallies
) -> None:
    for at, (rows, other) in enumerate(((before, after), (after, before))):
        if rows is not None and other is None:
            found.frames["only_second" if at else "only_first"] += rows.frames.num_rows
            found.apart[at] += rows.detections.num_rows
    if before is None or after is None:
        return
    common = pc.is_in(before.frames["frame_id"], after.frames["frame_id"].combine_chunks())
    shared = before.frames["frame_id"].filter(common).combine_chunks()
    found.frames["both"] += len(shared)
    found.frames["only_first"] += before.frames.num_rows - len(shared)
    found.frames["only_second"] += after.frames.num_rows - len(shared)
    first, second = (
        rows.detections.filter(pc.is_in(rows.detections["frame_id"], shared)) for rows in (before, after)
    )
    found.apart[0] += before.detections.num_rows - first.num_rows
    found.apart[1] += after.detections.num_rows - second.num_rows
    _note(box_changes(first, second, networks), first, second, found)


def _note(changes: BoxChanges, first: pa.Table, second: pa.Table, found: Tallies) -> None:
    flags = {kind: getattr(changes, kind) for kind in ("moved", "rescored", "recategorised")}
    found.unchanged += int((~np.logical_or.reduce(list(flags.values()))).sum())
    for kind, table, rows in (("added", second, changes.added), ("removed", first, changes.removed)):
        _count_categories(kind, table, rows, found)
        for row in rows[: EXAMPLES - len(found.examples[kind])].tolist():
            found.examples[kind].append(_example(kind, table, row))
    for kind, mask in flags.items():
        places = np.flatnonzero(mask)
        _count_categories(kind, first, changes.first[places], found)
        for place in places[: EXAMPLES - len(found.examples[kind])].tolist():
            one, two = int(changes.first[place]), int(changes.second[place])
            found.examples[kind].append(_example(kind, first, one) | {"after": _box(second, two)})
    places = np.flatnonzero(changes.recategorised)
    before, after = (
        _categories(table, rows[places]) for table, rows in ((first, changes.first), (second, changes.second))
    )
    found.categories.update(zip(before, after, strict=True))


def _count_categories(kind: str, table: pa.Table, rows: npt.NDArray[np.int64], found: Tallies) -> None:
    found.changes.update((kind, category) for category in _categories(table, rows))


def _categories(table: pa.Table, rows: npt.NDArray[np.int64]) -> list[str]:
    return [str(category) for category in table["category"].take(pa.array(rows, pa.int64())).to_pylist()]


def _example(kind: str, table: pa.Table, row: int) -> dict[str, object]:
    place = {name: table[name][row].as_py() for name in ("clip_id", "frame_id", "timestamp_ns")}
    side = "after" if kind == "added" else "before"
    return {"kind": kind, **place, side: _box(table, row)}


def _box(table: pa.Table, row: int) -> dict[str, object]:
    return {
        "category": table["category"][row].as_py(),
        "box": [round(table[name][row].as_py(), 2) for name in BOX_COLUMNS],
        "score": round(table["score"][row].as_py(), 4),
    }


def _clip_differences(found: Tallies) -> dict[str, object]:
    first, second = found.clips
    only = [
        sorted((uri, clip) for clip, uri in one.items() if clip not in two)
        for one, two in ((first, second), (second, first))
    ]
    return {
        name: {"count": len(clips), "some": [{"clip_id": clip, "uri": uri} for uri, clip in clips[:_NAMED]]}
        for name, clips in zip(("only_first", "only_second"), only, strict=True)
    }


def _detection_differences(found: Tallies) -> dict[str, object]:
    categories = sorted({category for _, category in found.changes})
    return {
        "unchanged": found.unchanged,
        **{kind: sum(found.changes[kind, category] for category in categories) for kind in KINDS},
        "in_frames_of_one_only": found.apart,
        "by_category": {
            category: {kind: found.changes[kind, category] for kind in KINDS} for category in categories
        },
        "categories": [
            {"before": before, "after": after, "count": count}
            for (before, after), count in sorted(
                found.categories.items(), key=lambda item: (-item[1], item[0])
            )
        ],
    }


def _lineage_differences(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> Iterator[tuple[str, list[object]]]:
    """Entries of dataset.json that differ, by their path."""
    one, two = (dict(_flat(side)) for side in (first, second))
    for name in sorted(one.keys() | two.keys()):
        if one.get(name) != two.get(name):
            yield name, [one.get(name), two.get(name)]


def _flat(facts: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    def walk(path: str, value: object) -> Iterator[tuple[str, object]]:
        if isinstance(value, Mapping):
            for key in value:
                yield from walk(f"{path}.{key}", value[key])
        else:
            yield path, value

    for name in _LINEAGE:
        if name == "models":
            # networks are told apart by their name and input; two of one name differ in what they do
            for model in facts.get(name, ()):
                yield f"models.{model['name']} at {model['size']}", model["digest"]
        elif name in facts:
            yield from walk(name, facts[name])
