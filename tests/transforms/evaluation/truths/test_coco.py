"""COCO JSON: clips, times, and broken files."""

import json
from pathlib import Path

import pytest

from transforms.evaluation.truths.files import TruthError, TruthFile
from transforms.evaluation.truths.forms import read_truth

APOLLO = Path(__file__).resolve().parents[5] / "shared" / "gt" / "apollo_omt" / "truth.json"


def document(images=None, annotations=None, **more):
    return {
        "images": [{"id": 1, "file_name": "a.mp4", "timestamp_ns": 0}] if images is None else images,
        "annotations": [annotation()] if annotations is None else annotations,
        "categories": [{"id": 1, "name": "car"}],
        **more,
    }


def annotation(**values):
    return {"id": 9, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], **values}


def read(files, content, fps=None):
    text = content if isinstance(content, (str, bytes)) else json.dumps(content)
    return read_truth(files.named({"t.json": text}), fps)


@pytest.mark.parametrize(
    ("image", "more", "fps", "clip", "time"),
    [
        ({"file_name": "a.mp4", "timestamp_ns": 5}, {}, None, "a.mp4", 5),
        ({"file_name": "a.mp4", "frame_index": 3}, {}, 10.0, "a.mp4", 300_000_000),
        ({"file_name": "a.mp4", "frame_index": 3, "fps": 30}, {}, None, "a.mp4", 100_000_000),
        ({"file_name": "a/000004.jpg", "frame_id": 4}, {"info": {"fps": 4}}, None, "a", 1_000_000_000),
        (
            {"file_name": "x/1.jpg", "video_id": 7, "frame_id": 1},
            {"videos": [{"id": 7, "name": "drive", "fps": 2}]},
            None,
            "drive",
            500_000_000,
        ),
        ({"file_name": "a.jpg", "clip_id": "id", "timestamp_ns": 1}, {}, None, "id", 1),
        ({"file_name": "alone.jpg"}, {}, None, "alone.jpg", 0),
    ],
)
def test_clip_and_time_of_an_image(files, image, more, fps, clip, time):
    found = read(files, document([{"id": 1, **image}], **more), fps)
    assert found.boxes.select(["clip_id", "timestamp_ns"]).to_pylist() == [
        {"clip_id": clip, "timestamp_ns": time}
    ]
    assert found.frames.to_pylist() == [{"clip_id": clip, "timestamp_ns": time}]


def test_images_without_annotations_are_labelled_frames(files):
    images = [{"id": place, "file_name": "a.mp4", "timestamp_ns": place} for place in (1, 2)]
    assert read(files, document(images)).frames.num_rows == 2
    assert read(files, document(images, [])).boxes.num_rows == 0


def test_a_truth_without_anything_is_told(files):
    found = read(files, document([], []))
    assert (found.boxes.num_rows, found.frames.num_rows) == (0, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"images": [', "t.json: line 1: no sound JSON"),
        ('{"images": [],\n"annotations"', "t.json: line 2: no sound JSON"),
        ("[" * 100_000, "t.json: no sound JSON"),
        ("[]", "t.json: a JSON object with images"),
        ("{}", "t.json: categories is missing"),
        (document(images={}), "t.json: images is missing or not a list of objects"),
        (document(annotations=[1]), "t.json: annotations is missing or not a list of objects"),
        (document([{"id": 1, "timestamp_ns": 0}]), "image 1: file_name is missing"),
        (document([{"file_name": "a", "timestamp_ns": 0}]), "image None: id is None"),
        (document([{"id": 1, "file_name": "a", "timestamp_ns": 0}] * 2), "image 1: the id stands twice"),
        (
            document([{"id": 1, "file_name": "a"}, {"id": 2, "file_name": "a"}]),
            "image 1: neither timestamp_ns nor",
        ),
        (
            document([{"id": 1, "file_name": "a", "frame_index": 3}]),
            "image 1: frames are numbered, not timed",
        ),
        (document([{"id": 1, "file_name": "a", "frame_index": 3, "fps": 0}]), "image 1: fps is 0"),
        (document([{"id": 1, "file_name": "a", "timestamp_ns": 1e40}]), "image 1: timestamp_ns is '1e[+]40'"),
        (document([{"id": 1, "file_name": "a", "timestamp_ns": "soon"}]), "image 1: timestamp_ns is 'soon'"),
        (document(annotations=[annotation(image_id=5)]), "annotation 9: image_id 5 is not in the file"),
        (document(annotations=[annotation(category_id=5)]), "annotation 9: category_id 5 is not in the file"),
        (document(annotations=[annotation(bbox=[1, 2, 3])]), r"annotation 9: bbox is not \[x, y"),
        (document(annotations=[annotation(bbox=[1, 2, "3", 4])]), r"annotation 9: bbox is not \[x, y"),
        (document(annotations=[annotation(bbox=[1, 2, -3, 4])]), "annotation 9: the box has a negative size"),
        (
            document(annotations=[annotation(bbox=[1, 2, float("nan"), 4])]),
            "annotation 9: the box is not made of",
        ),
        (document(annotations=[annotation(bbox=[1e12, 2, 3, 4])]), "annotation 9: the box reaches beyond"),
        (document(annotations=[annotation(bbox=[10**400, 2, 3, 4])]), "annotation 9: bbox holds a number"),
    ],
)
def test_broken_files_are_told(files, content, message):
    with pytest.raises(TruthError, match=message):
        read(files, content)


@pytest.mark.skipif(not APOLLO.is_file(), reason="needs ../shared/gt/apollo_omt")
def test_a_real_file():
    file = TruthFile("truth.json", APOLLO.stat().st_size, lambda: APOLLO.open("rb"))
    found = read_truth({"truth.json": file})
    assert found.frames.num_rows == 42
    assert found.boxes["track_id"].null_count == 0
    assert set(found.boxes["category"].to_pylist()) == {"car"}
