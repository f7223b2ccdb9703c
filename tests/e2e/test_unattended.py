"""Runs as a scheduler starts them and sees them: job specs with dates, JSON lines, figures, records."""

import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from importlib.metadata import version

import pytest
from prometheus_client.parser import text_string_to_metric_families
from running import SAMPLE, command

from pipelines import autolabel
from pipelines.cli import main
from pipelines.outcome import ExitCode, JobError

EVENTS = ("run_started", "plan_made", "shard_done", "clip_failed", "run_ended")


def figures(path):
    families = text_string_to_metric_families(path.read_text())
    return {
        (sample.name, sample.labels.get("state") or sample.labels.get("stage")): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture
def spec(tmp_path):
    clips = tmp_path / "in" / "2026-02-28"
    clips.mkdir(parents=True)
    for clip in SAMPLE.glob("TeslaCam/SavedClips/*/*-front.mp4"):
        shutil.copy(clip, clips)
    (clips / "2025-06-14_09-05-00-front.mp4").write_bytes(b"no video")
    path = tmp_path / "daily.toml"
    path.write_text(
        f'inputs = ["{tmp_path}/in/{{date-1}}"]\noutput = "{tmp_path}/out"\nmodels = ["demo"]\n'
        "max_failed_share = 0.5\n[labels]\nfps = 1\n"
        "[[labels.location_privacy]]\nlatitude_deg = 12.3456\nlongitude_deg = 65.4321\nradius_m = 10\n"
    )
    return path


def test_a_day_as_a_scheduler_sees_it(clipmill, spec, tmp_path):
    prom = tmp_path / "daily.prom"
    how = ["--allow-empty", "--wait", "--json", "--log-format", "json", "--metrics-file", prom]
    environment = {**os.environ, "CLIPMILL_TEST_SECRET": "hunter2-of-the-test"}
    empty = clipmill("run", spec, "--date", "2026-02-01", *how)
    assert (empty.code, empty.data["run_id"]) == (0, None)
    assert [json.loads(line)["event"] for line in empty.errors.splitlines()] == ["no_clip_yet"]
    assert figures(prom)["clipmill_run_clips", "labelled"] == 0
    assert not (tmp_path / "out").exists()

    done = clipmill("run", spec, "--date", "2026-03-01", *how, env=environment)
    assert done.code == 0, done.errors
    lines = [json.loads(line) for line in done.errors.splitlines()]
    written = done.data["shards"]["written"]
    assert written == 2
    names = [line["event"] for line in lines]
    assert names == [*EVENTS[:2], *["shard_done"] * written, "clip_failed", "run_ended"]
    assert {line["run_id"] for line in lines} == {done.data["run_id"]}
    assert sum(line["frames"] for line in lines if line["event"] == "shard_done") == done.data["frames"]
    assert lines[-1]["shards"] == done.data["shards"]

    folder = tmp_path / "out" / "runs" / done.data["run_id"]
    assert (folder / "metrics.prom").read_bytes() == prom.read_bytes()
    found = figures(prom)
    assert (
        found["clipmill_run_labelled_frames", None]
        == found["clipmill_run_frames", None]
        == done.data["frames"]
    )
    assert found["clipmill_run_clips", "failed"] == 1
    assert found["clipmill_run_shards", "written"] == written
    size = sum(path.stat().st_size for path in (tmp_path / "in").rglob("*.mp4"))
    assert size * 0.5 < found["clipmill_run_read_bytes", None] < size * 2
    assert found["clipmill_run_stage_seconds", "detect"] > 0
    assert 0 <= time.time() - found["clipmill_run_end_timestamp_seconds", None] < 600

    text = (folder / "run.json").read_text()
    record = json.loads(text)
    assert record["job"]["inputs"] == [str(tmp_path / "in" / "2026-02-28")]
    assert record["versions"]["python"] == platform.python_version()
    assert record["versions"]["libraries"]["pyarrow"] == version("pyarrow")
    assert (record["exit_code"], record["runner"]) == (0, "FnApiRunner")
    assert record["started"] < record["ended"]
    assert len(record["label_digest"]) == len(record["models"][0]["digest"]) == 64
    for secret in (socket.gethostname(), "hunter2-of-the-test", "12.3456", "65.4321"):
        assert secret not in text + done.errors + prom.read_text()

    again = clipmill("run", spec, "--date", "2026-03-01", *how)
    assert again.data["shards"] == {"written": 0, "skipped": written, "failed": 0}
    assert figures(prom)["clipmill_run_shards", "skipped"] == written
    digests = [json.loads(path.read_text())["label_digest"] for path in folder.parent.glob("*/run.json")]
    assert digests == [record["label_digest"]] * 2
    tried = clipmill("retry", tmp_path / "out", "--set", "labels.location_privacy=[]", "--metrics-file", prom)
    assert tried.code != 0
    assert figures(prom)["clipmill_run_shards", "skipped"] == written


def test_an_interrupted_run_leaves_its_exit_code(spec, tmp_path):
    prom = tmp_path / "daily.prom"
    how = ["--date", "2026-03-01", "--log-format=json", "--metrics-file", prom, "--set", "labels.fps=all"]
    process = subprocess.Popen(command("run", spec, *how), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if json.loads(line)["event"] == "plan_made":
            break
    process.send_signal(signal.SIGTERM)
    last = json.loads(process.stderr.read().splitlines()[-1])
    assert process.wait(60) == 130
    assert (last["event"], last["exit_code"]) == ("failed", 130)
    assert figures(prom)["clipmill_run_exit_code", None] == 130


def test_a_metrics_file_that_cannot_be_written_is_told_before_the_run(clipmill, spec, tmp_path):
    done = clipmill("run", spec, "--date", "2026-03-01", "--metrics-file", tmp_path / "no" / "x.prom")
    assert done.code == 2
    assert "is no folder" in done.errors
    assert not (tmp_path / "out").exists()


def test_a_spec_with_a_base_goes_with_dry_runs_retries_and_removals(clipmill, spec, tmp_path):
    """What is asked of a data set after `run` is what may be asked of it after `label`."""
    day = ("--date", "2026-03-01", "--json")
    first = clipmill(
        "run", spec, *day, "--set", "labels.adaptive=true", "--set", "labels.location_privacy=[]"
    )
    assert first.code == 0, first.errors
    text = spec.read_text().partition("[[labels")[0].replace("[labels]", "[labels]\nadaptive = true")
    spec.write_text(f'base = "{tmp_path}/{{date:%Y}}"\n{text.replace("/out", "/new")}')
    (tmp_path / "out").rename(tmp_path / "2026")
    told = clipmill("run", spec, *day, "--dry-run")
    assert told.data["shards"] == {"label": 0, "take_over": 2, "keep": 0}
    assert not (tmp_path / "new").exists()
    prom = tmp_path / "daily.prom"
    taken = clipmill("run", spec, *day, "--metrics-file", prom)
    assert (taken.data["taken_over"], taken.data["shards"]["skipped"]) == (2, 0)
    assert figures(prom)["clipmill_run_shards", "taken_over"] == 2
    assert figures(prom)["clipmill_run_labelled_frames", None] == 0

    how = ("--json", "--log-format", "json", "--metrics-file", prom)
    tried = clipmill("retry", tmp_path / "new", "--set", "max_failed_share=0.1", *how)
    assert tried.code == 3, tried.errors
    assert tried.data["shards"] == {"written": 0, "skipped": 2, "failed": 0}
    assert json.loads(tried.errors.splitlines()[-1])["exit_code"] == 3
    assert figures(prom)["clipmill_run_exit_code", None] == 3
    assert figures(prom)["clipmill_run_shards", "skipped"] == 2

    broken = "2025-06-14_09-05-00-front.mp4"
    done = clipmill("forget", tmp_path / "new", "--clip", broken)
    assert done.code == 0, done.errors
    for path in (tmp_path / "new" / "runs").rglob("*"):
        assert path.is_dir() or broken.encode() not in path.read_bytes(), path
    assert len(list((tmp_path / "new" / "runs").glob("*/metrics.prom"))) == 2
    (tmp_path / "in" / "2026-02-28" / broken).unlink()
    again = clipmill("retry", tmp_path / "new", "--json")
    assert (again.code, again.data["clips"]["failed"], again.data["shards"]["skipped"]) == (0, 0, 2)


def test_figures_of_a_run_that_failed_are_those_of_the_same_data_set(clipmill, spec, tmp_path):
    prom = tmp_path / "daily.prom"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    how = ["--date", "2026-03-01", "--set", "output=out", "--metrics-file", prom]
    done = clipmill("run", spec, *how, cwd=tmp_path)
    assert done.code == 1
    assert f'dataset="{tmp_path}/out"}} 1' in prom.read_text()
    empty = clipmill("run", spec, *how, "--allow-empty", "--date", "2026-02-01", cwd=tmp_path)
    assert empty.code == 0
    assert f'dataset="{tmp_path}/out"}} 0' in prom.read_text()


def test_a_run_whose_data_set_was_taken_over_does_not_say_that_it_ended_well(spec, monkeypatch, capsys):
    @contextmanager
    def lost(*_arguments, **_options):
        yield
        raise JobError("another run took over")

    monkeypatch.setattr(autolabel, "output_lock", lost)
    assert main(["run", str(spec), "--date", "2026-03-01", "--log-format", "json"]) == ExitCode.JOB_FAILED
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events == ["run_started", "plan_made", "shard_done", "shard_done", "failed"]
