"""Every error that the exit codes speak of: one clear line, the right code, nothing half-written."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from running import ROOT, SAMPLE, command

CLIP = SAMPLE / "generic" / "variable_rate.mp4"


def refused(done, code: int, *said: str) -> None:
    assert done.code == code, done.errors
    assert done.errors.startswith("clipmill: ")
    for word in said:
        assert word in done.errors
    assert "Traceback" not in done.errors
    assert not done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "-o", "OUT"], "nowhere: no such file or folder"),
        (["EMPTY", "-o", "OUT"], "no clip"),
        (["CLIP", "-o", "OUT", "--model", "nowhere.onnx"], "nowhere.onnx"),
        (["CLIP", "-o", "OUT", "--model", "no-such-name"], "no-such-name"),
        (["CLIP", "-o", "OUT", "--sise", "640"], "--sise"),
        (["CLIP", "-o", "OUT", "--fps", "0"], "fps"),
        (["CLIP", "-o", "OUT", "--workers", "1000"], "1000"),
        (["CLIP", "-o", "OUT", "--", "--runner=NopeRunner"], "NopeRunner"),
        (["CLIP", "-o", ""], "output"),
        (["CLIP", "-o", "OUT", "--model", "demo", "--model", "demo"], "twice"),
        (["CLIP", "-o", "OUT", "--timezone", "Mars/Olympus"], "Mars/Olympus"),
        (["CLIP", "-o", "OUT", "--workers", "0"], "workers"),
        (["CLIP", "-o", "OUT", "--device", "cuda"], "cuda"),
        (["CLIP", "-o", "OUT", "--", "--runer=x"], "--runer"),
        (["nosuchscheme://bucket/x", "-o", "OUT"], "nosuchscheme"),
        (["CLIP", "-o", "nosuchscheme://bucket/x"], "nosuchscheme"),
    ],
)
def test_bad_usage_is_exit_2_and_writes_nothing(clipmill, tmp_path, arguments, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no clip")
    names = {"CLIP": str(CLIP), "OUT": str(tmp_path / "out"), "EMPTY": str(tmp_path / "empty")}
    filled = [names.get(item, item) for item in arguments]
    if "--model" not in filled:
        filled[3:3] = ["--model", "demo"]
    refused(clipmill("label", *filled, cwd=tmp_path), 2, said)
    assert not (tmp_path / "out").exists()


def test_a_bad_spec_is_exit_2(clipmill, tmp_path):
    spec = tmp_path / "job.toml"
    spec.write_text('inputs = ["x"]\noutput = "y"\n')
    refused(clipmill("run", spec), 2, "job.toml", "models")


def network(path: Path, shape: list[int]) -> Path:
    """A network whose only output has a shape that no family knows."""
    graph = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["shape"], ["out"])],
        "odd",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
        [helper.make_tensor("shape", TensorProto.INT64, [len(shape)], shape)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def test_a_network_that_no_family_fits_asks_for_a_card(clipmill, tmp_path):
    odd = network(tmp_path / "odd.onnx", [1, 7])
    refused(clipmill("label", CLIP, "-o", tmp_path / "out", "--model", odd), 2, "card")
    assert not (tmp_path / "out").exists()


def test_a_network_that_does_not_fit_its_card_is_exit_1_at_start(clipmill, tmp_path):
    odd = network(tmp_path / "odd.onnx", [1, 7])
    card = (ROOT / "models" / "cards" / "demo.toml").read_text(encoding="utf-8")
    import hashlib
    import re

    card = re.sub(r"^bundled = .*$", 'bundled = "odd.onnx"', card, flags=re.MULTILINE)
    card = re.sub(
        r"^sha256 = .*$",
        f'sha256 = "{hashlib.sha256(odd.read_bytes()).hexdigest()}"',
        card,
        flags=re.MULTILINE,
    )
    card = re.sub(r"^bytes = .*$", f"bytes = {odd.stat().st_size}", card, flags=re.MULTILINE)
    (tmp_path / "odd.toml").write_text(card, encoding="utf-8")
    done = clipmill("label", CLIP, "-o", tmp_path / "out", "--model", tmp_path / "odd.toml")
    refused(done, 1, "[1, 7]", "expected")
    assert not (tmp_path / "out").exists()


def test_a_size_on_a_network_of_one_size_is_exit_2(clipmill, tmp_path):
    fixed = (
        Path(os.environ.get("CLIPMILL_SHARED", ROOT.parent / "shared")) / "models" / "picodet_s_416_coco.onnx"
    )
    if not fixed.is_file():
        pytest.skip("needs ../shared/models: the project ships no network of one size")
    refused(clipmill("label", CLIP, "-o", tmp_path / "out", "--model", fixed, "--size", 640), 2, "640")


def test_offline_the_default_network_names_both_ways_out(clipmill, tmp_path):
    environment = {**os.environ, "CLIPMILL_OFFLINE": "1", "CLIPMILL_MODELS": str(tmp_path / "models")}
    done = clipmill("label", CLIP, "-o", tmp_path / "out", env=environment)
    refused(done, 1, str(tmp_path / "models"), "--model demo")


def test_an_output_that_is_a_file_is_exit_1(clipmill, tmp_path):
    (tmp_path / "out").write_text("a file")
    refused(clipmill("label", CLIP, "-o", tmp_path / "out", "--model", "demo"), 1, "not writable")
    assert (tmp_path / "out").read_text() == "a file"


def test_an_output_of_another_schema_is_exit_1_and_untouched(clipmill, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "dataset.json").write_text(json.dumps({"format": "clipmill", "schema_version": 999}))
    refused(clipmill("label", CLIP, "-o", tmp_path / "out", "--model", "demo"), 1, "schema 999")
    assert not list((tmp_path / "out").glob("*/*.parquet"))


def test_a_folder_with_other_things_in_it_is_no_output(clipmill, tmp_path):
    shutil.copytree(SAMPLE / "generic", tmp_path / "clips")
    (tmp_path / "clips" / "notes.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    refused(clipmill("label", "clips", "-o", ".", "--model", "demo", cwd=tmp_path), 1, "no data set")
    refused(clipmill("label", "clips", "-o", "clips", "--model", "demo", cwd=tmp_path), 1, "no data set")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_data_set_description_that_is_none_is_exit_1(clipmill, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "dataset.json").write_text("[]")
    refused(clipmill("label", CLIP, "-o", tmp_path / "out", "--model", "demo"), 1, "schema")
    done = clipmill("verify", tmp_path / "out", "--json")
    assert done.code == 1
    assert done.data["problems"] == ["dataset.json: not a JSON object"]


def test_two_runs_at_once_do_not_mix(clipmill, tmp_path):
    import fcntl

    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".clipmill.lock").open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        refused(clipmill("label", CLIP, "-o", tmp_path / "out", "--model", "demo"), 1, "another run")


def test_more_failures_than_allowed_is_exit_3_and_the_rest_is_there(clipmill, tmp_path):
    done = clipmill(
        "label", SAMPLE / "generic", "-o", tmp_path / "out", "--model", "demo", "--fps", 1, "--json"
    )
    assert done.code == 3
    assert done.data["clips"] == {"found": 4, "labelled": 2, "failed": 2, "duplicate": 0}
    assert clipmill("verify", tmp_path / "out").code == 0


def test_a_full_disk_is_exit_1_and_the_next_run_completes(clipmill, small_disk):
    disk = small_disk("160k")
    output = disk / "out"
    done = clipmill("label", SAMPLE / "TeslaCam", "-o", output, "--model", "demo")
    refused(done, 1, "No space left on device")
    assert not list(output.rglob("*.tmp"))
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    assert clipmill("label", SAMPLE / "TeslaCam", "-o", output, "--model", "demo").code == 0
    assert clipmill("verify", output).code == 0


def test_with_json_the_error_is_one_object(clipmill, tmp_path):
    done = clipmill("label", "nowhere", "-o", tmp_path / "out", "--json")
    assert done.code == 2
    assert done.data["error"]["code"] == 2
    assert "nowhere" in done.data["error"]["message"]


def test_commands_on_what_is_no_data_set_are_exit_2(clipmill, tmp_path):
    for name in (["verify"], ["inspect"], ["sql", "SELECT 1"], ["budget"]):
        done = clipmill(name[0], tmp_path, *name[1:])
        assert done.code == 2, (name, done.errors)
        assert "Traceback" not in done.errors


def test_bad_sql_is_exit_2(clipmill, labelled_sample):
    refused(clipmill("sql", labelled_sample, "SELEKT 1"), 2, "SQL")
    copy = f"COPY (SELECT 1) TO '{labelled_sample}/frames/x.parquet'"
    refused(clipmill("sql", labelled_sample, copy), 2, "SELECT")
    refused(clipmill("sql", labelled_sample, "SELECT 1; SELECT 2"), 2, "SELECT")
    refused(clipmill("sql", labelled_sample, "SELECT * FROM read_csv('/etc/passwd')"), 2, "SQL")


def test_conditions_that_do_not_go_are_exit_2(clipmill, labelled_sample):
    table = ("inspect", labelled_sample, "--table", "detections", "--where")
    refused(clipmill(*table, "nope = 1"), 2, "--where", "nope")
    refused(clipmill(*table, "score > 0; DROP VIEW detections"), 2, "--where")
    refused(clipmill("inspect", labelled_sample, "--where", "score > 0"), 2, "--table")


def test_a_damaged_data_set_does_not_verify(clipmill, labelled_sample, tmp_path):
    broken = tmp_path / "out"
    shutil.copytree(labelled_sample, broken)
    victim = min((broken / "detections").glob("*.parquet"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    done = clipmill("verify", broken, "--json")
    assert done.code == 1
    assert done.data["problems"] == [f"detections/{victim.name}: bytes differ from the manifest's digest"]


def test_a_reader_that_has_gone_is_no_error(labelled_sample):
    for arguments in (
        ["budget", labelled_sample, "--json"],
        ["inspect", labelled_sample],
        ["models", "list"],
    ):
        line = " ".join(f"'{part}'" for part in command(*arguments))
        done = subprocess.run(
            ["bash", "-c", f"{line} | head -c 10"], capture_output=True, text=True, check=False
        )
        assert done.stderr == "", arguments
        closed = subprocess.run(["bash", "-c", f"{line} >&-"], capture_output=True, text=True, check=False)
        assert (closed.returncode, closed.stderr) == (0, ""), arguments


def test_an_output_whose_name_is_a_pattern(clipmill, tmp_path):
    output = tmp_path / "o[1]*? ü'\\"
    assert clipmill("label", CLIP, "-o", output, "--model", "demo", "--fps", 1).code == 0
    assert clipmill("verify", output).code == 0
    assert clipmill("sql", output, "SELECT count(*) FROM clips", "--json").data["rows"] == [[1]]


def test_two_cars_of_one_name_are_exit_2(clipmill, tmp_path):
    for car in ("a", "b"):
        shutil.copytree(
            SAMPLE / "TeslaCam" / "RecentClips", tmp_path / car / "usb" / "TeslaCam" / "RecentClips"
        )
    for path in (tmp_path / "b").rglob("*.mp4"):
        path.write_bytes(path.read_bytes() + b"\0\0\0\x08free")
    done = clipmill(
        "label", tmp_path / "a" / "usb", tmp_path / "b" / "usb", "-o", tmp_path / "out", "--model", "demo"
    )
    refused(done, 2, "both called 'usb'")
