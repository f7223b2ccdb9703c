"""`export` on small data sets: what it says, and which network it takes."""

import json

import pyarrow as pa
import pytest
from made_sets import MODEL, Box, Minute, make_set

from pipelines.cli import build_parser, main
from pipelines.truth_files import truth_files
from transforms.exports.formats import FORMATS
from transforms.exports.labelled_set import LabelledSet
from transforms.tables.replacing import replace_whole
from transforms.tables.schemas import FAILURES
from transforms.tables.store import LocalStore


@pytest.fixture
def source(tmp_path):
    return make_set(tmp_path / "in", [Minute("a", (Box(0, 5), Box(2, 7, score=0.2))), Minute("b", ())])


def test_what_was_written_is_told(source, tmp_path, capsys):
    assert main(["export", str(source), "--format", "mot", "-o", str(tmp_path / "mot")]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{tmp_path / 'mot'}: mot, 2 clips, 6 frames, 1 boxes, 0 images\n"
    assert shown.err == ""
    assert (tmp_path / "mot/a/gt/gt.txt").read_text() == "1,1,6.0,11.0,20.0,20.0,1,5,-1\n"
    assert main(["export", str(source), "--format", "mot", "-o", str(tmp_path / "mot"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data == {
        "format": "mot",
        "output": str(tmp_path / "mot"),
        "clips": 2,
        "frames": 6,
        "boxes": 1,
        "images": 0,
        "blurred": 0,
        "skipped": [],
        "settings": {
            "form": "mot",
            "min_score": 0.3,
            "categories": [],
            "cameras": [],
            "clips": [],
            "label_sources": [],
            "model": MODEL.sha256,
            "images": False,
            "image_kind": "jpeg",
            "blur": {"kinds": [], "networks": [], "rules": True},
            "split_version": "",
        },
        "settings_digest": data["settings_digest"],
        "notes": [],
    }


def test_every_format_is_in_the_help_and_in_the_documentation(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["export", "--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in FORMATS)


def test_of_several_networks_one_has_to_be_named(source, tmp_path, capsys):
    described = json.loads((source / "dataset.json").read_text())
    described["models"].append({**described["models"][0], "name": "other", "sha256": "abcdef0123"})
    (source / "dataset.json").write_text(json.dumps(described))
    arguments = ["export", str(source), "--format", "coco", "-o", str(tmp_path / "coco")]
    assert main(arguments) == 2
    assert (
        "several networks: choose one with --model: net (5ha), other (abcdef0123)" in capsys.readouterr().err
    )
    for name, boxes in (("net", 1), ("other", 0), ("abcdef", 0)):
        assert main([*arguments, "--model", name, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["boxes"] == boxes
    assert main([*arguments, "--model", "abc"]) == 2
    assert "--model abc: there is net (5ha), other (abcdef0123)" in capsys.readouterr().err


def test_without_its_clips_only_labels_can_be_exported(source, tmp_path, capsys):
    arguments = ["export", str(source), "-o", str(tmp_path / "out"), "--format"]
    assert main([*arguments, "yolo"]) == 1
    assert "none of 2 clips can be exported: /in/a.mp4: cannot be opened" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    # what was not written is not remembered
    assert list((source / "exports").iterdir()) == []
    assert main([*arguments, "cvat", "--no-images"]) == 0
    assert (tmp_path / "out" / "a" / "annotations.xml").is_file()
    assert len(list((source / "exports").iterdir())) == 1


def test_a_failed_export_leaves_the_earlier_one_known(source, tmp_path, capsys):
    arguments = ["export", str(source), "-o", str(tmp_path / "out"), "--format", "cvat"]
    assert main([*arguments, "--no-images"]) == 0
    assert main(arguments) == 1
    assert (tmp_path / "out" / "a" / "annotations.xml").is_file()
    capsys.readouterr()
    assert main(["forget", str(source), "--clip", "a", "--json"]) == 0
    exports = json.loads(capsys.readouterr().out)["exports"]
    assert exports == [
        {"output": str(tmp_path / "out"), "form": "cvat", "fate": "written anew", "reason": ""}
    ]
    assert not (tmp_path / "out" / "a").exists()
    assert (tmp_path / "out" / "b" / "annotations.xml").is_file()


def test_a_version_of_the_splits_has_to_be_one_that_there_is(source, tmp_path, capsys):
    arguments = ["export", str(source), "-o", str(tmp_path / "out"), "--format"]

    def refused(*options):
        assert main([*arguments, *options]) == 2
        return capsys.readouterr().err

    assert "--split-version v1: there is none" in refused("yolo", "--split-version", "v1")
    for version in ("v1", "v2"):
        assert main(["split", str(source), "--by", "day", "--version", version]) == 0
    assert "choose one with --split-version: v1, v2" in refused("yolo")
    assert "--split-version v3: there is v1, v2" in refused("yolo", "--split-version", "v3")
    assert "coco tells no splits" in refused("coco", "--split-version", "v1")
    assert main([*arguments, "coco"]) == 0


def test_a_damaged_table_is_one_line(source, tmp_path, capsys):
    (source / "frames" / "a-m0000.parquet").write_bytes(b"no Parquet")
    assert main(["export", str(source), "--format", "coco", "-o", str(tmp_path / "out")]) == 1
    assert "clipmill verify" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_clip_that_made_the_decoder_crash_is_not_opened(source, tmp_path, capsys):
    store = LocalStore(source)
    faults = [
        {
            "uri": f"/in/{clip}.mp4",
            "clip_id": clip,
            "stage": "label",
            "error": error,
            "message": "m",
            "retryable": False,
        }
        for clip, error in (("a", "crashed_decoder"), ("b", "damaged_packets"))
    ]
    replace_whole(store, "failures", pa.Table.from_pylist(faults, FAILURES))
    assert main(["export", str(source), "--format", "yolo", "-o", str(tmp_path / "out"), "--json"]) == 1
    assert "made the decoder crash or hang" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert LabelledSet(store, source).dangerous == {"a"}
    assert main(["export", str(source), "--format", "kitti", "-o", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["boxes"] == 1


def test_evaluate_takes_an_exports_own_record_for_no_truth(source, tmp_path):
    assert main(["export", str(source), "--format", "coco", "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "clipmill_export.json").is_file()
    assert list(truth_files(tmp_path / "out")) == ["annotations.json"]
