"""One box derived again: from the bytes of its clip, through the network and every step of hindsight, to its row."""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.sessions import Detector, load_detector
from models.taxonomy import CATEGORIES
from transforms.clips.errors import ClipError
from transforms.clips.probing import shown_pts
from transforms.clips.shards import own_drive_id
from transforms.corrections.correction import Correction
from transforms.corrections.overlay import overlaid
from transforms.corrections.table import Corrections, Group, read_corrections
from transforms.explaining.errors import CannotExplainError
from transforms.explaining.explanation import Explanation, Network, Output, Where
from transforms.explaining.parts import OpenStream, find_part
from transforms.explaining.recipes import Recipe, find_recipe, other_versions
from transforms.explaining.stored import Row, StoredRow, clips_of_drive, find_rows
from transforms.explaining.tracing import Neighbour, Step, neighbours, trace
from transforms.labels.following import Tracked, follow
from transforms.labels.labelling import see_part
from transforms.labels.rows import detection_columns, frame_columns
from transforms.labels.sightings import ADDED, Sightings
from transforms.labels.windows import Timings
from transforms.tables.finished import SEALED
from transforms.tables.layout import DATASET
from transforms.tables.queries import connect
from transforms.tables.schemas import DETECTIONS, FRAMES
from transforms.tables.store import LocalStore

__all__ = ["explain"]

_NO_ROW: Final = "row"
"""What differs where no row of this id comes out."""


def explain(root: Path, ids: Sequence[str], open_stream: OpenStream) -> list[Explanation]:
    """Derives rows of `detections` again.

    Each camera's minute is decoded and labelled once, however many of its rows are asked for.

    Args:
        root: the data set's folder.
        ids: ids of the rows, or what only one id begins with, of at least 8 digits.
        open_stream: opens a clip's URI for reading at any place.

    Returns:
        An explanation for each id, in their order.

    Raises:
        NotADatasetError: the folder holds no data set, or one of another schema.
        NoSuchRowError: no row has such an id, or more than one.
        CannotExplainError: clips, options or network are not here, or not as they were.
        ModelError: the network cannot be run.
    """
    with connect(root) as data:
        facts = json.loads((root / DATASET).read_bytes())
        if facts.get(SEALED):
            raise CannotExplainError(
                f"{root}: is a compacted copy, which does not tell how its shards were made; "
                "explain rows of the data set that it was made of"
            )
        stored = find_rows(data, root, ids)
        together: dict[tuple[str, str, str], list[StoredRow]] = defaultdict(list)
        for item in stored:
            together[item.shard.name, item.row["clip_id"], item.row["model_digest"]].append(item)
        drives = {drive: clips_of_drive(data, drive) for drive in {item.shard.drive_id for item in stored}}
    notes = other_versions(facts)
    corrections = Corrections(read_corrections(LocalStore(root)))
    found: dict[str, Explanation] = {}
    for (_, _, model), rows in together.items():
        shard, row = rows[0].shard, rows[0].row
        recipe = find_recipe(root, facts, shard, model)
        groups = corrections.groups(shard.name, [row["clip_id"]])
        again = _Again(recipe, drives[shard.drive_id], row, open_stream)
        again.correct(groups, [network.sha256 for network in shard.models])
        found |= {item.row["detection_id"]: again.explain(item, notes) for item in rows}
    return [found[item.row["detection_id"]] for item in stored]


class _Again:
    """One camera's minute, labelled by one network once more."""

    def __init__(self, recipe: Recipe, clips: Sequence[Row], row: Row, open_stream: OpenStream) -> None:
        # as where it was labelled: one thread
        cv2.setNumThreads(1)
        self._detector: Detector = load_detector(recipe.model)
        settings = recipe.settings
        part = find_part(clips, row, settings.context_ns, open_stream)
        labels, self._faults = see_part(part, open_stream, [self._detector], settings, Timings())
        self._steps: list[tuple[str, Sightings]] = []
        self._tracked: Tracked
        (self._tracked,) = follow(
            labels, [self._detector], settings, lambda name, seen: self._steps.append((name, seen))
        )
        self._clip = part.clip
        drive = next(clip["drive_id"] for clip in clips if clip["clip_id"] == row["clip_id"])
        self._may_miss_its_context = part.context is None and drive != own_drive_id(row["clip_id"])
        self._frames = {frame.frame_id: frame for frame in labels.frames if not frame.in_context}
        columns = detection_columns(self._tracked)
        self._rows = pa.table({field.name: columns[field.name] for field in DETECTIONS}, DETECTIONS)
        self._corrected = self._rows
        self._told: Mapping[str, Sequence[Correction]] = {}
        self._places = {identity: at for at, identity in enumerate(columns["detection_id"])}
        sampled = frame_columns(labels)
        self._sampled = pa.table({field.name: sampled[field.name] for field in FRAMES}, FRAMES)
        try:
            with open_stream(part.clip.uri) as stream:
                self._shown = shown_pts(stream, part.clip.uri)
        except ClipError as error:
            raise CannotExplainError(f"{part.clip.uri}: {error}") from error

    def correct(self, groups: Sequence[Group], models: Sequence[str]) -> None:
        """Applies what people said of the minute.

        Args:
            groups: see `Corrections.groups`.
            models: sha256 of all networks of the shard.
        """
        made = overlaid(self._rows, self._sampled, groups, models)
        self._corrected, self._told = made.detections, made.told

    def explain(self, item: StoredRow, notes: tuple[str, ...]) -> Explanation:
        stored = item.row
        identity = stored["detection_id"]
        at = self._places.get(identity)
        output: Output | None = None
        around: list[Neighbour] = []
        steps: list[Step] = []
        differs: tuple[str, ...] = (_NO_ROW,)
        row = self._row(identity)
        if row is not None:
            differs = tuple(name for name in DETECTIONS.names if row[name] != stored[name])
        if at is not None:
            place = self._tracked.own + at
            steps = trace(self._tracked, self._steps, place)
            output = self._output(place)
            around = neighbours(self._tracked, place) if output is None else []
        told = [*notes, *(f"{fault.uri}: {fault.message}" for fault in self._faults)]
        if differs and self._may_miss_its_context:
            told.append(
                "the minute before is not in the data set: where it was when the row was made, that is what differs"
            )
        return Explanation(
            detection_id=identity,
            differs=differs,
            where=self._where(stored, item.shard.name),
            network=self._network(),
            output=output,
            neighbours=tuple(around),
            steps=tuple(steps),
            row=row,
            stored=stored,
            notes=tuple(told),
            clip=self._clip,
            corrections=tuple(self._told.get(identity, ())),
        )

    def _row(self, identity: str) -> Row | None:
        """The row of an id as it comes out in the end."""
        rows = self._corrected.filter(
            pc.equal(self._corrected["detection_id"], pa.scalar(identity))
        ).to_pylist()
        return rows[0] if rows else None

    def _where(self, stored: Row, shard: str) -> Where:
        frame = self._frames.get(stored["frame_id"])
        return Where(
            uri=self._clip.uri,
            clip_id=self._clip.clip_id,
            camera=self._clip.name.camera,
            shard=shard,
            frame_id=stored["frame_id"],
            timestamp_ns=stored["timestamp_ns"],
            pts=None if frame is None else frame.pts,
            frame_number=None if frame is None else bisect_left(self._shown, frame.pts),
            sample_index=None if frame is None else frame.sample_index,
            network_ran=None if frame is None else frame.network_ran,
        )

    def _network(self) -> Network:
        plan = self._detector.plan(self._clip.width, self._clip.height)
        return Network(
            name=self._detector.card.name,
            sha256=self._detector.sha256,
            digest=self._detector.ref.digest,
            input_width=plan.input_width,
            input_height=plan.input_height,
        )

    def _output(self, place: int) -> Output | None:
        origin = int(self._tracked.seen.origins[place])
        if origin == ADDED:
            return None
        detected = self._tracked.detected
        # a frame's boxes stand best score first
        (same_frame,) = np.nonzero(detected.frames == detected.frames[origin])
        x_min, y_min, x_max, y_max = detected.boxes[origin].tolist()
        return Output(
            box=(x_min, y_min, x_max, y_max),
            score=float(detected.scores[origin]),
            category=CATEGORIES[int(detected.categories[origin])],
            rank=origin - int(same_frame[0]) + 1,
            boxes=len(same_frame),
        )
