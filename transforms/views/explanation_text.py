"""Where a row comes from, as text and a table for a terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table

from transforms.corrections.correction import Correction
from transforms.explaining.explanation import Explanation
from transforms.explaining.tracing import NETWORK, Box, Step

_NS: Final = 1_000_000_000
_SHOWN: Final = 12
"""Digits of a digest, or of a track's id."""


def explanation_text(found: Explanation) -> tuple[RenderableType, ...]:
    """An explanation for people.

    Args:
        found: the explanation.
    """
    return tuple(_parts(found))


def _parts(found: Explanation) -> Iterator[RenderableType]:
    where, network = found.where, found.network
    yield f"detection {found.detection_id}"
    yield (
        f"clip: {where.uri}, camera {where.camera}, shard {where.shard}"
        f"\nframe: at {where.timestamp_ns / _NS:.3f} s{_frame(found)}, id {where.frame_id}"
        f"\nnetwork: {network.name}, sha256 {network.sha256[:_SHOWN]}, input {network.input_width} x {network.input_height} px"
        f"\noutput: {_output(found)}"
    )
    changing = [step for step in found.steps if step.changed or step.name == NETWORK]
    if changing:
        yield _steps(changing)
    if quiet := [step.name for step in found.steps if step not in changing]:
        yield f"no change by: {', '.join(dict.fromkeys(quiet))}"
    yield from map(_said, found.corrections)
    if found.row is not None:
        yield f"comes out: {_row(found.row)}\nstored:    {_row(found.stored)}"
    else:
        yield f"stored:    {_row(found.stored)}"
    yield from (f"note: {note}" for note in found.notes)
    yield _verdict(found)


def _frame(found: Explanation) -> str:
    where = found.where
    if where.pts is None:
        return ", which does not come out any more"
    sample = "" if where.sample_index is None else f", sample {where.sample_index}"
    return f", number {where.frame_number}{sample}, PTS {where.pts}"


def _output(found: Explanation) -> str:
    output = found.output
    if output is not None:
        return (
            f"{output.category} {output.score:.4f} [{_edges(output.box)}], "
            f"number {output.rank} by score of {output.boxes} boxes in the frame"
        )
    if found.row is None:
        return "not known: no such row comes out"
    text = "none of its own: the network " + (
        "said nothing of it here" if found.where.network_ran else "did not look at this frame"
    )
    for near in found.neighbours:
        apart_s = (near.timestamp_ns - found.where.timestamp_ns) / _NS
        minute = ", of the minute before" if near.in_context else ""
        text += (
            f"\n  {abs(apart_s):.3f} s {'earlier' if apart_s < 0 else 'later'} the same track: "
            f"{near.score:.4f} [{_edges(near.box)}], {near.detection_id}{minute}"
        )
    return text


def _steps(steps: list[Step]) -> Table:
    table = Table("step", "changes", "box", "score", "category", "track", title="steps", title_justify="left")
    for step in steps:
        track = "" if step.track_id is None else step.track_id[:_SHOWN]
        changes = ", ".join("added" if name == "row" else name for name in step.changed)
        table.add_row(step.name, changes, _edges(step.box), f"{step.score:.4f}", step.category, track)
    return table


def _said(item: Correction) -> str:
    time = datetime.fromtimestamp(item.at_utc_ns / _NS, UTC)
    was = "" if item.box_before is None else f", was {item.category_before} [{_edges(item.box_before)}]"
    return (
        f"corrected: {item.action} by {item.by}, {time:%Y-%m-%d %H:%M:%S} UTC, in {item.source} "
        f"(sha256 {item.source_sha256[:_SHOWN]}){was}"
    )


def _row(row: dict[str, Any]) -> str:
    edges = tuple(row[name] for name in ("x_min_px", "y_min_px", "x_max_px", "y_max_px"))
    track = f", track {row['track_id']}" if row["track_id"] else ", no track"
    return f"{row['label_source']} {row['category']} {row['score']:.4f} [{_edges(edges)}]{track}"


def _verdict(found: Explanation) -> str:
    if not found.differs:
        return "the same"
    if found.row is None:
        return "differs: no row of this id comes out"
    row = found.row
    return "differs: " + ", ".join(
        f"{name} is {found.stored[name]!r} and {row[name]!r} comes out" for name in found.differs
    )


def _edges(box: Box | tuple[float, ...]) -> str:
    return " ".join(f"{edge:.2f}" for edge in box)
