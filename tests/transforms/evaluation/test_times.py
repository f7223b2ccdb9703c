"""Frames that show the same moment."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.evaluation.times import (
    GREATEST_TOLERANCE_NS,
    default_tolerance_ns,
    match_times,
    moved,
    times_by_clip,
)

MS = 1_000_000
TIMES = st.lists(st.integers(0, 2000), max_size=40, unique=True).map(
    lambda every: np.array(sorted(every), np.int64)
)


@given(TIMES, TIMES, st.integers(0, 300))
def test_every_frame_is_used_once_and_pairs_are_each_others_nearest(first, second, tolerance):
    own, other = match_times(first, second, tolerance)
    assert len(set(own.tolist())) == len(set(other.tolist())) == len(own)
    # the order of time is kept
    assert (np.diff(own) > 0).all()
    assert (np.diff(other) > 0).all()
    for a, b in zip(own, other, strict=True):
        distance = abs(first[a] - second[b])
        assert distance <= tolerance
        assert distance == abs(first - second[b]).min() == abs(second - first[a]).min()


@given(TIMES, TIMES, st.integers(0, 300))
def test_equal_times_always_match(first, second, tolerance):
    own, other = match_times(first, second, tolerance)
    matched = dict(zip(first[own].tolist(), second[other].tolist(), strict=True))
    for time in set(first.tolist()) & set(second.tolist()):
        assert matched[time] == time


@given(TIMES, TIMES, st.integers(0, 300))
def test_the_sides_can_be_exchanged_where_no_two_are_as_near(first, second, tolerance):
    # even and odd times: no frame lies in the middle of two others
    first, second = 4 * first, 4 * second + 1
    own, other = match_times(first, second, tolerance)
    back = match_times(second, first, tolerance)
    assert (own.tolist(), other.tolist()) == (back[1].tolist(), back[0].tolist())


def test_different_rates_match_by_time():
    truth, labels = np.arange(11) * 100 * MS, np.arange(6) * 200 * MS + 3 * MS
    own, other = match_times(truth, labels, default_tolerance_ns(truth, labels))
    assert own.tolist() == [0, 2, 4, 6, 8, 10]
    assert other.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("first", "second", "tolerance"),
    [
        ([0, 40, 80], [0, 200, 400], 20 * MS),
        ([0, 1000], [0, 200], 50 * MS),
        ([5], [0, 30, 60], 15 * MS),
        ([5], [7], GREATEST_TOLERANCE_NS),
        ([], [], GREATEST_TOLERANCE_NS),
    ],
)
def test_tolerance_is_half_of_the_smaller_distance(first, second, tolerance):
    sides = [np.array(side, dtype=np.int64) * MS for side in (first, second)]
    assert default_tolerance_ns(*sides) == tolerance
    assert default_tolerance_ns(*reversed(sides)) == tolerance


def test_rows_move_to_the_other_sides_times():
    table = pa.table({"clip_id": ["b", "a", "a", "c"], "timestamp_ns": [7, 10, 11, 7], "row": [0, 1, 2, 3]})
    moments = {"a": (np.array([3, 10]), np.array([300, 1000])), "b": (np.array([7]), np.array([70]))}
    found = moved(table, moments)
    assert found.to_pydict() == {"clip_id": ["b", "a"], "timestamp_ns": [70, 1000], "row": [0, 1]}


def test_times_of_every_clip_stand_once_and_ascend():
    table = pa.table({"clip_id": ["b", "a", "b", "b"], "timestamp_ns": [9, 5, 2, 9]})
    assert {clip: times.tolist() for clip, times in times_by_clip(table).items()} == {"a": [5], "b": [2, 9]}
    assert times_by_clip(table.slice(0, 0)) == {}
