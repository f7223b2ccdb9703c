from datetime import date

import pyarrow as pa

from transforms.budget.costs import UNITS
from transforms.budget.sweeps.best import best


def rows(*told):
    quantiles = [f"{name}_{at}" for name in UNITS for at in ("p10", "p50", "p90")]
    return pa.Table.from_pylist(
        [
            dict.fromkeys(quantiles, cost)
            | {"scenario": at, "as_of": date(2025, 1, 1), "feasible": feasible, "cost_usd_p50": cost}
            for at, (cost, feasible) in enumerate(told)
        ]
    )


def test_the_cheapest_that_is_feasible_and_of_equals_the_first():
    found = best(rows((5.0, True), (1.0, False), (2.0, True), (2.0, True), (None, True)), "cost_usd")
    assert found["scenario"] == 2
    assert found["as_of"] == "2025-01-01"
    assert found["quantities"]["cost_usd"] == {"p10": 2.0, "p50": 2.0, "p90": 2.0, "unit": "USD"}
    assert "cost_usd_p50" not in found


def test_none_where_nothing_is_feasible():
    assert best(rows((1.0, False)), "cost_usd") is None
