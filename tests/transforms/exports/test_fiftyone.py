import hashlib
import json

import pytest

from models.taxonomy import CATEGORIES
from transforms.exports import fiftyone


@pytest.fixture
def samples(folder, tmp_path):
    """The documents of the samples of some clips."""

    def write(*clips):
        fiftyone.write(folder, clips, ".jpg")
        return json.loads((tmp_path / "out" / "samples.json").read_text())["samples"]

    return write


def test_a_sample_is_a_frame_and_its_boxes_are_shares_of_it(samples, make_clip, make_box, tmp_path):
    boxes = [make_box(2, edges=(64.0, 90.0, 224.0, 360.0)), make_box(None, category="person")]
    first, empty = samples(make_clip({0: boxes, 3: []}, picture=b"image", uri='/ü "b".mp4'))
    assert first["filepath"] == "data/clip-a/000000000000000.jpg"
    assert (tmp_path / "out" / first["filepath"]).read_bytes() == b"image"
    assert first["metadata"] == {
        "_cls": "ImageMetadata",
        "size_bytes": 5,
        "mime_type": "image/jpeg",
        "width": 640,
        "height": 360,
        "num_channels": 3,
    }
    names = ("_media_type", "clip_id", "drive_id", "camera", "uri", "timestamp_ns", "utc_ns", "tags")
    assert [first[name] for name in names] == [
        *("image", "clip-a", "drive", "front", '/ü "b".mp4', 0, None, []),
    ]
    held, untracked = first["detections"]["detections"]
    assert held == {
        "_id": {"$oid": hashlib.sha256(b"detection detection-2-64.0").hexdigest()[:24]},
        "_cls": "Detection",
        "attributes": {},
        "tags": [],
        "label": "car",
        "bounding_box": [0.1, 0.25, 0.25, 0.75],
        "confidence": 0.75,
        "index": 2,
        "label_source": "detected",
        "detection_id": "detection-2-64.0",
        "object_id": "object-2",
    }
    assert (untracked["label"], untracked["index"], untracked["object_id"]) == ("person", None, None)
    assert empty["timestamp_ns"] == 600_000_000
    assert empty["detections"] == {"_cls": "Detections", "detections": []}
    assert {0.999 <= sample["_rand"] < 1 for sample in (first, empty)} == {True}
    assert first["_rand"] != empty["_rand"]


@pytest.mark.parametrize(
    ("split", "tags"),
    [("train", ["train"]), ("val", ["val"]), ("test", ["test"]), ("none", []), (None, [])],
    ids=str,
)
def test_a_split_is_a_tag_and_held_out_is_none(samples, make_clip, split, tags):
    (sample,) = samples(make_clip({0: []}, picture=b"", split=split))
    assert sample["tags"] == tags


def test_every_field_is_declared(samples, make_clip, make_box, tmp_path):
    (sample,) = samples(make_clip({0: [make_box(1)]}, picture=b"image"))
    dataset = json.loads((tmp_path / "out" / "metadata.json").read_text())
    assert (dataset["media_type"], dataset["default_classes"]) == ("image", list(CATEGORIES))
    assert dataset["app_config"] == {"dynamic_groups_target_frame_rate": 5}

    def declared(fields):
        return {field["db_field"]: field["fields"] for field in fields}

    def assert_declared(document, fields):
        # FiftyOne itself adds those that only it knows
        assert set(document) - {"_cls"} <= set(declared(fields))

    fields = declared(dataset["sample_fields"])
    assert_declared(sample, dataset["sample_fields"])
    assert_declared(sample["metadata"], fields["metadata"])
    assert_declared(sample["detections"], fields["detections"])
    assert_declared(sample["detections"]["detections"][0], declared(fields["detections"])["detections"])


def test_without_a_frame_it_is_sound_json(samples):
    assert samples() == []
