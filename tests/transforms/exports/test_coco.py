import contextlib
import io
import json

from pycocotools.coco import COCO

from models.taxonomy import CATEGORIES
from transforms.exports import coco


def test_pycocotools_reads_it(folder, make_clip, make_box, tmp_path):
    clips = [
        make_clip({0: [make_box(1), make_box(None, category="person")], 3: []}, picture=b"image"),
        make_clip({1: [make_box(2, (0.0, 0.0, 640.0, 360.0), "other")]}, clip_id="clip-b", uri='/ü"\\.mp4'),
    ]
    coco.write(folder, clips, ".jpg")
    with contextlib.redirect_stdout(io.StringIO()):
        read = COCO(str(tmp_path / "out" / "annotations.json"))
    assert [item["name"] for item in read.loadCats(read.getCatIds())] == list(CATEGORIES)
    assert read.getCatIds() == list(range(1, 13))
    images = read.loadImgs(read.getImgIds())
    assert [(item["clip_id"], item["timestamp_ns"], item["frame_id"]) for item in images] == [
        ("clip-a", 0, 0),
        ("clip-a", 600_000_000, 3),
        ("clip-b", 200_000_000, 1),
    ]
    assert images[0]["file_name"] == "clip-a/000000000000000.jpg"
    assert (tmp_path / "out" / "images" / images[1]["file_name"]).read_bytes() == b"image"
    assert not (tmp_path / "out" / "images" / "clip-b").exists()
    first, untracked, whole = read.loadAnns(read.getAnnIds())
    assert first["bbox"] == [10.5, 20.25, 40.25, 39.75]
    assert (first["track_id"], first["object_id"], first["score"]) == (1, "object-1", 0.75)
    assert first["area"] == 1599.938
    assert "track_id" not in untracked
    assert whole["bbox"] == [0, 0, 640, 360]
    assert whole["image_id"] == images[2]["id"]
    assert read.getAnnIds(catIds=[CATEGORIES.index("person") + 1]) == [untracked["id"]]
    videos = json.loads((tmp_path / "out" / "annotations.json").read_text(encoding="utf-8"))["videos"]
    assert [(item["id"], item["uri"]) for item in videos] == [(1, "/in/a b.mp4"), (2, '/ü"\\.mp4')]


def test_without_a_box_it_is_sound_json(folder, make_clip, tmp_path):
    coco.write(folder, [make_clip({0: []})], ".jpg")
    found = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert (len(found["images"]), found["annotations"]) == (1, [])
