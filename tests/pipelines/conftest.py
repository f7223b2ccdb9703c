"""A labelled data set of two clips and a duplicate: only what the budget reads of it."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

HOUR_NS = 3_600_000_000_000


def clips(camera, hours, width=1280, height=960, duplicate_of=None):
    return pa.table(
        {
            "camera": [camera],
            "width": pa.array([width], pa.int32()),
            "height": pa.array([height], pa.int32()),
            "duration_ns": [int(hours * HOUR_NS)],
            "frame_count": [int(hours * 3600 * 36)],
            "fps_mean": [36.0],
            "bytes": [1000],
            "duplicate_of": pa.array([duplicate_of], pa.string()),
        }
    )


def frames(labelled, damaged):
    count = labelled + damaged
    return pa.table({"sample_index": list(range(count)), "is_damaged": [False] * labelled + [True] * damaged})


@pytest.fixture
def dataset(tmp_path):
    tables = {
        "clips/a": clips("front", 2),
        "clips/b": clips("back", 1),
        "clips/duplicates": clips("back", 1, duplicate_of="b"),
        "frames/a": frames(100, 10),
        "frames/b": frames(50, 0),
        "detections/a": pa.table({"score": [0.5] * 7}),
        "detections/b": pa.table({"score": [0.5] * 4}),
        "tracks/a": pa.table({"score": [0.5] * 3}),
    }
    for name, table in tables.items():
        path = tmp_path / "out" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
    (tmp_path / "out" / "clips" / "notes.txt").write_text("not a table")
    return tmp_path / "out"
