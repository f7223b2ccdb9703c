"""Small data sets made row by row, as sound as labelled ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from transforms.budget.demand.figures import Tally
from transforms.clips.refs import Failure
from transforms.tables.commits import ModelFacts, ShardSummary, commit_shard
from transforms.tables.dataset import (
    Gathered,
    remove_orphans,
    whole_tables,
    write_dataset,
    write_manifest,
    write_whole,
)
from transforms.tables.digests import digest
from transforms.tables.earlier import Earlier
from transforms.tables.schemas import BUDGET, CLIPS, OBJECTS, SHARD_TABLES
from transforms.tables.store import LocalStore

DAY_NS = 86_400_000_000_000
MODEL = ModelFacts(
    name="net", sha256="5ha", digest="dig", size=416, task="detection", categories=("car", "person")
)


@dataclass(frozen=True)
class Box:
    """A detection: its frame (by number), left edge, category, score."""

    frame: int
    left: float
    category: str = "car"
    score: float = 0.9
    size: float = 20.0


@dataclass(frozen=True)
class Minute:
    """A shard of one clip; `minute` counts within the clip."""

    clip: str
    boxes: Sequence[Box] = ()
    start_ns: int | None = 0
    frames: int = 3
    minute: int = 0
    name: str | None = None

    @property
    def shard(self) -> str:
        return self.name or f"{self.clip}-m{self.minute:04d}"


def filled(schema: pa.Schema, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Rows with these columns, the others with plain values."""
    count = len(next(iter(columns.values())))
    return pa.table(
        {
            column.name: pa.array(columns.get(column.name, [_plain(column)] * count), column.type)
            for column in schema
        },
        schema,
    )


def _plain(column: "pa.Field[Any]") -> Any:
    if column.nullable:
        return None
    if pa.types.is_list(column.type) or pa.types.is_map(column.type):
        return []
    return {pa.string(): "x", pa.bool_(): False}.get(column.type, 1)


def make_set(
    root: Path,
    minutes: Sequence[Minute],
    model: ModelFacts = MODEL,
    settings: Mapping[str, object] | None = None,
) -> Path:
    """Writes a data set of these minutes, or makes an earlier one hold exactly them."""
    store = LocalStore(root)
    shards = sorted(
        (commit_shard(store, *_shard(item, model)) for item in minutes), key=lambda shard: shard.name
    )
    found = Gathered(
        summaries=shards,
        duplicates=(),
        duplicate_rows=CLIPS.empty_table(),
        events=(),
        failures=(
            Failure(uri="/gone.mp4", clip_id="", stage="probe", error="empty", message="m", retryable=False),
        ),
        objects=pa.Table.from_pylist(
            [
                {"drive_id": shard.drive_id, "track_id": track, "object_id": f"object {track}"}
                for shard in shards
                for track in shard.tracks
            ],
            OBJECTS,
        ),
    )
    remove_orphans(store, shards)
    tables = whole_tables(found, (), Earlier()) | {"budget": BUDGET.empty_table()}
    whole = write_whole(store, tables, found.duplicate_rows)
    rows: Counter[str] = Counter()
    for shard in shards:
        rows.update(shard.counts)
    rows.update({file.path.partition("/")[0]: file.rows for file in whole})
    write_dataset(store, write_manifest(store, shards, whole), rows, shards, settings or {"fps": "5"})
    return root


def _shard(item: Minute, model: ModelFacts) -> tuple[ShardSummary, dict[str, pa.Table]]:
    first = item.minute * 60
    times = [(first + number) * 1_000_000_000 for number in range(item.frames)]
    frame_ids = [f"{item.clip} {first + number}" for number in range(item.frames)]
    boxes = sorted(item.boxes, key=lambda box: box.frame)
    track = f"track {item.shard}"
    tables = {name: schema.empty_table() for name, schema in SHARD_TABLES.items()}
    if not item.minute:
        tables["clips"] = filled(
            CLIPS,
            {
                "clip_id": [item.clip],
                "drive_id": [f"drive {item.clip}"],
                "uri": [f"/in/{item.clip}.mp4"],
                "content_sha256": [digest(item.clip)],
                "start_utc_ns": [item.start_ns],
            },
        )
    if item.frames:
        start = item.start_ns
        tables["frames"] = filled(
            SHARD_TABLES["frames"],
            {
                "frame_id": frame_ids,
                "clip_id": [item.clip] * item.frames,
                "timestamp_ns": times,
                "utc_ns": [None if start is None else start + time for time in times],
                "sample_index": list(range(item.frames)),
                "width": [640] * item.frames,
                "height": [360] * item.frames,
            },
        )
    if boxes:
        tables["detections"] = filled(
            SHARD_TABLES["detections"],
            {
                "detection_id": [f"{item.shard} {number}" for number in range(len(boxes))],
                "frame_id": [frame_ids[box.frame] for box in boxes],
                "clip_id": [item.clip] * len(boxes),
                "timestamp_ns": [times[box.frame] for box in boxes],
                "track_id": [track] * len(boxes),
                "category": [box.category for box in boxes],
                "x_min_px": [box.left for box in boxes],
                "y_min_px": [10.0] * len(boxes),
                "x_max_px": [box.left + box.size for box in boxes],
                "y_max_px": [10.0 + box.size for box in boxes],
                "score": [box.score for box in boxes],
                "label_source": ["detected"] * len(boxes),
                "model_digest": [model.sha256] * len(boxes),
            },
        )
        tables["tracks"] = filled(
            SHARD_TABLES["tracks"],
            {"track_id": [track], "clip_id": [item.clip], "detected": [len(boxes)], "added": [0]},
        )
    summary = ShardSummary(
        name=item.shard,
        drive_id=f"drive {item.clip}",
        label_digest=digest([model.sha256, repr(item)]),
        made_from={},
        files=(),
        counts={name: table.num_rows for name, table in tables.items()},
        clips=((item.clip, f"/in/{item.clip}.mp4"),),
        event_ids=(),
        models=(model,),
        frames_labelled={item.clip: item.frames},
        tally=Tally(clips=1, frames=item.frames),
        tracks=(track,) if boxes else (),
        heads={},
        tail={},
        failures=(),
    )
    return summary, tables
