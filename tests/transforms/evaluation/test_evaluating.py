"""Whole evaluations of small data sets."""

import numpy as np
import pyarrow as pa
import pytest
from evaluated import STEP_NS, detections, truth, write, write_dataset

from transforms.evaluation.additions import Added, Recovery
from transforms.evaluation.answer import as_json
from transforms.evaluation.common_frames import NothingInCommonError
from transforms.evaluation.evaluating import evaluate
from transforms.evaluation.labels import open_labels
from transforms.evaluation.pairing import NEUTRAL
from transforms.evaluation.truths.truth import Truth, checked_boxes

BOX = (0.0, 0.0, 50.0, 50.0)
FAR = (500.0, 0.0, 560.0, 60.0)
EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")


def row(frame=0, track="t1", category="car", score=0.9, raw=0.8, source="detected", clip="clip-a", box=BOX):
    return (clip, frame, category, track, box, score, raw, source)


def true(frame=0, category="car", track="1", box=BOX, clip="drive.mp4", shift_ns=0):
    return (clip, frame * STEP_NS + shift_ns, category, track, box)


def as_truth(rows, frames=None, lights=None, occlusions=None):
    table = truth(rows)
    columns = {name: table[name].to_pylist() for name in ("clip_id", "timestamp_ns", "category", "track_id")}
    if occlusions is not None:
        columns["occlusion"] = occlusions
    corners = np.stack([table[name].to_numpy().astype(float) for name in EDGES], axis=1)
    boxes = checked_boxes(columns, corners, str)
    return Truth("parquet", boxes, frames, lights=lights or {})


def judged(folder, by, **options):
    settings = {"score": 0.5, "tolerance_ns": None, "neutral": NEUTRAL, **options}
    return evaluate(open_labels(folder, None), by, **settings)


def test_only_frames_that_both_sides_have_count(tmp_path):
    # frames 6 and 7 are damaged or no sample; the truth has 1 to 9, and labels at 0 are nobody's
    write_dataset(tmp_path, [row(frame) for frame in range(6)])
    found = judged(tmp_path, as_truth([true(frame) for frame in range(1, 10)]))
    assert found.common.frames["timestamp_ns"].to_pylist() == [frame * STEP_NS for frame in range(1, 6)]
    assert (found.common.truth_frames, found.common.label_frames) == (9, 6)
    assert found.categories["car"].precision.ap == 1.0
    assert found.categories["car"].precision.truth == found.categories["car"].precision.labels == 5


def test_times_may_differ_by_half_of_the_smaller_distance(tmp_path):
    write_dataset(tmp_path, [row(frame) for frame in range(6)])
    near = as_truth([true(frame, shift_ns=49_000_000) for frame in range(6)])
    assert judged(tmp_path, near).common.frames.num_rows == 6
    far = as_truth([true(frame, shift_ns=51_000_000) for frame in range(6)])
    with pytest.raises(
        NothingInCommonError, match=r"6 frames from 0.051 to 1.051 s.*6 frames from 0.000 to 1.000 s"
    ):
        judged(tmp_path, far)
    assert judged(tmp_path, far, tolerance_ns=60_000_000).common.frames.num_rows == 6


def test_frames_without_truth_count_where_the_truth_tells_them(tmp_path):
    write_dataset(tmp_path, [row(0), row(1)])
    rows = [true(0)]
    assert judged(tmp_path, as_truth(rows)).categories["car"].precision.labels == 1
    frames = pa.table({"clip_id": ["drive.mp4"] * 2, "timestamp_ns": [0, STEP_NS]})
    found = judged(tmp_path, as_truth(rows, frames)).categories["car"]
    assert (found.precision.labels, found.tracking.figures.false) == (2, 1)


def test_clips_that_match_none_are_told(tmp_path):
    write_dataset(tmp_path, [row()])
    found = judged(tmp_path, as_truth([true(), true(clip="other.mp4")]))
    assert found.common.clips.unmatched == ("other.mp4",)
    with pytest.raises(
        NothingInCommonError, match=r"the truth has 1 \(other.mp4\), .* has 1 \(/data/drive.mp4\)"
    ):
        judged(tmp_path, as_truth([true(clip="other.mp4")]))


def test_objects_join_the_tracks_of_minutes(tmp_path):
    rows = [row(0), row(1), row(2, "t2"), row(3, "t2")]
    by = as_truth([true(frame) for frame in range(4)])
    write_dataset(tmp_path / "joined", rows, objects={"t1": "o", "t2": "o"})
    write_dataset(tmp_path / "apart", rows, objects={"t1": "o", "t2": "p"})
    joined, apart = (
        judged(tmp_path / name, by).categories["car"].tracking.figures for name in ("joined", "apart")
    )
    assert (joined.idf1, joined.switches) == (1.0, 0)
    assert (apart.idf1, apart.switches) == (0.5, 1)


def test_categories_that_were_not_looked_for_are_not_in_the_mean(tmp_path):
    write_dataset(tmp_path, [row()])
    found = judged(tmp_path, as_truth([true(), true(category="bus", track="2", box=FAR)]))
    assert found.not_looked_for == ("bus",)
    assert list(found.categories) == ["car"]
    assert found.mean.ap == 1.0


def test_categories_that_were_looked_for_and_not_found_are(tmp_path):
    write_dataset(tmp_path, [row()])
    found = judged(tmp_path, as_truth([true(), true(category="Pedestrian", track="2", box=FAR)]))
    assert list(found.categories) == ["car", "person"]
    assert (found.mean.ap, found.not_looked_for) == (0.5, ())


def test_neutral_categories_and_regions_count_neither_way(tmp_path):
    write_dataset(tmp_path, [row(), row(track="t2", box=FAR)])
    for category in ("van", "DontCare"):
        found = judged(tmp_path, as_truth([true(), true(category=category, track="2", box=FAR)]))
        assert list(found.categories) == ["car"]
        assert found.categories["car"].tracking.figures.false == 0
        assert found.calibration.rows == 1
    more = as_truth([true(), true(category="trailer", track="2", box=FAR)])
    assert judged(tmp_path, more).categories["car"].tracking.figures.false == 1
    neutral = {**NEUTRAL, "car": ("van", "trailer")}
    assert judged(tmp_path, more, neutral=neutral).categories["car"].tracking.figures.false == 0


def test_what_the_network_alone_gave_is_judged_by_its_own_boxes_scores_and_categories(tmp_path):
    rows = [
        row(0, raw=0.9),
        row(1, raw=0.9, category="car"),
        row(2, raw=None, source="interpolated"),
        row(3, raw=0.9),
    ]
    table = detections(rows)
    raw_boxes = [BOX, BOX, BOX, FAR]
    for place, name in enumerate(EDGES):
        table = table.append_column(f"raw_{name}", pa.array([box[place] for box in raw_boxes], pa.float32()))
    table = table.append_column("category_raw", pa.array(["car", "person", None, "car"]))
    write_dataset(tmp_path, rows)
    write(tmp_path, "detections/one", table)
    found = judged(tmp_path, as_truth([true(frame) for frame in range(4)]))
    car = found.categories["car"]
    assert (car.precision.ap, car.precision.labels) == (1.0, 4)
    # of the network's own: right in frame 0, of another category in 1, elsewhere in 3
    assert (car.raw.labels, car.raw.recall50) == (2, 0.25)
    assert car.added == {"interpolated": Added(right=1, wrong=0, left_out=0)}
    assert car.recovery == Recovery(0, 0)
    assert car.raw_calibration.rows == 2


def test_labels_without_raw_scores_are_judged_without_the_network(tmp_path):
    write_dataset(tmp_path, [row(raw=None)])
    found = judged(tmp_path, as_truth([true()]))
    assert (found.raw_mean, found.raw_calibration, found.categories["car"].recovery) == (None, None, None)
    assert as_json(found)["mean"]["raw"] is None


def test_hindsight_recovers_what_was_missed(tmp_path):
    rows = [
        row(0),
        row(1, raw=None, source="interpolated"),
        row(3),
        row(4, raw=None, source="extrapolated", box=FAR),
    ]
    write_dataset(tmp_path, rows)
    found = judged(tmp_path, as_truth([true(frame) for frame in range(5)]))
    car = found.categories["car"]
    assert car.added == {"extrapolated": Added(0, 1, 0), "interpolated": Added(1, 0, 0)}
    assert car.recovery == Recovery(missed=2, recovered=1)
    hindsight = as_json(found)["mean"]["hindsight"]
    assert hindsight["all_added"] == {"right": 1, "wrong": 1, "left_out": 0, "precision": 0.5}
    assert hindsight["recovery"] == {"missed": 2, "recovered": 1, "share": 0.5}


def test_breakdowns(tmp_path):
    write_dataset(tmp_path, [row(0), row(1, box=FAR)])
    rows = [true(0), true(1)]
    found = judged(tmp_path, as_truth(rows, occlusions=["none", "partly"]))
    assert {
        name: [(group.name, group.mean.truth, group.mean.recall50) for group in groups]
        for name, groups in found.breakdowns.items()
    } == {
        "camera": [("front", 2, 0.5)],
        "size": [("medium", 2, 0.5)],
        "occlusion": [("none", 1, 1.0), ("partly", 1, 0.0)],
        "light": [("bright", 1, 0.0), ("dark", 1, 1.0)],
    }
    told = judged(tmp_path, as_truth(rows, lights={"drive.mp4": "dusk"}))
    assert [group.name for group in told.breakdowns["light"]] == ["dusk"]
    assert "occlusion" not in told.breakdowns


def test_labels_without_frames_are_judged_on_those_of_the_truth(tmp_path):
    write(tmp_path, "detections/all", detections([row(frame, clip="drive") for frame in (0, 1, 9)]))
    by = as_truth([true(frame, clip="drive", shift_ns=1_000_000) for frame in range(3)])
    found = judged(tmp_path, by)
    car = found.categories["car"]
    assert found.common.frames.num_rows == 3
    assert (car.precision.truth, car.precision.labels, car.tracking.figures.missed) == (3, 2, 1)
    assert list(found.breakdowns) == ["size"]


def test_nothing_to_judge_is_no_error(tmp_path):
    write_dataset(tmp_path, [row()])
    found = judged(tmp_path, as_truth([true(category="bus")]))
    assert (found.mean, dict(found.categories), found.not_looked_for) == (None, {}, ("bus",))
    mean = as_json(found)["mean"]
    assert (mean["ap"], mean["truth"], mean["raw"], mean["tracking"]) == (None, None, None, None)
