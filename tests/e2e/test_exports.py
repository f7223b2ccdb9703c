"""Exports of a labelled data set, read by other tools' readers and compared with the Parquet row by row."""

import contextlib
import io
import json
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
import yaml
from pycocotools.coco import COCO
from running import SAMPLE
from webdataset import WebDataset

from models.taxonomy import CATEGORIES
from pipelines.cli import main
from pipelines.truth_files import truth_files
from transforms.clips.reopening import reopen
from transforms.evaluation.truths.forms import read_truth
from transforms.exports.folder import placed
from transforms.exports.remembered import RememberedExport, remember
from transforms.removal import exported
from transforms.splits.rule import Placed
from transforms.splits.table import splits_table
from transforms.splits.versions import make_version
from transforms.storage import open_stream
from transforms.tables.queries import connect
from transforms.tables.replacing import replace_whole
from transforms.tables.store import LocalStore
from transforms.views.drawing import frames_at

FORMATS = ("coco", "yolo", "mot", "kitti", "cvat", "webdataset", "fiftyone")
MIN_SCORE = 0.3
CLOSE_PX = 0.002
"""Edges are written to a thousandth of a pixel, sizes are differences of two."""


def command(*arguments):
    """A command's exit code and what it printed, in this process."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = main([*map(str, arguments), "--json"])
    return code, json.loads(output.getvalue()), errors.getvalue()


def as_taken(form: str) -> list[str]:
    """Options of an export with images that can be compared with their frames."""
    images = ["--with-images"] if form in {"coco", "mot", "kitti"} else []
    return ["--format", form, "--blur", "none", *images]


@pytest.fixture(scope="module")
def footage(tmp_path_factory) -> Path:
    """An event and two loose clips, below a folder whose name needs care."""
    root = tmp_path_factory.mktemp("where") / 'ä b&c"<d>'
    shutil.copytree(SAMPLE / "TeslaCam" / "SavedClips", root / "TeslaCam" / "SavedClips")
    shutil.copytree(SAMPLE / "generic", root / "generic")
    return root


@pytest.fixture(scope="module")
def labelled(clipmill, footage, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("labelled") / "out"
    done = clipmill("label", footage, "-o", output, "--model", "demo", "--max-failed-share", 1, "--json")
    assert done.code == 0, done.errors
    return output


@pytest.fixture(scope="module")
def made(labelled, tmp_path_factory):
    """Exports with images, each made once."""
    folder = tmp_path_factory.mktemp("exports")
    found = {}

    def make(form: str) -> tuple[Path, dict]:
        if form not in found:
            code, data, errors = command("export", labelled, *as_taken(form), "-o", folder / form)
            assert code == 0, (data, errors)
            assert errors == ""
            found[form] = folder / form, data
        return found[form]

    return make


@pytest.fixture
def dataset(labelled, tmp_path) -> Path:
    shutil.copytree(labelled, tmp_path / "out", ignore=shutil.ignore_patterns("exports"))
    return tmp_path / "out"


@pytest.fixture(scope="module")
def rows(labelled) -> list[dict]:
    """What the tables say: a row a box."""
    with connect(labelled) as data:
        found = data.execute(
            """SELECT d.*, f.width, f.height, f.pts, c.uri, c.camera, o.object_id
            FROM detections d JOIN frames f USING (frame_id) JOIN clips c ON c.clip_id = d.clip_id
            LEFT JOIN objects o USING (track_id) WHERE d.score >= CAST(0.3 AS FLOAT)"""
        )
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def frames(labelled) -> dict[tuple[str, int], dict]:
    """Labelled frames by clip and time."""
    with connect(labelled) as data:
        found = data.execute(
            "SELECT f.*, c.uri, c.content_sha256 FROM frames f JOIN clips c USING (clip_id)"
            " WHERE sample_index IS NOT NULL AND NOT is_damaged ORDER BY clip_id, timestamp_ns"
        )
        names = [column[0] for column in found.description]
        every = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {(row["clip_id"], row["timestamp_ns"]): row for row in every}


def edges(row: dict) -> tuple[float, ...]:
    return tuple(row[name] for name in ("x_min_px", "y_min_px", "x_max_px", "y_max_px"))


def assert_same_boxes(found: dict[tuple, list[tuple]], rows: list[dict], frames: dict) -> None:
    """Boxes by clip and time: (category, four edges); every one has its row and the other way round."""
    wanted = defaultdict(list)
    for row in rows:
        wanted[row["clip_id"], row["timestamp_ns"]].append((row["category"], *edges(row)))
    assert set(found) == set(frames)
    for key in frames:
        assert len(found[key]) == len(wanted[key]), key
        for one, other in zip(sorted(found[key]), sorted(wanted[key]), strict=True):
            assert one[0] == other[0]
            assert one[1:] == pytest.approx(other[1:], abs=CLOSE_PX)


@pytest.fixture(scope="module")
def originals(frames) -> dict[str, dict[int, np.ndarray]]:
    """Pictures of the labelled frames by clip and time, found by PTS alone."""
    found = {}
    for clip in {clip for clip, _ in frames}:
        times = {row["pts"]: row["timestamp_ns"] for row in frames.values() if row["clip_id"] == clip}
        row = frames[clip, min(times.values())]
        reference = reopen(row["uri"], row["content_sha256"], open_stream)
        pictures = frames_at(reference, set(times), open_stream)
        found[clip] = {times[pts]: image for pts, image in pictures}
    return found


def assert_pictures(pictures: dict[tuple[str, int], bytes], originals: dict) -> None:
    """Each image shows its own frame, and neither of those beside it."""
    assert set(pictures) == {(clip, time_ns) for clip, times in originals.items() for time_ns in times}
    for (clip, time_ns), content in pictures.items():
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        true = originals[clip]
        times = sorted(true)
        place = times.index(time_ns)
        beside = times[max(0, place - 1) : place] + times[place + 1 : place + 2]
        own = cv2.norm(picture, true[time_ns], cv2.NORM_L1) / picture.size
        assert own < 3
        for other in beside:
            is_same = np.array_equal(true[other], true[time_ns])
            assert is_same or cv2.norm(picture, true[other], cv2.NORM_L1) / picture.size > own


def test_coco_by_pycocotools(made, rows, frames, originals):
    root, data = made("coco")
    with contextlib.redirect_stdout(io.StringIO()):
        read = COCO(str(root / "annotations.json"))
    images = {image["id"]: image for image in read.loadImgs(read.getImgIds())}
    names = {item["id"]: item["name"] for item in read.loadCats(read.getCatIds())}
    key = {number: (image["clip_id"], image["timestamp_ns"]) for number, image in images.items()}
    found = {value: [] for value in key.values()}
    numbers = defaultdict(set)
    by_id = {row["detection_id"]: row for row in rows}
    for item in read.loadAnns(read.getAnnIds()):
        x, y, width, height = item["bbox"]
        found[key[item["image_id"]]].append((names[item["category_id"]], x, y, x + width, y + height))
        row = by_id[item["detection_id"]]
        assert item["score"] == pytest.approx(row["score"], abs=1e-6)
        assert item["label_source"] == row["label_source"]
        assert item.get("object_id") in {row["object_id"], row["track_id"]}
        if "track_id" in item:
            numbers[item["object_id"]].add(item["track_id"])
    assert_same_boxes(found, rows, frames)
    assert {image["camera"] for image in images.values()} == {row["camera"] for row in rows}
    assert all(len(of_object) == 1 for of_object in numbers.values())
    assert len(set.union(*numbers.values())) == len(numbers) > 10
    pictures = {
        key[number]: (root / "images" / image["file_name"]).read_bytes() for number, image in images.items()
    }
    assert_pictures(pictures, originals)
    assert (data["frames"], data["boxes"], data["images"]) == (len(frames), len(rows), len(frames))
    assert len(rows) > 100


def test_yolo_by_its_description(made, rows, frames, originals):
    root, _ = made("yolo")
    names = yaml.safe_load((root / "data.yaml").read_text())["names"]
    assert names == dict(enumerate(CATEGORIES))
    found, pictures = {}, {}
    for image in sorted((root / "images").rglob("*.jpg")):
        key = image.parent.name, int(image.stem)
        pictures[key] = image.read_bytes()
        width, height = frames[key]["width"], frames[key]["height"]
        # where Ultralytics looks: the same path, with labels for images
        text = Path(str(image).replace("/images/", "/labels/")).with_suffix(".txt").read_text()
        found[key] = []
        for line in text.splitlines():
            number, x, y, w, h = line.split()
            x, w, y, h = float(x) * width, float(w) * width, float(y) * height, float(h) * height
            found[key].append((names[int(number)], x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    assert_same_boxes(found, rows, frames)
    assert_pictures(pictures, originals)


def test_yolo_by_split_and_what_forgetting_leaves_of_it(dataset, tmp_path, frames):
    with connect(dataset) as data:
        query = (
            "SELECT drive_id, list(clip_id) FROM clips WHERE duplicate_of IS NULL GROUP BY ALL ORDER BY ALL"
        )
        drives = data.execute(query).fetchall()
    placed = [
        Placed(drive, ("train", "val")[place % 2], "drawn", frozenset(clips))
        for place, (drive, clips) in enumerate(drives)
    ]
    table = splits_table({make_version("v1", "folder", "50,50,0"): placed})
    replace_whole(LocalStore(dataset), "splits", table)
    split_of = {clip: item.split for item in placed for clip in item.clips}
    root = tmp_path / "yolo"
    code, made_now, _ = command("export", dataset, "--format", "yolo", "-o", root)
    assert (code, made_now["settings"]["split_version"]) == (0, "v1")

    def found():
        images = [path.relative_to(root / "images") for path in (root / "images").rglob("*.jpg")]
        texts = [path.relative_to(root / "labels") for path in (root / "labels").rglob("*.txt")]
        assert {path.with_suffix("") for path in images} == {path.with_suffix("") for path in texts}
        return {(*path.parts[:-1], int(path.stem)) for path in images}

    wanted = {(split_of[clip], clip, time_ns) for clip, time_ns in frames}
    assert found() == wanted
    described = yaml.safe_load((root / "data.yaml").read_text())
    assert (described["train"], described["val"]) == ("images/train", "images/val")
    gone = min(clip for clip, _ in frames if split_of[clip] == "train")
    code, told, _ = command("forget", dataset, "--clip", gone)
    assert (code, [item["fate"] for item in told["exports"]]) == (0, ["written anew"])
    assert found() == {item for item in wanted if item[1] != gone}


def test_cvat_by_its_description(made, rows, frames, originals):
    root, _ = made("cvat")
    times = defaultdict(list)
    for clip, time_ns in sorted(frames):
        times[clip].append(time_ns)
    found = {key: [] for key in frames}
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
    assert_same_boxes(found, rows, frames)
    assert_pictures(pictures, originals)


def test_webdataset_by_its_own_package(made, rows, frames, originals):
    root, _ = made("webdataset")
    found, pictures = {}, {}
    for sample in WebDataset([str(path) for path in sorted(root.glob("*.tar"))], shardshuffle=False):
        labels = json.loads(sample["json"])
        key = labels["clip_id"], labels["timestamp_ns"]
        assert labels["uri"] == frames[key]["uri"]
        found[key] = [
            (box["category"], box["x_min"], box["y_min"], box["x_max"], box["y_max"])
            for box in labels["boxes"]
        ]
        pictures[key] = sample["jpg"]
    assert_same_boxes(found, rows, frames)
    assert_pictures(pictures, originals)


@pytest.mark.parametrize(
    ("form", "options"),
    [("coco", ()), ("mot", ()), ("kitti", ("--truth-fps", 5))],
    ids=str,
)
def test_evaluate_reads_it_as_truth_and_finds_no_fault(made, labelled, form, options):
    root, _ = made(form)
    code, data, errors = command("evaluate", labelled, "--truth", root, "--score", MIN_SCORE, *options)
    assert code == 0, (data, errors)
    assert data["form"] == form
    judged = {name: figures for name, figures in data["categories"].items() if figures["truth"]}
    assert len(judged) > 2
    for name, figures in judged.items():
        assert figures["ap"] == pytest.approx(1.0), name
        assert figures["recall50"] == 1.0, name


@pytest.mark.parametrize("form", ["mot", "kitti"])
def test_objects_keep_their_numbers_over_minutes(made, rows, form):
    root, _ = made(form)
    truth = read_truth(truth_files(root), 5 if form == "kitti" else None)

    def frame(row: dict) -> tuple[str, int]:
        # frames are taken five times a second
        return row["clip_id"], (row["timestamp_ns"] + 1) * 5 // 10**9

    written = defaultdict(list)
    for row in truth.boxes.to_pylist():
        written[frame(row)].append(row)
    objects, clips = defaultdict(set), defaultdict(set)
    for row in rows:
        (found,) = [
            box for box in written[frame(row)] if edges(box) == pytest.approx(edges(row), abs=CLOSE_PX)
        ]
        number = found["track_id"]
        assert (number is None) == (row["track_id"] is None)
        if number is not None:
            objects[number].add(row["object_id"])
            clips[number].add(row["clip_id"])
    assert all(len(shown) == 1 for shown in objects.values())
    assert any(len(seen) == 2 for seen in clips.values())


@pytest.mark.parametrize("form", ["mot", "kitti"])
def test_images_of_sequences_are_named_after_their_numbers(made, frames, form):
    root, _ = made(form)
    for clip in {clip for clip, _ in frames}:
        folder = root / clip / "img1" if form == "mot" else root / "image_02" / clip
        first = 1 if form == "mot" else 0
        wanted = {(time_ns + 1) * 5 // 10**9 + first for of, time_ns in frames if of == clip}
        assert {int(path.stem) for path in folder.iterdir()} == wanted


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_again_gives_the_same_bytes(made, labelled, tmp_path, form):
    root, _ = made(form)
    code, _, _ = command("export", labelled, *as_taken(form), "-o", tmp_path / "again")
    assert code == 0
    assert contents(tmp_path / "again") == contents(root)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_no_name_of_a_clips_file_is_a_name_in_an_export(made):
    for form in FORMATS:
        root, _ = made(form)
        for path in root.rglob("*"):
            assert str(path.relative_to(root)).isascii()
            assert not any(letter in str(path.relative_to(root)) for letter in ' &"<>')
            assert "front" not in path.name


def test_what_is_asked_for_is_exported(labelled, tmp_path, rows, frames):
    options = (
        "--min-score",
        0.6,
        "--camera",
        "front",
        "--camera",
        "back",
        "--category",
        "car",
        "--image-format",
        "png",
    )
    code, data, _ = command("export", labelled, "--format", "yolo", "-o", tmp_path / "out", *options)
    assert code == 0
    clips = {row["clip_id"] for row in frames.values() if row["camera"] in {"front", "back"}}
    wanted = [
        row for row in rows if row["clip_id"] in clips and row["category"] == "car" and row["score"] >= 0.6
    ]
    assert data["boxes"] == len(wanted) > 0
    assert data["clips"] == len(clips)
    assert data["settings"]["cameras"] == ["back", "front"]
    pictures = [path for path in (tmp_path / "out" / "images").rglob("*") if path.is_file()]
    assert len(pictures) == data["images"] == sum(clip in clips for clip, _ in frames)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    code, data, _ = command(
        *("export", labelled, "--format", "coco", "-o", tmp_path / "one", "--clip", "variable_rate.mp4"),
        *("--label-source", "detected"),
    )
    assert (code, data["clips"], data["images"]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "nonsense"), "there is coco, yolo, mot, kitti, cvat, webdataset, fiftyone"),
        (("--format", "coco", "--category", "kite"), "--category kite: there is person"),
        (("--format", "coco", "--camera", "roof"), "--camera roof: there is back, front"),
        (("--format", "coco", "--label-source", "guessed"), "there is detected, interpolated"),
        (("--format", "coco", "--clip", "nowhere.mp4"), "no clip nowhere.mp4"),
        (("--format", "coco", "--clip", "truncated.mp4"), "truncated.mp4: has no labelled frames"),
        (("--format", "coco", "--min-score", "1.5"), "must lie between 0 and 1"),
        (("--format", "coco", "--model", "another"), "--model another: there is demo"),
        (("--format", "coco", "--image-format", "gif"), "there is jpeg, png"),
        (("--format", "yolo", "--no-images"), "yolo cannot do without images"),
    ],
)
def test_bad_usage_is_told_and_writes_nothing(labelled, tmp_path, options, message):
    code, data, _ = command("export", labelled, "-o", tmp_path / "out", *options)
    assert code == 2
    assert message in data["error"]["message"]
    assert list(tmp_path.iterdir()) == []


def test_places_that_are_not_free_are_refused(dataset, tmp_path):
    def refused(output, form="coco"):
        code, data, _ = command("export", dataset, "--format", form, "-o", output)
        assert code == 2
        return data["error"]["message"]

    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    assert "not empty, and no export" in refused(tmp_path / "full")
    assert "needs a folder apart from it" in refused(dataset / "coco")
    assert "needs a folder apart from it" in refused(tmp_path)
    assert "not a folder" in refused(tmp_path / "full" / "thesis.txt")
    vin = tmp_path / "1M8GDM9AXKP042788"
    assert "vehicle identification number" in refused(vin)
    assert vin.name not in refused(vin)
    (tmp_path / "empty").mkdir()
    assert command("export", dataset, "--format", "coco", "-o", tmp_path / "empty")[0] == 0
    assert "holds a coco export" in refused(tmp_path / "empty", "mot")
    assert (tmp_path / "full" / "thesis.txt").read_text() == "years of work"
    assert command("verify", dataset)[1] == {"sound": True, "problems": []}
    code, data, _ = command("export", tmp_path / "full", "--format", "coco", "-o", tmp_path / "o")
    assert (code, "no data set here" in data["error"]["message"]) == (2, True)


def test_an_earlier_export_is_replaced(dataset, tmp_path):
    arguments = ("export", dataset, "--format", "kitti", "-o", tmp_path / "kitti")
    assert command(*arguments, "--with-images")[0] == 0
    assert list((tmp_path / "kitti").rglob("*.jpg"))
    assert command(*arguments)[0] == 0
    assert not list((tmp_path / "kitti").rglob("*.jpg"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kitti", "out"]


def test_killed_it_leaves_what_was_there_and_the_next_one_tidies_up(dataset, tmp_path):
    arguments = ["export", str(dataset), "--format", "yolo", "-o", str(tmp_path / "yolo")]
    code = """
import os, signal, sys
from transforms.exports import exporting
real, count = exporting.pictured, 0
def killing(*arguments):
    for frame in real(*arguments):
        global count
        count += 1
        if count == 30:
            os.kill(os.getpid(), signal.SIGKILL)
        yield frame
exporting.pictured = killing
from pipelines.cli import main
from pipelines.truth_files import truth_files
main(sys.argv[1:])
"""
    for stood in (False, True):
        killed = subprocess.run([sys.executable, "-P", "-c", code, *arguments], check=False, timeout=120)
        assert killed.returncode == -signal.SIGKILL
        assert (tmp_path / ".yolo.exporting").is_dir()
        assert (tmp_path / "yolo").exists() == stood
        before = contents(tmp_path / "yolo")
        assert command(*arguments)[0] == 0
        assert not stood or contents(tmp_path / "yolo") == before
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "yolo"]


@pytest.fixture
def moved(footage):
    """Takes a clip away, or puts other bytes in its place, until the test has ended."""
    saved = {}

    def change(ending: str, content: bytes | None) -> Path:
        (path,) = footage.rglob(f"*{ending}")
        saved[path] = path.read_bytes()
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        return path

    yield change
    for path, content in saved.items():
        path.write_bytes(content)


def test_a_clip_that_is_gone_or_another_one_now_is_skipped_and_told(dataset, tmp_path, moved, footage):
    other = next(footage.rglob("*09-01-00-back.mp4")).read_bytes()
    gone, changed = moved("09-01-00-front.mp4", None), moved("09-00-56-front.mp4", other)
    code, data, _ = command("export", dataset, "--format", "webdataset", "-o", tmp_path / "export")
    assert code == 0
    reasons = {item["uri"]: item["reason"] for item in data["skipped"]}
    assert set(reasons) == {str(gone), str(changed)}
    assert "cannot be opened (No such file" in reasons[str(gone)]
    assert "no longer those that were labelled" in reasons[str(changed)]
    names = {
        json.loads(sample["json"])["uri"]
        for sample in WebDataset(
            [str(path) for path in (tmp_path / "export").glob("*.tar")], shardshuffle=False
        )
    }
    assert names
    assert not names & set(reasons)
    # labels alone need no clips
    code, data, _ = command("export", dataset, "--format", "coco", "-o", tmp_path / "coco")
    assert (code, data["skipped"]) == (0, [])
    code, data, _ = command("export", dataset, "--format", "yolo", "-o", tmp_path / "none", "--clip", gone)
    assert code == 1
    assert "none of 1 clips can be exported" in data["error"]["message"]
    assert not (tmp_path / "none").exists()


def every_byte(folder: Path) -> bytes:
    parts = []
    for path in sorted(folder.rglob("*")):
        parts.append(str(path.relative_to(folder)).encode())
        if path.is_file():
            content = path.read_bytes()
            parts.append(content)
            if path.suffix == ".json":
                parts.append(json.dumps(json.loads(content), ensure_ascii=False).encode())
    return b"\n".join(parts)


def test_forgotten_clips_leave_every_export(dataset, tmp_path, frames, rows):
    places = tmp_path / "exports"
    clip = next(row for row in frames.values() if row["uri"].endswith("09-01-00-front.mp4"))
    for form in FORMATS:
        assert command("export", dataset, "--format", form, "-o", places / form)[0] == 0
    alone = ("--format", "yolo", "--clip", clip["clip_id"], "-o", places / "alone")
    two = ("--format", "coco", "--clip", clip["clip_id"], "--clip", "variable_rate.mp4", "-o", places / "two")
    other = ("--format", "coco", "--clip", "variable_rate.mp4", "-o", places / "other")
    for options in (alone, two, other):
        assert command("export", dataset, *options)[0] == 0
    # what a killed export has left
    (places / ".coco.exporting" / clip["clip_id"]).mkdir(parents=True)
    (places / ".coco.exporting" / ".clipmill_exporting").touch()
    untouched = contents(places / "other")
    boxes = [row for row in rows if row["clip_id"] == clip["clip_id"]]
    traces = {clip["clip_id"], clip["uri"], Path(clip["uri"]).name}
    traces |= {row["detection_id"] for row in boxes} | {row["track_id"] for row in boxes if row["track_id"]}
    before = every_byte(places)
    assert all(trace.encode() in before for trace in (clip["clip_id"], Path(clip["uri"]).name))

    told = command("forget", dataset, "--clip", clip["clip_id"], "--dry-run")[1]
    assert every_byte(places) == before
    code, data, errors = command("forget", dataset, "--clip", clip["clip_id"])
    assert code == 0, (data, errors)
    assert told == {**data, "dry_run": True}
    fates = {item["output"]: (item["form"], item["fate"]) for item in data["exports"]}
    assert fates == {
        **{str(places / form): (form, "written anew") for form in FORMATS},
        str(places / "alone"): ("yolo", "deleted"),
        str(places / "two"): ("coco", "written anew"),
    }
    after = every_byte(places) + every_byte(dataset / "exports")
    assert not [trace for trace in traces if trace.encode() in after]
    assert not (places / "alone").exists()
    assert sorted(path.name for path in places.iterdir()) == sorted([*FORMATS, "two", "other"])
    assert contents(places / "other") == untouched
    assert json.loads((places / "yolo" / "clipmill_export.json").read_text())["counts"]["images"] > 0
    assert command("verify", dataset)[1] == {"sound": True, "problems": []}
    # a second removal finds them as they are
    assert command("forget", dataset, "--clip", "variable_rate.mp4")[1]["exports"]
    assert not (places / "other").exists()


class KilledError(BaseException):
    """Stands for a kill: nothing that clipmill does may catch it."""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_cut_short_at_the_exports_the_same_command_ends_the_same(dataset, tmp_path, monkeypatch, moment):
    places = tmp_path / "exports"
    for form in ("coco", "kitti"):
        assert command("export", dataset, "--format", form, "-o", places / form)[0] == 0
    real = exported.export

    def killed(labels, root, output, *arguments):
        if moment == "after":
            real(labels, root, output, *arguments)
        raise KilledError

    forget = ("forget", dataset, "--clip", "variable_rate.mp4")
    with monkeypatch.context() as patched:
        patched.setattr(exported, "export", killed)
        with pytest.raises(KilledError):
            command(*forget)
    assert command("verify", dataset)[0] == 1
    code, data, errors = command(*forget)
    assert code == 0, (data, errors)
    assert "that was cut short is finished" in data["notes"][0]
    assert b"variable_rate" not in every_byte(places) + every_byte(dataset)
    assert command("verify", dataset)[0] == 0


def test_an_export_that_cannot_be_written_anew_is_deleted(dataset, tmp_path, frames, moved):
    keep = next(row for row in frames.values() if row["uri"].endswith("variable_rate.mp4"))
    options = ("--clip", keep["clip_id"], "--clip", "2025-06-14_09-01-00-back.mp4")
    assert command("export", dataset, "--format", "yolo", *options, "-o", tmp_path / "yolo")[0] == 0
    moved("variable_rate.mp4", None)
    data = command("forget", dataset, "--clip", "2025-06-14_09-01-00-back.mp4")[1]
    assert [item["fate"] for item in data["exports"]] == ["deleted"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert not list((dataset / "exports").iterdir())


def test_an_export_that_was_moved_is_named(dataset, tmp_path):
    assert command("export", dataset, "--format", "coco", "-o", tmp_path / "coco")[0] == 0
    (tmp_path / "coco").rename(tmp_path / "elsewhere")
    data = command("forget", dataset, "--clip", "variable_rate.mp4")[1]
    assert data["exports"] == [{"output": str(tmp_path / "coco"), "form": "coco", "fate": "left"}]
    assert (tmp_path / "elsewhere" / "annotations.json").exists()


def test_an_export_behind_a_link_is_named_and_stays(dataset, tmp_path):
    assert command("export", dataset, "--format", "yolo", "-o", tmp_path / "yolo")[0] == 0
    (tmp_path / "disk").mkdir()
    (tmp_path / "yolo").rename(tmp_path / "disk" / "yolo")
    (tmp_path / "yolo").symlink_to(tmp_path / "disk" / "yolo")
    before = contents(tmp_path / "disk")
    code, data, _ = command("forget", dataset, "--clip", "variable_rate.mp4")
    assert (code, [item["fate"] for item in data["exports"]]) == (0, ["left"])
    assert contents(tmp_path / "disk") == before
    assert command("verify", dataset)[0] == 0


def test_a_data_set_behind_a_link_is_the_same_one(dataset, tmp_path):
    (tmp_path / "link").symlink_to(dataset)
    options = ("--format", "coco", "--clip", "variable_rate.mp4", "-o", tmp_path / "coco")
    assert command("export", tmp_path / "link", *options)[0] == 0
    data = command("forget", dataset, "--clip", "variable_rate.mp4")[1]
    assert [item["fate"] for item in data["exports"]] == ["deleted"]
    assert not (tmp_path / "coco").exists()


@pytest.mark.parametrize("place", ["the data set", "/", "x" * 300, "a folder of somebody's"])
def test_places_that_somebody_has_made_up_are_left_alone(dataset, tmp_path, frames, place):
    clip = next(row["clip_id"] for row in frames.values() if row["uri"].endswith("variable_rate.mp4"))
    assert command("export", dataset, "--format", "yolo", "--clip", clip, "-o", tmp_path / "yolo")[0] == 0
    record = (tmp_path / "yolo" / "clipmill_export.json").read_bytes()
    theirs = tmp_path / "photos"
    for folder in (theirs, tmp_path / ".photos.exporting", tmp_path / ".photos.replaced"):
        folder.mkdir()
        (folder / "a.jpg").write_bytes(b"precious")
    (dataset / "clipmill_export.json").write_bytes(record)
    output = {"the data set": str(dataset), "a folder of somebody's": str(theirs)}.get(place, f"/{place}")
    made_up = json.dumps({"form": "yolo", "output": output if place != "/" else "/"})
    (dataset / "exports" / "00.json").write_text(made_up)
    code, data, _ = command("forget", dataset, "--clip", clip)
    assert code == 0, data
    assert {item["output"]: item["fate"] for item in data["exports"]} == {
        str(tmp_path / "yolo"): "deleted",
        json.loads(made_up)["output"]: "left",
    }
    assert len(list(tmp_path.rglob("a.jpg"))) == 3
    assert (dataset / "manifest.parquet").exists()


def test_an_export_that_finds_another_at_work_keeps_it_known(dataset, tmp_path):
    options = ("export", dataset, "--format", "coco", "-o", tmp_path / "coco")
    with placed(tmp_path / "coco"):
        remember(LocalStore(dataset), RememberedExport(str(tmp_path / "coco"), "coco"))
        code, data, _ = command(*options)
    assert (code, "another export is being written" in data["error"]["message"]) == (1, True)
    assert len(list((dataset / "exports").iterdir())) == 1


def test_a_data_set_that_cannot_be_written_to_is_exported_and_told(dataset, tmp_path):
    # no folder can be made under the name of a file, whoever one is
    (dataset / "exports").write_text("")
    code, data, _ = command("export", dataset, "--format", "coco", "-o", tmp_path / "coco")
    assert code == 0
    assert "clipmill forget will not know of this export" in data["notes"][0]
    assert (tmp_path / "coco" / "annotations.json").stat().st_size > 1000
