import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.budget.costs import UNITS
from transforms.budget.draws import OneAtATime
from transforms.budget.evaluating import evaluate
from transforms.budget.facts.library import load_facts
from transforms.budget.placing import Placement, Training
from transforms.budget.questions.comparing import EVEN, break_even, ratios, same_money
from transforms.budget.questions.growth import Growth
from transforms.budget.supply.phases import Pool

QUANTILES = ("p10", "p50", "p90")
workloads = st.sampled_from(["fsd", "autopilot", "optimus", "grok"])


def quantiles(quantity):
    return [getattr(quantity, name) for name in QUANTILES]


def place(scenario, draws, name="pool"):
    pool = Pool(None, scenario.target.accelerator, scenario.target.available)
    return Placement(
        training=Training("none", "none"),
        cluster=name,
        pool=pool,
        name=name,
        scenario=scenario,
        found=evaluate(scenario, draws),
        obstacles=(),
    )


@pytest.mark.parametrize("workload", ["fsd", "autopilot", "optimus", "grok"])
def test_a_pool_against_itself_is_exactly_one(asked, workload):
    for item in asked.placed(workload):
        (itself,) = ratios([item])
        assert all(quantiles(ratio) == [1, 1, 1] for ratio in itself.ratios.values())
        assert list(itself.ratios) == list(UNITS)
        again = ratios([item, item])[1]
        assert again.ratios == itself.ratios
        assert all(
            quantiles(spent.data) == pytest.approx([1, 1, 1], rel=1e-6) for spent in same_money([item, item])
        )
        for quantity in EVEN:
            even = break_even(item, item, quantity)
            assert even.expected == pytest.approx(even.utilisation.p50, rel=1e-9) or even.waiting == 0


def test_ratios_are_those_of_the_draws(asked):
    first, *_, dojo = asked.placed("fsd")
    found = ratios([first, dojo])[1]
    by_draw = dojo.found.values["cost_usd"] / first.found.values["cost_usd"]
    assert quantiles(found.ratios["cost_usd"]) == pytest.approx(np.percentile(by_draw, (10, 50, 90)))
    assert found.says().startswith("Dojo (D1): ")


def test_what_both_do_not_know_does_not_blur_a_ratio(asked):
    first, _, gb200, *_ = asked.placed("fsd")
    hours = ratios([first, gb200])[1].ratios["accelerator_hours"]
    # only failures of other counts part the draws; the estimates themselves span a factor of ten
    assert hours.p90 / hours.p10 < 1.1


def test_the_same_money_trains_as_many_times_the_data_as_it_costs_less(asked):
    placed = asked.placed("fsd")
    found = same_money(placed)
    assert [(item.spent, item.name) for item in found] == [
        (spent, item.name) for spent in ("cost_usd", "energy_mwh") for item in placed[1:]
    ]
    for item, other in zip(found, [*placed[1:], *placed[1:]], strict=True):
        ratio = placed[0].found.values[item.spent] / other.found.values[item.spent]
        assert quantiles(item.data) == pytest.approx(np.percentile(ratio, (10, 50, 90)))
        assert not item.after_text
    assert found[0].amount == pytest.approx(np.median(placed[0].found.values["cost_usd"]))
    assert (found[0].unit, found[-1].unit) == ("USD", "MWh")


def test_text_is_paid_for_first(asked):
    placed = asked.placed("grok")
    by_name = {item.name: item for item in same_money(placed) if item.spent == "cost_usd"}
    assert all(item.after_text for item in by_name.values())
    assert quantiles(by_name["Cortex (H100-SXM)"].data) == pytest.approx([1, 1, 1], rel=1e-3)
    assert by_name["Colossus (GB200)"].data.p50 > 2
    assert by_name["Dojo (D1)"].data.p50 == 0
    assert by_name["Colossus (GB200)"].says().endswith("as much data, after the text")


def test_without_hours_no_data_is_bought(asked):
    assert same_money(asked.placed("grok", hours=0.0)) == []


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["H100-SXM", "H200-SXM", "GB200", "A100"]),
    st.sampled_from(["H100-SXM", "GB200"]),
    st.sampled_from(sorted(EVEN)),
    st.integers(1, 4096),
)
def test_the_utilisation_inserted_makes_both_even(asked, one, other, quantity, count):
    medians = OneAtATime(())
    a = asked.of_flops(accelerator=load_facts().accelerator(one), available=count)
    b = asked.of_flops(accelerator=other, available=512)
    even = break_even(place(a, medians), place(b, medians), quantity)
    # an independent way: the estimate anew, with that utilisation for its kind of network
    known = a.facts.utilisation["video"]
    exact = known.mfu.model_copy(update=dict.fromkeys(QUANTILES, even.utilisation.p50))
    told = known.model_copy(update={"mfu": exact})
    inserted = a.facts.model_copy(update={"utilisation": {**a.facts.utilisation, "video": told}})
    found = evaluate(replace(a, facts=inserted), medians)
    assert found.values[quantity].item() == pytest.approx(place(b, medians).found.values[quantity].item())
    assert even.within_reach == (even.utilisation.p50 <= 1)
    assert even.waiting == 0


@settings(max_examples=10, deadline=None)
@given(workloads, st.sampled_from(sorted(EVEN)))
def test_reading_bounds_what_utilisation_can_win(asked, workload, quantity):
    medians = OneAtATime(())
    first, *others = (
        replace(item, found=evaluate(item.scenario, medians)) for item in asked.placed(workload)
    )
    for item in others:
        even, growth = break_even(item, first, quantity), Growth.of(item.found)
        days = item.found.values["training_days"]
        wanted = days * first.found.values[quantity] / item.found.values[quantity]
        if even.waiting:
            assert (growth.reading / growth.goodput > wanted).all()
            assert even.within_reach == 0
        else:
            faster = item.found.utilisation / even.utilisation.p50
            computed = replace(growth, fixed=growth.fixed * faster, growing=growth.growing * faster)
            assert computed.multiple(wanted) == pytest.approx(1)


def test_the_words_of_a_break_even(asked):
    first, *_, dojo = asked.placed("grok")
    even = break_even(dojo, first)
    assert (even.assumed, even.unproven) == (True, True)
    p10, p50, p90 = quantiles(even.utilisation)
    assert even.says() == (
        f"Dojo (D1) costs less than Colossus (H100-SXM) above {p50:.0%} utilisation "
        f"({p10:.0%} to {p90:.0%}); 20% are assumed"
    )
    proven = break_even(first, dojo)
    assert (proven.assumed, proven.unproven) == (False, False)
    assert proven.says().endswith("are expected")
    beyond = replace(even, utilisation=replace(even.utilisation, p90=1.2), within_reach=0.8)
    assert "to none); 20% are assumed" in beyond.says()
    never = replace(even, utilisation=replace(even.utilisation, p50=1.4), within_reach=0.2)
    assert never.says().endswith("at no utilisation: 140% would be needed")
    waits = replace(even, waiting=0.7, within_reach=0.3)
    assert waits.says().endswith("at no utilisation: it waits for data")


def test_json_forms(asked):
    placed = asked.placed("fsd")
    items = [*ratios(placed), *same_money(placed), break_even(placed[-1], placed[0])]
    for item in items:
        data = json.loads(json.dumps(item.as_json(), allow_nan=False))
        assert data["base"] == "Colossus (H100-SXM)"
