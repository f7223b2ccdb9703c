"""Rows of tracks."""

import pyarrow as pa
import pytest

from transforms.labels.hindsight.settings import ONLINE
from transforms.labels.table_tracks import TRACKS
from transforms.labels.tabular import label_table

STEP_NS = 200_000_000


def detections(rows):
    """Rows (clip, frame, category, left edge, score)."""
    clips, frames, categories, lefts, scores = zip(*rows, strict=True)
    return pa.table(
        {
            "clip_id": clips,
            "timestamp_ns": [frame * STEP_NS for frame in frames],
            "category": categories,
            "x_min_px": lefts,
            "y_min_px": [0.0] * len(rows),
            "x_max_px": [left + 50 for left in lefts],
            "y_max_px": [50.0] * len(rows),
            "score": scores,
        }
    )


def frames(*clips, count=6):
    return pa.table(
        {
            "clip_id": [clip for clip in clips for _ in range(count)],
            "timestamp_ns": [frame * STEP_NS for _ in clips for frame in range(count)],
        }
    )


def test_a_track_is_summed_up_by_what_was_seen():
    rows = [
        ("a", frame, "car" if frame else "van", 10.0, score)
        for frame, score in zip((0, 1, 4), (0.9, 0.7, 0.8), strict=True)
    ]
    tracks = label_table(detections(rows), frames("a"), ONLINE).tracks
    assert tracks.schema == TRACKS
    (track,) = tracks.to_pylist()
    assert (track["clip_id"], track["category"]) == ("a", "car")
    assert dict(track["category_votes"]) == pytest.approx({"car": 1.5, "van": 0.9})
    assert (track["first_ns"], track["last_ns"]) == (0, 4 * STEP_NS)
    assert (track["detected"], track["added"]) == (3, 0)
    assert track["score"] == pytest.approx((0.9 + 0.8) / 2)


def test_added_rows_are_counted_and_stretch_no_life():
    rows = [("a", frame, "car", 10.0, 0.95) for frame in (1, 2, 4)]
    found = label_table(detections(rows), frames("a"))
    (track,) = found.tracks.to_pylist()
    times = found.detections["timestamp_ns"].to_pylist()
    assert 3 * STEP_NS in times
    assert track["added"] == len(times) - 3 > 0
    assert (track["first_ns"], track["last_ns"]) == (STEP_NS, 4 * STEP_NS)


def test_tracks_are_sorted_by_clip_time_and_id():
    rows = [
        (clip, frame, "car", left, 0.9)
        for clip in ("b", "a")
        for left, frames_seen in ((500.0, (0, 1)), (0.0, (0, 1)), (250.0, (2, 3)))
        for frame in frames_seen
    ]
    tracks = label_table(detections(rows), frames("a", "b"), ONLINE).tracks
    keys = [(one["clip_id"], one["first_ns"], one["track_id"]) for one in tracks.to_pylist()]
    assert keys == sorted(keys)
    assert [key[:2] for key in keys] == [(clip, time) for clip in "ab" for time in (0, 0, 2 * STEP_NS)]
    assert tracks["detected"].to_pylist() == [2] * 6
