from hypothesis import given, settings
from hypothesis import strategies as st
from trainings import RULES, graph, machine, transformer

from transforms.budget.supply.layout import choose_layout
from transforms.budget.supply.sizing import economical_layout

DRIVING = transformer(1e9, 24, 1856, 16_384, 244)
H100 = machine("H100-SXM")


def work(layouts):
    return layouts.best.accelerators * layouts.best.step_seconds


def test_it_gives_up_speed_that_costs_too_much():
    fastest = choose_layout(DRIVING, H100, 50_000, RULES, 0.4)
    chosen = economical_layout(DRIVING, H100, 50_000, RULES, 0.4, 1.25)
    assert chosen.best.accelerators < fastest.best.accelerators
    assert work(chosen) < work(fastest)
    assert chosen.limited_by == "cost"


def test_it_takes_all_where_that_costs_nothing():
    # a graph is data parallel alone: twice the accelerators do twice the work
    training = graph(25e6, 2.5e9, 512)
    chosen = economical_layout(training, H100, 64, RULES, 0.13, 1.25)
    assert chosen == choose_layout(training, H100, 64, RULES, 0.13)


def test_the_price_of_speed_is_the_callers():
    counts = [
        economical_layout(DRIVING, H100, 50_000, RULES, 0.4, price).best.accelerators
        for price in (1.0, 1.1, 1.25, 2.0, 10.0)
    ]
    assert counts == sorted(counts)
    assert counts[-1] == choose_layout(DRIVING, H100, 50_000, RULES, 0.4).best.accelerators


def test_where_nothing_fits_nothing_is_chosen():
    large = transformer(314e9, 64, 6144, 8192, 976)
    assert economical_layout(large, H100, 8, RULES, 0.35, 1.25).best is None


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 100_000), st.floats(1.0, 3.0))
def test_it_never_uses_more_than_there_are_nor_costs_more_than_the_fastest(available, price):
    fastest = choose_layout(DRIVING, H100, available, RULES, 0.4)
    chosen = economical_layout(DRIVING, H100, available, RULES, 0.4, price)
    if fastest.best is None:
        assert chosen.best is None
        return
    assert chosen.best.accelerators <= fastest.best.accelerators <= available
    assert work(chosen) <= work(fastest) * (1 + 1e-9) or chosen == fastest
    assert chosen.best.step_seconds >= fastest.best.step_seconds * (1 - 1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 100_000), st.floats(1.0, 2.0))
def test_the_work_is_within_the_price_of_the_cheapest_count(available, price):
    fastest = choose_layout(DRIVING, H100, available, RULES, 0.4)
    chosen = economical_layout(DRIVING, H100, available, RULES, 0.4, price)
    counts = [fastest.best.accelerators // 2**halvings for halvings in range(7)]
    tried = [choose_layout(DRIVING, H100, count, RULES, 0.4) for count in counts if count]
    cheapest = min(work(item) for item in tried if item.best)
    assert work(chosen) <= price * cheapest * (1 + 1e-9)
    # of the counts that cheap, the widest
    wider = [item for item in tried if item.best and item.best.accelerators > chosen.best.accelerators]
    assert all(work(item) > price * cheapest for item in wider)


def test_a_quarter_more_work_than_the_cheapest_is_what_the_facts_allow(facts):
    price = facts.training.work_for_speed.p50
    assert price == 1.25
    chosen = economical_layout(DRIVING, H100, 50_000, RULES, 0.4, price)
    cheapest = economical_layout(DRIVING, H100, 50_000, RULES, 0.4, 1.0)
    assert work(cheapest) < work(chosen) <= 1.25 * work(cheapest)
    assert cheapest.best.accelerators < chosen.best.accelerators
