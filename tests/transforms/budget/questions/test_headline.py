from dataclasses import replace
from datetime import date
from textwrap import wrap

import pytest

from transforms.budget.chances import Limits
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.facts.library import load_facts
from transforms.budget.questions.headline import cheapest, headline
from transforms.budget.request import BudgetRequest, FlopsRequest
from transforms.budget.supply.phases import Allocation

FIGURES = DatasetFigures.of_hours(1e5)


def say(figures=FIGURES, **options):
    request = BudgetRequest(draws=200, **options)
    return headline(request.answer(figures), figures, request.facts())


def say_flops(**options):
    request = FlopsRequest(flops=1e24, kind="language", accelerator="H100", draws=200, **options)
    return headline([request.answer()], None, load_facts())


def test_one_training():
    said = say(workloads=("fsd",), clusters=("cortex",))
    best = cheapest(BudgetRequest(workloads=("fsd",), clusters=("cortex",), draws=200).answer(FIGURES))
    hours = best.detail.also["h100_hours"]
    assert said.startswith(f"FSD on 100k camera-hours: {hours.p50 / 1e3:.3g}k H100-hours (")
    assert f" on {best.detail.share.used:,} of 50,000 H100-SXM, about $" in said
    assert said.endswith(".")
    assert "not on" not in said


def test_places_that_are_shut_are_named():
    said = say(workloads=("fsd",))
    assert said.endswith("; not on Colossus (leased to Anthropic in full), Dojo (disbanded).")


def test_places_that_are_not_there_yet_are_named():
    before = date(2022, 12, 31)
    planned = say(workloads=("fsd",), clusters=("cortex", "dojo"), as_of=before)
    assert planned.startswith("FSD on 100k camera-hours, nowhere feasible: ")
    assert planned.endswith("; not on Cortex (unknown on 2022-12-31), Dojo (not operating yet).")
    # where there is no room for reasons, there is for names
    assert say(workloads=("fsd",), as_of=before).endswith("; not on Colossus, Cortex, Dojo.")


def test_chances_are_told_where_there_are_limits():
    said = say(workloads=("fsd",), limits=Limits(10.0, 1e5))
    assert "% within 10 d, " in said
    assert "% within $100k" in said


def test_a_pool_that_is_feasible_is_preferred_to_a_cheaper_one():
    estimates = BudgetRequest(workloads=("fsd",), draws=200).answer(FIGURES)
    best = cheapest(estimates)
    assert (best.cluster, best.feasible) == ("cortex", True)
    assert min(item.quantities["cost_usd"].p50 for item in estimates) < best.quantities["cost_usd"].p50
    shut = [replace(item, feasible=False) for item in estimates]
    assert cheapest(shut).accelerator == "GB200"
    assert cheapest([]) is None


def test_where_nothing_is_feasible():
    said = say(workloads=("fsd",), clusters=("colossus",))
    assert said.startswith("FSD on 100k camera-hours, nowhere feasible: ")
    assert said.endswith("; not on Colossus (leased to Anthropic in full).")


def test_a_reason_of_the_training_itself():
    said = say(workloads=("grok",), clusters=("cortex",), allocation=Allocation(count=8))
    assert said.startswith("Grok on 100k camera-hours, nowhere feasible: ")
    assert "; not on Cortex (memory: no layout over 8" in said


def test_some_trainings():
    said = say(clusters=("cortex",))
    assert said.startswith("Training on 100k camera-hours, cost (H100-hours) on Cortex: FSD $")
    assert all(name in said for name in ("Autopilot $", "Optimus $", "Grok $"))
    limited = say(clusters=("cortex",), limits=Limits(10.0, 1e5))
    assert "cost (chance within 10 d and $100k) on Cortex: FSD $" in limited
    nowhere = say(clusters=("dojo",))
    assert ", nowhere feasible, cost (H100-hours) on Dojo: FSD $" in nowhere


def test_some_trainings_on_clusters_of_their_own():
    estimates = BudgetRequest(workloads=("fsd", "grok"), clusters=("cortex",), draws=200).answer(FIGURES)
    estimates += BudgetRequest(workloads=("autopilot",), clusters=("dojo",), draws=200).answer(FIGURES)
    said = headline(estimates, FIGURES, load_facts())
    assert ") on Cortex, Grok $" in said
    assert ") on Dojo if it were feasible" in said


def test_a_training_on_nothing_among_others():
    said = say(DatasetFigures(0.0, 0, 0, ()), workloads=("fsd", "grok"), clusters=("cortex",))
    assert said.startswith("Training on 0 camera-hours, cost (H100-hours) on Cortex: FSD nothing, Grok $")


def test_nothing_can_be_estimated():
    empty = DatasetFigures(0.0, 0, 0, ())
    assert say(empty, workloads=("fsd",), clusters=("cortex",)) == (
        "FSD on 0 camera-hours: the data set holds nothing to train on: no camera-hours."
    )
    assert say(workloads=("fsd", "grok"), as_of=date(2020, 1, 1)).startswith(
        "Training on 100k camera-hours: Colossus has no phase of known accelerators on 2020-01-01"
    )


def test_flops_on_accelerators_anywhere():
    counted = say_flops(count=1024, parameters=7e9, limits=Limits(30.0))
    assert counted.startswith("The training: ")
    assert " d on 1,024 H100-SXM, about $" in counted
    assert "% within 30 d." in counted
    alone = say_flops()
    assert " d on " not in alone
    small = say_flops(count=1, parameters=1e12)
    assert small.startswith("The training, nowhere feasible: ")
    assert "; not on H100-SXM (memory: " in small


@pytest.mark.parametrize("limits", [Limits(), Limits(10.0), Limits(12.5, 123_456.0)])
@pytest.mark.parametrize("workloads", [(), ("fsd",), ("grok", "autopilot")])
@pytest.mark.parametrize("clusters", [(), ("colossus", "dojo"), ("colossus", "colossus2", "cortex", "dojo")])
@pytest.mark.parametrize("hours", [12.3, 1e9])
def test_two_lines_at_most(limits, workloads, clusters, hours):
    said = say(DatasetFigures.of_hours(hours), workloads=workloads, clusters=clusters, limits=limits)
    assert len(wrap(said, 100)) <= 2
    assert said[0].isupper()
    assert said.endswith((".", " ..."))
