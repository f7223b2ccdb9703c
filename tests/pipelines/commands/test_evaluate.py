import argparse
import json
import subprocess

import pyarrow.parquet as pq
import pytest
from evaluated import ONE, STEP_NS, truth, write, write_dataset
from running import SAMPLE, Finished, command

from pipelines.cli import main
from pipelines.commands import evaluate
from pipelines.outcome import UsageError

BOX = (0.0, 0.0, 50.0, 50.0)


def run(*argv):
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return evaluate.run(parser.parse_args([str(a) for a in argv]))


def row(frame=0, category="car", raw=0.8):
    return ("clip-a", frame, category, "t1", BOX, 0.9, raw, "detected")


def true(frame=0, category="car", clip="drive.mp4"):
    return (clip, frame * STEP_NS, category, "1", BOX)


@pytest.fixture
def place(tmp_path):
    """A data set and a truth that it meets in three of four frames."""
    write_dataset(tmp_path / "out", [row(frame) for frame in range(3)], other=[row(0)])
    write(tmp_path, "truth", truth([true(frame) for frame in range(4)]))
    return tmp_path


def test_everything_is_in_one_object(place):
    data = run(place / "out", "--truth", place / "truth.parquet", "--model", "one").data
    assert json.loads(json.dumps(data)) == data
    assert data["model"] == {"name": "one", "digest": ONE}
    assert data["form"] == "parquet"
    assert data["frames"] == {
        "compared": 4,
        "truth": 4,
        "truth_without_labels": 0,
        "labels": 6,
        "tolerance_ms": 50.0,
    }
    assert data["clips"] == {"compared": 1, "unmatched": [], "ambiguous": [], "repeated": []}
    car = data["categories"]["car"]
    assert (car["recall50"], car["truth"], car["labels"]) == (0.75, 4, 3)
    assert car["raw"]["recall50"] == 0.75
    assert car["tracking"]["at_score"]["mota"] == 0.75
    assert car["tracking"]["at_score"]["score"] == 0.5
    assert car["tracking"]["best"]["score"] == 0.0
    assert [step["labels"] for step in car["tracking"]["curve"]][-3:] == [0, 0, 0]
    assert data["mean"]["tracking"]["best"]["idf1"] == pytest.approx(6 / 7)
    assert data["mean"]["calibration"]["score"] == {"error": pytest.approx(0.1), "rows": 3}
    assert data["mean"]["calibration"]["score_raw"]["error"] == pytest.approx(0.2)
    assert data["breakdowns"]["camera"][0]["group"] == "front"


def test_options_reach_the_figures(place):
    arguments = (place / "out", "--truth", place / "truth.parquet", "--model", "one")
    assert run(*arguments, "--score", "0.95").data["mean"]["tracking"]["at_score"]["mota"] == 0.0
    write(place, "frames", truth([true(0)]).select(["clip_id", "timestamp_ns"]))
    assert run(*arguments, "--frames", place / "frames.parquet").data["frames"]["compared"] == 1
    neutral = run(*arguments, "--neutral", "car=trailer", "--neutral", "bus=coach").data["neutral"]
    assert neutral == {"car": ["van", "trailer"], "bus": ["coach"]}
    moved = truth([(clip, time + 70_000_000, *rest) for clip, time, *rest in [true(0), true(1)]])
    write(place, "moved", moved)
    near = run(
        place / "out", "--truth", place / "moved.parquet", "--model", "one", "--tolerance-ms", "80"
    ).data
    assert (near["frames"]["compared"], near["frames"]["tolerance_ms"]) == (2, 80.0)


def test_a_truth_of_numbered_frames(place):
    (place / "mot").mkdir()
    lines = "".join(f"{frame + 1},1,0,0,50,50,1,3,1\n" for frame in range(4))
    (place / "mot" / "drive.txt").write_text(lines)
    data = run(place / "out", "--truth", place / "mot", "--truth-fps", "5", "--model", "one").data
    assert (data["form"], data["frames"]["compared"]) == ("mot", 4)
    assert data["categories"]["car"]["recall50"] == 0.75
    with pytest.raises(UsageError, match="--truth-fps"):
        run(place / "out", "--truth", place / "mot", "--model", "one")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--score", "1.5"], "--score 1.5: must lie between 0 and 1"),
        (["--score", "nan"], "--score nan"),
        (["--truth-fps", "0"], "--truth-fps 0: must be above 0"),
        (["--truth-fps", "nan"], "--truth-fps nan"),
        (["--tolerance-ms", "-1"], "--tolerance-ms -1: must not be negative"),
        (["--tolerance-ms", "inf"], "--tolerance-ms inf"),
        (["--neutral", "car"], "--neutral car: CATEGORY=OTHER"),
        (["--neutral", "car=car"], "CATEGORY=OTHER"),
        (["--model", "three"], "no labels of a network 'three'; there are one"),
        ([], "several networks: choose one with --model"),
        (["--frames", "nowhere.parquet"], "nowhere.parquet: no such file"),
    ],
)
def test_bad_options_are_usage_errors(place, options, message):
    with pytest.raises(UsageError, match=message):
        run(place / "out", "--truth", place / "truth.parquet", *options)


def test_places_that_are_not_there_are_usage_errors(place):
    with pytest.raises(UsageError, match=r"nowhere: no such folder"):
        run(place / "nowhere", "--truth", place / "truth.parquet")
    with pytest.raises(UsageError, match=r"nowhere: no such file or folder"):
        run(place / "out", "--truth", place / "nowhere")
    with pytest.raises(UsageError, match="no labels here"):
        run(place, "--truth", place / "truth.parquet")
    (place / "frames").mkdir()
    with pytest.raises(UsageError, match=r"frames: no such file"):
        run(place / "out", "--truth", place / "truth.parquet", "--frames", place / "frames")


def test_nothing_in_common_is_a_usage_error_that_names_both_sides(place, capsys):
    write(place, "other", truth([true(clip="other.mp4")]))
    arguments = ["evaluate", str(place / "out"), "--truth", str(place / "other.parquet"), "--model", "one"]
    assert main([*arguments, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == 2
    assert "the truth has 1 (other.mp4)" in error["message"]
    assert "has 1 (/data/drive.mp4)" in error["message"]


def test_the_table_fits_and_begins_with_the_headline(place, capsys):
    assert (
        main(["evaluate", str(place / "out"), "--truth", str(place / "truth.parquet"), "--model", "one"]) == 0
    )
    shown = capsys.readouterr().out
    assert shown.startswith("AP50 .752, AP .752 (network alone: .752, .752), HOTA .")
    assert max(map(len, shown.splitlines())) <= 100 + len(str(place))


@pytest.mark.slow
def test_the_demo_network_on_the_sample(tmp_path):
    def clipmill(*arguments):
        return Finished(
            subprocess.run(command(*arguments), capture_output=True, text=True, check=False, timeout=300)
        )

    labels = tmp_path / "out"
    done = clipmill("label", SAMPLE, "-o", labels, "--model", "demo", "--max-failed-share", 0.5)
    assert done.code == 0, done.errors
    done = clipmill("evaluate", labels, "--truth", SAMPLE / "truth", "--json")
    assert done.code == 0, done.errors
    found = done.data
    clips = set(pq.read_table(SAMPLE / "truth" / "clips.parquet")["clip_id"].to_pylist())
    assert found["clips"]["compared"] == len(clips) == 13
    assert found["frames"]["compared"] == found["frames"]["labels"]
    assert found["mean"]["ap50"] > 0.6
    assert found["mean"]["tracking"]["at_score"]["hota"] > 0.3
    assert {group["group"] for group in found["breakdowns"]["light"]} == {"day", "dusk", "night"}
    assert {"front", "back"} < {group["group"] for group in found["breakdowns"]["camera"]}
    assert {group["group"] for group in found["breakdowns"]["occlusion"]} == {"none", "partly", "largely"}
    assert sum(group["truth"] for group in found["breakdowns"]["light"]) == found["mean"]["truth"]
