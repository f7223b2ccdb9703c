from xml.etree import ElementTree as ET

import pytest

from models.taxonomy import CATEGORIES
from transforms.exports import cvat


@pytest.fixture
def document(folder, tmp_path):
    def write(clip):
        cvat.write(folder, [clip], ".jpg")
        return ET.parse(tmp_path / "out" / "clip-a" / "annotations.xml").getroot()  # noqa: S314 - our own file

    return write


def shown(track):
    return [(int(box.get("frame")), box.get("outside")) for box in track.iter("box")]


def test_tracks_end_where_their_object_is_gone(document, make_clip, make_box):
    frames = {
        0: [make_box(1), make_box(2, category="person")],
        1: [make_box(1)],
        2: [make_box(None, category="bus")],
        5: [make_box(1), make_box(3)],
    }
    first, second, untracked, last = document(make_clip(frames)).iter("track")
    # frames are counted without gaps: number 5 is the fourth
    assert shown(first) == [(0, "0"), (1, "0"), (2, "1"), (3, "0")]
    assert shown(second) == [(0, "0"), (1, "1")]
    assert shown(untracked) == [(2, "0"), (3, "1")]
    assert shown(last) == [(3, "0")]
    assert [track.get("label") for track in (first, second, untracked, last)] == [
        "car",
        "person",
        "bus",
        "car",
    ]
    assert [track.get("id") for track in (first, second, untracked, last)] == ["0", "1", "2", "3"]
    box = next(first.iter("box"))
    assert [box.get(edge) for edge in ("xtl", "ytl", "xbr", "ybr")] == ["10.5", "20.25", "50.75", "60.0"]
    assert {item.get("name"): item.text for item in box.iter("attribute")} == {
        "score": "0.75",
        "label_source": "detected",
        "timestamp_ns": "0",
        "detection_id": "detection-1-10.5",
        "object_id": "object-1",
    }
    assert all(box.get("keyframe") == "1" for box in first.iter("box"))


def test_the_task_is_described(document, make_clip, make_box, tmp_path):
    clip = make_clip({0: [], 1: [make_box(1)]}, picture=b"image", uri='/a<b>&"c"\x01ü.mp4')
    found = document(clip)
    assert found.findtext("version") == "1.1"
    assert found.findtext("meta/task/size") == "2"
    assert found.findtext("meta/task/mode") == "interpolation"
    assert found.findtext("meta/task/source") == '/a<b>&"c"?ü.mp4'
    assert found.findtext("meta/task/original_size/width") == "640"
    labels = found.findall("meta/task/labels/label")
    assert [label.findtext("name") for label in labels] == list(CATEGORIES)
    attributes = labels[0].findall("attributes/attribute")
    assert {item.findtext("name"): item.findtext("mutable") for item in attributes} == {
        "score": "True",
        "label_source": "True",
        "timestamp_ns": "True",
        "detection_id": "True",
        "object_id": "False",
    }
    assert (tmp_path / "out/clip-a/images/frame_000001.jpg").read_bytes() == b"image"
