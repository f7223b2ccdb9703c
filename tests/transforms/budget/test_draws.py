from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.draws import Draws, Inputs, spread
from transforms.budget.facts.values import Fact


def fact(p10, p50, p90, unit="W"):
    return Fact(p10=p10, p50=p50, p90=p90, unit=unit, source="test", as_of=date(2025, 1, 1), kind="assumed")


ranges = st.tuples(*[st.floats(1e-3, 1e9)] * 3).map(sorted).map(lambda values: fact(*values))


def test_a_name_is_the_same_whatever_is_drawn_beside_it():
    one, other = Draws(7, 100), Draws(7, 100)
    other.normal("something else")
    assert np.array_equal(one.normal("utilisation"), other.normal("utilisation"))


def test_names_and_seeds_differ():
    assert not np.array_equal(Draws(0, 100).normal("a"), Draws(0, 100).normal("b"))
    assert not np.array_equal(Draws(0, 100).normal("a"), Draws(1, 100).normal("a"))
    assert abs(np.corrcoef(Draws(0).normal("a"), Draws(0).normal("b"))[0, 1]) < 0.05


@given(ranges)
def test_the_quantiles_of_the_draws_are_those_of_the_fact(known):
    drawn = np.percentile(spread(known, Draws(0).normal("x")), (10, 50, 90))
    assert drawn == pytest.approx((known.p10, known.p50, known.p90), rel=0.05)


@given(ranges)
def test_a_higher_draw_is_never_a_lower_value(known):
    values = spread(known, np.linspace(-4, 4, 101))
    assert (np.diff(values) >= 0).all()
    assert (values > 0).all()


def test_shares_stay_below_one_and_ratios_above():
    extreme = np.array([-20.0, 20.0])
    assert spread(fact(0.5, 0.8, 0.9, "share"), extreme)[1] == 1.0
    assert spread(fact(1.1, 1.2, 1.3, "1"), extreme)[0] == 1.0


def test_nothing_is_used_without_being_noted():
    inputs = Inputs(Draws(0, 10))
    assert inputs.draw("power", fact(3, 3, 3)).tolist() == [3.0] * 10
    assert inputs.note("size", fact(1, 2, 3)) == 2
    assert inputs.given("hours", 5.0, "h", "user", "given by the caller") == 5.0
    assert [(noted.name, noted.p50, noted.kind) for noted in inputs.assumptions] == [
        ("power", 3, "assumed"),
        ("size", 2, "assumed"),
        ("hours", 5.0, "user"),
    ]


def test_a_shared_uncertainty_moves_two_facts_together():
    inputs = Inputs(Draws(0, 1000))
    one = inputs.draw("a", fact(1, 2, 3), "market")
    other = inputs.draw("b", fact(10, 30, 50), "market")
    assert (np.argsort(one) == np.argsort(other)).all()
