"""MOT and KITTI text: folders, side files, broken lines."""

import pytest

from transforms.evaluation.truths.files import TruthError
from transforms.evaluation.truths.forms import read_truth

MOT = "1,7,10,20,30,40,1,1,1\n"
KITTI = "0 7 Car 0 0 -10 10 20 30 40 -1 -1 -1 -1000 -1000 -1000 -10\n"


def test_mot_folders_are_named_after_their_clip_and_tell_rate_and_length(files):
    info = "[Sequence]\nname=x\nframeRate=25\nseqLength=3\n"
    found = read_truth(
        files.named({"MOT17-02/gt/gt.txt": MOT + "3,7,10,20,30,40,1,1,1", "MOT17-02/seqinfo.ini": info})
    )
    assert found.boxes["clip_id"].unique().to_pylist() == ["MOT17-02"]
    assert found.boxes["timestamp_ns"].to_pylist() == [0, 80_000_000]
    # the frame without a box is known too
    assert found.frames["timestamp_ns"].to_pylist() == [0, 40_000_000, 80_000_000]


def test_classes_of_mot(files):
    lines = (
        "1,1,1,1,1,1,1,3,1\n1,1,1,1,1,1\n1,1,1,1,1,1,-1,-1,-1,-1\n1,1,1,1,1,1,1,99,1\n1,1,1,1,1,1,1,bus,1\n"
    )
    found = read_truth(files.named({"a.txt": lines}), 1)
    assert found.boxes["category"].to_pylist() == ["car", "pedestrian", "pedestrian", "class_99", "bus"]
    named = read_truth(files.named({"gt/gt.txt": MOT, "gt/labels.txt": "lorry\ncar\n"}), 1)
    assert named.boxes["category"].to_pylist() == ["lorry"]


def test_blank_lines_and_a_byte_order_mark_do_not_matter(files):
    found = read_truth(files.named({"a.txt": b"\xef\xbb\xbf" + MOT.encode() + b"\r\n\r\n"}), 1)
    assert found.boxes.num_rows == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,7,10", "3 fields"),
        ("0,7,10,20,30,40", "frame '0': a whole number from 1 on"),
        ("1.5,7,10,20,30,40", "frame '1.5'"),
        ("1e99,7,10,20,30,40", "frame '1e99'"),
        ("1,7,nan,20,30,40", "x is 'nan', not a finite number"),
        ("1,7,10,20,inf,40", "the width is 'inf'"),
        ("1,7,10,20,abc,40", "the width is 'abc'"),
        ("1,7,10,20,-30,40", "the box has a negative size"),
        ("1,7,10,20,1e9,40", "the box reaches beyond a million pixels"),
        ("1,7,10,20,1e308,1e308", "the box reaches beyond"),
        ("1,x,10,20,30,40", "the track is 'x'"),
        ("1,7,10,20,30,40,x", "conf is 'x'"),
    ],
)
def test_broken_mot_lines_are_named(files, line, message):
    with pytest.raises(TruthError, match=rf"a\.txt: line 3: .*{message}"):
        read_truth(files.named({"a.txt": f"{MOT}\n{line}\n"}), 10)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 7 Car 0 0 -10 10 20 30", "9 fields"),
        ("-1 7 Car 0 0 -10 10 20 30 40", "frame '-1': a whole number from 0 on"),
        ("0 7 Car 0 0 -10 30 20 10 40", "the box has a negative size"),
        ("0 7 Car 0 ? -10 10 20 30 40", r"occluded is '\?'"),
        ("0 7 Car 0 0 -10 NaN 20 30 40", "left is 'NaN'"),
    ],
)
def test_broken_kitti_lines_are_named(files, line, message):
    with pytest.raises(TruthError, match=rf"a\.txt: line 2: .*{message}"):
        read_truth(files.named({"a.txt": f"{KITTI}{line}\n"}), 10)


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ("frameRate=25", "seqinfo.ini: File contains no section headers"),
        ("[Sequence]\nseqLength=many", "seqinfo.ini: invalid literal"),
        ("[Sequence]\nseqLength=-1", "seqinfo.ini: .*out of range"),
        ("[Sequence]\nframeRate=nan", "seqinfo.ini: .*out of range"),
    ],
)
def test_a_broken_seqinfo_is_told(files, info, message):
    with pytest.raises(TruthError, match=message):
        read_truth(files.named({"a/gt/gt.txt": MOT, "a/seqinfo.ini": info}), 10)
