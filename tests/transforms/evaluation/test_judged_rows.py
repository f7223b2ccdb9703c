import numpy as np
import pyarrow as pa
import pytest
from evaluated import STEP_NS, truth, write_dataset

from models.taxonomy import CATEGORIES
from transforms.evaluation.common_frames import NothingInCommonError
from transforms.evaluation.evaluating import evaluate
from transforms.evaluation.judged_rows import judged_rows
from transforms.evaluation.labels import open_labels
from transforms.evaluation.pairing import NEUTRAL
from transforms.evaluation.truths.truth import Truth, checked_boxes

BOX = (0.0, 0.0, 50.0, 50.0)
FAR = (500.0, 0.0, 560.0, 60.0)
EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")


def row(frame=0, category="car", score=0.9, box=BOX, source="detected"):
    return ("clip-a", frame, category, "t1", box, score, 0.5, source)


def truth_of(*rows):
    table = truth([("drive.mp4", frame * STEP_NS, category, "1", box) for frame, category, box in rows])
    corners = np.stack([table[name].to_numpy().astype(np.float64) for name in EDGES], axis=1)
    columns = {name: table[name].to_pylist() for name in ("clip_id", "timestamp_ns", "category", "track_id")}
    return Truth("parquet", checked_boxes(columns, corners, str))


def test_rows_are_right_or_wrong_and_those_left_out_are_not_there(tmp_path):
    write_dataset(
        tmp_path,
        [
            row(0, score=0.9),
            row(0, score=0.8, box=FAR),
            row(1, score=0.7),
            row(2, score=0.6, source="interpolated"),
            row(0, "person", score=0.4, box=FAR),
        ],
    )
    rows = judged_rows(
        open_labels(tmp_path, None),
        truth_of((0, "car", BOX), (1, "van", BOX), (2, "car", BOX), (0, "pedestrian", FAR)),
    )
    # the box on the van counts neither way
    found = sorted(zip(rows.scores.tolist(), rows.right.tolist(), rows.detected.tolist(), strict=True))
    assert [(pytest.approx(score), right, seen) for score, right, seen in found] == [
        (0.4, True, True),
        (0.6, True, False),
        (0.8, False, True),
        (0.9, True, True),
    ]
    names = {CATEGORIES[index] for index in rows.categories[rows.scores < 0.5].tolist()}
    assert names == {"person"}
    assert set(rows.clips.tolist()) == {"clip-a"}
    assert len(rows.take(rows.detected)) == 3


def test_the_rows_are_those_that_an_evaluation_counts(tmp_path):
    write_dataset(
        tmp_path, [row(frame, score=0.1 * frame, box=BOX if frame % 2 else FAR) for frame in range(6)]
    )
    labels = open_labels(tmp_path, None)
    by = truth_of(*((frame, "car", BOX) for frame in range(6)))
    whole = evaluate(labels, by, score=0.5, tolerance_ns=None, neutral=NEUTRAL)
    assert len(judged_rows(labels, by)) == whole.calibration.rows == 6


def test_categories_that_are_not_looked_for_have_no_rows(tmp_path):
    write_dataset(tmp_path, [row(0)], categories=("car",))
    rows = judged_rows(open_labels(tmp_path, None), truth_of((0, "bus", BOX)))
    assert len(rows) == 0
    assert rows.right.dtype == np.bool_


def test_another_clips_truth_is_an_error(tmp_path):
    write_dataset(tmp_path, [row(0)])
    by = truth_of((0, "car", BOX))
    table = by.boxes
    other = table.set_column(
        table.column_names.index("clip_id"), "clip_id", pa.array(["other.mp4"] * table.num_rows)
    )
    with pytest.raises(NothingInCommonError, match="no clip in common"):
        judged_rows(open_labels(tmp_path, None), Truth("parquet", other))
