"""Labels, frames and corrections made by hand."""

import pyarrow as pa
import pytest
from made_sets import filled

from transforms.corrections.correction import Correction
from transforms.tables.schemas import DETECTIONS, FRAMES

EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
MODEL = "5ha"


@pytest.fixture
def make_frames():
    """`count` frames of one clip, a second apart."""

    def make(count=3, clip="a", damaged=()):
        return filled(
            FRAMES,
            {
                "frame_id": [f"{clip}{number}" for number in range(count)],
                "clip_id": [clip] * count,
                "timestamp_ns": [number * 10**9 for number in range(count)],
                "sample_index": list(range(count)),
                "is_damaged": [number in damaged for number in range(count)],
                "width": [640] * count,
                "height": [360] * count,
            },
        )

    return make


@pytest.fixture
def make_labels():
    """Labels of (frame number, box, category, score[, network]); ids count them."""

    def make(*rows, clip="a"):
        if not rows:
            return DETECTIONS.empty_table()
        boxes = [row[1] for row in rows]
        columns = {
            "detection_id": [f"d{number}" for number in range(len(rows))],
            "frame_id": [f"{clip}{row[0]}" for row in rows],
            "clip_id": [clip] * len(rows),
            "timestamp_ns": [row[0] * 10**9 for row in rows],
            "track_id": [f"t{number}" for number in range(len(rows))],
            "category": [row[2] for row in rows],
            "score": [row[3] for row in rows],
            "label_source": ["detected"] * len(rows),
            "category_raw": [row[2] for row in rows],
            "score_raw": [row[3] for row in rows],
            "model_digest": [row[4] if len(row) > 4 else MODEL for row in rows],
        }
        for at, name in enumerate(EDGES):
            columns[name] = columns[f"raw_{name}"] = [box[at] for box in boxes]
        return filled(DETECTIONS, columns)

    return make


@pytest.fixture
def make_correction():
    def make(action, frame=0, *, clip="a", sequence=1, **more):
        if "category" not in more and action in {"keep", "change", "add"}:
            more["category"] = "car"
        return Correction(
            clip_id=clip,
            frame_id=f"{clip}{frame}",
            timestamp_ns=frame * 10**9,
            action=action,
            by="Ada",
            at_utc_ns=1,
            source="annotations.xml",
            source_sha256=f"file {sequence}",
            sequence=sequence,
            **more,
        )

    return make


def told(table: pa.Table) -> dict[str, tuple]:
    """Where labels are, what they say and by whom, by id."""
    return {
        row["detection_id"]: (
            tuple(row[name] for name in EDGES),
            row["category"],
            round(row["score"], 6),
            row["label_source"],
        )
        for row in table.to_pylist()
    }


@pytest.fixture
def say():
    return told
