from dataclasses import asdict, replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.costs import UNITS
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.estimates import Estimate, Quantity, estimates_table, summary
from transforms.budget.facts.values import Assumption
from transforms.budget.request import BudgetRequest
from transforms.tables.budget_schema import BUDGET


@pytest.fixture(scope="module")
def on_cortex():
    return BudgetRequest(workloads=("fsd",), clusters=("cortex",), draws=50).answer(
        DatasetFigures.of_hours(1e5)
    )


def made(kinds=(), **options):
    assumptions = tuple(
        Assumption(f"input {at}", 1.0, 2.0, 3.0, "h", kind, "made up") for at, kind in enumerate(kinds)
    )
    usual = {
        "workload": "fsd",
        "network": "driving",
        "cluster": "cortex",
        "phase": "phase 1",
        "as_of": date(2026, 1, 1),
        "accelerator": "H100-SXM",
        "accelerator_count": 8,
        "quantities": {
            name: Quantity(at, at + 0.5, at + 1.0, unit) for at, (name, unit) in enumerate(UNITS.items())
        },
        "feasible": True,
        "reasons": ("one", "two"),
        "change": None,
        "evidence": 4,
        "assumptions": assumptions,
    }
    return Estimate(**{**usual, **options})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.arange(101.0), (10, 50, 90)),
        (np.array([7.0]), (7, 7, 7)),
        (np.array([3.0, 1.0]), (1.2, 2, 2.8)),
    ],
)
def test_a_summary_is_the_median_and_what_80_percent_lie_in(values, told):
    found = summary(values, "h")
    assert (found.p10, found.p50, found.p90) == pytest.approx(told)
    assert found.unit == "h"
    assert type(found.p50) is float


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=50), st.floats(1e-3, 1e3))
def test_a_summary_grows_with_its_unit(values, factor):
    one, other = summary(np.array(values), "h"), summary(np.array(values) * factor, "h")
    assert one.p10 <= one.p50 <= one.p90
    assert (other.p10, other.p50, other.p90) == pytest.approx(
        (one.p10 * factor, one.p50 * factor, one.p90 * factor), rel=1e-6, abs=1e-3
    )


def test_the_brief_form_leaves_the_detail_out(on_cortex):
    (answer, _) = on_cortex
    brief, whole = answer.brief(), answer.as_json()
    assert list(brief) == [
        "workload", "network", "cluster", "phase", "as_of", "accelerator", "accelerator_count", "quantities",
        "feasible", "reasons", "change", "evidence", "assumptions",
    ]  # fmt: skip
    assert [name for name in whole if name not in brief] == [
        "allocation", "stands_in", "data_share", "also", "programme_year", "layout", "reliability", "drivers",
        "checks", "chances", "backtest",
    ]  # fmt: skip
    assert {name: whole[name] for name in brief} == brief
    assert (brief["workload"], brief["network"], brief["as_of"]) == ("fsd", "driving", "2026-05-06")
    assert whole["allocation"] == {"available": 50_000, "used": 488, "kind": "default", "limited_by": "cost"}


def test_what_follows_from_the_quantities(on_cortex):
    for answer in on_cortex:
        found, detail = answer.quantities, answer.detail
        # the same peak as the reference's, but for a ten thousandth
        assert detail.also["h100_hours"].p50 == pytest.approx(found["accelerator_hours"].p50, rel=2e-4)
        assert detail.also["h100_equivalents"].p50 == pytest.approx(detail.share.used, rel=2e-4)
        assert detail.also["power_mw"].p50 == pytest.approx(488 * 1275 * 1.15 / 1e6, rel=0.06)
        assert list(detail.programme_year) == [name for name in UNITS if name != "training_days"]
        assert detail.programme_year["cost_usd"].p50 > found["cost_usd"].p50
        assert detail.data_share == 1


def test_nothing_estimated_has_no_detail():
    nothing = made(quantities=None, feasible=False, change="as of 2027-01-01")
    assert nothing.as_json() == nothing.brief()
    assert (nothing.as_json()["quantities"], nothing.as_json()["change"]) == (None, "as of 2027-01-01")


@pytest.mark.parametrize(
    ("kinds", "share"),
    [
        ((), 0.0),
        (("published", "measured", "user", "reported", "estimate"), 0.0),
        (("assumed", "published", "default", "user"), 0.5),
        (("assumed",), 1.0),
    ],
)
def test_what_nobody_published_or_measured_is_counted(kinds, share):
    assert made(kinds).assumed_share == share


def test_a_row_for_each_quantity_with_the_network():
    table = estimates_table([made(("assumed",)), made(workload=None, network=None, cluster=None, phase=None)])
    table.validate(full=True)
    assert table.schema == BUDGET
    assert table.column_names == [
        "workload", "network", "cluster", "phase", "as_of", "accelerator", "accelerator_count", "quantity",
        "p10", "p50", "p90", "unit", "feasible", "reasons", "evidence", "assumptions",
    ]  # fmt: skip
    rows = table.to_pylist()
    assert [row["quantity"] for row in rows] == list(UNITS) * 2
    assert [row["unit"] for row in rows] == list(UNITS.values()) * 2
    assert [row["network"] for row in rows] == ["driving"] * 6 + [None] * 6
    assert rows[2] == {
        "workload": "fsd",
        "network": "driving",
        "cluster": "cortex",
        "phase": "phase 1",
        "as_of": date(2026, 1, 1),
        "accelerator": "H100-SXM",
        "accelerator_count": 8,
        "quantity": "energy_mwh",
        "p10": 2.0,
        "p50": 2.5,
        "p90": 3.0,
        "unit": "MWh",
        "feasible": True,
        "reasons": ["one", "two"],
        "evidence": 4,
        "assumptions": [asdict(made(("assumed",)).assumptions[0])],
    }


def test_rows_of_what_was_not_estimated_have_no_numbers():
    rows = estimates_table([replace(made(), quantities=None, accelerator=None)]).to_pylist()
    assert len(rows) == len(UNITS)
    assert all((row["p10"], row["p50"], row["p90"], row["accelerator"]) == (None,) * 4 for row in rows)
    assert [row["unit"] for row in rows] == list(UNITS.values())
