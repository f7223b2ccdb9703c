import io
import json

import pytest

from transforms.corrections.coco_file import read_coco
from transforms.corrections.corrected_files import CorrectedFileError

IMAGES = [
    {"id": 1, "file_name": "somewhere/clip-a/000000200000000.jpg"},
    {"id": 2, "file_name": "x.jpg", "clip_id": "clip-b", "timestamp_ns": 5},
]
BOX = {"id": 9, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4.5]}


def read(**changes):
    document = {"images": IMAGES, "annotations": [BOX], "categories": [{"id": 3, "name": "car"}], **changes}
    return read_coco(io.BytesIO(json.dumps(document).encode()), "c.json")


def test_clips_and_times_by_their_keys_or_by_the_names_of_images():
    file = read(
        annotations=[BOX, {**BOX, "image_id": 2, "detection_id": "d1"}], info={"date_created": "2026-03-01"}
    )
    assert {name: list(clip.boxes) for name, clip in file.clips.items()} == {
        "clip-a": [200_000_000],
        "clip-b": [5],
    }
    assert all(clip.is_timed for clip in file.clips.values())
    (first,) = file.clips["clip-a"].boxes[200_000_000]
    (second,) = file.clips["clip-b"].boxes[5]
    assert (first.category, first.edges, first.detection_id) == ("car", (1.0, 2.0, 4.0, 6.5), "")
    assert second.detection_id == "d1"
    assert (file.form, file.at) == ("coco", "2026-03-01")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"images": [{"id": 1, "file_name": "a.jpg"}]}, "image 'a.jpg': clip and time are not known"),
        ({"annotations": [{**BOX, "image_id": 7}]}, "annotation 9: its image_id is not among the images"),
        ({"annotations": [{**BOX, "bbox": [1, 2, 3]}]}, "annotation 9: bbox is no list of four numbers"),
        ({"annotations": [{**BOX, "bbox": [1, 2, 10**400, 4]}]}, "annotation 9: bbox is no list of four"),
        ({"annotations": [{**BOX, "bbox": [1, 2, 0, 4]}]}, "annotation 9: the box has no area"),
        ({"annotations": [{**BOX, "category_id": 4}]}, "annotation 9: 'None' is no category"),
        ({"annotations": [{**BOX, "image_id": "1"}]}, "annotation 9: image_id is no whole number"),
        ({"images": []}, "its image_id is not among the images"),
        ({"images": [], "annotations": []}, "holds no image"),
        ({"images": {}}, "images is missing or not a list of objects"),
    ],
)
def test_what_cannot_be_taken_in_is_said(changes, says):
    with pytest.raises(CorrectedFileError, match=says):
        read(**changes)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 200_000])
def test_what_is_no_json_of_ours_is_said(content):
    with pytest.raises(CorrectedFileError, match="JSON"):
        read_coco(io.BytesIO(content), "c.json")
