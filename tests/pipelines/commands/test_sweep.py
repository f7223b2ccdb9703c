import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.cli import main
from transforms.tables.budget_schema import SWEEP

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "sweep.md"

SPEC = """
draws = 20
[rig]
cameras = 8
width = 1280
height = 960
fps = 36
[grid]
workload = ["fsd"]
cluster = ["colossus", "cortex"]
as_of = ["2025-08"]
vehicles = [1e3, 1e4]
hours_per_day = [1]
days = [30, 60, 90]
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(SPEC)
    return path


def test_a_table_a_plot_and_a_summary(tmp_path, spec, capsys):
    out = tmp_path / "out"
    assert main(["sweep", str(spec), "-o", str(out), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    table = pq.read_table(out / "sweep.parquet")
    assert (data["scenarios"], data["rows"]) == (12, table.num_rows)
    assert data["feasible"] == sum(table["feasible"].to_pylist())
    assert data["table"] == str(out / "sweep.parquet")
    assert data["cheapest"]["scenario"] == 0
    costs = [row["cost_usd_p50"] for row in table.to_pylist() if row["feasible"]]
    assert data["cheapest"]["quantities"]["cost_usd"]["p50"] == min(costs)
    days = [row["training_days_p50"] for row in table.to_pylist() if row["feasible"]]
    assert data["fastest"]["quantities"]["training_days"]["p50"] == min(days)
    assert data["plot_note"] == "cost against days, by cluster and vehicles"
    assert (out / "sweep.svg").read_text().startswith("<svg")


def test_people_are_told_the_same(tmp_path, spec, capsys):
    arguments = ["sweep", str(spec), "-o", str(tmp_path / "out"), "--x", "vehicles", "--y", "training_days"]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("12 scenarios, ")
    assert lines[1].startswith("cheapest: fsd (driving, bf16) on 240,000 camera-hours: ")
    assert lines[1].endswith(", 2025-08-31 (scenario 0)")
    assert lines[2].startswith("fastest: fsd")
    assert lines[3].endswith("sweep.svg: training time against vehicles, by cluster and days")


def test_a_picture_that_no_longer_holds_is_removed(tmp_path, spec, capsys):
    out = tmp_path / "out"
    assert main(["sweep", str(spec), "-o", str(out)]) == 0
    spec.write_text(SPEC.replace("[1e3, 1e4]", "[1e3]").replace("[30, 60, 90]", "[30]"))
    capsys.readouterr()
    assert main(["sweep", str(spec), "-o", str(out), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["plot"] is None
    assert data["plot_note"].startswith("no list of the grid holds two numbers or more")
    assert sorted(path.name for path in out.iterdir() if path.suffix) == [".clipmill.lock", "sweep.parquet"]


def test_where_nothing_is_feasible_that_is_said(tmp_path, spec, capsys):
    spec.write_text(SPEC.replace("2025-08", "2024-01"))
    assert main(["sweep", str(spec), "-o", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "cheapest: no scenario is feasible" in told
    assert "no plot: nothing to draw" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--x", "cluster"], "plot: cluster is no list of two numbers or more; in this grid: vehicles, days"),
        (["--y", "happiness"], "plot: happiness is no quantity; known: accelerator_hours, "),
        (["--workers", "0"], "--workers 0"),
    ],
)
def test_bad_usage_is_told_before_anything_runs(tmp_path, spec, arguments, told, capsys):
    assert main(["sweep", str(spec), "-o", str(tmp_path / "out"), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_documentation_has_a_spec_that_holds_and_every_column():
    text = PAGE.read_text(encoding="utf-8")
    from transforms.budget.sweeps.spec import SweepSpec

    example = text.partition("```toml\n")[2].partition("```")[0]
    assert SweepSpec.parse(tomllib.loads(example)).resolve().grid.count > 1
    for column in SWEEP:
        name = column.name
        for at in ("_p10", "_p50", "_p90"):
            name = name.removesuffix(at)
        assert f"`{name}" in text, f"{column.name} is not documented"


def test_the_module_is_light():
    code = (
        "import sys\n"
        "from pipelines.commands import sweep\n"
        "assert not {'numpy', 'pydantic', 'rich', 'pyarrow', 'apache_beam'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
