import pytest

from transforms.budget.evidence.backtest import backtest
from transforms.budget.evidence.rederive import load_published, rederive


@pytest.fixture
def totals(facts):
    rows = backtest(facts.runs, facts).rows
    found = rederive(facts.runs, rows, load_published().interruptions, facts)
    return {(total.name, total.quantity): total for total in found}


def of(totals, quantity):
    return [total for total in totals.values() if total.quantity == quantity]


def test_hours_are_those_of_the_back_test(facts, totals):
    whole = [row for row in backtest(facts.runs, facts).rows if row.stratum != "llm_step"]
    assert len(of(totals, "accelerator_hours")) == len(whole) == 28
    for row in whole:
        total = totals[row.name, "accelerator_hours"]
        assert (total.published, total.p50, total.error) == (row.actual, row.predicted, row.error)


def test_days_are_hours_over_accelerators(totals):
    hours, days = totals["BLOOM-176B", "accelerator_hours"], totals["BLOOM-176B", "days"]
    assert days.p50 == pytest.approx(hours.p50 / 384 / 24)
    assert (days.published, days.p10 < days.published < days.p90) == (118.24, True)
    assert ("LLaMA-7B", "days") not in totals


def test_measured_energies_are_met_within_one_percent(totals):
    energies = of(totals, "energy")
    assert [total.name for total in energies] == ["T5-11B", "Meena-2.6B", "GShard-600B", "Switch-1500B"]
    assert all(total.error < 0.01 for total in energies)
    # 245,760 h x 310 W x 1.12
    assert totals["T5-11B", "energy"].p50 == pytest.approx(85.33, abs=0.01)


def test_failures_and_goodput_of_llama_3(totals):
    between = totals["Llama 3 405B", "time_between_failures"]
    assert between.published == pytest.approx(54 * 24 / 419)
    assert between.p50 == pytest.approx(1 / (2e-5 * 16_384))
    assert between.p10 < between.published < between.p90
    reached = totals["Llama 3 405B", "goodput"]
    assert (reached.published, reached.p10 < 0.9 < reached.p50 < reached.p90 < 1) == (0.9, True)


def test_json(totals):
    data = totals["T5-11B", "energy"].as_json()
    assert {key: data[key] for key in ("name", "quantity", "unit", "published")} == {
        "name": "T5-11B",
        "quantity": "energy",
        "unit": "MWh",
        "published": 85.7,
    }
    assert data["p10"] == data["p50"] == data["p90"]
    assert data["method"] == "245,760 h x 310 W x PUE 1.12, all published"
