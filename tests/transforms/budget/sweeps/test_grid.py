import json
from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import Fleet
from transforms.budget.sweeps.grid import Grid, Sweep

GRID = Grid(
    workload=("fsd", "autopilot"),
    cluster=("colossus", "cortex", "dojo"),
    as_of=(date(2025, 6, 30),),
    vehicles=(1e3, 1e4),
    hours_per_day=(1.0,),
    days=(30.0,),
    keep_rate=(0.1, 1.0),
    precision=("bf16", "fp8"),
)


def test_the_last_list_turns_fastest():
    first, second, last = GRID.setting(0), GRID.setting(1), GRID.setting(GRID.count - 1)
    assert GRID.count == 2 * 3 * 2 * 2 * 2
    assert (first.workload, first.cluster, first.keep_rate, first.precision) == (
        "fsd",
        "colossus",
        0.1,
        "bf16",
    )
    assert (second.keep_rate, second.precision) == (0.1, "fp8")
    assert (last.workload, last.cluster, last.vehicles, last.precision) == ("autopilot", "dojo", 1e4, "fp8")


@given(st.lists(st.integers(1, 4), min_size=3, max_size=3))
def test_every_combination_is_run_once_in_the_order_of_a_product(lengths):
    grid = Grid(
        workload=tuple(f"w{at}" for at in range(lengths[0])),
        cluster=tuple(f"c{at}" for at in range(lengths[1])),
        as_of=(date(2025, 1, 1),),
        days=tuple(float(at) for at in range(lengths[2])),
    )
    told = [grid.setting(index) for index in range(grid.count)]
    assert [(one.workload, one.cluster, one.days) for one in told] == list(
        product(grid.workload, grid.cluster, grid.days)
    )


@pytest.mark.parametrize("index", [-1, GRID.count])
def test_an_index_outside_is_refused(index):
    with pytest.raises(IndexError, match=f"of {GRID.count}"):
        GRID.setting(index)


def test_a_fleet_is_whole_or_not_there():
    assert GRID.setting(0).fleet == Fleet(1e3, 1.0, 30.0, 0.1)
    alone = Grid(workload=("fsd",), cluster=("dojo",), as_of=(date(2025, 1, 1),))
    assert alone.setting(0).fleet is None
    assert alone.count == 1


def test_a_sweep_tells_all_that_its_rows_depend_on():
    sweep = Sweep(grid=GRID, seed=3, draws=50)
    told = json.loads(json.dumps(sweep.as_json(DatasetFigures.of_hours(2.0))))
    assert (told["seed"], told["draws"], told["own"]) == (3, 50, "")
    assert told["grid"]["as_of"] == ["2025-06-30"]
    assert told["grid"]["network"] == [None]
    assert told["figures"]["camera_hours"] == 2.0
