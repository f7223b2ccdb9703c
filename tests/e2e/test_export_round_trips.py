"""Exports of a labelled data set, read by other tools' readers and compared with the Parquet row by row."""

import contextlib
import io
import itertools
import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from exported import CLOSE_PX, MIN_SCORE, Labelled, as_taken, command, contents, edges
from installing import installs
from pycocotools.coco import COCO
from running import ROOT
from webdataset import WebDataset

from models.taxonomy import CATEGORIES
from pipelines.truth_files import truth_files
from transforms.evaluation.truths.forms import read_truth

TWO_DECIMALS_PX = 0.011
"""Datumaro rounds to a hundredth of a pixel."""
IN_KITTI = {"person": "pedestrian", "rider": "cyclist", "car": "car", "truck": "truck", "train": "tram"}
FORMATS = ("coco", "yolo", "mot", "kitti", "cvat", "webdataset", "fiftyone")
SHARED = Path(os.environ.get("CLIPMILL_SHARED", ROOT.parent / "shared"))
NETWORK = SHARED / "models" / "yolox_nano_416.onnx"
SHORT = (
    "udacity_vehicle_test_1280x720_hevc.mkv",
    "mmdet_motorbike_highway_1280x720_h264.mp4",
    "mapillary_london_1376x1840_hevc.mp4",
    "udacity_solidWhiteRight_480x270_5fps_h264.ts",
    "yolop_beijing_320x240.mp4",
)
"""Real clips of each container and codec; CLIPMILL_EVERY_CLIP=1 takes all there are."""


@pytest.fixture(scope="module")
def real_clips(clipmill, tmp_path_factory) -> Labelled:
    if not NETWORK.is_file():
        pytest.skip("needs ../shared: real clips are not the project's to ship")
    clips = (
        [SHARED / "clips"] if os.environ.get("CLIPMILL_EVERY_CLIP") else [SHARED / "clips" / n for n in SHORT]
    )
    output = tmp_path_factory.mktemp("real") / "out"
    done = clipmill("label", *clips, "-o", output, "--model", NETWORK, "--fps", 2, "--json")
    assert done.code == 0, done.errors
    return Labelled(output, 2, tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module", params=["labelled_event", "real_clips"])
def labelled(request) -> Labelled:
    return request.getfixturevalue(request.param)


def test_coco_by_pycocotools(labelled):
    root, data = labelled.made("coco")
    with contextlib.redirect_stdout(io.StringIO()):
        read = COCO(str(root / "annotations.json"))
    images = {image["id"]: image for image in read.loadImgs(read.getImgIds())}
    names = {item["id"]: item["name"] for item in read.loadCats(read.getCatIds())}
    key = {number: (image["clip_id"], image["timestamp_ns"]) for number, image in images.items()}
    found = {value: [] for value in key.values()}
    numbers = defaultdict(set)
    by_id = {row["detection_id"]: row for row in labelled.rows}
    for item in read.loadAnns(read.getAnnIds()):
        x, y, width, height = item["bbox"]
        found[key[item["image_id"]]].append((names[item["category_id"]], x, y, x + width, y + height))
        row = by_id[item["detection_id"]]
        assert item["score"] == pytest.approx(row["score"], abs=1e-6)
        assert item["label_source"] == row["label_source"]
        assert item.get("object_id") in {row["object_id"], row["track_id"]}
        if "track_id" in item:
            numbers[item["object_id"]].add(item["track_id"])
    labelled.assert_boxes(found)
    assert {image["camera"] for image in images.values()} == {row["camera"] for row in labelled.rows}
    assert all(len(of_object) == 1 for of_object in numbers.values())
    assert len(set.union(*numbers.values())) == len(numbers) > 10
    pictures = {
        key[number]: (root / "images" / image["file_name"]).read_bytes() for number, image in images.items()
    }
    labelled.assert_pictures(pictures)
    assert (data["frames"], data["boxes"], data["images"]) == (
        len(labelled.frames),
        len(labelled.rows),
        len(labelled.frames),
    )
    assert len(labelled.rows) > 100


def test_yolo_by_its_description(labelled):
    root, _ = labelled.made("yolo")
    names = yaml.safe_load((root / "data.yaml").read_text())["names"]
    assert names == dict(enumerate(CATEGORIES))
    found, pictures = {}, {}
    for image in sorted((root / "images").rglob("*.jpg")):
        key = image.parent.name, int(image.stem)
        pictures[key] = image.read_bytes()
        width, height = labelled.frames[key]["width"], labelled.frames[key]["height"]
        # where Ultralytics looks: the same path, with labels for images
        text = Path(str(image).replace("/images/", "/labels/")).with_suffix(".txt").read_text()
        found[key] = []
        for line in text.splitlines():
            number, x, y, w, h = line.split()
            x, w, y, h = float(x) * width, float(w) * width, float(y) * height, float(h) * height
            found[key].append((names[int(number)], x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    labelled.assert_boxes(found)
    labelled.assert_pictures(pictures)


def test_cvat_by_its_description(labelled):
    root, _ = labelled.made("cvat")
    times = defaultdict(list)
    for clip, time_ns in sorted(labelled.frames):
        times[clip].append(time_ns)
    found = {key: [] for key in labelled.frames}
    pictures = {}
    for path in root.glob("*/annotations.xml"):
        clip = path.parent.name
        document = ET.parse(path).getroot()  # noqa: S314 - our own file
        assert int(document.findtext("meta/task/size")) == len(times[clip])
        for place, time_ns in enumerate(times[clip]):
            pictures[clip, time_ns] = (path.parent / f"images/frame_{place:06d}.jpg").read_bytes()
        for track in document.iter("track"):
            boxes = list(track.iter("box"))
            places = [int(box.get("frame")) for box in boxes]
            assert places == sorted(set(places))
            for box, following in zip(boxes, [*boxes[1:], None], strict=True):
                place = int(box.get("frame"))
                if box.get("outside") == "1":
                    continue
                # what CVAT would draw on by itself ends here
                last = place + 1 == len(times[clip])
                assert last if following is None else int(following.get("frame")) == place + 1
                values = [float(box.get(edge)) for edge in ("xtl", "ytl", "xbr", "ybr")]
                found[clip, times[clip][place]].append((track.get("label"), *values))
                told = {item.get("name"): item.text for item in box.iter("attribute")}
                assert int(told["timestamp_ns"]) == times[clip][place]
    labelled.assert_boxes(found)
    labelled.assert_pictures(pictures)


def test_webdataset_by_its_own_package(labelled):
    root, _ = labelled.made("webdataset")
    found, pictures = {}, {}
    for sample in WebDataset([str(path) for path in sorted(root.glob("*.tar"))], shardshuffle=False):
        labels = json.loads(sample["json"])
        key = labels["clip_id"], labels["timestamp_ns"]
        assert labels["uri"] == labelled.frames[key]["uri"]
        found[key] = [
            (box["category"], box["x_min"], box["y_min"], box["x_max"], box["y_max"])
            for box in labels["boxes"]
        ]
        pictures[key] = sample["jpg"]
    labelled.assert_boxes(found)
    labelled.assert_pictures(pictures)


@pytest.mark.parametrize(
    ("form", "options"),
    [("coco", ()), ("mot", ()), ("kitti", ("--truth-fps",))],
    ids=str,
)
def test_evaluate_reads_it_as_truth_and_finds_no_fault(labelled, form, options):
    root, _ = labelled.made(form)
    rate = [labelled.rate] if options else []
    code, data, errors = command(
        "evaluate", labelled.dataset, "--truth", root, "--score", MIN_SCORE, *options, *rate
    )
    assert code == 0, (data, errors)
    assert data["form"] == form
    judged = {name: figures for name, figures in data["categories"].items() if figures["truth"]}
    assert len(judged) >= 2
    for name, figures in judged.items():
        assert figures["ap"] == pytest.approx(1.0), name
        assert figures["recall50"] == 1.0, name


@pytest.mark.parametrize("form", ["mot", "kitti"])
def test_objects_keep_their_numbers_over_minutes(labelled, form):
    root, _ = labelled.made(form)
    truth = read_truth(truth_files(root), labelled.rate if form == "kitti" else None)

    def frame(row: dict) -> tuple[str, int]:
        return row["clip_id"], labelled.number(row)

    written = defaultdict(list)
    for row in truth.boxes.to_pylist():
        written[frame(row)].append(row)
    objects, clips = defaultdict(set), defaultdict(set)
    for row in labelled.rows:
        (found,) = [
            box for box in written[frame(row)] if edges(box) == pytest.approx(edges(row), abs=CLOSE_PX)
        ]
        number = found["track_id"]
        assert (number is None) == (row["track_id"] is None)
        if number is not None:
            objects[number].add(row["object_id"])
            clips[number].add(row["clip_id"])
    assert all(len(shown) == 1 for shown in objects.values())
    several = len({row["clip_id"] for row in labelled.rows if row["uri"].endswith("front.mp4")})
    assert max(map(len, clips.values())) == max(1, several)


@pytest.mark.parametrize("form", ["mot", "kitti"])
def test_images_of_sequences_are_named_after_their_numbers(labelled, form):
    root, _ = labelled.made(form)
    for clip in {clip for clip, _ in labelled.frames}:
        folder = root / clip / "img1" if form == "mot" else root / "image_02" / clip
        first = 1 if form == "mot" else 0
        wanted = {labelled.number(row) + first for (of, _), row in labelled.frames.items() if of == clip}
        assert {int(path.stem) for path in folder.iterdir()} == wanted


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_again_gives_the_same_bytes(labelled_event, tmp_path, form):
    root, _ = labelled_event.made(form)
    code, _, _ = command("export", labelled_event.dataset, *as_taken(form), "-o", tmp_path / "again")
    assert code == 0
    assert contents(tmp_path / "again") == contents(root)


@pytest.fixture(scope="module")
def read_by(other_tools, tmp_path_factory):
    """What another tool reads of an export, by its own code in its own environment."""

    def read(tool: str, folder: Path) -> list[tuple]:
        script = ROOT / "tests" / "support" / "foreign_readers.py"
        done = subprocess.run(
            [other_tools, script, tool, folder],
            capture_output=True,
            text=True,
            cwd=tmp_path_factory.mktemp("tool"),
            env={**os.environ, "PYTHONPATH": ""},
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [tuple(box) for box in json.loads(done.stdout[done.stdout.index("[[") :])]

    return read


@installs
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("tool", ["datumaro_yolo", "supervision_yolo"])
def test_pictures_by_other_tools(labelled, read_by, tool):
    root, _ = labelled.made(tool.rpartition("_")[2])
    found = {key: [] for key in labelled.frames}
    for place, _, category, box, _ in read_by(tool, root):
        *_, clip, name = place.split("/")
        found[clip, int(Path(name).stem)].append((category, *box))
    labelled.assert_boxes(found, TWO_DECIMALS_PX)


@installs
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("tool", ["datumaro_cvat", "motmetrics_mot", "trackeval_kitti"])
def test_sequences_by_other_tools(labelled, read_by, tool):
    form = tool.rpartition("_")[2]
    root, _ = labelled.made(form)
    counted = {key: place for _, times in by_clip(labelled.frames) for place, key in enumerate(times)}
    found = defaultdict(list)
    for clip, frame, category, box, number in read_by(tool, root):
        found[clip, frame].append((category, box, number))
    objects = defaultdict(set)
    for row in labelled.rows:
        category = row["category"]
        if form == "kitti":
            category = IN_KITTI.get(category, "misc")
            if not row["track_id"]:
                continue
        key = row["clip_id"], row["timestamp_ns"]
        frame = counted[key] if form == "cvat" else labelled.number(row)
        (place,) = [
            place
            for place, (read, box, _) in enumerate(found[key[0], frame])
            if read == category and box == pytest.approx(list(edges(row)), abs=TWO_DECIMALS_PX)
        ]
        _, _, number = found[key[0], frame].pop(place)
        if row["track_id"]:
            objects[number if form != "cvat" else (key[0], number)].add(row["object_id"])
    assert not any(found.values())
    assert all(len(shown) == 1 for shown in objects.values())
    assert len(objects) > 10


def by_clip(frames):
    """Keys of the frames of each clip, in the order of time."""
    return itertools.groupby(sorted(frames), key=lambda key: key[0])
