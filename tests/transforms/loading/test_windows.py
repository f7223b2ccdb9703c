import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.loading.index import Windows

STEP_NS = 200_000_000


def frames(kinds):
    """Rows of `frames`: g good, d damaged, n without a sample, . missing."""
    rows = [
        {
            "timestamp_ns": place * STEP_NS,
            "sample_index": None if kind == "n" else place,
            "is_damaged": kind == "d",
        }
        for place, kind in enumerate(kinds)
        if kind != "."
    ]
    schema = pa.schema(
        [("timestamp_ns", pa.int64()), ("sample_index", pa.int64()), ("is_damaged", pa.bool_())]
    )
    return pa.Table.from_pylist(rows, schema)


@pytest.mark.parametrize(
    ("kinds", "length", "stride", "expected"),
    [
        ("gggg", 1, 1, [0, 1, 2, 3]),
        ("gdng", 1, 1, [0, 1]),
        ("ggggg", 2, 2, [0, 2]),
        ("ggggg", 2, 1, [0, 1, 2, 3]),
        ("gggdggg", 3, 1, [0, 3]),
        ("gg..gg", 2, 1, [0, 2]),
        ("gg.gg", 4, 1, [0]),
        ("gg", 3, 1, []),
        ("", 2, 1, []),
        ("dd", 1, 1, []),
    ],
)
def test_windows_lie_in_runs_of_good_frames(kinds, length, stride, expected):
    _, starts = Windows(length, stride).starts(frames(kinds))
    assert starts.tolist() == expected


@given(st.text("ggggdn.", max_size=60), st.integers(1, 6), st.integers(1, 6))
def test_no_window_reaches_over_a_damaged_frame(kinds, length, stride):
    rows = frames(kinds)
    labelled, starts = Windows(length, stride).starts(rows)
    times = rows["timestamp_ns"].to_numpy()[labelled]
    for start in starts.tolist():
        seen = {int(time) // STEP_NS for time in times[start : start + length]}
        assert len(seen) == length
        assert not {kinds[place] for place in range(min(seen), max(seen) + 1)} & set("dn")


def test_times_that_are_equal_are_one_frame():
    rows = pa.table(
        {
            "timestamp_ns": pa.array([0, 5, 5, 9], pa.int64()),
            "sample_index": pa.array([0, 1, 2, 3], pa.int64()),
            "is_damaged": [False] * 4,
        }
    )
    labelled, starts = Windows().starts(rows)
    assert labelled.tolist() == [0, 1, 3]
    assert starts.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("length", "stride"), [(0, 1), (1, 0)])
def test_windows_of_nothing(length, stride):
    with pytest.raises(ValueError, match="must be 1 or more"):
        Windows(length, stride)
