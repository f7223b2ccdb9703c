"""Labels corrected in another tool: back in, through every later labelling, and out again with their clip."""

import json
import os
import shutil
from collections import Counter
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET

import onnx
import pyarrow.dataset as ds
import pytest
from onnx import numpy_helper
from running import ROOT, SAMPLE, digests

from transforms.corrections import applying

SHARED = Path(os.environ.get("CLIPMILL_SHARED", ROOT.parent / "shared"))
FAST = ("--fps", "2", "--json")
CAMERAS = ("front", "back")
ADDED = ("1.00", "2.00", "31.50", "40.25")
EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")


class Killed(BaseException):
    """What ends a process at any moment."""


def rows(dataset: Path, table: str = "detections") -> list[dict]:
    return ds.dataset(dataset / table).to_table().to_pylist()


def by_id(dataset: Path) -> dict[str, dict]:
    return {row["detection_id"]: row for row in rows(dataset)}


def label_of(box: ET.Element) -> str:
    return next(item.text for item in box.iter("attribute") if item.get("name") == "detection_id")


def annotate(source: Path, target: Path) -> dict[str, list[str]]:
    """What somebody does in CVAT: moves a box, deletes one, calls an object something else, and draws one.

    Returns:
        The labels that were moved, deleted and renamed.
    """
    document = ET.parse(source)  # noqa: S314 - our own file
    root = document.getroot()
    first, second, third = sorted(root.findall("track"), key=lambda track: -len(track.findall("box")))[:3]
    moved, deleted = first.find("box"), second.find("box")
    done = {"moved": [label_of(moved)], "deleted": [label_of(deleted)], "renamed": []}
    moved.set("xtl", str(float(moved.get("xtl")) - 2.5))
    deleted.set("outside", "1")
    third.set("label", "animal")
    for box in third.iter("box"):
        if box.get("outside") == "0":
            done["renamed"].append(label_of(box))
            # CVAT's attributes are those of a label: another label has new ones
            for item in box.iter("attribute"):
                item.text = ""
    drawn = ET.SubElement(root, "track", id="900", label="person", source="manual")
    edges = dict(zip(("xtl", "ytl", "xbr", "ybr"), ADDED, strict=True))
    for frame, outside in (("2", "0"), ("3", "1")):
        ET.SubElement(drawn, "box", frame=frame, outside=outside, occluded="0", keyframe="1", **edges)
    for box in root.iter("box"):
        for edge in edges:
            box.set(edge, f"{float(box.get(edge)):.2f}")
    document.write(target)
    return done


def largest(export: Path) -> Path:
    return max(export.glob("*/annotations.xml"), key=lambda path: path.stat().st_size)


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """Two cameras of two minutes."""
    root = tmp_path_factory.mktemp("clips")
    for path in (SAMPLE / "TeslaCam/SavedClips").glob("*/*.mp4"):
        if path.stem.endswith(CAMERAS):
            target = root / path.relative_to(SAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return root


@pytest.fixture(scope="module")
def made(clipmill, clips, tmp_path_factory) -> dict:
    """A data set before and after a corrected file of one of its clips was taken in."""
    root = tmp_path_factory.mktemp("corrected")
    done = clipmill("label", clips, "-o", root / "before", "--model", "demo", *FAST)
    assert done.code == 0, done.errors
    done = clipmill("export", root / "before", "--format", "cvat", "--no-images", "-o", root / "cvat")
    assert done.code == 0, done.errors
    shutil.copytree(root / "before", root / "after")
    source = largest(root / "cvat")
    edits = annotate(source, root / "annotations.xml")
    told = clipmill(
        *("correct", root / "after", root / "annotations.xml", "--by", "Ada L.", "--json"),
        *("--at", "2026-03-01T12:00:00Z", "--export", root / "cvat"),
    )
    assert told.code == 0, told.errors
    return {"root": root, "clip": source.parent.name, "edits": edits, "told": told.data}


@pytest.fixture(scope="module")
def other_network(tmp_path_factory) -> Path:
    """The card of a network that sees nearly the same: another file, other boxes and scores."""
    folder = tmp_path_factory.mktemp("network")
    model = onnx.load(ROOT / "models/cards/demo.onnx")
    for weights in model.graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype == "float32" and values.ndim == 4:
            weights.CopyFrom(numpy_helper.from_array(values * values.dtype.type(1.004), weights.name))
    content = model.SerializeToString()
    (folder / "other.onnx").write_bytes(content)
    card = (ROOT / "models/cards/demo.toml").read_text(encoding="utf-8")
    old = (ROOT / "models/cards/demo.onnx").read_bytes()
    for before, after in (
        ('name = "demo"', 'name = "other"'),
        ("demo.onnx", "other.onnx"),
        (sha256(old).hexdigest(), sha256(content).hexdigest()),
        (f"bytes = {len(old)}", f"bytes = {len(content)}"),
    ):
        assert before in card
        card = card.replace(before, after)
    (folder / "other.toml").write_text(card, encoding="utf-8")
    return folder / "other.toml"


def test_the_import_changes_exactly_what_was_corrected(made, command_here):
    before, after = by_id(made["root"] / "before"), by_id(made["root"] / "after")
    edits = made["edits"]
    (new,) = after.keys() - before.keys()
    assert not before.keys() - after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {*edits["moved"], *edits["deleted"], *edits["renamed"]}
    assert len(edits["renamed"]) > 1
    row, was = after[edits["moved"][0]], before[edits["moved"][0]]
    assert row["x_min_px"] == pytest.approx(was["x_min_px"] - 2.5, abs=0.006)
    (row, was) = after[edits["deleted"][0]], before[edits["deleted"][0]]
    assert row == was | {"score": 0.0, "label_source": "human", "changes": row["changes"]}
    for name in edits["renamed"]:
        row, was = after[name], before[name]
        assert row == was | {
            "category": "animal",
            "score": 1.0,
            "label_source": "human",
            "changes": row["changes"],
        }
        assert "category" in row["changes"]
    assert tuple(after[new][edge] for edge in EDGES) == tuple(map(float, ADDED))
    assert (after[new]["category"], after[new]["score"], after[new]["track_id"]) == ("person", 1.0, None)
    for table in ("frames", "tracks", "objects", "clips", "telemetry", "coverage"):
        assert rows(made["root"] / "before", table) == rows(made["root"] / "after", table), table
    told = made["told"]
    assert told["clips"] == [made["clip"]]
    assert told["boxes"] | {"keep": 0} == {
        "keep": 0,
        "change": 1 + len(edits["renamed"]),
        "add": 1,
        "remove": 1,
    }
    assert told["conflicts"] == {}
    assert command_here("verify", made["root"] / "after", "--json").data == {"sound": True, "problems": []}


def test_the_same_file_once_more_changes_nothing(made, command_here, tmp_path):
    shutil.copytree(made["root"] / "after", tmp_path / "out")
    arguments = ("--by", "Ada L.", "--export", made["root"] / "cvat", "--json")
    done = command_here("correct", tmp_path / "out", made["root"] / "annotations.xml", *arguments)
    assert (done.code, done.data["shards"]) == (0, [])
    assert "taken in before" in done.data["notes"][0]
    # saved once more by the tool, it says the same, and nothing is written anew
    again = tmp_path / "again.xml"
    again.write_bytes((made["root"] / "annotations.xml").read_bytes() + b"\n")
    done = command_here("correct", tmp_path / "out", again, *arguments)
    boxes = done.data["boxes"]
    assert (boxes.pop("keep") > 10, boxes) == (True, {"change": 0, "add": 0, "remove": 0})
    assert done.data["shards"] == []
    assert by_id(tmp_path / "out") == by_id(made["root"] / "after")


def test_what_was_killed_is_finished_by_the_same_command(made, command_here, tmp_path, monkeypatch):
    shutil.copytree(made["root"] / "before", tmp_path / "out")
    arguments = (
        *("correct", tmp_path / "out", made["root"] / "annotations.xml", "--by", "Ada L.", "--json"),
        *("--at", "2026-03-01T12:00:00Z", "--export", made["root"] / "cvat"),
    )

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(applying, "put_the_rest_in_place", killed)
        with pytest.raises(Killed):
            command_here(*arguments)
    (problem,) = command_here("verify", tmp_path / "out", "--json").data["problems"]
    assert problem.startswith(".correcting: corrections were being put into labels, and that was cut short")
    refused = command_here("export", tmp_path / "out", "--format", "coco", "-o", tmp_path / "coco", "--json")
    assert refused.code == 1
    assert "run clipmill correct again" in refused.data["error"]["message"]
    assert not (tmp_path / "coco").exists()
    done = command_here(*arguments)
    assert (done.code, done.data["shards"]) == (0, [])
    assert digests(tmp_path / "out") == digests(made["root"] / "after")


def test_a_lost_shard_labelled_again_has_the_same_bytes(made, clipmill, clips, tmp_path):
    after = made["root"] / "after"
    shutil.copytree(after, tmp_path / "out")
    # as a killed run leaves it
    (tmp_path / "out/frames" / f"{made['told']['shards'][0]}.parquet").unlink()
    done = clipmill("label", clips, "-o", tmp_path / "out", "--model", "demo", "--workers", 2, *FAST)
    assert done.code == 0, done.errors
    assert done.data["shards"]["written"] == 1
    said = sum(count for action, count in made["told"]["boxes"].items() if action != "keep")
    assert done.data["corrections"] == {"said": said, "applied": said, "conflicts": {}}
    assert digests(tmp_path / "out") == digests(after)


def test_corrections_survive_a_relabelling_with_another_network(
    made, clipmill, command_here, clips, other_network, tmp_path
):
    done = clipmill(
        *("label", clips, "-o", tmp_path / "out", "--base", made["root"] / "after"),
        *("--model", other_network, *FAST),
    )
    assert done.code == 0, done.errors
    assert command_here("verify", tmp_path / "out", "--json").data == {"sound": True, "problems": []}
    after = {tuple(row[edge] for edge in EDGES): row for row in rows(tmp_path / "out")}
    assert {row["model_digest"] for row in after.values()}.isdisjoint(
        row["model_digest"] for row in rows(made["root"] / "after")
    )
    told = done.data["corrections"]
    assert told["said"] == sum(count for action, count in made["told"]["boxes"].items() if action != "keep")
    assert told["applied"] >= told["said"] - 1
    corrections = [row for row in rows(tmp_path / "out", "corrections") if row["action"] != "keep"]
    for row in corrections:
        if row["action"] in {"change", "add"}:
            label = after[tuple(row[edge] for edge in EDGES)]
            assert (label["category"], label["label_source"]) == (row["category"], "human")
            assert (label["frame_id"], label["score"]) == (row["frame_id"], 1.0)
    (removed,) = [row for row in corrections if row["action"] == "remove"]
    aside = [row for row in after.values() if row["label_source"] == "human" and row["score"] == 0]
    assert len(aside) == (removed["conflict"] is None)
    assert [row["frame_id"] for row in aside] == [removed["frame_id"]] * len(aside)
    # and not a label more is a person's
    human = Counter(row["label_source"] for row in after.values())["human"]
    assert human == told["said"] - told["conflicts"].get("no_counterpart", 0) * (
        removed["conflict"] is not None
    )


def test_a_persons_label_is_explained_and_comes_out_again(made, command_here):
    after = made["root"] / "after"
    people = [row for row in rows(after) if row["label_source"] == "human"]
    (added,) = [row for row in people if row["category_raw"] is None]
    for name, action in (
        (made["edits"]["moved"][0], "change"),
        (made["edits"]["deleted"][0], "remove"),
        (added["detection_id"], "add"),
    ):
        done = command_here("explain", after, name, "--json")
        assert (done.code, done.data["same"]) == (0, True), done.data["differs"]
        (told,) = done.data["corrections"]
        assert (told["action"], told["by"], told["source"]) == (action, "Ada L.", "annotations.xml")
        assert told["at_utc_ns"] == 1772366400 * 10**9
        assert told["source_sha256"] == sha256((made["root"] / "annotations.xml").read_bytes()).hexdigest()
    shown = command_here("explain", after, made["edits"]["deleted"][0]).output
    assert "corrected: remove by Ada L., 2026-03-01 12:00:00 UTC, in annotations.xml" in shown
    # a table may break a name at the terminal's width
    assert "Ada" in command_here("inspect", after).output


def test_corrected_frames_are_truth(made, command_here):
    truth = made["root"] / "after" / "corrections"
    done = command_here("evaluate", made["root"] / "before", "--truth", truth, "--json")
    assert done.code == 0, done.errors
    assert done.data["form"] == "corrections"
    looked_at = {(row["clip_id"], row["timestamp_ns"]) for row in rows(made["root"] / "after", "corrections")}
    assert done.data["frames"]["compared"] == done.data["frames"]["truth"] == len(looked_at)
    assert command_here("evaluate", made["root"] / "after", "--truth", truth, "--json").code == 0


def test_a_forgotten_clip_takes_its_corrections_along(made, command_here, tmp_path):
    shutil.copytree(made["root"] / "after", tmp_path / "out")
    gone = {row["correction_id"] for row in rows(tmp_path / "out", "corrections")}
    done = command_here("forget", tmp_path / "out", "--clip", made["clip"], "--json")
    assert done.code == 0, done.errors
    assert done.data["rows"]["corrections"] == len(gone)
    assert rows(tmp_path / "out", "corrections") == []
    assert command_here("verify", tmp_path / "out", "--json").data == {"sound": True, "problems": []}
    content = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert not [name for name in gone | {made["clip"]} if name.encode() in content]


def test_what_does_not_fit_is_refused(made, command_here, tmp_path):
    out, file = made["root"] / "before", made["root"] / "annotations.xml"
    for arguments, says in (
        ((tmp_path / "gone.xml", "--by", "A"), "no such file"),
        ((file, "--by", " "), "--by: a name"),
        ((file, "--by", "A", "--export", tmp_path), "no export"),
        ((file, "--by", "A", "--export", made["root"] / "cvat", "--at", "noon"), "'noon' is no time"),
        (
            (file, "--by", "A", "--export", made["root"] / "cvat", "--at", "9999-01-01"),
            "is no time since 1970",
        ),
        ((ROOT / "pyproject.toml", "--by", "A"), "unpack a zip first"),
    ):
        done = command_here("correct", out, *arguments, "--json")
        assert done.code == 2, done.output
        assert says in done.data["error"]["message"]
    before = digests(out)
    done = command_here("correct", out, file, "--by", "A", "--dry-run", "--json")
    assert (done.code, len(done.data["shards"])) == (0, 1)
    assert digests(out) == before


def test_a_real_clip_corrected_as_coco(clipmill, command_here, tmp_path):
    """COCO comes back from tools without ids: labels are found by frame and overlap."""
    clip = SHARED / "clips/mmdet_motorbike_highway_1280x720_h264.mp4"
    network = SHARED / "models/picodet_s_416_coco.onnx"
    if not (clip.exists() and network.exists()):
        pytest.skip(f"{SHARED} is not there")
    done = clipmill("label", clip, "-o", tmp_path / "out", "--model", network, *FAST)
    assert done.code == 0, done.errors
    done = command_here("export", tmp_path / "out", "--format", "coco", "-o", tmp_path / "coco", "--json")
    assert done.data["boxes"] > 3
    document = json.loads((tmp_path / "coco/annotations.json").read_text())
    kept = ("id", "image_id", "category_id", "bbox")
    annotations = [{name: item[name] for name in kept} for item in document["annotations"]]
    document["images"] = [{name: item[name] for name in ("id", "file_name")} for item in document["images"]]
    annotations[0]["bbox"][0] += 1.5
    annotations[0]["bbox"][2] -= 1.5
    animal = next(item["id"] for item in document["categories"] if item["name"] == "animal")
    annotations[1]["category_id"] = animal
    document["annotations"] = [*annotations[:2], *annotations[3:]]
    (tmp_path / "fixed.json").write_text(json.dumps(document))
    before = by_id(tmp_path / "out")
    done = command_here("correct", tmp_path / "out", tmp_path / "fixed.json", "--by", "Ada", "--json")
    assert done.code == 0, done.data
    boxes = done.data["boxes"]
    assert boxes == {"keep": len(annotations) - 3, "change": 2, "add": 0, "remove": 1}
    after = by_id(tmp_path / "out")
    assert len({name for name in before if before[name] != after[name]}) == 3
    assert before.keys() == after.keys()
    assert command_here("verify", tmp_path / "out", "--json").data == {"sound": True, "problems": []}
