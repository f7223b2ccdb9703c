"""Tables of any tool: what is taken, and what is refused and how."""

import numpy as np
import pyarrow as pa
import pytest

from transforms.labels.table_rows import EDGES, NEEDED, TableError, table_rows

GOOD = {
    "clip_id": ["b", "a", "a"],
    "timestamp_ns": [0, 100, 0],
    "category": ["car", "van", "car"],
    "x_min_px": [1.0, -5.0, 3.0],
    "y_min_px": [1.0, 2.0, 3.0],
    "x_max_px": [9.0, 9.0, 9.0],
    "y_max_px": [9.0, 9.0, 9.0],
    "score": [0.5, 0.25, 1.0],
}
FRAMES = pa.table({"clip_id": ["a", "a", "b", "c", "a"], "timestamp_ns": [0, 100, 0, 7, 0]})


def changed(**columns):
    return pa.table({**GOOD, **columns})


def test_rows_are_sorted_by_clip_and_time_and_know_where_they_stood():
    rows = table_rows(pa.table(GOOD), FRAMES)
    assert rows.clips == ["a", "b", "c"]
    assert rows.words == ["car", "van"]
    assert rows.frame_times_ns.tolist() == [0, 100, 0, 7]
    assert rows.frame_bounds.tolist() == [0, 2, 3, 4]
    assert rows.row_bounds.tolist() == [0, 2, 3, 3]
    assert rows.order.tolist() == [2, 1, 0]
    assert rows.frames.tolist() == [0, 1, 0]
    assert rows.word_of.tolist() == [0, 1, 0]
    assert rows.boxes[1].tolist() == [-5, 2, 9, 9]
    assert rows.scores.tolist() == [1.0, 0.25, 0.5]
    assert rows.repeats.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "columns",
    [
        {"clip_id": pa.array(GOOD["clip_id"], pa.large_string())},
        {"clip_id": pa.array(GOOD["clip_id"]).dictionary_encode()},
        {"category": pa.array(GOOD["category"], pa.large_string()).dictionary_encode()},
        {"category": pa.array(GOOD["category"], pa.string_view())},
        {"timestamp_ns": pa.array(GOOD["timestamp_ns"], pa.uint64())},
        {"timestamp_ns": pa.array(GOOD["timestamp_ns"], pa.int32())},
        {"score": pa.array(GOOD["score"], pa.float16())},
        {"score": pa.array(GOOD["score"], pa.float32())},
        {edge: pa.array([int(value) for value in GOOD[edge]], pa.int16()) for edge in EDGES},
        {"score": pa.chunked_array([[0.5], [0.25, 1.0]])},
    ],
)
def test_any_width_and_any_kind_of_text_will_do(columns):
    rows, plain = table_rows(changed(**columns), FRAMES), table_rows(pa.table(GOOD), FRAMES)
    assert (rows.clips, rows.words) == (plain.clips, plain.words)
    for name in ("order", "frames", "word_of", "boxes", "scores"):
        assert getattr(rows, name).tolist() == getattr(plain, name).tolist()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"clip_id": ["b", None, "a"]}, r"detections: row 1 \(from 0\): clip_id is missing"),
        ({"clip_id": [1, 2, 3]}, r"detections: column clip_id is int64; text"),
        ({"category": [b"car", b"car", b"car"]}, r"detections: column category is binary; text"),
        ({"category": ["car", "car", None]}, r"row 2 \(from 0\): category is missing"),
        ({"timestamp_ns": [0, None, 0]}, r"row 1 \(from 0\): timestamp_ns is missing"),
        ({"timestamp_ns": [0.0, 100.0, 0.0]}, r"column timestamp_ns is double; whole nanoseconds"),
        ({"timestamp_ns": pa.array([2**64 - 1, 0, 0], pa.uint64())}, r"row 0 .*timestamp_ns is out of range"),
        ({"timestamp_ns": [0, -(2**63), 0]}, r"row 1 .*timestamp_ns is out of range"),
        ({"score": ["high", "low", "low"]}, r"column score is string; numbers"),
        ({"score": [0.5, None, 0.5]}, r"row 1 \(from 0\): score is missing"),
        ({"score": [0.5, 0.5, float("nan")]}, r"row 2 \(from 0\): score is not a finite number \(nan\)"),
        (
            {"score": [0.5, 1.5, 87.0]},
            r"row 1 \(from 0\): score must lie between 0 and 1 \(1.5\); so it is in 2 rows",
        ),
        ({"score": [-0.1, 0.5, 0.5]}, r"row 0 \(from 0\): score must lie between 0 and 1 \(-0.1\)"),
        (
            {"x_min_px": [1.0, float("inf"), 3.0]},
            r"row 1 \(from 0\): x_min_px is not a finite number \(inf\)",
        ),
        ({"y_max_px": [9.0, None, 9.0]}, r"row 1 \(from 0\): y_max_px is missing"),
        ({"x_min_px": [1.0, 10.0, 3.0]}, r"row 1 \(from 0\): x_max_px is less than x_min_px \(10, 2, 9, 9\)"),
        ({"y_min_px": [1.0, 2.0, 10.0]}, r"row 2 \(from 0\): y_max_px is less than y_min_px"),
        ({"x_max_px": [9.0, 2e6, 9.0]}, r"row 1 \(from 0\): the box reaches beyond a million pixels"),
        (
            {"timestamp_ns": [0, 50, 50]},
            r"row 1 \(from 0\): clip 'a' has no frame at 50 ns .*2 rows lie at such times",
        ),
        ({"clip_id": ["b", "a", "z"]}, r"row 2 \(from 0\): clip 'z' has no frame at 0 ns"),
    ],
)
def test_what_cannot_be_is_refused_with_its_row(columns, message):
    with pytest.raises(TableError, match=message):
        table_rows(changed(**columns), FRAMES)


def test_columns_must_be_there_once():
    with pytest.raises(TableError, match=r"detections: no column category, score; there are clip_id"):
        table_rows(pa.table(GOOD).drop_columns(["category", "score"]), FRAMES)
    with pytest.raises(TableError, match=r"frames: no column timestamp_ns"):
        table_rows(pa.table(GOOD), FRAMES.select(["clip_id"]))
    twice = pa.table(GOOD).append_column("score", pa.array([0.1, 0.1, 0.1]))
    with pytest.raises(TableError, match=r"detections: column score is there more than once"):
        table_rows(twice, FRAMES)


def test_frames_are_checked_too():
    with pytest.raises(TableError, match=r"frames: row 1 \(from 0\): timestamp_ns is missing"):
        table_rows(pa.table(GOOD), pa.table({"clip_id": ["a", "a"], "timestamp_ns": [0, None]}))
    with pytest.raises(TableError, match=r"clip 'b' has no frame at 0 ns in frames.* 3 rows"):
        table_rows(pa.table(GOOD), FRAMES.slice(0, 0))


def test_a_box_without_a_size_and_scores_at_the_ends_are_good():
    rows = table_rows(changed(x_min_px=[9.0, 9.0, 9.0], score=[0, 1, 0]), FRAMES)
    assert rows.scores.tolist() == [0.0, 1.0, 0.0]


def test_twins_are_counted_and_sorted_by_whatever_else_is_said_of_them():
    twins = pa.table({name: [values[0]] * 4 for name, values in GOOD.items()})
    scores = pa.array([0.5, 0.5, 0.7, 0.5])
    source = twins.set_column(NEEDED.index("score"), "score", scores)
    source = source.append_column("note", pa.array([["z"], ["a"], None, ["m"]]))
    frames = FRAMES.filter(pa.array([False, False, True, False, False]))
    rows = table_rows(source, frames)
    assert rows.order.tolist() == [2, 1, 3, 0]
    assert rows.repeats.tolist() == [0, 1, 2, 3]
    backwards = table_rows(source.take(pa.array([3, 2, 1, 0])), frames)
    assert (3 - backwards.order).tolist() == rows.order.tolist()


@pytest.mark.timeout(20)
def test_ten_thousand_clips_are_no_trouble():
    count = 100_000
    source = pa.table(
        {
            "clip_id": [f"clip {number // 10:05}" for number in range(count)],
            "timestamp_ns": np.arange(count) % 10,
            "category": ["car"] * count,
            **{edge: np.full(count, place) for place, edge in enumerate(EDGES)},
            "score": np.full(count, 0.5),
        }
    )
    rows = table_rows(source, source.select(["clip_id", "timestamp_ns"]))
    assert len(rows.clips) == count // 10
    assert np.diff(rows.row_bounds).tolist() == [10] * (count // 10)
