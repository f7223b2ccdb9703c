"""Rerun recordings of a labelled data set, read by Rerun's own reader and compared with the Parquet row by row."""

import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from exported import CLOSE_PX, command, edges
from rerun_files import entities, recording, timed
from running import ROOT

from models.taxonomy import CATEGORIES
from transforms.tables.queries import connect

SHARED = Path(os.environ.get("CLIPMILL_SHARED", ROOT.parent / "shared"))


def export(dataset, output, form, *options):
    code, data, errors = command("export", dataset, "--format", form, "-o", output, *options)
    assert (code, errors) == (0, ""), data
    return data


def selected(dataset, query) -> list[dict]:
    with connect(dataset) as data:
        found = data.execute(query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def boxes_of(dataset) -> dict[str, list[dict]]:
    """What the tables say, by frame: boxes in the order in which they are exported."""
    found = defaultdict(list)
    for row in selected(
        dataset,
        "SELECT d.*, o.object_id FROM detections d LEFT JOIN objects o USING (track_id)"
        " WHERE d.score >= CAST(0.3 AS FLOAT) ORDER BY timestamp_ns, detection_id",
    ):
        found[row["frame_id"]].append(row)
    return found


def frames_of(dataset) -> dict[str, dict]:
    rows = selected(
        dataset,
        "SELECT f.*, c.drive_id, c.start_utc_ns FROM frames f JOIN clips c USING (clip_id)"
        " WHERE sample_index IS NOT NULL AND NOT is_damaged",
    )
    return {row["frame_id"]: row for row in rows}


def read(root: Path) -> dict[str, dict[str, list[dict]]]:
    """Rows by drive and entity."""
    found = {}
    for folder in sorted(root.glob("drive-*")):
        name, rows = recording(folder)
        assert folder.name == f"drive-{name}"
        found[name] = rows
    return found


def assert_same_boxes(row: dict, wanted: list[dict]) -> None:
    assert row["detection_id"] == [box["detection_id"] for box in wanted]
    assert row["label_source"] == [box["label_source"] for box in wanted]
    assert [CATEGORIES[number] for number in row["Boxes2D:class_ids"]] == [box["category"] for box in wanted]
    assert row["score"] == pytest.approx([box["score"] for box in wanted], abs=1e-6)
    centers = np.array(row["Boxes2D:centers"]).reshape(-1, 2)
    halves = np.array(row["Boxes2D:half_sizes"]).reshape(-1, 2)
    assert np.hstack([centers - halves, centers + halves]) == pytest.approx(
        np.array([edges(box) for box in wanted]).reshape(-1, 4), abs=CLOSE_PX
    )
    for place, box in enumerate(wanted):
        assert row["object_id"][place] in {box["object_id"], box["track_id"]}
        number = row["object_number"][place]
        assert (number is None) == (box["track_id"] is None)
        tracked = "" if number is None else f" #{number}"
        assert row["Boxes2D:labels"][place] == f"{box['category']}{tracked} {round(box['score'], 6):.2f}"


def assert_recording_is(dataset: Path, root: Path, pictures: Path) -> int:
    """Compares every row of an export with the tables, and every image with one of another format; counts boxes."""
    frames, boxes = frames_of(dataset), boxes_of(dataset)
    seen, count = set(), 0
    for drive, rows in read(root).items():
        assert {entity for entity in rows if entity.startswith("/camera")} == {
            f"/camera/{camera}/{what}"
            for camera in {frame["camera"] for frame in frames.values() if frame["drive_id"] == drive}
            for what in ("boxes", "image")
        }
        numbers = defaultdict(set)
        starts = {frame["start_utc_ns"] for frame in frames.values() if frame["drive_id"] == drive}
        for entity in (entity for entity in rows if entity.endswith("/boxes")):
            images = rows[entity.replace("/boxes", "/image")]
            found = timed(rows[entity])
            assert len(images) == len(found)
            for row, image in zip(found, images, strict=True):
                frame = frames[row["frame_id"][0]]
                assert row["clip_id"] == [frame["clip_id"]]
                assert row["timestamp_ns"] == [frame["timestamp_ns"]]
                assert (frame["drive_id"], f"/camera/{frame['camera']}/boxes") == (drive, entity)
                assert row.get("capture_time") == frame["utc_ns"]
                if frame["utc_ns"] is None:
                    assert row["drive_time"] == frame["timestamp_ns"]
                else:
                    assert frame["utc_ns"] - row["drive_time"] in starts
                times = {"capture_time", "drive_time", "frame"} & row.keys()
                assert {name: row[name] for name in times} == {
                    name: value for name, value in image.items() if not name.startswith("EncodedImage")
                }
                name = f"{frame['clip_id']}/{frame['timestamp_ns']:015d}.jpg"
                assert bytes(image["EncodedImage:blob"][0]) == (pictures / name).read_bytes()
                assert_same_boxes(row, boxes[frame["frame_id"]])
                for shown, number in zip(row["object_id"], row["object_number"], strict=True):
                    numbers[shown].add(number)
                seen.add(frame["frame_id"])
                count += len(row["score"])
            assert all(len(row["EncodedImage:blob"]) == 1 for row in images)
        numbers.pop(None, None)
        assert all(len(of_object) == 1 for of_object in numbers.values())
        assert len(set.union(set(), *numbers.values())) == len(numbers)
    assert seen == set(frames)
    assert count == sum(len(own) for own in boxes.values())
    return count


def test_every_box_and_image_is_there(labelled_event):
    root, data = labelled_event.made("rerun")
    pictures, _ = labelled_event.made("coco")
    count = assert_recording_is(labelled_event.dataset, root, pictures / "images")
    assert (data["boxes"], data["images"]) == (count, data["frames"])
    assert count > 1000
    cameras = {len([name for name in rows if name.endswith("/boxes")]) for rows in read(root).values()}
    assert max(cameras) == 4


def test_the_cameras_of_a_minute_have_the_same_numbers_at_the_same_time(labelled_event):
    rows = max(read(labelled_event.made("rerun")[0]).values(), key=len)
    found = [timed(own) for entity, own in rows.items() if entity.endswith("/boxes")]
    times = defaultdict(set)
    for row in (row for own in found for row in own):
        times[row["frame"]].add(row["drive_time"])
    assert len(times) > 20
    # five frames a second
    assert all(max(own) - min(own) < 100_000_000 for own in times.values())
    for own in found:
        assert [row["frame"] for row in own] == sorted({row["frame"] for row in own})
        assert [row["drive_time"] for row in own] == sorted({row["drive_time"] for row in own})


def test_telemetry_is_that_of_one_camera(labelled_event):
    names = {
        "speed_mps": "vehicle_speed_mps",
        "steering_wheel_angle_deg": "steering_wheel_angle",
        "accelerator_pedal_position": "accelerator_pedal_position",
        "brake_applied": "brake_applied",
    }
    table = selected(
        labelled_event.dataset,
        "SELECT t.*, c.drive_id, c.camera, c.start_utc_ns + t.timestamp_ns AS utc_ns"
        " FROM telemetry t JOIN clips c USING (clip_id) ORDER BY utc_ns",
    )
    for drive, rows in read(labelled_event.made("rerun")[0]).items():
        cameras = sorted({row["camera"] for row in table if row["drive_id"] == drive})
        own = (
            [row for row in table if row["drive_id"] == drive and row["camera"] == cameras[0]]
            if cameras
            else []
        )
        assert {f"/telemetry/{name}" for name in names if own} == {
            name for name in rows if name.startswith("/telemetry")
        }
        for name, column in names.items():
            found = [
                (row["capture_time"], *row["Scalars:scalars"]) for row in rows.get(f"/telemetry/{name}", [])
            ]
            assert found == [(row["utc_ns"], row[column]) for row in own]
    assert len(table) > 100


def test_the_same_again_is_the_same_but_for_ids_of_rerun(labelled_event, tmp_path):
    root, _ = labelled_event.made("rerun")
    export(labelled_event.dataset, tmp_path / "again", "rerun", "--blur", "none")

    def content(folder):
        return {str(path.relative_to(folder)): entities(path) for path in folder.rglob("*.rrd")}

    assert content(tmp_path / "again") == content(root)
    record = "clipmill_export.json"
    assert (tmp_path / "again" / record).read_bytes() == (root / record).read_bytes()


def test_images_can_be_left_out_or_lose_nothing(labelled_event, tmp_path):
    dataset = labelled_event.dataset
    data = export(dataset, tmp_path / "labels", "rerun", "--no-images", "--camera", "front")
    assert (data["images"], data["clips"]) == (0, 2)
    (rows,) = read(tmp_path / "labels").values()
    assert {name for name in rows if name.startswith("/camera")} == {"/camera/front/boxes"}
    one = ("--clip", "variable_rate.mp4", "--image-format", "png")
    export(dataset, tmp_path / "png", "rerun", *one)
    (rows,) = read(tmp_path / "png").values()
    (images,) = [own for name, own in rows.items() if name.endswith("/image")]
    assert {bytes(row["EncodedImage:blob"][0][:4]) for row in images} == {b"\x89PNG"}
    assert {row["EncodedImage:media_type"][0] for row in images} == {"image/png"}
    # blurred as those of any export are
    export(dataset, tmp_path / "coco", "coco", "--with-images", *one)
    blurred = [path.read_bytes() for path in sorted((tmp_path / "coco").rglob("*.png"))]
    assert [bytes(row["EncodedImage:blob"][0]) for row in images] == blurred
    audit = [pq.read_table(tmp_path / form / "blurred.parquet") for form in ("png", "coco")]
    assert audit[0].drop(["picture"]).equals(audit[1].drop(["picture"]))
    assert audit[0].num_rows > 10
    assert all(name.startswith("drive-") for name in audit[0]["picture"].to_pylist())


def test_without_the_library_it_says_what_to_install_and_forgets_all_the_same(
    event_copy, tmp_path, monkeypatch
):
    root = tmp_path / "rerun"
    export(event_copy, root, "rerun", "--no-images", "--camera", "front")
    monkeypatch.delitem(sys.modules, "transforms.exports.rerun_recording")
    monkeypatch.setitem(sys.modules, "rerun", None)
    code, data, _ = command("export", event_copy, "--format", "rerun", "-o", tmp_path / "none")
    assert code == 1
    assert "pip install 'clipmill[rerun]'" in data["error"]["message"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "rerun"]
    code, data, _ = command("forget", event_copy, "--clip", "2025-06-14_09-01-00-front.mp4")
    assert (code, [item["fate"] for item in data["exports"]]) == (0, ["deleted"])
    assert not root.exists()


def test_forgotten_clips_leave_the_recording(event_copy, tmp_path):
    root = tmp_path / "rerun"
    export(event_copy, root, "rerun", "--no-images")

    def clips():
        return {
            row["clip_id"][0]
            for rows in read(root).values()
            for name, own in rows.items()
            if name.endswith("/boxes")
            for row in timed(own)
        }

    before = clips()
    code, data, _ = command("forget", event_copy, "--clip", "2025-06-14_09-01-00-front.mp4")
    assert (code, [item["fate"] for item in data["exports"]]) == (0, ["written anew"])
    (gone,) = before - clips()
    assert gone not in {frame["clip_id"] for frame in frames_of(event_copy).values()}
    assert len(clips()) == len(before) - 1


@pytest.mark.skipif(
    not (SHARED / "clips").is_dir(), reason="needs ../shared: real clips are not the project's to ship"
)
def test_a_real_clip(clipmill, tmp_path):
    clip = SHARED / "clips" / "muchlisin_dusk_highway_640x360.mp4"
    network = SHARED / "models" / "picodet_s_416_coco.onnx"
    done = clipmill("label", clip, "-o", tmp_path / "out", "--model", network, "--fps", 2, "--json")
    assert done.code == 0, done.errors
    export(tmp_path / "out", tmp_path / "rerun", "rerun", "--blur", "none")
    export(tmp_path / "out", tmp_path / "coco", "coco", "--with-images", "--blur", "none")
    assert assert_recording_is(tmp_path / "out", tmp_path / "rerun", tmp_path / "coco" / "images") > 20
