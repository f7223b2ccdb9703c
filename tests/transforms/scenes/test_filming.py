from fractions import Fraction
from io import BytesIO

import av
import pyarrow.parquet as pq
import pytest

from transforms.scenes.filming import even_pts, film_seed
from transforms.scenes.records import TruthTables
from transforms.tables.truth import TRUTH_TABLES


@pytest.fixture(scope="module")
def record():
    return film_seed(7, seconds=0.5, fps=10, width=160, height=90)


def test_a_film_has_its_frames_and_its_truth(record):
    with av.open(BytesIO(record.content)) as container:
        assert [frame.pts for frame in container.decode(video=0)] == [0, 9000, 18000, 27000, 36000]
    assert [frame.pts for frame in record.frames] == [0, 9000, 18000, 27000, 36000]
    assert record.frames[0].telemetry is None
    assert record.duration_ticks == 45000
    assert record.world.seed == 7


def test_there_is_always_a_frame():
    assert even_pts(0.01, Fraction(12)) == [0]


def test_truth_tables_hold_every_declared_column_with_description(record, tmp_path):
    tables = TruthTables()
    tables.add(record, ["a.mp4", "b.mp4"])
    rows = tables.write(tmp_path / "truth")
    assert rows.keys() == TRUTH_TABLES.keys()
    assert rows["clips"] == 2
    assert rows["frames"] == 5
    for name, schema in TRUTH_TABLES.items():
        table = pq.read_table(tmp_path / "truth" / f"{name}.parquet")
        assert table.schema.equals(schema)
        assert all(field.metadata[b"description"] for field in schema)
        assert table.num_rows == rows[name]


def test_small_and_hidden_things_are_not_asked_for(record, tmp_path):
    tables = TruthTables()
    tables.add(record, ["a.mp4"])
    tables.write(tmp_path)
    boxes = pq.read_table(tmp_path / "boxes.parquet").to_pylist()
    asked = pq.read_table(tmp_path / "evaluation.parquet").to_pylist()
    assert len(boxes) == len(asked) > 0
    for box, row in zip(boxes, asked, strict=True):
        small = box["y_max_px"] - box["y_min_px"] < 12 or box["visibility"] < 0.4
        assert row["category"] == ("dontcare" if small else box["category"])
        assert (row["track_id"], row["x_min_px"]) == (box["track_id"], box["x_min_px"])


def test_an_undeclared_column_is_an_error():
    with pytest.raises(ValueError, match="colour"):
        TruthTables()._row("lanes", colour="red")
