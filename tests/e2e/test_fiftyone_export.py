"""An export for FiftyOne: its files, and what FiftyOne's own importer makes of them, compared with the tables row by row."""

import json
import os
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import cv2
import pytest
from installing import installs
from running import ROOT

from models.taxonomy import CATEGORIES
from transforms.splits.rule import Placed
from transforms.splits.table import splits_table
from transforms.splits.versions import make_version
from transforms.tables.queries import connect
from transforms.tables.replacing import replace_whole
from transforms.tables.store import LocalStore

CLIPS = Path(os.environ.get("CLIPMILL_SHARED", ROOT.parent / "shared")) / "clips"
CLIP = "muchlisin_dusk_highway_640x360.mp4"
IMPORT_S = 300
SPLITS = (("train", "drawn"), ("test", "drawn"), ("none", "bridges"))


class Tables:
    """What the tables of a data set say of the frames and boxes that are exported.

    Attributes:
        frames: (clip, time) → row.
        boxes: (clip, time) → detection → row.
    """

    def __init__(self, dataset: Path, min_score: float) -> None:
        self.frames = {
            (row["clip_id"], row["timestamp_ns"]): row
            for row in _rows(
                dataset,
                "SELECT f.*, c.uri, c.camera, c.drive_id FROM frames f JOIN clips c USING (clip_id)"
                " WHERE sample_index IS NOT NULL AND NOT is_damaged",
            )
        }
        self.boxes = defaultdict(dict)
        boxes = _rows(
            dataset,
            "SELECT d.*, o.object_id FROM detections d LEFT JOIN objects o USING (track_id)"  # noqa: S608 - a number of ours
            f" WHERE score >= CAST({min_score} AS FLOAT) AND score > 0",
        )
        for row in boxes:
            self.boxes[row["clip_id"], row["timestamp_ns"]][row["detection_id"]] = row
        self.count = len(boxes)


def _rows(dataset, query):
    with connect(dataset) as data:
        found = data.execute(query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def split_of_drives(dataset):
    """Puts each drive on a side in turn, one of them on none; clip → split."""
    query = "SELECT drive_id, list(clip_id) AS clips FROM clips WHERE duplicate_of IS NULL GROUP BY ALL ORDER BY ALL"
    placed = [
        Placed(row["drive_id"], *SPLITS[place % len(SPLITS)], frozenset(row["clips"]))
        for place, row in enumerate(_rows(dataset, query))
    ]
    assert len(placed) >= len(SPLITS)
    table = splits_table({make_version("v1", "folder", "50,25,25"): placed})
    replace_whole(LocalStore(dataset), "splits", table)
    return {clip: item.split for item in placed for clip in item.clips}


@pytest.fixture(scope="module")
def sample_set(labelled_sample, tmp_path_factory):
    """The labelled sample, and on which side each clip is."""
    dataset = tmp_path_factory.mktemp("fiftyone") / "labels"
    shutil.copytree(labelled_sample, dataset, ignore=shutil.ignore_patterns("exports"))
    return dataset, split_of_drives(dataset)


@pytest.fixture(scope="module")
def sample_export(clipmill, sample_set):
    dataset, _ = sample_set
    return exported(clipmill, dataset, 0.3)


def exported(clipmill, dataset, min_score):
    root = dataset.with_name(f"{dataset.name}-fiftyone")
    done = clipmill(
        *("export", dataset, "--format", "fiftyone", "-o", root, "--min-score", min_score, "--json")
    )
    assert done.code == 0, done.output
    return root


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


def assert_same(samples, root, tables, split_of):
    """Every frame and box of the tables is there with its values, and nothing else is."""
    keys = [(sample["clip_id"], sample["timestamp_ns"]) for sample in samples]
    assert len(set(keys)) == len(keys)
    assert set(keys) == set(tables.frames)
    numbers = {}
    for key, sample in zip(keys, samples, strict=True):
        row = tables.frames[key]
        assert sample["filepath"] == str(root / "data" / row["clip_id"] / f"{row['timestamp_ns']:015d}.jpg")
        assert [sample[name] for name in ("camera", "uri", "drive_id", "utc_ns")] == [
            row[name] for name in ("camera", "uri", "drive_id", "utc_ns")
        ]
        side = split_of.get(row["clip_id"], "none")
        assert sample["tags"] == ([] if side == "none" else [side])
        size = (sample["metadata"]["height"], sample["metadata"]["width"])
        assert size == (row["height"], row["width"]) == cv2.imread(sample["filepath"]).shape[:2]
        assert sample["metadata"]["size_bytes"] == Path(sample["filepath"]).stat().st_size
        assert (sample["metadata"]["mime_type"], sample["metadata"]["num_channels"]) == ("image/jpeg", 3)
        boxes = {box["detection_id"]: box for box in sample["detections"]}
        assert len(boxes) == len(sample["detections"])
        assert set(boxes) == set(tables.boxes[key])
        for name, box in boxes.items():
            assert_same_box(box, tables.boxes[key][name], size)
            if box["index"] is not None:
                assert numbers.setdefault(box["object_id"], box["index"]) == box["index"]
    assert len(set(numbers.values())) == len(numbers) > 10
    ids = [sample["id"] for sample in samples]
    ids += [box["id"] for sample in samples for box in sample["detections"]]
    assert len(set(ids)) == len(ids) == len(tables.frames) + tables.count
    assert all(len(bytes.fromhex(name)) == 12 for name in ids)


def assert_same_box(box, row, size):
    height, width = size
    x, y, w, h = box["bounding_box"]
    shown = (x * width, y * height, (x + w) * width, (y + h) * height)
    # edges are rounded to a thousandth of a pixel, and float32 in the table
    assert shown == pytest.approx(
        [row[f"{edge}_px"] for edge in ("x_min", "y_min", "x_max", "y_max")], abs=6e-4
    )
    assert box["label"] == row["category"]
    assert box["confidence"] == pytest.approx(row["score"], abs=1e-6)
    assert box["label_source"] == row["label_source"]
    assert (box["index"] is None) == (box["object_id"] is None) == (row["track_id"] is None)
    assert box["object_id"] in {row["object_id"], row["track_id"]}


def test_its_files_hold_the_tables_rows(sample_export, sample_set):
    dataset, split_of = sample_set
    tables = Tables(dataset, 0.3)
    assert set(split_of.values()) == {name for name, _ in SPLITS}
    assert_same(as_written(sample_export), sample_export, tables, split_of)
    assert tables.count > 1000
    assert json.loads((sample_export / "metadata.json").read_text())["default_classes"] == list(CATEGORIES)
    files = {path.name for path in sample_export.iterdir()}
    assert files == {"data", "metadata.json", "samples.json", "blurred.parquet", "clipmill_export.json"}


@pytest.fixture(scope="module")
def real_set(clipmill, tmp_path_factory):
    """A clip of a real drive, where it is at hand."""
    if not CLIPS.is_dir():
        return None
    dataset = tmp_path_factory.mktemp("real") / "labels"
    assert clipmill("label", CLIPS / CLIP, "-o", dataset, "--model", "demo", "--json").code == 0
    return dataset


@installs
@pytest.mark.timeout(1800)
def test_fiftyone_imports_the_tables_rows(
    clipmill, fiftyone_python, sample_export, sample_set, real_set, tmp_path
):
    dataset, split_of = sample_set
    cases = [(sample_export, Tables(dataset, 0.3), split_of)]
    if real_set is not None:
        # all that the network saw, though its scores are low here
        cases.append((exported(clipmill, real_set, 0.02), Tables(real_set, 0.02), {}))
    environment = {
        **os.environ,
        "PYTHONPATH": "",
        "HOME": str(tmp_path),
        "FIFTYONE_DATABASE_DIR": str(tmp_path / "database"),
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
    }
    reader = ROOT / "tests" / "support" / "fiftyone_reader.py"
    arguments = [fiftyone_python, reader, tmp_path / "found.json", *(root for root, _, _ in cases)]
    subprocess.run(arguments, check=True, env=environment, timeout=IMPORT_S)
    found = json.loads((tmp_path / "found.json").read_text())
    for (root, tables, splits), read in zip(cases, found, strict=True):
        assert_same(read["samples"], root, tables, splits)
        assert read["samples"] == as_written_without_what_fiftyone_adds(root)
        assert_usable(read)


def as_written_without_what_fiftyone_adds(root):
    own = {"tags", "attributes"}
    return [
        {
            **sample,
            "detections": [{n: v for n, v in box.items() if n not in own} for box in sample["detections"]],
        }
        for sample in as_written(root)
    ]


def assert_usable(read):
    """FiftyOne knows the types of all fields, shuffles, plays clips and writes what a user adds."""
    assert (read["media_type"], read["default_classes"]) == ("image", list(CATEGORIES))
    assert read["frame_rate"] == 5
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
