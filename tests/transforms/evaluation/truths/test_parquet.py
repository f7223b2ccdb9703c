"""Parquet and the truth of samples: columns, types, folders."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.evaluation.truths import parquet
from transforms.evaluation.truths.files import TruthError
from transforms.evaluation.truths.forms import read_truth


def rows(**columns):
    table = {
        "clip_id": ["a", "a"],
        "timestamp_ns": [0, 1],
        "category": ["car", "car"],
        "x_min_px": [0.0, 0.0],
        "y_min_px": [0.0, 0.0],
        "x_max_px": [5.0, 5.0],
        "y_max_px": [5.0, 5.0],
        **columns,
    }
    return pa.table({name: values for name, values in table.items() if values is not None})


def content(table):
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def read(files, table, **more):
    return read_truth(files.named({"t.parquet": content(table), **more}))


def test_tracks_of_any_type(files):
    for tracks, known in (
        ([1, -1], ["1", None]),
        (["x", None], ["x", None]),
        (["1-6", "-2"], ["1-6", None]),
        (None, [None, None]),
    ):
        assert read(files, rows(track_id=tracks)).boxes["track_id"].to_pylist() == known


@pytest.mark.parametrize(
    ("name", "values", "known"),
    [
        ("occluded", [0, 3], ["none", "unknown"]),
        ("occluded", [True, False], ["partly", "none"]),
        ("visibility", [0.9, 0.5], ["none", "partly"]),
        ("visibility", [0.1, None], ["largely", None]),
    ],
)
def test_occlusion(files, name, values, known):
    assert read(files, rows(**{name: values})).boxes["occlusion"].to_pylist() == known


def test_dictionaries_whole_numbers_and_other_widths_are_read(files):
    table = rows(
        category=pa.array(["car", "bus"]).dictionary_encode(),
        timestamp_ns=pa.array([0, 1], pa.uint32()),
        x_max_px=pa.array([5, 6], pa.int16()),
    )
    found = read(files, table).boxes
    assert found["category"].to_pylist() == ["car", "bus"]
    assert found["x_max_px"].to_pylist() == [5.0, 6.0]


def test_a_folder_holds_any_number_of_files_or_one_called_truth(files):
    one, other = content(rows()), content(rows(clip_id=["b", "b"]))
    frames = content(pa.table({"clip_id": ["a"], "timestamp_ns": [7]}))
    both = read_truth(files.named({"one.parquet": one, "sub/two.parquet": other, "frames.parquet": frames}))
    assert both.boxes["clip_id"].to_pylist() == ["a", "a", "b", "b"]
    assert both.frames.to_pylist() == [{"clip_id": "a", "timestamp_ns": 7}]
    # what else lies there is no truth
    alone = read_truth(
        files.named({"truth.parquet": one, "detections.parquet": content(pa.table({"x": [1]}))})
    )
    assert alone.boxes.num_rows == 2
    assert alone.frames is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (rows(category=None), "t.parquet: no column category; there are clip_id"),
        (rows(category=["car", None]), "t.parquet: row 2: category is missing"),
        (rows(category=["", "car"]), "t.parquet: row 1: category is missing"),
        (rows(timestamp_ns=["x", "y"]), "t.parquet: column timestamp_ns is string"),
        (rows(timestamp_ns=[None, 1]), "t.parquet: row 1: timestamp_ns is missing"),
        (rows(timestamp_ns=[2**63 - 1, 1]), "t.parquet: row 1: the time is out of range"),
        (rows(x_min_px=[0.0, float("nan")]), "t.parquet: row 2: the box is not made of finite numbers"),
        (rows(x_min_px=[0.0, None]), "t.parquet: row 2: the box is not made of finite numbers"),
        (rows(x_max_px=[float("inf"), 5.0]), "t.parquet: row 1: the box is not made of finite numbers"),
        (rows(x_max_px=[5.0, -1.0]), "t.parquet: row 2: the box has a negative size"),
        (rows(y_max_px=[1e7, 5.0]), "t.parquet: row 1: the box reaches beyond a million pixels"),
        (rows(x_min_px=[[0.0], [0.0]]), "t.parquet: column x_min_px is list"),
    ],
)
def test_broken_tables_are_told(files, table, message):
    with pytest.raises(TruthError, match=message):
        read(files, table)


def test_a_table_without_rows_is_told(files):
    with pytest.raises(TruthError, match="the truth holds no box"):
        read(files, rows().slice(0, 0))


def test_a_cut_file_is_told(files):
    whole = content(rows())
    with pytest.raises(TruthError, match=r"t.parquet: not a sound Parquet file"):
        read_truth(files.named({"t.parquet": whole[: len(whole) // 2]}))


def test_more_rows_than_memory_holds_are_refused(files, monkeypatch):
    monkeypatch.setattr(parquet, "MOST_ROWS", 1)
    with pytest.raises(TruthError, match=r"t.parquet: 2 rows; at most 1 are read"):
        read(files, rows())


def sample():
    key = {"clip_id": ["a", "a"], "timestamp_ns": [0, 1]}
    return {
        "evaluation.parquet": content(rows(track_id=["1-1", "1-2"])),
        "frames.parquet": content(pa.table({"clip_id": ["a"] * 3, "timestamp_ns": [0, 1, 2]})),
        "clips.parquet": content(
            pa.table({"clip_id": ["a", "a"], "file": ["x/1.mp4", "y/1.mp4"], "light": ["dusk", "dusk"]})
        ),
        "boxes.parquet": content(pa.table({**key, "track_id": ["1-1", "9-9"], "visibility": [0.6, 1.0]})),
    }


def test_the_truth_of_a_sample(files):
    found = read_truth(files.named(sample()))
    assert found.form == "sample"
    assert found.frames.num_rows == 3
    assert found.lights == {"a": "dusk"}
    assert found.files == {"a": ["x/1.mp4", "y/1.mp4"]}
    assert found.boxes["occlusion"].to_pylist() == ["partly", None]


def test_a_sample_without_its_frames_is_told(files):
    contents = sample()
    del contents["frames.parquet"]
    with pytest.raises(TruthError, match=r"evaluation.parquet: no frames.parquet beside it"):
        read_truth(files.named(contents))
