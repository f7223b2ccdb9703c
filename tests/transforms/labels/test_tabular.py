"""Tracks of whole tables."""

import numpy as np
import pyarrow as pa
import pytest

from transforms.labels.tabular import category_codes, track_table
from transforms.labels.tracking import TrackerSettings


def table(rows):
    names = ("clip_id", "timestamp_ns", "category", "x_min_px", "y_min_px", "x_max_px", "y_max_px", "score")
    return pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))


def row(clip, tenth, category="car", left=0.0, score=0.9):
    return (clip, tenth * 100_000_000, category, left, 0.0, left + 40, 30.0, score)


FRAMES = pa.table(
    {
        "clip_id": ["a"] * 4 + ["b"] * 4,
        "timestamp_ns": [tenth * 100_000_000 for tenth in (0, 1, 2, 3)] * 2,
    }
)


def test_numbers_are_unique_over_clips_and_rows_may_come_in_any_order():
    rows = [
        row("b", 1),
        row("a", 1, left=100.0),
        row("a", 0),
        row("b", 0),
        row("a", 0, left=100.0),
        row("a", 1),
    ]
    numbers = track_table(table(rows), FRAMES)
    assert numbers.tolist() == [2, 1, 0, 2, 1, 0]
    assert numbers.dtype == np.int64


def test_a_clip_without_a_track_leaves_no_gap():
    assert track_table(table([row("a", 0), row("b", 0), row("b", 1)]), FRAMES).tolist() == [-1, 0, 0]


def test_frames_without_a_detection_count():
    rows = [row("a", 0), row("a", 3)]
    assert track_table(table(rows), FRAMES).tolist() == [-1, -1]
    only = FRAMES.filter(pa.array([True, False, False, True] * 2))
    assert track_table(table(rows), only).tolist() == [0, 0]


def test_a_detection_at_an_unlisted_time_is_tracked_too():
    assert track_table(table([row("a", 0), row("a", 1), row("c", 7), row("c", 8)]), FRAMES).tolist() == [
        0,
        0,
        1,
        1,
    ]


def test_settings_are_used():
    rows = [row("a", 0, score=0.4), row("a", 1, score=0.4)]
    assert track_table(table(rows), FRAMES).tolist() == [-1, -1]
    eager = TrackerSettings(high_score=0.3, new_score=0.3)
    assert track_table(table(rows), FRAMES, eager).tolist() == [0, 0]


def test_names_outside_the_taxonomy_stay_apart():
    rows = [row("a", 0, "zebra"), row("a", 1, "moose"), row("a", 0, "cyclist"), row("a", 1, "pedestrian")]
    assert track_table(table(rows), FRAMES).tolist() == [-1, -1, 0, 0]
    assert category_codes([]).tolist() == []


def test_too_many_names_are_refused():
    with pytest.raises(ValueError, match="129 categories outside the taxonomy"):
        category_codes([f"kind {number}" for number in range(129)])
