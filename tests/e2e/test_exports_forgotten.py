"""What forgetting clips does to the exports that were made of them."""

import json
from pathlib import Path

import pytest
from exported import command, contents

from transforms.exports.formats import FORMATS
from transforms.removal import exported


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


def test_forgotten_clips_leave_every_export(event_copy, tmp_path, labelled_event):
    places = tmp_path / "exports"
    clip = next(row for row in labelled_event.frames.values() if row["uri"].endswith("09-01-00-front.mp4"))
    for form in FORMATS:
        assert command("export", event_copy, "--format", form, "-o", places / form)[0] == 0
    alone = ("--format", "yolo", "--clip", clip["clip_id"], "-o", places / "alone")
    two = ("--format", "coco", "--clip", clip["clip_id"], "--clip", "variable_rate.mp4", "-o", places / "two")
    other = ("--format", "coco", "--clip", "variable_rate.mp4", "-o", places / "other")
    for options in (alone, two, other):
        assert command("export", event_copy, *options)[0] == 0
    # what a killed export has left
    (places / ".coco.exporting" / clip["clip_id"]).mkdir(parents=True)
    (places / ".coco.exporting" / ".clipmill_exporting").touch()
    untouched = contents(places / "other")
    boxes = [row for row in labelled_event.rows if row["clip_id"] == clip["clip_id"]]
    traces = {clip["clip_id"], clip["uri"], Path(clip["uri"]).name}
    traces |= {row["detection_id"] for row in boxes} | {row["track_id"] for row in boxes if row["track_id"]}
    before = every_byte(places)
    assert all(trace.encode() in before for trace in (clip["clip_id"], Path(clip["uri"]).name))

    told = command("forget", event_copy, "--clip", clip["clip_id"], "--dry-run")[1]
    assert every_byte(places) == before
    code, data, errors = command("forget", event_copy, "--clip", clip["clip_id"])
    assert code == 0, (data, errors)
    assert told == {**data, "dry_run": True}
    fates = {item["output"]: (item["form"], item["fate"]) for item in data["exports"]}
    assert fates == {
        **{str(places / form): (form, "written anew") for form in FORMATS},
        str(places / "alone"): ("yolo", "deleted"),
        str(places / "two"): ("coco", "written anew"),
    }
    after = every_byte(places) + every_byte(event_copy / "exports")
    assert not [trace for trace in traces if trace.encode() in after]
    assert not (places / "alone").exists()
    assert sorted(path.name for path in places.iterdir()) == sorted([*FORMATS, "two", "other"])
    assert contents(places / "other") == untouched
    assert json.loads((places / "yolo" / "clipmill_export.json").read_text())["counts"]["images"] > 0
    assert command("verify", event_copy)[1] == {"sound": True, "problems": []}
    # a second removal finds them as they are
    assert command("forget", event_copy, "--clip", "variable_rate.mp4")[1]["exports"]
    assert not (places / "other").exists()


class KilledError(BaseException):
    """Stands for a kill: nothing that clipmill does may catch it."""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_cut_short_at_the_exports_the_same_command_ends_the_same(event_copy, tmp_path, monkeypatch, moment):
    places = tmp_path / "exports"
    for form in ("coco", "kitti"):
        assert command("export", event_copy, "--format", form, "-o", places / form)[0] == 0
    real = exported.export

    def killed(labels, root, output, *arguments):
        if moment == "after":
            real(labels, root, output, *arguments)
        raise KilledError

    forget = ("forget", event_copy, "--clip", "variable_rate.mp4")
    with monkeypatch.context() as patched:
        patched.setattr(exported, "export", killed)
        with pytest.raises(KilledError):
            command(*forget)
    assert command("verify", event_copy)[0] == 1
    code, data, errors = command(*forget)
    assert code == 0, (data, errors)
    assert "that was cut short is finished" in data["notes"][0]
    assert b"variable_rate" not in every_byte(places) + every_byte(event_copy)
    assert command("verify", event_copy)[0] == 0


def test_an_export_that_cannot_be_written_anew_is_deleted(event_copy, tmp_path, labelled_event, moved):
    keep = next(row for row in labelled_event.frames.values() if row["uri"].endswith("variable_rate.mp4"))
    options = ("--clip", keep["clip_id"], "--clip", "2025-06-14_09-01-00-back.mp4")
    assert command("export", event_copy, "--format", "yolo", *options, "-o", tmp_path / "yolo")[0] == 0
    moved("variable_rate.mp4", None)
    data = command("forget", event_copy, "--clip", "2025-06-14_09-01-00-back.mp4")[1]
    assert [item["fate"] for item in data["exports"]] == ["deleted"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert not list((event_copy / "exports").iterdir())


def test_an_export_that_was_moved_is_named(event_copy, tmp_path):
    assert command("export", event_copy, "--format", "coco", "-o", tmp_path / "coco")[0] == 0
    (tmp_path / "coco").rename(tmp_path / "elsewhere")
    data = command("forget", event_copy, "--clip", "variable_rate.mp4")[1]
    assert data["exports"] == [
        {"output": str(tmp_path / "coco"), "form": "coco", "fate": "left", "reason": ""}
    ]
    assert (tmp_path / "elsewhere" / "annotations.json").exists()


def test_an_export_behind_a_link_is_named_and_stays(event_copy, tmp_path):
    assert command("export", event_copy, "--format", "yolo", "-o", tmp_path / "yolo")[0] == 0
    (tmp_path / "disk").mkdir()
    (tmp_path / "yolo").rename(tmp_path / "disk" / "yolo")
    (tmp_path / "yolo").symlink_to(tmp_path / "disk" / "yolo")
    before = contents(tmp_path / "disk")
    code, data, _ = command("forget", event_copy, "--clip", "variable_rate.mp4")
    assert (code, [item["fate"] for item in data["exports"]]) == (0, ["left"])
    assert contents(tmp_path / "disk") == before
    assert command("verify", event_copy)[0] == 0


def test_a_data_set_behind_a_link_is_the_same_one(event_copy, tmp_path):
    (tmp_path / "link").symlink_to(event_copy)
    options = ("--format", "coco", "--clip", "variable_rate.mp4", "-o", tmp_path / "coco")
    assert command("export", tmp_path / "link", *options)[0] == 0
    data = command("forget", event_copy, "--clip", "variable_rate.mp4")[1]
    assert [item["fate"] for item in data["exports"]] == ["deleted"]
    assert not (tmp_path / "coco").exists()


@pytest.mark.parametrize("place", ["the data set", "/", "x" * 300, "a folder of somebody's"])
def test_places_that_somebody_has_made_up_are_left_alone(event_copy, tmp_path, labelled_event, place):
    clip = next(
        row["clip_id"] for row in labelled_event.frames.values() if row["uri"].endswith("variable_rate.mp4")
    )
    assert command("export", event_copy, "--format", "yolo", "--clip", clip, "-o", tmp_path / "yolo")[0] == 0
    record = (tmp_path / "yolo" / "clipmill_export.json").read_bytes()
    theirs = tmp_path / "photos"
    for folder in (theirs, tmp_path / ".photos.exporting", tmp_path / ".photos.replaced"):
        folder.mkdir()
        (folder / "a.jpg").write_bytes(b"precious")
    (event_copy / "clipmill_export.json").write_bytes(record)
    output = {"the data set": str(event_copy), "a folder of somebody's": str(theirs)}.get(place, f"/{place}")
    made_up = json.dumps({"form": "yolo", "output": output if place != "/" else "/"})
    (event_copy / "exports" / "00.json").write_text(made_up)
    code, data, _ = command("forget", event_copy, "--clip", clip)
    assert code == 0, data
    assert {item["output"]: item["fate"] for item in data["exports"]} == {
        str(tmp_path / "yolo"): "deleted",
        json.loads(made_up)["output"]: "left",
    }
    assert len(list(tmp_path.rglob("a.jpg"))) == 3
    assert (event_copy / "manifest.parquet").exists()
