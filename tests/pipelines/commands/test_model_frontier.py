import argparse
import io
import json
import tempfile

import pytest
from evaluated import truth, write
from rich.console import Console
from running import SAMPLE

from models.errors import ModelMismatchError
from pipelines.commands import model_frontier, models
from pipelines.outcome import ExitCode, JobError, UsageError

CLIPS = SAMPLE / "TeslaCam" / "SavedClips"
TRUTH = SAMPLE / "truth"


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Where temporary data sets go, and a cache without networks."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("CLIPMILL_MODELS", str(tmp_path / "cache"))
    monkeypatch.setenv("CLIPMILL_OFFLINE", "1")
    return place


def run(*arguments):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    models.add_arguments(parser)
    return models.run(parser.parse_args(["frontier", *map(str, arguments)]))


def test_networks_that_are_here_at_the_sizes_asked_for(temporary, capsys):
    outcome = run(CLIPS, "--truth", TRUTH, "--sizes", "320,641,640", "--fps", "2")
    assert outcome.exit_code == ExitCode.GOOD
    assert not list(temporary.iterdir())
    data = json.loads(json.dumps(outcome.data))
    rows = {row["size"]: row for row in data["rows"]}
    assert set(rows) == {320, 640}
    assert all(row["model"] == "demo" for row in data["rows"])
    small, large = rows[320], rows[640]
    assert large["ap"] > small["ap"]
    assert large["ap50"] > large["ap"] > 0
    assert 0 < large["hota"] < 1
    assert large["raw_ap50"] > 0
    for row in (small, large):
        assert row["decode_ms"] > 0
        assert row["network_ms"] > 0
        assert row["decode_ms"] + row["network_ms"] < row["all_ms"]
        # a machine's core as fast as here: labelled frames of 1,000 hours, each as long as here
        assert row["core_hours"]["p50"] == pytest.approx(1000 * 2 * row["all_ms"] / 1e3, rel=0.25)
        assert row["core_hours"]["p10"] < row["core_hours"]["p50"] < row["core_hours"]["p90"]
        assert row["usd"]["unit"] == "USD"
    # four times the pixels: dearer on any machine, and better
    assert large["network_ms"] > small["network_ms"]
    assert small["on_front"]
    assert large["on_front"]
    assert any(note.startswith("demo@641 left out: --size 641") for note in data["notes"])
    shown = capsys.readouterr()
    assert not shown.out
    assert "1 of 2: demo@320" in shown.err
    assert "demo@641 left out" in shown.err


def test_the_table_fits_a_terminal():
    console = Console(width=100, file=io.StringIO())
    for item in run(CLIPS, "--truth", TRUTH, "--model", "demo@320", "--fps", "1").human:
        console.print(item, highlight=False, markup=False)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert sum("demo" in line and line.rstrip().endswith("*") for line in lines) == 1


def test_a_network_that_does_not_fit_is_told_and_left_out(monkeypatch, capsys, temporary):
    from pipelines import readiness

    real = readiness.load_detector

    def load(ref):
        if ref.size == 352:
            raise ModelMismatchError("demo: it gives something else")
        return real(ref)

    monkeypatch.setattr(readiness, "load_detector", load)
    arguments = (CLIPS, "--truth", TRUTH, "--fps", "1")
    data = run(*arguments, "--model", "demo@352", "--model", "demo@320", "--model", "yolox-nano").data
    assert [row["size"] for row in data["rows"]] == [320]
    shown = capsys.readouterr().err
    left = [note for note in data["notes"] if "left out" in note]
    assert left[0].startswith("yolox-nano left out: yolox-nano is not on this machine")
    assert left[1] == "demo@352 left out: demo: it gives something else"
    assert all(note in shown for note in left)
    with pytest.raises(JobError, match="something else"):
        run(*arguments, "--model", "demo@352")
    assert not list(temporary.iterdir())


def test_a_network_is_compared_once_however_often_it_is_named():
    trials, left_out = model_frontier._trials(["demo@640", "demo", "demo@640"], (640, 960))
    assert [str(trial) for trial in trials] == ["demo@640", "demo@960"]
    assert left_out == []
    trials, _ = model_frontier._trials(["demo"], ())
    assert [str(trial) for trial in trials] == ["demo@1280"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sizes", "640,x"], "--sizes 640,x: numbers of pixels"),
        (["--sizes", ""], "numbers of pixels"),
        (["--sizes", "9" * 5000], "numbers of pixels"),
        (["--truth-fps", "nan"], "--truth-fps nan"),
        (["--model", "yolox-nano"], "yolox-nano left out"),
        (["--model", "demo@641"], "demo@641 left out: --size 641"),
        (["--model", "none"], "no model is called 'none'"),
        (["--fps", "never"], "labels.fps"),
        (["--sizes", ",".join(str(32 * step) for step in range(1, 128))], "at most 100 are compared"),
    ],
)
def test_bad_options_are_usage_errors(options, message):
    with pytest.raises(UsageError, match=message):
        run(CLIPS, "--truth", TRUTH, *options)


def test_truth_of_other_clips_is_a_usage_error(temporary, tmp_path):
    write(tmp_path, "other", truth([("other.mp4", 0, "car", "1", (0, 0, 50, 50))]))
    with pytest.raises(UsageError, match=r"no clip in common: the truth has 1 \(other\.mp4\)"):
        run(CLIPS, "--truth", tmp_path / "other.parquet", "--model", "demo@320", "--fps", "1")
    assert not list(temporary.iterdir())
