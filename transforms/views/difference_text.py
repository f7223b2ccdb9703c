"""What changed between two labellings, as text and tables for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table

_NS: Final = 1_000_000_000


def difference_text(found: Mapping[str, Any]) -> tuple[RenderableType, ...]:
    """The answer of `clipmill diff` for people.

    Args:
        found: the form of `diff --json`.
    """
    return tuple(_parts(found))


def _parts(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    names = f"{found['first']} and {found['second']}"
    yield f"{names}: the same rows" if found["equal"] else f"{names}: different"
    shards, frames = found["shards"], found["frames"]
    yield (
        f"shards: {shards['equal']} equal, {shards['different']} different, "
        f"{shards['only_first']} only in the first, {shards['only_second']} only in the second"
    )
    if not found["equal"]:
        yield (
            f"frames: {frames['both']} in both, {frames['only_first']} only in the first, "
            f"{frames['only_second']} only in the second"
        )
        for name, word in (("only_first", "first"), ("only_second", "second")):
            clips = found["clips"][name]
            if clips["count"]:
                some = ", ".join(clip["uri"] for clip in clips["some"])
                more = "" if clips["count"] == len(clips["some"]) else ", ..."
                yield f"clips only in the {word}: {clips['count']} ({some}{more})"
        yield _tables(found)
        yield from _detections(found)
    if found["lineage"]:
        yield _table(
            "lineage",
            ("", "first", "second"),
            [(name, *map(_text, values)) for name, values in found["lineage"].items()],
        )


def _tables(found: Mapping[str, Any]) -> Table:
    rows = [
        (name, str(table["first"]), str(table["second"]), "" if table["same"] else "different")
        for name, table in found["tables"].items()
    ]
    objects = [str(count) for count in found["objects"]]
    return _table("rows", ("table", "first", "second", ""), [*rows, ("objects of the drives", *objects, "")])


def _detections(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    told = found["detections"]
    apart = told["in_frames_of_one_only"]
    yield (
        f"detections: {told['unchanged']} unchanged, {told['added']} added, {told['removed']} removed, "
        f"{told['moved']} moved, {told['rescored']} rescored, {told['recategorised']} of another category; "
        f"{apart[0]} and {apart[1]} in frames that only one has"
    )
    if told["by_category"]:
        kinds = tuple(next(iter(told["by_category"].values())))
        rows = [(name, *map(str, counts.values())) for name, counts in told["by_category"].items()]
        yield _table("detections", ("category", *kinds), rows)
    if told["categories"]:
        rows = [(row["before"], row["after"], str(row["count"])) for row in told["categories"]]
        yield _table("other categories", ("before", "after", "detections"), rows)
    # lines of their own: a table would cut the frames' ids off
    yield from (f"  {_example(example)}" for example in found["examples"])


def _example(example: Mapping[str, Any]) -> str:
    boxes = " -> ".join(_box(example[side]) for side in ("before", "after") if side in example)
    return (
        f"{example['kind']} at {example['timestamp_ns'] / _NS:.3f} s in frame {example['frame_id']}: {boxes}"
    )


def _box(box: Mapping[str, Any]) -> str:
    edges = " ".join(f"{edge:.1f}" for edge in box["box"])
    return f"{box['category']} {box['score']:.3f} [{edges}]"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table
