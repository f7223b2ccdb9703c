"""MOT and KITTI text, read by the readers of `evaluate`."""

from pathlib import Path

import pytest

from pipelines.truth_files import truth_files
from transforms.evaluation.truths.files import TruthError
from transforms.evaluation.truths.forms import form_of, read_truth
from transforms.exports import kitti, mot


@pytest.fixture
def clips(make_clip, make_box):
    def make(picture=None):
        first = {0: [make_box(1), make_box(2, (0.0, 0.0, 30.0, 360.0), "person")], 4: [make_box(1)]}
        second = {1: [make_box(None, category="traffic_light"), make_box(7, category="train")]}
        return [
            make_clip(first, picture=picture),
            make_clip(second, clip_id="clip-b"),
            make_clip({0: [], 2: []}, clip_id="clip-c"),
        ]

    return make


def rows(root: Path, fps=None) -> set[tuple]:
    truth = read_truth(truth_files(root), fps)
    return {
        (
            row["clip_id"],
            row["timestamp_ns"],
            row["category"],
            row["track_id"],
            *(round(row[name], 6) for name in ("x_min_px", "y_min_px", "x_max_px", "y_max_px")),
        )
        for row in truth.boxes.to_pylist()
    }


def expected(names) -> set[tuple]:
    car = (10.5, 20.25, 50.75, 60.0)
    return {
        ("clip-a", 0, "car", "1", *car),
        ("clip-a", 0, names.get("person", "person"), "2", 0.0, 0.0, 30.0, 360.0),
        ("clip-a", 800_000_000, "car", "1", *car),
        ("clip-b", 200_000_000, names.get("traffic_light", "traffic_light"), None, *car),
        ("clip-b", 200_000_000, names.get("train", "train"), "7", *car),
    }


def test_mot_is_read_back(folder, clips, tmp_path):
    mot.write(folder, clips(b"image"), ".jpg")
    root = tmp_path / "out"
    assert form_of(truth_files(root)) == "mot"
    assert rows(root) == expected({})
    assert (root / "clip-a/gt/gt.txt").read_text().splitlines()[0] == "1,1,11.5,21.25,40.25,39.75,1,5,-1"
    assert sorted(path.name for path in (root / "clip-a/img1").iterdir()) == ["000001.jpg", "000005.jpg"]
    info = (root / "clip-a/seqinfo.ini").read_text()
    assert "frameRate=5\nseqLength=5\nimWidth=640\nimHeight=360\nimExt=.jpg\n" in info
    truth = read_truth(truth_files(root)).labelled_frames()
    assert truth.num_rows == 5 + 2 + 3


def test_the_first_pixel_of_other_tools_is_0(folder, clips, tmp_path):
    mot.write(folder, clips(), ".jpg")
    info = tmp_path / "out/clip-a/seqinfo.ini"
    ours = info.read_text()
    info.write_text(ours.replace("firstPixel=1", "firstPixel=0"))
    assert ("clip-a", 800_000_000, "car", "1", 11.5, 21.25, 51.75, 61.0) in rows(tmp_path / "out")
    info.write_text(ours.replace("firstPixel=1", "firstPixel=left"))
    with pytest.raises(TruthError, match=r"seqinfo.ini: firstPixel 'left' is neither 0 nor 1"):
        rows(tmp_path / "out")


def test_kitti_is_read_back(folder, clips, tmp_path):
    kitti.write(folder, clips(b"image"), ".png")
    root = tmp_path / "out"
    assert form_of(truth_files(root)) == "kitti"
    assert rows(root, 5) == expected({"person": "pedestrian", "train": "tram", "traffic_light": "misc"})
    first = (root / "label_02/clip-a.txt").read_text().splitlines()[0]
    assert first == "0 1 Car -1 -1 -10 10.5 20.25 50.75 60.0 -1 -1 -1 -1000 -1000 -1000 -10 0.75"
    assert (root / "label_02/clip-c.txt").read_text() == ""
    assert sorted(path.name for path in (root / "image_02/clip-a").iterdir()) == ["000000.png", "000004.png"]
    assert (root / "evaluate_tracking.seqmap.training").read_text().splitlines() == [
        "clip-a empty 000000 000005",
        "clip-b empty 000000 000002",
        "clip-c empty 000000 000003",
    ]


def test_frames_at_no_rate_are_measured(folder, make_clip, tmp_path):
    mot.write(folder, [make_clip({0: [], 10: []}, rate=None)], ".jpg")
    # ten frames in two seconds
    assert "frameRate=5\n" in (tmp_path / "out/clip-a/seqinfo.ini").read_text()
