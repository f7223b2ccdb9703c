"""Labels with what people corrected: a function of the labels, their frames and the corrections alone.

Corrections find their labels by id where the same network labelled again, else by overlap; so the same ones can be applied to
labels of another network. What was taken in first is applied first: corrections on top of corrected labels give what all
of them give at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.corrections.correction import (
    CORRECTING,
    NO_COUNTERPART,
    NO_FRAME,
    Correction,
    Edges,
)
from transforms.corrections.table import EDGES, Group
from transforms.labels.overlap import iou
from transforms.tables.ids import stable_id
from transforms.tables.schemas import DETECTIONS

SAME_OBJECT: Final = 0.5
"""Least overlap of a corrected box with a label that shows the same: what detectors are judged by as well."""

HUMAN: Final = "human"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Corrected:
    """Labels with corrections.

    Attributes:
        detections: the rows.
        conflicts: correction_id → why it does not stand as it was said.
        told: detection_id → the corrections that made the row what it is, in the order of their application.
    """

    detections: pa.Table
    conflicts: dict[str, str]
    told: dict[str, list[Correction]]


def overlaid(
    detections: pa.Table, frames: pa.Table, groups: Sequence[Group], models: Sequence[str]
) -> Corrected:
    """Applies corrections to the labels of a shard.

    A box that was changed is the label's own row from then on, with its id and track; one that was removed stays with score
    0, which is what hindsight gives to labels that are no object. A box that was added takes the row of the label that
    shows the same, else it is a row of its own without a track.

    Args:
        detections: rows of `detections`.
        frames: rows of `frames` of the same shard.
        groups: what is applied, see `Corrections.groups`.
        models: sha256 of the networks that labelled the shard, in the job's order.
    """
    if not groups:
        return Corrected(detections, {}, {})
    place = {
        frame: at
        for at, (frame, sample, damaged) in enumerate(
            zip(
                *(frames[name].to_pylist() for name in ("frame_id", "sample_index", "is_damaged")),
                strict=True,
            )
        )
        if sample is not None and not damaged
    }
    wanted = {item.frame_id for group in groups for item in group}
    concerned = pc.is_in(detections["frame_id"], value_set=pa.array(sorted(wanted), pa.string()))
    numbers = np.flatnonzero(concerned.to_numpy())
    rows = detections.take(numbers).to_pylist()
    work = _Work(models)
    for at, row in zip(numbers.tolist(), rows, strict=True):
        work.lanes[row["frame_id"], row["model_digest"]].append(_Label(row, at))
    for group in groups:
        work.apply(group, place)
    made = work.rows()
    rest = detections.filter(pc.invert(concerned))
    table = pa.concat_tables([rest, pa.Table.from_pylist([label.row for label in made], DETECTIONS)])
    before = np.concatenate([np.flatnonzero(~concerned.to_numpy()), [label.at for label in made]])
    order = _order(table, frames, before.astype(np.int64), models)
    return Corrected(table.take(order).combine_chunks(), work.conflicts, work.told)


def _order(
    table: pa.Table, frames: pa.Table, before: npt.NDArray[np.int64], models: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Where rows stand: camera by camera, network by network, frame by frame, added ones last; the others as they stood."""
    place = {frame: at for at, frame in enumerate(_texts(frames, "frame_id"))}
    first: dict[str, int] = {}
    for at, clip in enumerate(_texts(frames, "clip_id")):
        first.setdefault(clip, at)
    clips = np.array([first[clip] for clip in _texts(table, "clip_id")], np.int64)
    lanes = np.array([models.index(model) for model in _texts(table, "model_digest")], np.int64)
    at_frame = np.array([place[frame] for frame in _texts(table, "frame_id")], np.int64)
    return np.lexsort((before, at_frame, lanes, clips))


def _texts(table: pa.Table, name: str) -> list[str]:
    return [str(value) for value in table[name].to_pylist()]


@dataclass(slots=True)
class _Label:
    """A row on its way, and where it stood; rows that are added stand behind all."""

    row: Row
    at: int

    @property
    def box(self) -> Edges:
        x_min, y_min, x_max, y_max = (self.row[name] for name in EDGES)
        return (x_min, y_min, x_max, y_max)


_ADDED: Final = 2**40
"""Above any number of rows of a shard."""


@dataclass(slots=True)
class _Work:
    """Labels of the concerned frames, by frame and network.

    Attributes:
        models: of the shard.
        lanes: labels by frame_id and network.
    """

    models: Sequence[str]
    lanes: dict[tuple[str, str], list[_Label]] = field(default_factory=lambda: defaultdict(list))
    conflicts: dict[str, str] = field(default_factory=dict)
    told: dict[str, list[Correction]] = field(default_factory=lambda: defaultdict(list))
    added: int = 0

    def apply(self, group: Group, place: dict[str, int]) -> None:
        """Applies what one file says."""
        frames: dict[tuple[str, str], list[Correction]] = defaultdict(list)
        for item in group:
            if item.frame_id not in place:
                if item.action in CORRECTING:
                    self.conflicts[item.correction_id] = NO_FRAME
                continue
            for model in [item.model_digest] if item.model_digest in self.models else self.models:
                frames[item.frame_id, str(model)].append(item)
        for lane in sorted(frames):
            self._apply(lane, frames[lane])

    def rows(self) -> list[_Label]:
        """All labels of the concerned frames."""
        return [label for lane in sorted(self.lanes) for label in self.lanes[lane]]

    def _apply(self, lane: tuple[str, str], items: Sequence[Correction]) -> None:
        labels = self.lanes[lane]
        found = _counterparts(items, labels)
        for number, item in enumerate(items):
            if item.action not in CORRECTING:
                continue
            label = found.get(number)
            if label is None and item.action != "add":
                self.conflicts[item.correction_id] = NO_COUNTERPART
            if label is None and item.action == "remove":
                continue
            if label is None:
                label = self._added(lane, item)
                labels.append(label)
            _correct(label.row, item)
            self.told[label.row["detection_id"]].append(item)

    def _added(self, lane: tuple[str, str], item: Correction) -> _Label:
        frame, model = lane
        row: Row = dict.fromkeys(DETECTIONS.names)
        row |= {
            "detection_id": stable_id(HUMAN, frame, model, item.correction_id),
            "frame_id": frame,
            "clip_id": item.clip_id,
            "timestamp_ns": item.timestamp_ns,
            "model_digest": model,
        }
        self.added += 1
        return _Label(row, _ADDED + self.added)


def _counterparts(items: Sequence[Correction], labels: Sequence[_Label]) -> dict[int, _Label]:
    """The label that each correction speaks of, by its number: the one of its id, else the one that overlaps it most."""
    by_id = {label.row["detection_id"]: at for at, label in enumerate(labels)}
    pairs = {
        number: by_id[item.detection_id]
        for number, item in enumerate(items)
        if item.detection_id is not None and item.detection_id in by_id
    }
    taken = set(pairs.values())
    overlaps = [
        (overlap, labels[at].row["category"] == (item.category_before or item.category), number, at)
        for number, item in enumerate(items)
        if number not in pairs
        for at, overlap in _overlaps(item, labels)
        if at not in taken and overlap >= SAME_OBJECT
    ]
    for _, _, number, at in sorted(overlaps, key=lambda found: (-found[0], not found[1], found[2], found[3])):
        if number not in pairs and at not in taken:
            pairs[number] = at
            taken.add(at)
    return {number: labels[at] for number, at in pairs.items()}


def _overlaps(item: Correction, labels: Sequence[_Label]) -> Iterable[tuple[int, float]]:
    """Labels and their overlap with where the box was, or is said to be; what is set aside counts for added boxes only."""
    boxes = [box for box in (item.box_before, item.box) if box is not None]
    among = [at for at, label in enumerate(labels) if item.action == "add" or label.row["score"] > 0]
    if not boxes or not among:
        return []
    both = iou(np.array(boxes, np.float64), np.array([labels[at].box for at in among], np.float64))
    return zip(among, both.max(axis=0).tolist(), strict=True)


def _correct(row: Row, item: Correction) -> None:
    if item.action == "remove":
        row["score"] = 0.0
    else:
        # exports round: where only the category was changed the label's own box stands
        if item.box != item.box_before or row["detection_id"] != item.detection_id:
            row |= dict(zip(EDGES, item.box or (), strict=True))
        row["category"] = item.category
        row["score"] = 1.0
    row["label_source"] = HUMAN
    differs = {
        "box": any(row[name] != row[f"raw_{name}"] for name in EDGES),
        "score": row["score"] != row["score_raw"],
        "category": row["category"] != row["category_raw"],
    }
    # of an added row there is nothing raw
    row["changes"] = [name for name in differs if differs[name] and row["category_raw"] is not None]
