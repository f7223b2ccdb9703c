import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.demand.figures import (
    CameraFigures,
    DatasetFigures,
    Tally,
    tally_clips,
    tally_frames,
    total,
)
from transforms.budget.errors import BudgetUsageError

HOUR_NS = 3_600_000_000_000

counts = st.integers(0, 10**12)
cameras = st.lists(
    st.tuples(st.sampled_from(["front", "back"]), st.sampled_from([640, 1280]), st.just(480), counts, counts),
    max_size=3,
    unique_by=lambda row: row[:3],
).map(lambda rows: tuple(sorted(rows)))
tallies = st.builds(Tally, counts, counts, counts, counts, counts, cameras)


def clips(**columns):
    table = {
        "camera": ["front", "front", "back", "front"],
        "width": [1280, 1280, 640, 1280],
        "height": [960, 960, 480, 960],
        "duration_ns": [HOUR_NS, HOUR_NS, HOUR_NS // 2, HOUR_NS],
        "frame_count": [36 * 3600, 18 * 3600, 30 * 1800, 36 * 3600],
        "bytes": [100, 200, 50, 100],
        "duplicate_of": pa.array([None, None, None, "first"], pa.string()),
    }
    return pa.table({**table, **columns})


def frames():
    return pa.table(
        {"sample_index": pa.array([0, 1, None, 2], pa.int64()), "is_damaged": [False, True, False, False]}
    )


def test_duplicates_damage_and_unsampled_frames_do_not_count():
    figures = total([tally_clips(clips()), tally_frames(frames()), Tally(detections=9, tracks=3)]).figures()
    assert figures == DatasetFigures(
        camera_hours=2.5,
        clips=3,
        frames=2,
        cameras=(CameraFigures("back", 640, 480, 30.0, 0.5), CameraFigures("front", 1280, 960, 27.0, 2.0)),
        detections=9,
        tracks=3,
        bytes=350,
    )
    assert DatasetFigures.from_json(figures.as_json()) == figures


def test_empty_tables_are_zero():
    empty = total([tally_clips(clips().slice(0, 0)), tally_frames(frames().slice(0, 0))])
    assert empty.figures() == DatasetFigures(0.0, 0, 0, ())


def test_a_camera_without_length_has_no_rate():
    nothing = clips(duration_ns=[0, 0, 0, 0])
    assert [camera.fps_mean for camera in tally_clips(nothing).figures().cameras] == [0.0, 0.0]


@given(st.lists(tallies, max_size=4), st.randoms())
def test_tallies_add_up_in_any_order_and_grouping(parts, random):
    whole = total(parts)
    random.shuffle(parts)
    assert total([total(parts[:2]), total(parts[2:])]) == whole


@pytest.mark.parametrize(
    ("read", "table", "told"),
    [
        (tally_clips, clips().drop_columns(["bytes", "width"]), "clips lacks width, bytes"),
        (tally_frames, frames().drop_columns(["is_damaged"]), "frames lacks is_damaged"),
    ],
)
def test_missing_columns_are_told(read, table, told):
    with pytest.raises(BudgetUsageError, match=told):
        read(table)
