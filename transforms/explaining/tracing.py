"""What became of one row from step to step of hindsight."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from models.taxonomy import CATEGORIES
from transforms.labels.following import Tracked
from transforms.labels.sightings import ADDED, LABEL_SOURCES, NO_TRACK, Sightings

NETWORK: Final = "network"
"""The name of what stands before all steps."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Step:
    """A row after a step.

    Attributes:
        name: the step: a switch of `HindsightSettings`; or network, tracking, propagation (labels between the frames
            that the networks saw), picture_edges.
        changed: what it changed: box, score, category, track; of a row that it added, `row`.
        box: xyxy edges in pixels.
        score: 0..1.
        category: of the taxonomy.
        track_id: the track that holds it, None for none.
        label_source: how the row came to be.
    """

    name: str
    changed: tuple[str, ...]
    box: Box
    score: float
    category: str
    track_id: str | None
    label_source: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The box of the same track that the network saw last before a row, or first after it.

    Attributes:
        detection_id: its id; a row of the minute before where `in_context`.
        timestamp_ns: its frame's time.
        in_context: whether it is of the minute before.
        box: xyxy edges in pixels.
        score: 0..1.
    """

    detection_id: str
    timestamp_ns: int
    in_context: bool
    box: Box
    score: float


def trace(tracked: Tracked, steps: Sequence[tuple[str, Sightings]], row: int) -> list[Step]:
    """What each step made of a row, from the first one on that has it.

    Args:
        tracked: the labels.
        steps: names of the steps that were taken, and what was said after each, as a `Watch` is told.
        row: of `tracked.seen`.
    """
    track_ids = tracked.track_ids()
    found: list[Step] = []
    for name, seen in ((NETWORK, tracked.detected), *steps):
        at = _place(tracked, seen, row)
        if at is None:
            continue
        step = Step(
            name=name,
            changed=(),
            box=_box(seen, at),
            score=float(seen.scores[at]),
            category=CATEGORIES[int(seen.categories[at])],
            track_id=track_ids.get(int(seen.tracks[at])),
            label_source=LABEL_SOURCES[int(seen.sources[at])],
        )
        found.append(_with_changes(step, found[-1] if found else None))
    return found


def neighbours(tracked: Tracked, row: int) -> list[Neighbour]:
    """Between which boxes of its track a row stands that no network saw.

    Args:
        tracked: the labels.
        row: of `tracked.seen`.
    """
    seen = tracked.seen
    if seen.tracks[row] == NO_TRACK:
        return []
    same = np.flatnonzero(seen.is_detected & (seen.tracks == seen.tracks[row]))
    frame = seen.frames[row]
    near = (*same[seen.frames[same] < frame][-1:], *same[seen.frames[same] > frame][:1])
    return [
        Neighbour(
            detection_id=tracked.ids[at],
            timestamp_ns=tracked.frame(at).timestamp_ns,
            in_context=at < tracked.own,
            box=_box(seen, at),
            score=float(seen.scores[at]),
        )
        for at in map(int, near)
    ]


def _place(tracked: Tracked, seen: Sightings, row: int) -> int | None:
    """Where a row of the end stands after a step, None where it does not yet."""
    final = tracked.seen
    if final.origins[row] != ADDED:
        (places,) = np.nonzero(seen.origins == final.origins[row])
    else:
        # an added row keeps frame, source and track; only boxes that no track holds may be several of a kind
        (places,) = np.nonzero(
            (seen.origins == ADDED)
            & (seen.frames == final.frames[row])
            & (seen.sources == final.sources[row])
            & (seen.tracks == final.tracks[row])
        )
    if len(places) > 1:
        clip = tracked.labels.part.clip
        inside = np.clip(seen.boxes[places], 0, np.array([clip.width, clip.height] * 2, np.float32))
        places = places[(inside == final.boxes[row]).all(axis=1)]
    return int(places[0]) if len(places) else None


def _with_changes(step: Step, before: Step | None) -> Step:
    if before is None:
        changed: tuple[str, ...] = ("row",) if step.name != NETWORK else ()
    else:
        differs = {
            "box": step.box != before.box,
            "score": step.score != before.score,
            "category": step.category != before.category,
            "track": step.track_id != before.track_id,
        }
        changed = tuple(name for name, is_changed in differs.items() if is_changed)
    return replace(step, changed=changed)


def _box(seen: Sightings, row: int) -> Box:
    x_min, y_min, x_max, y_max = seen.boxes[row].tolist()
    return x_min, y_min, x_max, y_max
