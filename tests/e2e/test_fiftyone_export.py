"""An export for FiftyOne: its files, and what FiftyOne's own importer makes of them, compared with the tables row by row."""

import json
import os
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import cv2
import pytest
from exported import Labelled, edges
from installing import installs
from running import ROOT

from models.taxonomy import CATEGORIES
from transforms.splits.rule import Placed
from transforms.splits.table import splits_table
from transforms.splits.versions import make_version
from transforms.tables.queries import connect
from transforms.tables.replacing import replace_whole
from transforms.tables.store import LocalStore

SHARED = Path(os.environ.get("CLIPMILL_SHARED", ROOT.parent / "shared"))
NETWORK = SHARED / "models" / "yolox_nano_416.onnx"
CLIP = SHARED / "clips" / "muchlisin_dusk_highway_640x360.mp4"
IMPORT_S = 300
SIDES = (("train", "drawn"), ("test", "drawn"), ("none", "bridges"))
"""Where drives are put in turn, and by which rule."""


@pytest.fixture(scope="module")
def event(labelled_event, tmp_path_factory) -> Labelled:
    """The labelled event, with a split for each drive."""
    folder = tmp_path_factory.mktemp("fiftyone")
    shutil.copytree(
        labelled_event.dataset, folder / "labels", ignore=shutil.ignore_patterns("exports", "splits")
    )
    drives = defaultdict(list)
    for clip, facts in facts_of_clips(folder / "labels").items():
        drives[facts["drive_id"]].append(clip)
    placed = [
        Placed(drive, *SIDES[place % len(SIDES)], frozenset(clips))
        for place, (drive, clips) in enumerate(sorted(drives.items()))
    ]
    assert len(placed) >= len(SIDES)
    table = splits_table({make_version("v1", "folder", "50,0,50"): placed})
    replace_whole(LocalStore(folder / "labels"), "splits", table)
    return Labelled(folder / "labels", 5, folder)


@pytest.fixture(scope="module")
def real(clipmill, tmp_path_factory) -> Labelled | None:
    """A clip of a real drive, where it is at hand."""
    if not NETWORK.is_file():
        return None
    folder = tmp_path_factory.mktemp("real")
    done = clipmill("label", CLIP, "-o", folder / "labels", "--model", NETWORK, "--fps", 2, "--json")
    assert done.code == 0, done.errors
    return Labelled(folder / "labels", 2, folder)


def facts_of_clips(dataset):
    """What the tables say of each clip, and its split."""
    query = """SELECT clip_id, drive_id, camera, uri, split FROM clips LEFT JOIN splits USING (drive_id)
        WHERE duplicate_of IS NULL"""
    with connect(dataset) as data:
        found = data.execute(query)
        names = [column[0] for column in found.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}


def as_written(root):
    """The samples of an export as they stand in its file, in the form in which the reader tells FiftyOne's."""
    text = (root / "samples.json").read_bytes()
    assert text.isascii()

    def plain(document):
        names = {"_id": "id"}
        return {
            names.get(name, name): value["$oid"] if name == "_id" else value
            for name, value in document.items()
            if name not in {"_cls", "_media_type", "_rand"}
        }

    return [
        {
            **plain(sample),
            "filepath": str(root / sample["filepath"]),
            "metadata": plain(sample["metadata"]),
            "detections": [plain(box) for box in sample["detections"]["detections"]],
        }
        for sample in json.loads(text)["samples"]
    ]


def assert_same(samples, root, labelled):
    """Every frame and box of the tables is there with its values, and nothing else is."""
    clips = facts_of_clips(labelled.dataset)
    rows = {row["detection_id"]: row for row in labelled.rows}
    boxes, pictures, numbers = {}, {}, {}
    for sample in samples:
        key = sample["clip_id"], sample["timestamp_ns"]
        row, clip = labelled.frames[key], clips[sample["clip_id"]]
        assert sample["filepath"] == str(root / "data" / key[0] / f"{key[1]:015d}.jpg")
        assert sample["utc_ns"] == row["utc_ns"]
        assert [sample[name] for name in ("drive_id", "camera", "uri")] == [
            clip[name] for name in ("drive_id", "camera", "uri")
        ]
        assert sample["tags"] == [side for side in ("train", "test") if side == clip["split"]]
        pictures[key] = Path(sample["filepath"]).read_bytes()
        size = sample["metadata"]["height"], sample["metadata"]["width"]
        assert size == (row["height"], row["width"]) == cv2.imread(sample["filepath"]).shape[:2]
        assert sample["metadata"]["size_bytes"] == len(pictures[key])
        assert (sample["metadata"]["mime_type"], sample["metadata"]["num_channels"]) == ("image/jpeg", 3)
        boxes[key] = []
        for box in sample["detections"]:
            boxes[key].append((box["label"], *edges_px(box, size)))
            assert_same_box(box, rows[box["detection_id"]], edges_px(box, size))
            if box["index"] is not None:
                assert numbers.setdefault(box["object_id"], box["index"]) == box["index"]
    assert len(pictures) == len(samples)
    labelled.assert_boxes(boxes)
    labelled.assert_pictures(pictures)
    assert len(set(numbers.values())) == len(numbers) > 5
    ids = [sample["id"] for sample in samples]
    ids += [box["id"] for sample in samples for box in sample["detections"]]
    assert len(set(ids)) == len(ids) == len(labelled.frames) + len(labelled.rows)
    assert all(len(bytes.fromhex(name)) == 12 for name in ids)


def edges_px(box, size):
    height, width = size
    x, y, w, h = box["bounding_box"]
    return x * width, y * height, (x + w) * width, (y + h) * height


def assert_same_box(box, row, found_px):
    # edges are rounded to a thousandth of a pixel, and float32 in the table
    assert found_px == pytest.approx(edges(row), abs=6e-4)
    assert box["label"] == row["category"]
    assert box["confidence"] == pytest.approx(row["score"], abs=1e-6)
    assert box["label_source"] == row["label_source"]
    assert (box["index"] is None) == (box["object_id"] is None) == (row["track_id"] is None)
    assert box["object_id"] in {row["object_id"], row["track_id"]}


def test_its_files_hold_the_tables_rows(event):
    root, _ = event.made("fiftyone")
    assert {facts["split"] for facts in facts_of_clips(event.dataset).values()} == {side for side, _ in SIDES}
    assert_same(as_written(root), root, event)
    assert json.loads((root / "metadata.json").read_text())["default_classes"] == list(CATEGORIES)
    files = {path.name for path in root.iterdir()}
    assert files == {"data", "metadata.json", "samples.json", "clipmill_export.json"}


@installs
@pytest.mark.timeout(1800)
def test_fiftyone_imports_the_tables_rows(fiftyone_python, event, real, tmp_path):
    sets = [labelled for labelled in (event, real) if labelled is not None]
    roots = [labelled.made("fiftyone")[0] for labelled in sets]
    environment = {
        **os.environ,
        "PYTHONPATH": "",
        "HOME": str(tmp_path),
        "FIFTYONE_DATABASE_DIR": str(tmp_path / "database"),
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
    }
    reader = ROOT / "tests" / "support" / "fiftyone_reader.py"
    arguments = [fiftyone_python, reader, tmp_path / "found.json", *roots]
    subprocess.run(arguments, check=True, env=environment, timeout=IMPORT_S)
    found = json.loads((tmp_path / "found.json").read_text())
    for labelled, root, read in zip(sets, roots, found, strict=True):
        assert_same(read["samples"], root, labelled)
        assert read["samples"] == as_written_without_what_fiftyone_adds(root)
        assert_usable(read, labelled.rate)


def as_written_without_what_fiftyone_adds(root):
    own = {"tags", "attributes"}
    return [
        {
            **sample,
            "detections": [{n: v for n, v in box.items() if n not in own} for box in sample["detections"]],
        }
        for sample in as_written(root)
    ]


def assert_usable(read, rate):
    """FiftyOne knows the types of all fields, shuffles, plays clips and writes what a user adds."""
    assert (read["media_type"], read["default_classes"]) == ("image", list(CATEGORIES))
    assert read["frame_rate"] == rate
    types = {
        "timestamp_ns": "IntField",
        "utc_ns": "IntField",
        "clip_id": "StringField",
        "detections.detections.bounding_box": "ListField",
        "detections.detections.confidence": "FloatField",
        "detections.detections.index": "IntField",
        "detections.detections.label_source": "StringField",
        "metadata.width": "IntField",
    }
    assert {name: read["schema"][name] for name in types} == types
    assert read["descriptions"]["timestamp_ns"] == "time since the clip's first shown frame, in ns"
    assert sum(read["labels"].values()) == sum(len(sample["detections"]) for sample in read["samples"])
    ids = [sample["id"] for sample in read["samples"]]
    assert sorted(read["shuffled"]) == sorted(ids)
    assert read["shuffled"] != ids
    played = defaultdict(list)
    for sample in read["samples"]:
        played[sample["clip_id"]].append(sample["timestamp_ns"])
    assert read["played"] == {clip: sorted(times) for clip, times in played.items()}
    assert read["tagged"] == [{"wrong": 1}, 1]
