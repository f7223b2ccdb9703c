"""Small labelled folders: a data set of one clip, and the output of `clipmill track`."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.tables.schemas import SCHEMA_VERSION

EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
STEP_NS = 200_000_000
ONE, TWO = "1" * 64, "2" * 64


def write(folder: Path, name: str, table: pa.Table) -> None:
    path = folder / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def box_columns(boxes: list[tuple[float, ...]], prefix: str = "") -> dict[str, pa.Array]:
    return {
        f"{prefix}{name}": pa.array([box[place] for box in boxes], pa.float32())
        for place, name in enumerate(EDGES)
    }


def detections(rows: list[tuple], digest: str = ONE) -> pa.Table:
    """Rows (clip, frame, category, track, box, score, score_raw, source)."""
    clips, frames, categories, tracks, boxes, scores, raw, sources = zip(*rows, strict=True)
    return pa.table(
        {
            "clip_id": pa.array(clips, pa.string()),
            "timestamp_ns": pa.array([frame * STEP_NS for frame in frames], pa.int64()),
            "category": pa.array(categories, pa.string()),
            "track_id": pa.array(tracks, pa.string()),
            **box_columns(list(boxes)),
            "score": pa.array(scores, pa.float32()),
            "score_raw": pa.array(raw, pa.float32()),
            "label_source": pa.array(sources, pa.string()),
            "model_digest": pa.array([digest] * len(rows), pa.string()),
        }
    )


def truth(rows: list[tuple]) -> pa.Table:
    """Rows (clip, time in ns, category, track, box)."""
    clips, times, categories, tracks, boxes = zip(*rows, strict=True)
    return pa.table(
        {
            "clip_id": pa.array(clips, pa.string()),
            "timestamp_ns": pa.array(times, pa.int64()),
            "category": pa.array(categories, pa.string()),
            "track_id": pa.array(tracks, pa.string()),
            **box_columns(list(boxes)),
        }
    )


def write_dataset(
    folder: Path,
    rows: list[tuple],
    *,
    frames: int = 6,
    categories: tuple[str, ...] = ("car", "person"),
    objects: dict[str, str] | None = None,
    other: list[tuple] | None = None,
) -> None:
    """A data set of one clip `clip-a` (drive.mp4): what an evaluation reads of it.

    Args:
        folder: where.
        rows: of `detections`.
        frames: labelled frames; one that is damaged and one without a sample follow.
        categories: that were looked for.
        objects: track → object.
        other: rows of a second network.
    """
    models = [("one", ONE, rows), *([("two", TWO, other)] if other is not None else [])]
    folder.mkdir(parents=True, exist_ok=True)
    networks = [{"name": name, "sha256": digest} for name, digest, _ in models]
    facts = {"schema_version": SCHEMA_VERSION, "models": networks}
    (folder / "dataset.json").write_text(json.dumps(facts))
    for name, digest, own in models:
        write(folder, f"detections/{name}", detections(own, digest))
    write(
        folder,
        "clips/a",
        pa.table(
            {
                "clip_id": ["clip-a"],
                "uri": ["/data/drive.mp4"],
                "camera": ["front"],
                "duplicate_of": pa.array([None], pa.string()),
            }
        ),
    )
    count = frames + 2
    write(
        folder,
        "frames/a",
        pa.table(
            {
                "clip_id": ["clip-a"] * count,
                "timestamp_ns": [frame * STEP_NS for frame in range(count)],
                "sample_index": pa.array([*range(count - 1), None], pa.int64()),
                "is_damaged": [False] * frames + [True, False],
                "luma_mean": pa.array([40.0, *[120.0] * (count - 1)], pa.float32()),
            }
        ),
    )
    write(
        folder,
        "coverage/all",
        pa.table(
            {
                "clip_id": ["clip-a"] * len(models),
                "model_digest": [digest for _, digest, _ in models],
                "categories": [list(categories)] * len(models),
            }
        ),
    )
    tracks = objects or {}
    write(
        folder,
        "objects/all",
        pa.table(
            {
                "track_id": pa.array(list(tracks), pa.string()),
                "object_id": pa.array(list(tracks.values()), pa.string()),
            }
        ),
    )
