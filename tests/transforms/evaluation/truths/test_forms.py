"""Every form of truth gives the same table, and none is trusted."""

import pyarrow as pa
import pytest

from transforms.evaluation.truths import files as truth_files
from transforms.evaluation.truths.files import TruthError
from transforms.evaluation.truths.forms import FORMS, form_of, read_truth

FRAME_RATES = {"mot": 10.0, "kitti": 10.0}


@pytest.mark.parametrize("form", ["parquet", "coco", "mot", "kitti"])
def test_every_form_gives_the_same_table(files, every_form, box_table, form):
    found = read_truth(files.named(every_form[form]), FRAME_RATES.get(form))
    assert found.form == form
    assert found.boxes.equals(box_table)


def test_every_form_that_is_known_is_tested(every_form):
    # the others have tests of their own
    assert {*every_form, "sample", "corrections"} == set(FORMS)


@pytest.mark.parametrize("form", ["mot", "kitti"])
def test_numbered_frames_need_a_rate(files, every_form, form):
    with pytest.raises(TruthError, match=r"one.txt: frames are numbered.*--truth-fps"):
        read_truth(files.named(every_form[form]))


def test_the_form_is_known_by_names_and_by_the_first_line(files):
    line = "1 2 Car 0 0 0 1 2 3 4"
    assert form_of(files.named({"a/b.json": "{}"})) == "coco"
    assert form_of(files.named({"a.parquet": "x", "frames.parquet": "x"})) == "parquet"
    assert form_of(files.named({"evaluation.parquet": "x", "clips.parquet": "x"})) == "sample"
    assert form_of(files.named({"0001.txt": line})) == "kitti"
    assert form_of(files.named({"0000.txt": "", "0001.txt": f"\n\n{line}"})) == "kitti"
    assert form_of(files.named({"gt/labels.txt": "car", "gt/gt.txt": "1,2,3,4,5,6,1,1,1"})) == "mot"
    assert form_of(files.named({"0001.txt": "1 2 3 4 5 6 1 1 1"})) == "mot"


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({}, "no truth is there"),
        ({"seqinfo.ini": "[Sequence]"}, "no truth is there"),
        ({"a.json": "{}", "b.parquet": "x"}, r"several forms \(parquet, coco\): name one file"),
        ({"a.txt": ""}, "a.txt: empty"),
        ({"a.txt": "\n \n"}, "a.txt: empty"),
        ({"a.txt": b"1,2,3,4,5,6\n1,2,3,\xff,5,6"}, "a.txt: line 2: not UTF-8 text"),
        ({"a.json": b"\xff\xfe{"}, "a.json: line 1: not UTF-8 text"),
        ({"a.json": ""}, "a.json: empty"),
        ({"a.parquet": ""}, "a.parquet: empty"),
        ({"a.parquet": "no parquet at all"}, "a.parquet: not a sound Parquet file"),
    ],
)
def test_what_is_no_truth_is_told(files, contents, message):
    with pytest.raises(TruthError, match=message):
        read_truth(files.named(contents), 10.0)


def test_larger_files_than_memory_holds_are_refused(files, monkeypatch):
    monkeypatch.setattr(truth_files, "_MOST_BYTES", 20)
    with pytest.raises(TruthError, match=r"a.json: 21 bytes; at most 20 are read"):
        read_truth(files.named({"a.json": " " * 21}))


def test_labelled_frames_are_those_with_a_box_unless_they_are_told(files, every_form):
    found = read_truth(files.named(every_form["parquet"])).labelled_frames()
    assert sorted(found.to_pylist(), key=str) == [
        {"clip_id": "one", "timestamp_ns": 0},
        {"clip_id": "one", "timestamp_ns": 200_000_000},
        {"clip_id": "two", "timestamp_ns": 100_000_000},
    ]
    assert found.schema.field("timestamp_ns").type == pa.int64()
