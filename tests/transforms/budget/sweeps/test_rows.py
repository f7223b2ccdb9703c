from datetime import date
from itertools import pairwise

import pyarrow as pa
import pytest

from transforms.budget.costs import UNITS
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.errors import BudgetUsageError
from transforms.budget.request import BudgetRequest
from transforms.budget.supply.phases import Allocation
from transforms.budget.sweeps.grid import Grid, Sweep
from transforms.budget.sweeps.rows import evaluate_range
from transforms.tables.budget_schema import SWEEP


@pytest.fixture(scope="module")
def swept():
    """Two workloads on two clusters, before and after their first phases."""
    grid = Grid(
        workload=("fsd", "grok"),
        cluster=("colossus", "dojo"),
        as_of=(date(2024, 1, 31), date(2025, 8, 31)),
        allocation=("25%", "40000"),
        vehicles=(1e4,),
        hours_per_day=(1.0,),
        days=(30.0,),
        keep_rate=(0.5, 1.0),
        precision=(None, "fp8"),
    )
    sweep = Sweep(grid=grid, seed=4, draws=80)
    return sweep, evaluate_range(sweep, DatasetFigures.of_hours(2.0), 0, grid.count)


def test_a_row_says_what_budget_says(swept):
    sweep, table = swept
    rows = table.to_pylist()
    assert {row["scenario"] for row in rows} == set(range(sweep.grid.count))
    at = 0
    for index in range(sweep.grid.count):
        setting = sweep.grid.setting(index)
        request = BudgetRequest(
            workloads=(setting.workload,),
            clusters=(setting.cluster,),
            as_of=setting.as_of,
            allocation=Allocation.parse(setting.allocation),
            precision=setting.precision,
            fleet=setting.fleet,
            seed=4,
            draws=80,
        )
        for estimate in request.answer(DatasetFigures.of_hours(2.0)):
            row = rows[at]
            at += 1
            assert row["scenario"] == index
            for name in ("workload", "network", "cluster", "as_of", "phase", "accelerator", "feasible"):
                assert row[name] == getattr(estimate, name)
            assert row["accelerators_available"] == estimate.accelerator_count
            if estimate.accelerator is not None:
                # an estimate's reasons go on with remarks on other phases
                assert tuple(row["reasons"]) == estimate.reasons[: len(row["reasons"])]
                assert bool(row["reasons"]) != row["feasible"]
            for name in UNITS:
                told = [row[f"{name}_{quantile}"] for quantile in ("p10", "p50", "p90")]
                if estimate.quantities is None:
                    assert told == [None] * 3
                else:
                    quantity = estimate.quantities[name]
                    assert told == pytest.approx([quantity.p10, quantity.p50, quantity.p90], rel=1e-12)
    assert at == len(rows)


def test_before_the_first_phase_there_is_one_row_that_says_so(swept):
    row = swept[1].to_pylist()[0]
    assert (row["cluster"], row["as_of"], row["accelerator"]) == ("colossus", date(2024, 1, 31), None)
    assert (row["feasible"], row["cost_usd_p50"], row["camera_hours"]) == (False, None, 150_000.0)
    assert row["reasons"] == [
        "Colossus has no phase of known accelerators on 2024-01-31: the first is of 2024-08-11"
    ]


def test_rows_tell_what_is_left_to_the_workload(swept):
    rows = swept[1].to_pylist()
    assert {(row["workload"], row["network"]) for row in rows} == {("fsd", "driving"), ("grok", "grok-1")}
    assert {row["precision"] for row in rows} == {"bf16", "fp8"}


def test_cost_grows_with_the_fleet_and_falls_with_fewer_bits(swept):
    by = {
        (row["accelerator"], row["allocation"], row["keep_rate"], row["precision"]): row["cost_usd_p50"]
        for row in swept[1].to_pylist()
        if row["workload"] == "fsd" and row["cluster"] == "colossus" and row["accelerator"]
    }
    assert by["H100-SXM", "25%", 1.0, "bf16"] == pytest.approx(
        2 * by["H100-SXM", "25%", 0.5, "bf16"], rel=0.05
    )
    assert by["H100-SXM", "25%", 1.0, "fp8"] < by["H100-SXM", "25%", 1.0, "bf16"]


def test_ranges_put_together_are_the_whole(swept):
    sweep, table = swept
    figures = DatasetFigures.of_hours(2.0)
    cuts = [0, 1, 7, 8, sweep.grid.count]
    parts = [evaluate_range(sweep, figures, start, stop) for start, stop in pairwise(cuts)]
    assert pa.concat_tables(parts).combine_chunks() == table
    assert evaluate_range(sweep, figures, 3, 3) == SWEEP.empty_table()


def test_without_hours_nothing_is_trained():
    grid = Grid(workload=("fsd",), cluster=("cortex",), as_of=(date(2025, 8, 31),))
    rows = evaluate_range(Sweep(grid=grid, draws=20), DatasetFigures(0.0, 0, 0, ()), 0, 1).to_pylist()
    assert {(row["feasible"], row["cost_usd_p50"], row["power_mw_p50"]) for row in rows} == {
        (False, None, None)
    }
    assert "nothing to train on" in rows[0]["reasons"][-1]
    scaled = Grid(
        workload=("fsd",),
        cluster=("cortex",),
        as_of=(date(2025, 8, 31),),
        vehicles=(1.0,),
        hours_per_day=(1.0,),
        days=(1.0,),
    )
    with pytest.raises(BudgetUsageError, match="no sample to scale"):
        evaluate_range(Sweep(grid=scaled, draws=20), DatasetFigures(0.0, 0, 0, ()), 0, 1)


def test_every_column_tells_what_it_is():
    assert all(column.metadata[b"description"] for column in SWEEP)
    units = {column.name: column.metadata[b"unit"].decode() for column in SWEEP}
    for name, unit in UNITS.items():
        assert {units[f"{name}_{at}"] for at in ("p10", "p50", "p90")} == {unit}
