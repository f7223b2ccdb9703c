import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.budget.draws import OneAtATime
from transforms.budget.errors import BudgetUsageError
from transforms.budget.evaluating import evaluate
from transforms.budget.questions import needed
from transforms.budget.questions.needed import GRID, needed_for
from transforms.budget.supply.failures import LEAST_GOODPUT


def number_for(scenario, draws, days, probability=0.5):
    (answer,) = needed_for(scenario, draws, days, (probability,))
    return answer


def chance(scenario, draws, number, days):
    target = replace(scenario.target, available=number, asked=True)
    found = evaluate(replace(scenario, target=target), draws)
    fits = found.layouts is None or found.layouts.best is not None
    met = (found.values["training_days"] <= days) & (found.interruptions.goodput > LEAST_GOODPUT)
    return met.mean() if fits else 0


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["fsd", "autopilot", "optimus", "grok"]), st.floats(1, 1e3), st.sampled_from([0.5, 0.9])
)
def test_the_answer_meets_the_deadline_and_one_step_fewer_does_not(asked, workload, days, probability):
    scenario = asked.scenario(workload)
    answer = number_for(scenario, asked.draws, days, probability)
    if answer.accelerators is None:
        assert answer.reached < probability
        assert answer.reason
        return
    assert chance(scenario, asked.draws, answer.accelerators, days) == answer.reached >= probability
    before = GRID.index(answer.accelerators) - 1
    assert before < 0 or chance(scenario, asked.draws, GRID[before], days) < probability
    assert answer.used <= answer.accelerators


@pytest.mark.parametrize("days", [0.2, 5.0, 30.0, 1e3, 1e6])
@pytest.mark.parametrize("workload", ["fsd", "grok"])
def test_twenty_evaluations_at_most(asked, workload, days, monkeypatch):
    counted = []
    monkeypatch.setattr(
        needed, "evaluate", lambda scenario, draws: counted.append(1) or evaluate(scenario, draws)
    )
    number_for(asked.scenario(workload), asked.draws, days)
    assert 0 < len(counted) <= 20


def test_probabilities_share_their_evaluations(asked, monkeypatch):
    counted = []
    monkeypatch.setattr(
        needed, "evaluate", lambda scenario, draws: counted.append(1) or evaluate(scenario, draws)
    )
    both = needed_for(asked.scenario("fsd"), asked.draws, 10.0, (0.5, 0.9))
    assert len(counted) < 28
    assert both == tuple(
        number_for(asked.scenario("fsd"), asked.draws, 10.0, probability) for probability in (0.5, 0.9)
    )
    assert both[0].accelerators < both[1].accelerators


def test_by_hand_where_nothing_is_laid_out(asked):
    # all at their medians: days go with 1 / (number · goodput)
    scenario, medians = asked.of_flops(1e24), OneAtATime(())
    one = evaluate(replace(scenario, target=replace(scenario.target, available=1)), medians)
    ideal = one.values["training_days"].item() / 30
    answer = number_for(scenario, medians, 30.0)
    assert ideal < answer.accelerators < ideal * 1.2


def test_beyond_the_critical_batch_nothing_gets_faster(asked):
    answer = number_for(asked.scenario("autopilot"), asked.draws, 1.0)
    assert (answer.accelerators, answer.used) == (None, 512)
    assert answer.reason.startswith("critical batch: ")
    assert answer.reason.endswith(" on 512 at best")
    assert answer.says().startswith("no number meets 24 h at 50%: critical batch: ")


def test_failures_eat_what_more_accelerators_win(asked):
    answer = number_for(asked.of_flops(1e30), OneAtATime(()), 0.1)
    assert answer.accelerators is None
    assert answer.reason.startswith("failures: ")


@pytest.mark.parametrize("factor", [1, 2])
def test_the_fastest_number_may_lie_between_two_rungs(asked, facts, factor):
    # nothing is laid out: progress is fastest where failures begin to eat more than is won
    rate = facts.reliability.failure_rate
    often = facts.reliability.model_copy(
        update={"failure_rate": rate.model_copy(update={"p50": rate.p50 * factor})}
    )
    scenario = replace(asked.of_flops(1e26), facts=facts.model_copy(update={"reliability": often}))
    medians, days = OneAtATime(()), {}
    for power in range(12, 20):
        found = evaluate(replace(scenario, target=replace(scenario.target, available=2**power)), medians)
        if found.interruptions.goodput.item() > LEAST_GOODPUT:
            days[power] = found.values["training_days"].item()
    fastest = min(days, key=days.get)
    assert fastest % 2 == factor - 1
    answer = number_for(scenario, medians, days[fastest] * 1.0001)
    assert 2 ** (fastest - 1) < answer.accelerators <= 2**fastest


def test_a_pool_that_is_too_small_is_told(asked):
    answer = number_for(asked.scenario("fsd", count=8), asked.draws, 30.0)
    assert answer.pool == 8 < answer.accelerators
    assert answer.reason == "the pool has 8"
    assert answer.says().endswith("; the pool has 8")
    enough = number_for(asked.scenario("fsd"), asked.draws, 30.0)
    assert (enough.accelerators, enough.reason) == (answer.accelerators, None)


def test_what_fits_nowhere_is_told(asked, facts):
    scenario = asked.scenario("grok")
    memory = facts.accelerators["H100-SXM"].memory
    tiny = facts.accelerators["H100-SXM"].model_copy(
        update={"memory": memory.model_copy(update={"p10": 1e6, "p50": 1e6, "p90": 1e6})}
    )
    small = facts.model_copy(update={"accelerators": {**facts.accelerators, "H100-SXM": tiny}})
    answer = number_for(replace(scenario, facts=small), asked.draws, 30.0)
    assert answer.accelerators is None
    assert answer.reason.startswith("memory: no layout over")


def test_a_single_accelerator_may_do(asked):
    assert number_for(asked.scenario("fsd", hours=0.01), asked.draws, 1e6).accelerators == 1


@pytest.mark.parametrize(("days", "probability"), [(0.0, 0.5), (-1.0, 0.5), (1.0, 0.0), (1.0, 1.0)])
def test_numbers_out_of_range_are_refused(asked, days, probability):
    with pytest.raises(BudgetUsageError, match="give days above 0 and a probability between 0 and 1"):
        number_for(asked.scenario("fsd"), asked.draws, days, probability)


def test_the_grid_has_all_small_numbers_and_no_wide_gaps():
    assert GRID[:46] == tuple(range(1, 47))
    assert max(after / before for before, after in pairwise(GRID[45:])) < 1.045
    assert max(after / before for before, after in pairwise(GRID[200:])) < 1.03


def test_the_json_form(asked):
    answer = number_for(asked.scenario("fsd"), asked.draws, 10.0, 0.9)
    data = json.loads(json.dumps(answer.as_json(), allow_nan=False))
    assert (data["deadline_days"], data["probability"], data["pool"]) == (10.0, 0.9, 50_000)
    assert answer.says() == f"{answer.accelerators:,} accelerators meet 10 d at 90%"
