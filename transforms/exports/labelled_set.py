"""The clips, frames and boxes of a data set, one clip at a time."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.clips.sampling import Sampling
from transforms.exports.frames import CATEGORY_INDEX, Box, Clip, ExportError, Frame
from transforms.exports.object_numbers import ObjectNumbers
from transforms.exports.settings import ExportSettings
from transforms.labels.privacy.boxes import BOX_COLUMNS, PeopleAndVehicles
from transforms.splits.rule import HELD_OUT
from transforms.splits.table import SplitsError, read_splits
from transforms.tables.finished import Finished, read_finished
from transforms.tables.layout import table_file
from transforms.tables.row_groups import RowsByKey
from transforms.tables.schemas import DETECTIONS
from transforms.tables.store import Store

_EDGES: Final = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
_CLIP: Final = (
    "drive_id",
    "camera",
    "uri",
    "content_sha256",
    "width",
    "height",
    "fps_mean",
    "start_utc_ns",
)
_FRAME: Final = ("frame_id", "timestamp_ns", "pts", "utc_ns", "sample_index", "width", "height", "is_damaged")
_DETECTION: Final = (
    "frame_id",
    "timestamp_ns",
    "detection_id",
    "track_id",
    "category",
    "category_raw",
    *_EDGES,
    *(f"raw_{edge}" for edge in _EDGES),
    "score",
    "label_source",
    "model_digest",
)
_TELEMETRY: Final = (
    "timestamp_ns",
    "vehicle_speed_mps",
    "steering_wheel_angle",
    "accelerator_pedal_position",
    "brake_applied",
)
_DANGEROUS: Final = ("crashed_decoder", "timeout")
"""Faults of clips after which nobody opens them without a process of their own."""

_AT_ONCE: Final = 4096
"""Rows that are Python objects at one time."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""What a clip's id may be made of: files are called after it, and a data set may come from anybody."""


class LabelledSet:
    """A finished data set that is read clip by clip; of the whole it holds what stands in `clips`, and places of rows.

    Args:
        store: the data set.
        place: its folder, for messages.

    Attributes:
        manifest_sha256: digest of its manifest.
        models: sha256 → name of every network that labelled.
        dangerous: ids of clips that made the decoder crash or hang in one of their minutes.

    Raises:
        NotADatasetError: there is none, or one of another schema.
        UnfinishedError: a run has not ended.
    """

    def __init__(self, store: Store, place: object) -> None:
        self._store = store
        self._place = place
        finished = read_finished(store, place)
        self.manifest_sha256 = str(finished.facts["manifest_sha256"])
        self.models = {model["sha256"]: model["name"] for model in finished.facts.get("models", [])}
        self._sampling = _sampling(finished.facts.get("settings", {}))
        self._frames = RowsByKey(store, _paths(finished, "frames"), "clip_id", _FRAME)
        self._detections = RowsByKey(store, _paths(finished, "detections"), "clip_id", _DETECTION)
        self._telemetry_paths = _paths(finished, "telemetry")
        objects = [file.path for file in finished.others if file.path == table_file("objects")]
        self._objects = RowsByKey(store, objects, "drive_id", ("track_id", "object_id"))
        clips = RowsByKey(store, _paths(finished, "clips"), "clip_id", _CLIP)
        self._clips = {
            clip.clip_id: clip
            for key in clips.keys()  # noqa: SIM118 - no mapping
            for table in clips.pieces(key)
            for clip in self._clip_rows(table)
        }
        failures = [file.path for file in finished.others if file.path == table_file("failures")]
        faults = RowsByKey(store, failures, "error", ("clip_id",))
        self.dangerous = frozenset(
            clip
            for fault in _DANGEROUS
            for table in faults.pieces(fault)
            for clip in table["clip_id"].to_pylist()
        )
        self._numbers = ObjectNumbers()

    @property
    def cameras(self) -> set[str]:
        """Cameras of its clips."""
        return {clip.camera for clip in self._clips.values()}

    def split_versions(self) -> dict[str, dict[str, str]]:
        """The splits of the data set: version → clip → split.

        Raises:
            ExportError: the table cannot be read.
        """
        try:
            rows = read_splits(self._store)
        except SplitsError as error:
            raise ExportError(f"{self._place}: {error}") from error
        found: dict[str, dict[str, str]] = {}
        for row in _rows(rows):
            found.setdefault(row["version"], {}).update(dict.fromkeys(row["clip_ids"], row["split"]))
        return found

    def chosen(self, settings: ExportSettings) -> list[Clip]:
        """The clips that settings ask for and that have frames: drive by drive, in the order of their minutes."""
        drives: dict[str, list[Clip]] = {}
        version = settings.split_version
        split_of = self.split_versions().get(version) if version else {}
        if split_of is None:
            raise ExportError(f"{self._place}: its splits have no version {version}")
        for clip_id in self._frames.keys():  # noqa: SIM118 - no mapping
            clip = self._clips.get(clip_id)
            if clip is None:
                raise ExportError(
                    f"{self._place}: frames: clip {clip_id} is not in clips; see clipmill verify"
                )
            is_asked = not settings.clips or clip.clip_id in settings.clips
            if is_asked and (not settings.cameras or clip.camera in settings.cameras):
                split = split_of.get(clip.clip_id, HELD_OUT) if version else None
                drives.setdefault(clip.drive_id, []).append(replace(clip, split=split))
        return [clip for clips in drives.values() for clip in clips]

    def frames(self, clip: Clip, settings: ExportSettings) -> Iterator[Frame]:
        """The labelled frames of a clip in the order of time, those without a box included.

        Args:
            clip: one of `chosen`, in that order: objects are numbered as they come.
            settings: which boxes are wanted.
        """
        object_of = self._numbers.of_drive(clip.drive_id, self._objects)
        boxes = self._boxes(clip, settings)
        box = next(boxes, None)
        last = -1
        for place, row in enumerate(self._frame_rows(clip)):
            if row["sample_index"] is None or row["is_damaged"]:
                continue
            due = place if self._sampling.fps is None else self._sampling.index_at(row["timestamp_ns"])
            last = max(due, last + 1)
            own = []
            while box is not None and box["timestamp_ns"] <= row["timestamp_ns"]:
                if box["frame_id"] == row["frame_id"]:
                    own.append(box)
                box = next(boxes, None)
            yield Frame(
                frame_id=row["frame_id"],
                number=last,
                pts=row["pts"],
                timestamp_ns=row["timestamp_ns"],
                utc_ns=row["utc_ns"],
                width=row["width"],
                height=row["height"],
                boxes=tuple(self._labelled(own, object_of)),
            )

    def telemetry(self, clip: Clip) -> Iterator[pa.Table]:
        """What the car told of itself in a clip, but for places: the columns of the table, some rows at a time."""
        yield from self._telemetry.pieces(clip.clip_id)

    def people_and_vehicles(self, clip: Clip) -> PeopleAndVehicles:
        """All boxes of a clip in which there may be faces or plates, whatever boxes are wanted."""
        pieces = [table.select(BOX_COLUMNS) for table in self._detections.pieces(clip.clip_id)]
        schema = pa.schema([DETECTIONS.field(name) for name in BOX_COLUMNS])
        return PeopleAndVehicles.from_table(pa.concat_tables([schema.empty_table(), *pieces]))

    def is_unchanged(self) -> bool:
        """Whether no run has changed the data set since it was opened."""
        return str(read_finished(self._store, self._place).facts["manifest_sha256"]) == self.manifest_sha256

    @cached_property
    def _telemetry(self) -> RowsByKey:
        """Where its rows are; not every format asks."""
        return RowsByKey(self._store, self._telemetry_paths, "clip_id", _TELEMETRY)

    def _clip_rows(self, table: pa.Table) -> Iterator[Clip]:
        rate = self._sampling.fps
        for row in _rows(table):
            if not _ID.fullmatch(row["clip_id"]):
                raise ExportError(
                    f"{self._place}: clips: {row['clip_id'][:100]!r} is no id; see clipmill verify"
                )
            yield Clip(**row, rate=None if rate is None else float(rate))

    def _frame_rows(self, clip: Clip) -> Iterator[dict[str, Any]]:
        for table in self._frames.pieces(clip.clip_id):
            yield from _rows(table)

    def _boxes(self, clip: Clip, settings: ExportSettings) -> Iterator[dict[str, Any]]:
        """The rows of the boxes that are wanted, in the order of time."""
        for table in self._detections.pieces(clip.clip_id):
            # as the column has them: .7 as a double lies above the .7 of a float
            least = pa.scalar(settings.min_score, pa.float32())
            wanted = pc.and_(
                pc.greater_equal(table["score"], least),
                pc.greater(table["score"], pa.scalar(0, pa.float32())),
            )
            for name, values in (
                ("category", settings.categories),
                ("label_source", settings.label_sources),
                ("model_digest", (settings.model,) if settings.model else ()),
            ):
                if values:
                    wanted = pc.and_(wanted, pc.is_in(table[name], value_set=pa.array(values, pa.string())))
            kept = table.filter(wanted)
            yield from _rows(kept.sort_by([("timestamp_ns", "ascending"), ("detection_id", "ascending")]))

    def _labelled(self, rows: list[dict[str, Any]], object_of: Mapping[str, str]) -> Iterator[Box]:
        """Boxes of one frame; of two that show one object (a minute split it) the second one goes by its track."""
        seen: set[str] = set()
        for row in rows:
            if row["category"] not in CATEGORY_INDEX:
                raise ExportError(
                    f"{self._place}: detections: {row['category']!r} is no category of the taxonomy"
                )
            track = row["track_id"]
            shown = None if track is None else object_of.get(track, track)
            if shown in seen:
                shown = track
            if shown is not None:
                seen.add(shown)
            if not all(math.isfinite(row[name]) for name in (*_EDGES, "score")):
                raise ExportError(
                    f"{self._place}: detections: {row['detection_id']} has a box without an end"
                )
            x_min, y_min, x_max, y_max = (round(row[name], 3) for name in _EDGES)
            yield Box(
                detection_id=row["detection_id"],
                model_digest=row["model_digest"],
                category=row["category"],
                edges=(x_min, y_min, x_max, y_max),
                score=round(row["score"], 6),
                label_source=row["label_source"],
                object_id=shown,
                object_number=None if shown is None else self._numbers.number(shown),
            )


def _sampling(settings: Mapping[str, Any]) -> Sampling:
    """Which frames have labels: those of `label_fps`, else those of `fps`."""
    return Sampling.parse(str(settings.get("label_fps") or settings.get("fps") or "all"))


def _paths(finished: Finished, table: str) -> list[str]:
    return [files[table].path for files in finished.shards.values() if table in files]


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """The rows of a small table."""
    for batch in table.to_batches(_AT_ONCE):
        yield from batch.to_pylist()
