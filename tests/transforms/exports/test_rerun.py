import sys
from dataclasses import replace

import pyarrow as pa
import pytest
from rerun.chunk import RrdReader
from rerun_files import recording, timed

from models.taxonomy import CATEGORIES
from transforms.exports import rerun as exports
from transforms.exports.frames import ExportError

FRONT = "/camera/front"


@pytest.fixture
def written(folder, tmp_path):
    """Writes clips of one drive and reads the recording."""

    def write(*clips, suffix=".jpg"):
        exports.write(folder, clips, suffix)
        name, entities = recording(tmp_path / "out" / "drive-drive")
        assert name == "drive"
        return entities

    return write


def test_its_own_reader_finds_boxes_and_images(written, make_clip, make_box):
    boxes = [make_box(1), make_box(None, category="person", edges=(0.0, 0.5, 640.0, 360.0), score=0.5)]
    found = written(make_clip({0: boxes, 1: [], 3: [make_box(1)]}, picture=b"image"))
    rows = timed(found[f"{FRONT}/boxes"])
    assert rows[0] == {
        "drive_time": 0,
        "frame": 0,
        "Boxes2D:centers": [[30.625, 40.125], [320.0, 180.25]],
        "Boxes2D:half_sizes": [[20.125, 19.875], [320.0, 179.75]],
        "Boxes2D:class_ids": [4, 0],
        "Boxes2D:labels": ["car #1 0.75", "person 0.50"],
        "score": [0.75, 0.5],
        "label_source": ["detected", "detected"],
        "object_number": [1, None],
        "object_id": ["object-1", None],
        "detection_id": ["detection-1-10.5", "detection-None-0.0"],
        "clip_id": ["clip-a"],
        "frame_id": ["frame-0"],
        "timestamp_ns": [0],
    }
    # a frame without boxes clears those of the frame before
    assert {name: value for name, value in rows[1].items() if value == []}.keys() == {
        *(f"Boxes2D:{name}" for name in ("centers", "half_sizes", "class_ids", "labels")),
        *("score", "label_source", "object_number", "object_id", "detection_id"),
    }
    assert [(row["frame"], row["drive_time"]) for row in rows] == [(0, 0), (1, 200_000_000), (3, 600_000_000)]
    images = found[f"{FRONT}/image"]
    assert [(row["frame"], row["drive_time"]) for row in images] == [
        (row["frame"], row["drive_time"]) for row in rows
    ]
    assert {bytes(row["EncodedImage:blob"][0]) for row in images} == {b"image"}
    assert {row["EncodedImage:media_type"][0] for row in images} == {"image/jpeg"}


def test_classes_are_named(written, make_clip, make_box):
    found = written(make_clip({0: [make_box(1)]}))
    (context,) = found["/"]
    described = [item["class_description"]["info"] for item in context["AnnotationContext:context"][0]]
    assert [(item["id"], item["label"]) for item in described] == list(enumerate(CATEGORIES))
    assert f"{FRONT}/image" not in found


def test_a_clip_without_any_box_has_its_frames(written, make_clip):
    rows = timed(written(make_clip({0: [], 1: []}, picture=b"image"), suffix=".png")[f"{FRONT}/boxes"])
    assert [(row["frame_id"], row["Boxes2D:centers"]) for row in rows] == [
        (["frame-0"], []),
        (["frame-1"], []),
    ]


def at(item, camera, start_utc_ns):
    """A clip of another camera and time of day."""
    frames = [replace(frame, utc_ns=start_utc_ns + frame.timestamp_ns) for frame in item.frames]
    return replace(item, clip=replace(item.clip, camera=camera, start_utc_ns=start_utc_ns), frames=frames)


def test_cameras_and_minutes_are_on_the_same_timelines(written, make_clip):
    start = 1_700_000_000_000_000_007
    found = written(
        at(make_clip({0: []}, "a"), "front", start),
        at(make_clip({0: []}, "b"), "ü b/c", start + 40),
        at(make_clip({0: [], 2: []}, "c"), "front", start + 10**9),
    )
    rows = timed(found[f"{FRONT}/boxes"])
    assert [(row["capture_time"], row["drive_time"], row["frame"]) for row in rows] == [
        (start, 0, 0),
        (start + 10**9, 10**9, 1),
        (start + 14 * 10**8, 14 * 10**8, 3),
    ]
    (properties,) = found["/__properties"]
    assert properties == {"RecordingInfo:name": ["2023-11-14T22:13:20Z"]}
    (row,) = timed(found["/camera/ü\\ b\\/c/boxes"])
    assert (row["capture_time"], row["drive_time"], row["frame"]) == (start + 40, 40, 0)


def told(item, speeds):
    """A clip with telemetry at every fifth of a second."""
    columns = {
        "timestamp_ns": pa.array(range(0, 200_000_000 * len(speeds), 200_000_000), pa.int64()),
        "vehicle_speed_mps": pa.array(speeds, pa.float32()),
        "steering_wheel_angle": pa.array([-2.5] * len(speeds), pa.float32()),
        "accelerator_pedal_position": pa.array([30] * len(speeds), pa.float32()),
        "brake_applied": pa.array([speed == 0 for speed in speeds]),
    }
    return replace(item, telemetry=[pa.table(columns)] if speeds else [])


def test_telemetry_is_that_of_one_camera(written, make_clip):
    start = 1_700_000_000_000_000_000
    found = written(
        told(at(make_clip({0: []}, "a"), "back", start), []),
        told(at(make_clip({0: []}, "b"), "front", start), [1.5, 0]),
        told(at(make_clip({0: []}, "c"), "back", start + 10**9), [9]),
        told(at(make_clip({0: []}, "d"), "front", start + 10**9), [2.5]),
    )
    rows = sorted(found["/telemetry/speed_mps"], key=lambda row: row["drive_time"])
    assert rows == [
        {"capture_time": start + since, "drive_time": since, "Scalars:scalars": [speed]}
        for since, speed in ((0, 1.5), (200_000_000, 0.0), (10**9, 2.5))
    ]
    values = {
        name: {row["Scalars:scalars"][0] for row in found[f"/telemetry/{name}"]}
        for name in ("steering_wheel_angle_deg", "accelerator_pedal_position", "brake_applied")
    }
    assert values == {
        "steering_wheel_angle_deg": {-2.5},
        "accelerator_pedal_position": {30},
        "brake_applied": {0, 1},
    }


def test_files_are_cut_and_are_one_recording(folder, make_clip, make_box, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "_CHUNK_BYTES", 1500)
    monkeypatch.setattr(exports, "MOST_BYTES", 4000)
    clips = [make_clip({number: [make_box(1)] for number in range(9)}, picture=bytes(800))]
    exports.write(folder, clips, ".jpg")
    paths = sorted((tmp_path / "out" / "drive-drive").iterdir())
    assert [path.name for path in paths] == ["000000.rrd", "000001.rrd", "000002.rrd"]
    _, found = recording(tmp_path / "out" / "drive-drive")
    for entity in ("boxes", "image"):
        assert [row["frame"] for row in timed(found[f"{FRONT}/{entity}"])] == list(range(9))
    assert all(len(RrdReader(path).blueprints()) == 1 for path in paths)


@pytest.mark.parametrize("drive", ["..", "../a b", "", "/a"])
def test_a_drive_that_somebody_has_made_up_stays_in_its_folder(folder, make_clip, tmp_path, drive):
    item = make_clip({0: []})
    exports.write(folder, [replace(item, clip=replace(item.clip, drive_id=drive))], ".jpg")
    (made,) = tmp_path.rglob("*.rrd")
    assert made.parent.parent == tmp_path / "out"
    assert made.parent.name.startswith("drive-")


def test_without_the_library_it_says_what_to_install(folder, make_clip, monkeypatch):
    monkeypatch.delitem(sys.modules, "transforms.exports.rerun_recording", raising=False)
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(ExportError, match=r"pip install 'clipmill\[rerun\]'"):
        exports.write(folder, [make_clip({0: []})], ".jpg")


def test_switched_off_by_the_environment_it_says_so(folder, make_clip, monkeypatch):
    monkeypatch.setenv("RERUN", "off")
    with pytest.raises(ExportError, match="unset RERUN"):
        exports.write(folder, [make_clip({0: []})], ".jpg")
