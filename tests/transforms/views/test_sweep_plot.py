import re
from datetime import date

import pytest

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.sweeps.grid import Grid, Sweep
from transforms.budget.sweeps.rows import evaluate_range
from transforms.views.sweep_plot import plan, plot

DAY = date(2025, 8, 31)


def grid(**lists):
    return Grid(**{"workload": ("fsd",), "cluster": ("cortex",), "as_of": (DAY,)} | lists)


def fleet(**lists):
    return {"vehicles": (1e3, 1e4, 1e5), "hours_per_day": (1.0,), "days": (30.0, 365.0)} | lists


def test_the_longest_list_of_numbers_runs_along_the_axis():
    planned = plan(grid(**fleet(cluster=("colossus", "cortex"))))
    assert (planned.x, planned.y, planned.series) == ("vehicles", "cost_usd", ("cluster", "days"))
    assert planned.held == {}
    assert plan(grid(**fleet()), "days", "energy_mwh").series == ("vehicles",)


def test_lists_beyond_what_a_plot_can_show_are_held_at_their_first():
    planned = plan(grid(**fleet(cluster=("colossus", "cortex"), network=("driving", "driving-10b"))))
    assert planned.series == ("cluster", "network")
    assert planned.held == {"days": 30.0}
    assert planned.caption() == "cost against vehicles, by cluster and network; days 30"
    many = plan(grid(**fleet(as_of=tuple(date(2025, month, 1) for month in range(1, 11)))), "vehicles")
    assert many.series == ("days",)
    assert many.held == {"as_of": date(2025, 1, 1)}


@pytest.mark.parametrize(
    ("allocation", "x"),
    [(("1000", "2000"), "allocation"), (("10%", "50%"), "allocation"), (("1000", "50%"), None)],
)
def test_allocations_of_one_form_are_numbers(allocation, x):
    lists = grid(allocation=allocation)
    if x is None:
        with pytest.raises(ValueError, match="no list of the grid holds two numbers or more"):
            plan(lists)
    else:
        assert plan(lists).x == x


@pytest.mark.parametrize(
    ("x", "y", "told"),
    [
        ("days", "happiness", "happiness is no quantity; known: accelerator_hours"),
        ("cluster", "cost_usd", "cluster is no list of two numbers or more; in this grid: none"),
    ],
)
def test_what_cannot_be_drawn_is_told(x, y, told):
    with pytest.raises(ValueError, match=told):
        plan(grid(), x, y)


def lines(picture):
    return re.findall(r'class="series"[^>]*>([^<]*)<', picture)


def test_pools_part_lines_where_the_lists_do_not():
    lists = grid(**fleet(cluster=("colossus", "cortex"), days=(30.0,)))
    table = evaluate_range(Sweep(grid=lists, draws=20), DatasetFigures.of_hours(1.0), 0, lists.count)
    picture = plot(table, plan(lists))
    assert "by cluster, accelerator" in picture
    assert len(lines(picture)) == len({(row["cluster"], row["accelerator"]) for row in table.to_pylist()})


def test_one_line_has_the_name_of_what_is_left():
    lists = grid(cluster=("dojo",), as_of=(date(2024, 12, 31),), allocation=("10%", "50%"))
    table = evaluate_range(Sweep(grid=lists, draws=20), DatasetFigures.of_hours(1.0), 0, lists.count)
    assert lines(plot(table, plan(lists, y="training_days"))) == ["D1"]


def test_numbers_say_of_what_and_held_rows_are_left_out():
    lists = grid(**fleet(network=("driving", "driving-10b"), cluster=("dojo",), as_of=(date(2024, 12, 31),)))
    table = evaluate_range(Sweep(grid=lists, draws=20), DatasetFigures.of_hours(1.0), 0, lists.count)
    picture = plot(table, plan(lists))
    assert len(lines(picture)) == 4
    assert "driving-10b 365 days, 100k: " in picture
    held = plan(
        grid(**fleet(network=("driving", "driving-10b"), precision=("bf16", "fp8"), cluster=("dojo",)))
    )
    assert held.held == {"days": 30.0}


def test_where_nothing_is_estimated_nothing_is_drawn():
    lists = grid(**fleet(as_of=(date(2023, 1, 1),)))
    table = evaluate_range(Sweep(grid=lists, draws=20), DatasetFigures.of_hours(1.0), 0, lists.count)
    with pytest.raises(ValueError, match="nothing to draw"):
        plot(table, plan(lists))
