import json
from importlib import resources

import pytest

from pipelines.cli import main
from pipelines.outcome import ExitCode


def printed(capsys, *argv):
    code = main(["backtest", *map(str, argv)])
    return code, capsys.readouterr()


def test_json_holds_cards_rows_and_totals(capsys):
    code, shown = printed(capsys, "--json")
    data = json.loads(shown.out)
    assert code == ExitCode.GOOD
    assert list(data["kinds"]) == ["language", "language_small", "vision", "video"]
    assert data["strata"]["llm"]["median_error"] <= 0.15
    assert data["kinds"]["language"]["median_error"] <= 0.20
    assert data["kinds"]["vision"]["median_error"] <= 0.25
    assert data["kinds"]["video"]["runs"] == 0
    assert len(data["rows"]) == 38
    assert data["untested"]["T5-11B"] == "no kind of network rests on stratum energy_only"
    assert len(data["unseen"]["rows"]) == 23
    quantities = {total["quantity"] for total in data["rederived"]}
    assert quantities == {"accelerator_hours", "days", "energy", "time_between_failures", "goodput"}
    assert len([item for item in data["comparisons"] if item["quantity"] == "mfu"]) == 12


def test_people_read_a_sentence_per_kind_first_and_100_columns(capsys):
    code, shown = printed(capsys)
    lines = shown.out.splitlines()
    assert code == ExitCode.GOOD
    assert max(map(len, lines)) <= 100
    starts = [line.split(":")[0] for line in lines[: lines.index("")] if not line.startswith(" ")]
    assert starts == ["language", "language_small", "vision", "video"]
    assert "T5-11B: energy published 85.7 MWh, worked out 85.3" in lines
    assert any(line.startswith("runs that no prior has seen: language: 16 runs") for line in lines)


def test_a_file_of_ones_own(capsys, tmp_path):
    bundled = resources.files("transforms.budget.facts").joinpath("runs.toml").read_text(encoding="utf-8")
    (tmp_path / "runs.toml").write_text(bundled, encoding="utf-8")
    _, own = printed(capsys, tmp_path / "runs.toml", "--json")
    _, ours = printed(capsys, "--json")
    assert json.loads(own.out)["rows"] == json.loads(ours.out)["rows"]
    # the bundled runs of other families are then the same evidence
    assert json.loads(own.out)["unseen"]["rows"] == json.loads(ours.out)["rows"]

    (tmp_path / "runs.csv").write_text(
        "name,year,params,tokens_or_samples,gpu,gpu_hours,stratum,family,tier,source\n"
        "Mine,2025,7e9,2e12,H100,60000,llm,ours,A,our log\n"
    )
    code, shown = printed(capsys, tmp_path / "runs.csv")
    assert code == ExitCode.GOOD
    assert "not predicted: Mine: no other family of language to predict it from" in shown.out
    assert "from the bundled runs of other families: language: 1 run of 1 family" in shown.out


@pytest.mark.parametrize("name", ["none.csv", "bad.csv"])
def test_a_bad_file_is_bad_usage(capsys, tmp_path, name):
    (tmp_path / "bad.csv").write_text("name,year\nMine,2025\n")
    code, shown = printed(capsys, tmp_path / name)
    assert code == ExitCode.BAD_USAGE
    assert shown.err.startswith("clipmill: ")
    assert name in shown.err
    assert shown.err.count("\n") == 1
