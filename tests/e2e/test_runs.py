"""Runs as users and schedulers see them: repeated, in parallel, killed."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from running import SAMPLE, command, digests

FAST = ("--model", "demo", "--fps", "2", "--max-failed-share", "1", "--json")
EVENT = SAMPLE / "TeslaCam" / "SavedClips"


@pytest.fixture(scope="module")
def undisturbed(clipmill, tmp_path_factory):
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    done = clipmill("label", SAMPLE, "-o", output, *FAST, "--workers", 1)
    assert done.code == 0, done.errors
    return digests(output)


@pytest.mark.parametrize(
    "how",
    [
        ["--workers", "2"],
        ["--workers", "4"],
        ["--workers", "2", "--", "--direct_num_workers=2", "--direct_running_mode=multi_processing"],
    ],
)
def test_the_number_of_workers_does_not_reach_the_bytes(clipmill, tmp_path, undisturbed, how):
    done = clipmill("label", SAMPLE, "-o", tmp_path / "out", *FAST, *how)
    assert done.code == 0, done.errors
    assert digests(tmp_path / "out") == undisturbed


def test_the_order_of_inputs_does_not_reach_the_bytes(clipmill, tmp_path):
    inputs = sorted(path for path in SAMPLE.iterdir() if path.is_dir() and path.name != "truth")
    outputs = []
    for name, order in (("a", inputs), ("b", inputs[::-1])):
        done = clipmill("label", *order, "-o", tmp_path / name, *FAST)
        assert done.code == 0, done.errors
        outputs.append(digests(tmp_path / name))
    assert outputs[0] == outputs[1]


def test_a_second_run_skips_every_shard_and_changes_no_byte(clipmill, tmp_path):
    first = clipmill("label", EVENT, "-o", tmp_path / "out", *FAST).data
    before = digests(tmp_path / "out")
    second = clipmill("label", EVENT, "-o", tmp_path / "out", *FAST).data
    assert first["shards"] == {"written": 2, "skipped": 0, "failed": 0}
    assert second["shards"] == {"written": 0, "skipped": 2, "failed": 0}
    assert digests(tmp_path / "out") == before
    counts = ("clips", "frames", "detections", "tracks", "objects")
    assert {name: first[name] for name in counts} == {name: second[name] for name in counts}


def test_other_options_label_again_in_place(clipmill, tmp_path):
    clipmill("label", EVENT, "-o", tmp_path / "out", *FAST)
    again = clipmill("label", EVENT, "-o", tmp_path / "out", *FAST, "--fps", "1").data
    assert again["shards"]["written"] == 2
    fresh = clipmill("label", EVENT, "-o", tmp_path / "fresh", *FAST, "--fps", "1")
    assert fresh.code == 0
    assert digests(tmp_path / "out") == digests(tmp_path / "fresh")


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_the_same_command_ends_the_same(clipmill, tmp_path, undisturbed, seed):
    output = tmp_path / "out"
    label = command("label", SAMPLE, "-o", output, *FAST, "--workers", "2")
    moments = random.Random(seed)
    for _ in range(2):
        process = subprocess.Popen(
            label, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_for_shards(output, moments.randrange(0, 4), process)
        time.sleep(moments.random() * 0.3)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = clipmill(*label[1:])
    assert done.code == 0, done.errors
    assert digests(output) == undisturbed
    assert not [path for path in output.rglob("*") if path.name.endswith(".tmp")]
    assert clipmill("verify", output).code == 0


def wait_for_shards(output: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None and len(list(output.glob("frames/*.parquet"))) < count:
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_runs_say_so_and_keep_what_was_committed(tmp_path, number):
    output = tmp_path / "out"
    label = command("label", SAMPLE, "-o", output, *FAST, "--workers", "1")
    process = subprocess.Popen(label, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_shards(output, 1, process)
    process.send_signal(number)
    shown, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert '"code": 130' in shown
    assert errors == "clipmill: interrupted; what was committed stays, the same command goes on from there\n"
    assert list(output.glob("frames/*.parquet"))


def test_removed_inputs_stay_in_the_data_set_and_are_told(clipmill, tmp_path):
    inputs = tmp_path / "in"
    inputs.mkdir()
    clips = sorted((SAMPLE / "TeslaCam" / "RecentClips").glob("*-front.mp4"))
    for number, clip in enumerate(clips):
        shutil.copy(clip, inputs / f"{number}.mp4")
    clipmill("label", inputs, "-o", tmp_path / "out", *FAST)
    (inputs / "0.mp4").unlink()
    done = clipmill("label", inputs, "-o", tmp_path / "out", *FAST)
    assert done.data["left_over_shards"] == 1
    assert done.data["shards"]["skipped"] == len(clips) - 1
    assert clipmill("verify", tmp_path / "out").code == 0


@pytest.mark.parametrize(
    "how", [[], ["--", "--direct_num_workers=2", "--direct_running_mode=multi_processing"]]
)
def test_a_folder_called_models_does_not_disturb(clipmill, tmp_path, how):
    for name in ("models", "transforms", "pipelines"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong package')\n")
    done = clipmill("label", EVENT, "-o", "out", *FAST, *how, cwd=tmp_path)
    assert done.code == 0, done.errors
    assert done.data["clips"]["failed"] == 0
