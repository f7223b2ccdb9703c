import io

import pyarrow.parquet as pq
import pytest

from transforms.corrections.correction import Correction
from transforms.corrections.table import corrections_table
from transforms.evaluation.truths.files import TruthError
from transforms.evaluation.truths.forms import form_of, read_truth

HERE, THERE = (1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0)


def said(action, frame, sequence=1, box=None, category=None):
    return Correction(
        clip_id="a",
        frame_id=f"a{frame}",
        timestamp_ns=frame,
        action=action,
        category=category,
        box=box,
        by="Ada",
        at_utc_ns=1,
        source="a.xml",
        source_sha256=str(sequence),
        sequence=sequence,
    )


@pytest.fixture
def table(files):
    def make(*corrections):
        sink = io.BytesIO()
        pq.write_table(corrections_table(corrections), sink)
        return files.named({"all.parquet": sink.getvalue()})

    return make


def test_frames_that_people_looked_at_hold_what_they_left_standing(table):
    found = table(
        said("keep", 0, box=HERE, category="car"),
        said("change", 0, box=THERE, category="bus"),
        said("remove", 1),
        said("look", 2),
        said("add", 3, box=HERE, category="person"),
        # the last word on a frame
        said("add", 3, sequence=2, box=THERE, category="rider"),
    )
    assert form_of(found) == "corrections"
    truth = read_truth(found)
    columns = ("timestamp_ns", "category", "x_min_px", "y_max_px", "track_id")
    boxes = sorted(zip(*(truth.boxes[name].to_pylist() for name in columns), strict=True))
    assert boxes == [(0, "bus", 5.0, 8.0, None), (0, "car", 1.0, 4.0, None), (3, "rider", 5.0, 8.0, None)]
    assert sorted(truth.labelled_frames()["timestamp_ns"].to_pylist()) == [0, 1, 2, 3]


def test_frames_without_any_box_are_truth_as_well(table):
    truth = read_truth(table(said("look", 2)))
    assert (truth.boxes.num_rows, truth.labelled_frames().num_rows) == (0, 1)


def test_a_table_without_a_row_is_none(table):
    with pytest.raises(TruthError, match="nobody has corrected anything"):
        read_truth(table())
