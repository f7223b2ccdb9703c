"""Exports as a user asks for them: what is chosen, where they are written, what is refused and what is told."""

import json
import signal
import subprocess
import sys

import pytest
import yaml
from exported import command, contents
from webdataset import WebDataset

from transforms.exports.folder import placed
from transforms.exports.formats import FORMATS
from transforms.exports.remembered import RememberedExport, remember
from transforms.splits.rule import Placed
from transforms.splits.table import splits_table
from transforms.splits.versions import make_version
from transforms.tables.queries import connect
from transforms.tables.replacing import replace_whole
from transforms.tables.store import LocalStore


def test_yolo_by_split_and_what_forgetting_leaves_of_it(event_copy, tmp_path, labelled_event):
    with connect(event_copy) as data:
        query = (
            "SELECT drive_id, list(clip_id) FROM clips WHERE duplicate_of IS NULL GROUP BY ALL ORDER BY ALL"
        )
        drives = data.execute(query).fetchall()
    placed = [
        Placed(drive, ("train", "val")[place % 2], "drawn", frozenset(clips))
        for place, (drive, clips) in enumerate(drives)
    ]
    table = splits_table({make_version("v1", "folder", "50,50,0"): placed})
    replace_whole(LocalStore(event_copy), "splits", table)
    split_of = {clip: item.split for item in placed for clip in item.clips}
    root = tmp_path / "yolo"
    code, made_now, _ = command("export", event_copy, "--format", "yolo", "-o", root)
    assert (code, made_now["settings"]["split_version"]) == (0, "v1")

    def found():
        images = [path.relative_to(root / "images") for path in (root / "images").rglob("*.jpg")]
        texts = [path.relative_to(root / "labels") for path in (root / "labels").rglob("*.txt")]
        assert {path.with_suffix("") for path in images} == {path.with_suffix("") for path in texts}
        return {(*path.parts[:-1], int(path.stem)) for path in images}

    wanted = {(split_of[clip], clip, time_ns) for clip, time_ns in labelled_event.frames}
    assert found() == wanted
    described = yaml.safe_load((root / "data.yaml").read_text())
    assert (described["train"], described["val"]) == ("images/train", "images/val")
    gone = min(clip for clip, _ in labelled_event.frames if split_of[clip] == "train")
    code, told, _ = command("forget", event_copy, "--clip", gone)
    assert (code, [item["fate"] for item in told["exports"]]) == (0, ["written anew"])
    assert found() == {item for item in wanted if item[1] != gone}


def test_no_name_of_a_clips_file_is_a_name_in_an_export(labelled_event):
    for form in FORMATS:
        root, _ = labelled_event.made(form)
        for path in root.rglob("*"):
            assert str(path.relative_to(root)).isascii()
            assert not any(letter in str(path.relative_to(root)) for letter in ' &"<>')
            assert "front" not in path.name


def test_what_is_asked_for_is_exported(labelled_event, tmp_path):
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
    code, data, _ = command(
        "export", labelled_event.dataset, "--format", "yolo", "-o", tmp_path / "out", *options
    )
    assert code == 0
    clips = {row["clip_id"] for row in labelled_event.frames.values() if row["camera"] in {"front", "back"}}
    wanted = [
        row
        for row in labelled_event.rows
        if row["clip_id"] in clips and row["category"] == "car" and row["score"] >= 0.6
    ]
    assert data["boxes"] == len(wanted) > 0
    assert data["clips"] == len(clips)
    assert data["settings"]["cameras"] == ["back", "front"]
    pictures = [path for path in (tmp_path / "out" / "images").rglob("*") if path.is_file()]
    assert len(pictures) == data["images"] == sum(clip in clips for clip, _ in labelled_event.frames)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    code, data, _ = command(
        *(
            "export",
            labelled_event.dataset,
            "--format",
            "coco",
            "-o",
            tmp_path / "one",
            "--clip",
            "variable_rate.mp4",
        ),
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
def test_bad_usage_is_told_and_writes_nothing(labelled_event, tmp_path, options, message):
    code, data, _ = command("export", labelled_event.dataset, "-o", tmp_path / "out", *options)
    assert code == 2
    assert message in data["error"]["message"]
    assert list(tmp_path.iterdir()) == []


def test_places_that_are_not_free_are_refused(event_copy, tmp_path):
    def refused(output, form="coco"):
        code, data, _ = command("export", event_copy, "--format", form, "-o", output)
        assert code == 2
        return data["error"]["message"]

    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    assert "not empty, and no export" in refused(tmp_path / "full")
    assert "needs a folder apart from it" in refused(event_copy / "coco")
    assert "needs a folder apart from it" in refused(tmp_path)
    assert "not a folder" in refused(tmp_path / "full" / "thesis.txt")
    vin = tmp_path / "1M8GDM9AXKP042788"
    assert "vehicle identification number" in refused(vin)
    assert vin.name not in refused(vin)
    (tmp_path / "empty").mkdir()
    assert command("export", event_copy, "--format", "coco", "-o", tmp_path / "empty")[0] == 0
    assert "holds a coco export" in refused(tmp_path / "empty", "mot")
    assert (tmp_path / "full" / "thesis.txt").read_text() == "years of work"
    assert command("verify", event_copy)[1] == {"sound": True, "problems": []}
    code, data, _ = command("export", tmp_path / "full", "--format", "coco", "-o", tmp_path / "o")
    assert (code, "no data set here" in data["error"]["message"]) == (2, True)


def test_an_earlier_export_is_replaced(event_copy, tmp_path):
    arguments = ("export", event_copy, "--format", "kitti", "-o", tmp_path / "kitti")
    assert command(*arguments, "--with-images")[0] == 0
    assert list((tmp_path / "kitti").rglob("*.jpg"))
    assert command(*arguments)[0] == 0
    assert not list((tmp_path / "kitti").rglob("*.jpg"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kitti", "out"]


def test_killed_it_leaves_what_was_there_and_the_next_one_tidies_up(event_copy, tmp_path):
    arguments = ["export", str(event_copy), "--format", "yolo", "-o", str(tmp_path / "yolo")]
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


def test_a_clip_that_is_gone_or_another_one_now_is_skipped_and_told(
    event_copy, tmp_path, moved, event_footage
):
    other = next(event_footage.rglob("*09-01-00-back.mp4")).read_bytes()
    gone, changed = moved("09-01-00-front.mp4", None), moved("09-00-56-front.mp4", other)
    code, data, _ = command("export", event_copy, "--format", "webdataset", "-o", tmp_path / "export")
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
    code, data, _ = command("export", event_copy, "--format", "coco", "-o", tmp_path / "coco")
    assert (code, data["skipped"]) == (0, [])
    code, data, _ = command("export", event_copy, "--format", "yolo", "-o", tmp_path / "none", "--clip", gone)
    assert code == 1
    assert "none of 1 clips can be exported" in data["error"]["message"]
    assert not (tmp_path / "none").exists()


def test_an_export_that_finds_another_at_work_keeps_it_known(event_copy, tmp_path):
    options = ("export", event_copy, "--format", "coco", "-o", tmp_path / "coco")
    with placed(tmp_path / "coco"):
        remember(LocalStore(event_copy), RememberedExport(str(tmp_path / "coco"), "coco"))
        code, data, _ = command(*options)
    assert (code, "another export is being written" in data["error"]["message"]) == (1, True)
    assert len(list((event_copy / "exports").iterdir())) == 1


def test_a_data_set_that_cannot_be_written_to_is_exported_and_told(event_copy, tmp_path):
    # no folder can be made under the name of a file, whoever one is
    (event_copy / "exports").write_text("")
    code, data, _ = command("export", event_copy, "--format", "coco", "-o", tmp_path / "coco")
    assert code == 0
    assert "clipmill forget will not know of this export" in data["notes"][0]
    assert (tmp_path / "coco" / "annotations.json").stat().st_size > 1000
