"""Detections as MOT text."""

import io

import pytest

from transforms.evaluation.truths.files import TruthFile
from transforms.labels.mot_detections import read_mot
from transforms.labels.table_rows import TableError


def files(texts):
    """Files by name."""
    return {
        path: TruthFile(path, len(text), lambda text=text: io.BytesIO(text.encode()))
        for path, text in texts.items()
    }


def test_a_file_is_a_clip_and_all_frames_up_to_the_last_count():
    text = "3,-1,10,20,30,40,0.5\n1,-1,-5,0,10.5,20,0.25,-1,-1,-1\n"
    detections, frames = read_mot(files({"front.txt": text}), 10)
    assert detections.to_pylist() == [
        {
            "clip_id": "front",
            "timestamp_ns": 200_000_000,
            "category": "pedestrian",
            "x_min_px": 10.0,
            "y_min_px": 20.0,
            "x_max_px": 40.0,
            "y_max_px": 60.0,
            "score": 0.5,
        },
        {
            "clip_id": "front",
            "timestamp_ns": 0,
            "category": "pedestrian",
            "x_min_px": -5.0,
            "y_min_px": 0.0,
            "x_max_px": 5.5,
            "y_max_px": 20.0,
            "score": 0.25,
        },
    ]
    assert frames.to_pylist() == [
        {"clip_id": "front", "timestamp_ns": time} for time in (0, 100_000_000, 200_000_000)
    ]


def test_what_lies_beside_tells_rate_length_and_classes():
    found = files(
        {
            "one/det/det.txt": "1 -1 0 0 5 5 1 2\n",
            "one/seqinfo.ini": "[Sequence]\nframeRate=5\nseqLength=4\n",
            "two.txt": "2,-1,0,0,5,5,1,tram\n1,-1,0,0,5,5,1,3\n",
            "labels.txt": "lorry\nbus\ncar\n",
        }
    )
    detections, frames = read_mot(found, 10)
    assert detections.select(["clip_id", "timestamp_ns", "category"]).to_pylist() == [
        {"clip_id": "one", "timestamp_ns": 0, "category": "bus"},
        {"clip_id": "two", "timestamp_ns": 100_000_000, "category": "tram"},
        {"clip_id": "two", "timestamp_ns": 0, "category": "car"},
    ]
    times = {clip: [] for clip in ("one", "two")}
    for row in frames.to_pylist():
        times[row["clip_id"]].append(row["timestamp_ns"])
    assert times == {"one": [0, 200_000_000, 400_000_000, 600_000_000], "two": [0, 100_000_000]}


def test_a_clip_without_a_box_has_no_rows():
    detections, frames = read_mot(files({"a.txt": "", "b.txt": "1,-1,0,0,5,5,1"}), 10)
    assert detections["clip_id"].to_pylist() == ["b"]
    assert frames["clip_id"].to_pylist() == ["b"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,-1,0,0,5,5", r"a.txt: line 2: 6 fields; frame, id, x, y, width, height, score are expected"),
        ("0,-1,0,0,5,5,1", r"line 2: frame '0': a whole number from 1 on"),
        ("1.5,-1,0,0,5,5,1", r"line 2: frame '1.5'"),
        ("1,-1,0,0,-5,5,1", r"line 2: the box has a negative size"),
        ("1,-1,nan,0,5,5,1", r"line 2: x is 'nan', not a finite number"),
        ("1,-1,0,0,5,5,1.5", r"line 2: the score is 1.5, not between 0 and 1"),
        ("1,-1,0,0,5,5,high", r"line 2: the score is 'high'"),
        ("99000000,-1,0,0,5,5,1", r"more than 20000000 frames"),
    ],
)
def test_a_line_that_cannot_be_read_is_told(line, message):
    with pytest.raises(TableError, match=message):
        read_mot(files({"a.txt": f"1,-1,0,0,5,5,1\n{line}\n"}), 10)


def test_without_a_rate_or_a_file_nothing_goes():
    with pytest.raises(TableError, match=r"a.txt: frames are numbered, not timed: say with --fps"):
        read_mot(files({"a.txt": "1,-1,0,0,5,5,1"}), None)
    with pytest.raises(TableError, match="no MOT text is there"):
        read_mot(files({"labels.txt": "car"}), 10)
    with pytest.raises(TableError, match=r"seqinfo.ini"):
        read_mot(files({"a.txt": "1,-1,0,0,5,5,1", "seqinfo.ini": "[Sequence]\nframeRate=fast\n"}), 10)
