"""Labelled tables: types, names and what is kept to the last digit."""

import numpy as np
import pyarrow as pa
import pytest

from transforms.labels.hindsight.settings import ONLINE
from transforms.labels.table_columns import NEW
from transforms.labels.table_rows import EDGES
from transforms.labels.tabular import label_table
from transforms.tables.ids import stable_id

TENTH_NS = 100_000_000
FRAMES = pa.table({"clip_id": ["a"] * 4, "timestamp_ns": [tenth * TENTH_NS for tenth in range(4)]})


FLOAT, TEXT = pa.float32(), pa.string()
BOX = np.array([10, 20, 50, 60], "<f8").tobytes().hex()


def source(number=FLOAT, text=TEXT, score=None, **more):
    """A standing object that the third of four frames lacks."""
    tenths = [0, 1, 3]
    columns = {
        "clip_id": pa.array(["a"] * 3, pa.string()).cast(text),
        "timestamp_ns": pa.array([tenth * TENTH_NS for tenth in tenths], pa.int64()),
        "category": pa.array(["car"] * 3, pa.string()).cast(text),
        **{
            edge: pa.array([value] * 3).cast(number)
            for edge, value in zip(EDGES, (10, 20, 50, 60), strict=True)
        },
        "score": pa.array([1, 1, 1]).cast(score or number),
    }
    return pa.table(columns | more)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (pa.float32(), pa.float32()),
        (pa.float64(), pa.float64()),
        (pa.float16(), pa.float32()),
        (pa.int16(), pa.float64()),
    ],
)
def test_numbers_are_as_wide_as_they_were(number, written):
    found = label_table(source(number), FRAMES).detections
    for name in (*EDGES, "score"):
        assert found.schema.field(name).type == written
    for name in (*(f"raw_{edge}" for edge in EDGES), "score_raw"):
        assert found.schema.field(name).type == number
    assert found["raw_x_min_px"].to_pylist() == [10, 10, None, 10]
    assert found.schema.field("timestamp_ns").type == pa.int64()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (pa.string(), pa.string()),
        (pa.large_string(), pa.large_string()),
        (pa.dictionary(pa.int8(), pa.string()), pa.string()),
        (pa.dictionary(pa.int32(), pa.large_string()), pa.large_string()),
    ],
)
def test_text_is_plain(text, written):
    found = label_table(source(text=text), FRAMES).detections
    for name in ("clip_id", "category", "category_raw"):
        assert found.schema.field(name).type == written
    assert found["clip_id"].to_pylist() == ["a"] * 4
    assert found["category_raw"].to_pylist() == ["car", "car", None, "car"]


def test_what_hindsight_left_alone_is_the_inputs_to_the_last_digit():
    fine = np.array([0.1, 1 / 3, 2 / 3])
    exact = source(pa.float64(), score=pa.float64())
    exact = exact.set_column(3, "x_min_px", pa.array(10 + fine)).set_column(7, "score", pa.array(fine))
    found = label_table(exact, FRAMES, ONLINE).detections
    assert found["x_min_px"].to_pylist() == found["raw_x_min_px"].to_pylist() == (10 + fine).tolist()
    assert found["score"].to_pylist() == found["score_raw"].to_pylist() == fine.tolist()


def test_other_columns_are_carried_along_whatever_they_hold():
    more = {
        "feature": pa.array([[1.0, 2.0], None, [3.0]]),
        "camera": pa.array(["front"] * 3).dictionary_encode(),
        "where": pa.array([{"x": 1}, {"x": 2}, {"x": 3}]),
        "nothing": pa.nulls(3),
    }
    fields = [pa.field("sure", pa.bool_(), nullable=False)]
    table = source(**more).append_column(fields[0], pa.array([True, False, True]))
    found = label_table(table, FRAMES).detections
    own = found.filter(pa.compute.is_valid(found["score_raw"]))
    for name in (*more, "sure"):
        assert own[name].to_pylist() == table[name].to_pylist()
        assert found[name].to_pylist()[2] is None
    assert found.schema.field("sure").nullable


def test_columns_with_our_names_are_replaced_and_told():
    found = label_table(source(track_id=pa.array([-1, -1, -1]), raw_x_min_px=pa.array([7, 7, 7])), FRAMES)
    assert found.replaced == ("track_id", "raw_x_min_px")
    assert found.detections.column_names[-len(NEW) :] == list(NEW)
    assert len(found.detections.column_names) == len(set(found.detections.column_names))
    assert found.detections["raw_x_min_px"].to_pylist() == [10, 10, None, 10]
    assert found.detections["track_id"].to_pylist() == found.tracks["track_id"].to_pylist() * 4


def test_ids_are_made_of_what_the_rows_say():
    found = label_table(source(), FRAMES).detections
    first = stable_id("detection", "a", 0, "car", BOX)
    track = stable_id("track", first)
    assert found["detection_id"].to_pylist()[0] == first
    assert found["track_id"].to_pylist() == [track] * 4
    assert found["detection_id"].to_pylist()[2] == stable_id("interpolated", 2 * TENTH_NS, track)
    wide = label_table(source(pa.float64()), FRAMES).detections
    assert wide["detection_id"].equals(found["detection_id"])


def test_a_row_that_is_there_three_times_has_three_ids():
    once = source()
    found = label_table(pa.concat_tables([once, once, once]), FRAMES, ONLINE).detections
    own = found.filter(pa.compute.equal(found["timestamp_ns"], 0))["detection_id"].to_pylist()
    parts = ("detection", "a", 0, "car", BOX)
    assert sorted(own) == sorted([stable_id(*parts), stable_id(*parts, 1), stable_id(*parts, 2)])
    assert own == sorted(own)
