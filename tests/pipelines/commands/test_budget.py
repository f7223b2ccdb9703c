import argparse
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from models.errors import ModelUsageError
from pipelines.commands import budget
from pipelines.outcome import JobError, UsageError


def command(*arguments):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    budget.add_arguments(parser)
    outcome = budget.run(parser.parse_args([str(argument) for argument in arguments]))
    return outcome, json.loads(json.dumps(outcome.data, allow_nan=False))


def printed(outcome):
    console = Console(file=io.StringIO(), width=200)
    for item in outcome.human:
        console.print(item, highlight=False, markup=False)
    return console.file.getvalue()


def test_the_command_on_a_data_set(dataset):
    outcome, data = command(
        dataset, "--workload", "fsd", "--workload", "grok", "--cluster", "cortex", "--as-of", "2025-01"
    )
    assert [(item["workload"], item["accelerator"]) for item in data["estimates"]] == [
        ("fsd", "H100-SXM"),
        ("grok", "H100-SXM"),
    ]
    assert data["estimates"][0]["as_of"] == "2025-01-31"
    assert data["figures"]["camera_hours"] == 3.0
    assert (data["dataset"], data["seed"], data["facts_as_of"]) == (str(dataset), 0, "2026-05-06")
    text = printed(outcome)
    assert "3 camera-hours: 2 clips, 150 labelled frames" in text
    assert "50,000" in text
    words = " ".join(text.split())
    assert "utilisation on H100-SXM: language: 25 published runs of 10 families" in words
    assert "utilisation on H100-SXM: assumed" in words
    assert max(map(len, text.splitlines())) <= 100


def test_the_command_on_camera_hours():
    outcome, data = command(
        "--camera-hours", "1e6", "--allocation", "10%", "--cluster", "dojo", "--workload", "fsd"
    )
    (answer,) = data["estimates"]
    assert answer["accelerator_count"] == 300
    assert answer["assumptions"][0] == {
        "name": "camera_hours",
        "value": 1e6,
        "unit": "h",
        "kind": "user",
        "source": "given by the caller",
    }
    assert "one camera of 1280 x 960" in printed(outcome)


def test_ten_times_the_hours_take_ten_times_the_accelerator_hours():
    small, large = (
        command("--camera-hours", hours, "--workload", "fsd", "--cluster", "dojo")[1]["estimates"][0][
            "quantities"
        ]
        for hours in (10, 100)
    )
    assert large["accelerator_hours"]["p50"] == pytest.approx(10 * small["accelerator_hours"]["p50"])


def test_the_command_on_flops():
    outcome, data = command(
        "--flops", "3.8e25", "--kind", "language", "--accelerator", "h100", "--count", 16384, "--params", "405e9", "--as-of", "2024-07"
    )  # fmt: skip
    (answer,) = data["estimates"]
    assert (answer["workload"], answer["cluster"], answer["phase"]) == (None, None, None)
    assert (answer["accelerator"], answer["accelerator_count"], answer["as_of"]) == (
        "H100-SXM",
        16384,
        "2024-07-31",
    )
    assert data["figures"] is None
    assert "15,616 of 16,384" in printed(outcome)
    assert answer["layout"]["best"]["tensor"] == 8
    assert answer["backtest"]["kind"] == "language"


def test_before_the_first_phase(dataset):
    outcome, data = command(dataset, "--cluster", "colossus", "--workload", "fsd", "--as-of", "2024-01")
    assert (outcome.exit_code, data["estimates"][0]["feasible"], data["estimates"][0]["quantities"]) == (
        0,
        False,
        None,
    )
    assert "first workload of 2024-08-11" in printed(outcome)
    rows = pq.read_table(dataset / "budget" / "all.parquet").to_pylist()
    assert [row["p50"] for row in rows] == [None] * 6


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give one of DIR, --camera-hours and --flops, not none"),
        (["{}", "--camera-hours", "1"], "not DIR and --camera-hours"),
        (["{}", "--workload", "skynet"], "workload 'skynet' is unknown"),
        (["{}", "--cluster", "skynet"], "cluster 'skynet' is unknown"),
        (["{}", "--as-of", "soon"], "as-of 'soon'"),
        (["{}", "--as-of", ""], "as-of ''"),
        (["{}", "--allocation", "half"], "allocation 'half'"),
        (["{}", "--allocation", ""], "allocation ''"),
        (["{}", "--seed", "-1"], "--seed -1 is negative"),
        (["{}", "--kind", "video"], "DIR does not go with --kind"),
        (["--camera-hours", "nan"], "--camera-hours nan: give a number above 0"),
        (["--camera-hours", "0"], "--camera-hours 0: give a number above 0"),
        (["--camera-hours", "1", "--count", "3"], "--camera-hours does not go with --count"),
        (["--camera-hours", "1", "--workload", "skynet"], "workload 'skynet' is unknown"),
        (
            ["--flops", "1e20", "--kind", "video", "--accelerator", "H100", "--cluster", "dojo"],
            "does not go with --cluster",
        ),
        (["--flops", "1e20"], "--flops needs --kind and --accelerator"),
        (["--flops", "0", "--kind", "video", "--accelerator", "H100"], "flops 0: give a number above 0"),
        (
            ["--flops", "1", "--kind", "video", "--accelerator", "H100", "--count", "0"],
            "count 0: give a number above 0",
        ),
        (["--flops", "1", "--kind", "video", "--accelerator", "abacus"], "accelerator 'abacus' is unknown"),
        (["{}", "--vehicles", "5"], "--hours-per-day and --days missing"),
        (["{}", "--keep-rate", "0.5"], "a fleet needs --vehicles"),
        (
            ["{}", "--vehicles", "5", "--hours-per-day", "-1", "--days", "3"],
            "hours_per_day -1: give a number above 0",
        ),
        (["{}", "--deadline", "-3"], "deadline -3 is not a positive number"),
        (["{}", "--money", "nan"], "money nan is not a positive number"),
        (["{}", "--input-size", "640x384"], "--input-size goes with --network NET.onnx"),
        (["{}", "--network", "demo", "--input-size", "640"], "give WIDTHxHEIGHT"),
        (["{}", "--network", "skynet"], "network 'skynet' is unknown"),
        (["{}", "--network", "demo", "--workload", "grok"], "network demo takes frames alone"),
        (["--camera-hours", "1", "--accelerator", "H100"], "does not go with --accelerator"),
    ],
)
def test_bad_usage_is_told(dataset, arguments, told):
    with pytest.raises(UsageError, match=told.replace("(", r"\(")):
        command(*(str(dataset) if argument == "{}" else argument for argument in arguments))
    assert not (dataset / "budget").exists()


def test_a_file_that_is_no_network_is_told(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(ModelUsageError, match=r"broken\.onnx"):
        command("--camera-hours", "1", "--network", tmp_path / "broken.onnx", "--workload", "autopilot")


def test_a_fleet_of_which_the_data_set_is_a_sample(dataset):
    outcome, data = command(
        dataset, "--workload", "fsd", "--cluster", "cortex", "--vehicles", "1e5", "--hours-per-day", "1", "--days", "30"
    )  # fmt: skip
    # two hours of the front camera and one of the back: 1.5 camera-hours a vehicle-hour
    assert data["figures"]["camera_hours"] == pytest.approx(1.5 * 3e6)
    assert data["fleet"] == {"vehicles": 1e5, "hours_per_day": 1.0, "days": 30.0, "keep_rate": 1.0}
    assert data["uplink"]["recorded"]["unit"] == "PB"
    assert data["estimates"][0]["assumptions"][0]["kind"] == "user"
    assert "100k vehicles, 1 h a day for 30 days" in printed(outcome)


def test_limits_are_told_with_their_chances():
    outcome, data = command(
        "--camera-hours", "1e6", "--workload", "fsd", "--cluster", "cortex", "--deadline", "20", "--money", "1e6"
    )  # fmt: skip
    chances = {chance["limit"]: chance["probability"] for chance in data["estimates"][0]["chances"]}
    assert set(chances) == {"deadline", "money"}
    assert all(0 < chance < 1 for chance in chances.values())
    assert "chance to be done within 20 d: " in printed(outcome)


def test_a_network_that_is_a_model(dataset):
    outcome, data = command(dataset, "--workload", "autopilot", "--cluster", "cortex", "--network", "demo")
    network = data["network"]
    assert network["forward_flops"] > 1e9
    assert data["estimates"][0]["network"] == "demo"
    assert all(item["output_elements"] >= 0 for item in network["uncounted"])
    assert f"{network['parameters']:,} parameters" in printed(outcome)


def test_fp8_is_faster_where_there_is_fp8():
    hours = [
        command("--camera-hours", "1e6", "--workload", "fsd", "--cluster", "cortex", "--precision", name)[1]
        for name in ("bf16", "fp8")
    ]
    p50 = [item["estimates"][0]["quantities"]["accelerator_hours"]["p50"] for item in hours]
    assert 1.2 < p50[0] / p50[1] < 1.7


def test_the_page(tmp_path):
    outcome, _ = command(
        "--camera-hours", "10", "--workload", "fsd", "--cluster", "cortex", "--html", tmp_path / "a.html"
    )
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert "<svg" in page
    assert "a.html" in outcome.human[-1]


def test_a_page_that_cannot_be_written_fails_the_job(tmp_path):
    with pytest.raises(JobError, match="the page cannot be written"):
        command("--camera-hours", "1", "--workload", "fsd", "--html", tmp_path / "nowhere" / "a.html")


def test_beam_flags_without_a_pipeline_are_refused():
    parser = argparse.ArgumentParser()
    budget.add_arguments(parser)
    arguments = parser.parse_args(["--camera-hours", "1"])
    arguments.beam_arguments = ["--runner=PrismRunner"]
    with pytest.raises(UsageError, match="no pipeline runs"):
        budget.run(arguments)


def test_the_module_is_light_and_knows_beam_only_with_a_data_set():
    code = (
        "import argparse, sys\n"
        "from pipelines.commands import budget\n"
        "assert not {'numpy', 'pydantic', 'rich', 'pyarrow', 'apache_beam'} & set(sys.modules)\n"
        "parser = argparse.ArgumentParser(); budget.add_arguments(parser)\n"
        "budget.run(parser.parse_args(['--camera-hours', '1', '--workload', 'fsd']))\n"
        "assert 'apache_beam' not in sys.modules\n"
    )
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_file_is_no_data_set(tmp_path):
    (tmp_path / "notes.txt").write_text("not a folder")
    with pytest.raises(UsageError, match="no labelled data set here"):
        command(tmp_path / "notes.txt")


def test_a_data_set_that_cannot_be_written_is_answered_all_the_same(dataset, monkeypatch):
    writable = command(dataset, "--workload", "fsd", "--cluster", "cortex")[1]
    (dataset / "budget" / "all.parquet").unlink()
    monkeypatch.setattr("os.access", lambda *_: False)
    outcome, data = command(dataset, "--workload", "fsd", "--cluster", "cortex")
    assert data["estimates"] == writable["estimates"]
    assert data["notes"] == ["the data set cannot be written: its budget table stays"]
    assert "the data set cannot be written" in printed(outcome)
    assert not (dataset / "budget" / "all.parquet").exists()
