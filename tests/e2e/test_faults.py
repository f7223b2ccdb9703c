"""What befalls real jobs: clips that kill, files that vanish, outputs that turn read-only, no file handles left."""

import os
import resource
import shutil
import subprocess

import pyarrow.dataset as ds
import pytest
from poison import write_site
from running import SAMPLE, Finished, command, digests

FAST = ("--model", "demo", "--fps", "1", "--max-failed-share", "1", "--json")
CLIP = SAMPLE / "generic" / "variable_rate.mp4"
MINUTE = sorted((SAMPLE / "TeslaCam" / "RecentClips").glob("*-front.mp4"))


@pytest.fixture
def poisoned(tmp_path):
    """The environment in which clips do what their names say."""
    return {**os.environ, **write_site(tmp_path / "site")}


def rows_of(output, name):
    clips = ds.dataset(output / "clips").to_table(columns=["clip_id", "uri"]).to_pylist()
    ids = {row["clip_id"]: row["uri"].rsplit("/", 1)[1] for row in clips}
    table = ds.dataset(output / "detections").to_table().to_pylist()
    return [row for row in table if ids[row["clip_id"]] == name]


def test_clips_that_kill_are_set_aside_and_retry_tries_them_again(clipmill, tmp_path, poisoned):
    inputs = tmp_path / "in"
    inputs.mkdir()
    for name, clip in zip(
        ("healthy.mp4", "crash-decode.mp4", "greedy-decode.mp4", "crash-probe.mp4"),
        [CLIP, *MINUTE, SAMPLE / "generic" / "variable_rate.mp4"],
        strict=False,
    ):
        # bytes at the end that no reader minds: each file has a content of its own
        (inputs / name).write_bytes(clip.read_bytes() + b"\0\0\0\x0cfree" + name.encode()[:4])
    output = tmp_path / "out"
    first = clipmill("label", inputs, "-o", output, *FAST, env=poisoned)
    assert first.code == 0, first.errors
    assert first.data["clips"] == {"found": 4, "labelled": 1, "failed": 3, "duplicate": 0}
    faults = {row["uri"].rsplit("/", 1)[1]: (row["stage"], row["error"]) for row in first.data["failures"]}
    assert faults == {
        "crash-decode.mp4": ("decode", "crashed_decoder"),
        "greedy-decode.mp4": ("decode", "too_large"),
        "crash-probe.mp4": ("probe", "crashed_decoder"),
    }
    assert clipmill("verify", output).code == 0
    healthy = rows_of(output, "healthy.mp4")
    assert healthy
    # what was set aside costs nothing from then on
    again = clipmill("label", inputs, "-o", output, *FAST, env=poisoned)
    assert again.data["shards"]["written"] + again.data["shards"]["failed"] == 0
    assert again.data["failures"] == first.data["failures"]
    # the decoder has been mended
    retried = clipmill("retry", output, "--json")
    assert retried.data["clips"] == {"found": 4, "labelled": 4, "failed": 0, "duplicate": 0}
    assert rows_of(output, "healthy.mp4") == healthy
    fresh = clipmill("label", inputs, "-o", tmp_path / "fresh", *FAST)
    assert fresh.code == 0
    assert digests(output) == digests(tmp_path / "fresh")


def test_a_clip_that_hangs_is_set_aside(clipmill, tmp_path, poisoned):
    spec = tmp_path / "job.toml"
    (tmp_path / "in").mkdir()
    shutil.copy(CLIP, tmp_path / "in" / "hang-decode.mp4")
    spec.write_text(
        f'inputs = ["{tmp_path}/in"]\noutput = "{tmp_path}/out"\nmodels = ["demo"]\nstall_s = 2\n'
        "max_failed_share = 1\n"
    )
    done = clipmill("run", spec, "--json", env=poisoned)
    (failure,) = done.data["failures"]
    assert (failure["error"], failure["stage"]) == ("timeout", "decode")
    assert clipmill("verify", tmp_path / "out").code == 0


def test_inputs_that_vanish_are_failures_and_come_back(clipmill, tmp_path, poisoned):
    inputs = tmp_path / "in"
    inputs.mkdir()
    shutil.copy(CLIP, inputs / "stays.mp4")
    shutil.copy(MINUTE[0], inputs / "vanish.mp4")
    done = clipmill("label", inputs, "-o", tmp_path / "out", *FAST, env=poisoned)
    assert done.code == 0, done.errors
    (failure,) = done.data["failures"]
    assert (failure["error"], failure["retryable"]) == ("unreadable", True)
    assert done.data["clips"]["labelled"] == 1
    shutil.copy(MINUTE[0], inputs / "vanish.mp4")
    done = clipmill("label", inputs, "-o", tmp_path / "out", *FAST)
    assert done.data["clips"] == {"found": 2, "labelled": 2, "failed": 0, "duplicate": 0}
    assert clipmill("verify", tmp_path / "out").code == 0


def test_an_output_that_turned_read_only_is_exit_1_and_the_next_run_completes(clipmill, small_disk):
    disk = small_disk("64m")
    output = disk / "out"
    assert clipmill("label", CLIP, "-o", output, *FAST).code == 0
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    done = clipmill("label", CLIP, MINUTE[0], "-o", output, *FAST)
    assert done.code == 1
    assert "Read-only file system" in done.errors
    assert done.errors.count("\n") == 1
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    done = clipmill("label", CLIP, MINUTE[0], "-o", output, *FAST)
    assert done.data["clips"]["labelled"] == 2
    assert clipmill("verify", output).code == 0


@pytest.mark.parametrize("handles", [40, 64])
def test_out_of_file_handles_is_one_message_or_failures_and_the_next_run_completes(
    clipmill, tmp_path, handles
):
    label = command("label", SAMPLE, "-o", tmp_path / "out", *FAST, "--workers", "16")
    done = Finished(
        subprocess.run(
            label,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (handles, handles)),
        )
    )
    assert done.code in {0, 1}, done.errors
    if done.code == 1:
        assert "Too many open files" in done.errors
        assert done.errors.startswith("clipmill: ")
        assert "Traceback" not in done.errors
    assert clipmill(*label[1:]).code == 0
    assert clipmill("verify", tmp_path / "out").code == 0


def test_an_input_without_permission_is_a_failure(clipmill, tmp_path):
    inputs = tmp_path / "in"
    (inputs / "locked").mkdir(parents=True)
    shutil.copy(CLIP, inputs / "a.mp4")
    shutil.copy(MINUTE[0], inputs / "locked" / "b.mp4")
    (inputs / "locked").chmod(0)
    if os.access(inputs / "locked", os.R_OK):
        pytest.skip("this user may read everything")
    done = clipmill("label", inputs, "-o", tmp_path / "out", *FAST)
    (inputs / "locked").chmod(0o700)
    (failure,) = done.data["failures"]
    assert (failure["stage"], failure["error"]) == ("discover", "unreadable")
    assert done.data["clips"]["labelled"] == 1


def test_a_second_run_waits_when_it_is_told_to(clipmill, tmp_path):
    import fcntl

    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".clipmill.lock").open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.write(b'{"host": "other", "process": 7, "since": "2026-01-01T00:00:00Z"}')
        handle.flush()
        label = command("label", CLIP, "-o", tmp_path / "out", *FAST, "--wait")
        with subprocess.Popen(label, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            assert "process 7 on other" in process.stderr.readline()
            assert process.poll() is None
            fcntl.flock(handle, fcntl.LOCK_UN)
            assert process.wait(timeout=300) == 0
    assert clipmill("verify", tmp_path / "out").code == 0


def test_two_runs_at_once_end_right(clipmill, tmp_path):
    label = command("label", SAMPLE, "-o", tmp_path / "out", *FAST, "--wait")
    both = [subprocess.Popen(label, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert clipmill("label", SAMPLE, "-o", tmp_path / "alone", *FAST).code == 0
    assert digests(tmp_path / "out") == digests(tmp_path / "alone")
