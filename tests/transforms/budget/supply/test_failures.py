import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.supply.failures import (
    LEAST_GOODPUT,
    checkpoint_interval_s,
    failures_expected,
    goodput,
    mean_time_between_failures_h,
)

seconds = st.floats(1, 1000)
mtbfs = st.floats(600, 1e8)


def test_the_training_of_llama_3():
    # 419 unexpected interruptions in 54 days on 16,384 accelerators
    rate = 419 / (54 * 24 * 16_384)
    assert rate == pytest.approx(2.0e-5, rel=0.02)
    mtbf_h = mean_time_between_failures_h(2.0e-5, 16_384)
    assert mtbf_h == pytest.approx(3.05, abs=0.005)
    assert failures_expected(54 * 24, mean_time_between_failures_h(rate, 16_384)) == pytest.approx(419)


@pytest.mark.parametrize(("write_s", "restart_s", "share"), [(30, 600, 0.8715), (5, 180, 0.9534)])
def test_goodput_by_hand(write_s, restart_s, share):
    mtbf_s = mean_time_between_failures_h(2.0e-5, 16_384) * 3600
    assert goodput(write_s, restart_s, mtbf_s) == pytest.approx(share, abs=1e-4)


def test_the_facts_are_those_of_the_papers(facts):
    rate = facts.reliability.failure_rate
    # 2.34 and 6.50 failures a thousand days of 8 accelerators (arXiv:2410.21680)
    assert rate.p10 == pytest.approx(2.34 / 1000 / 24 / 8, rel=0.02)
    assert rate.p50 == pytest.approx(419 / (54 * 24 * 16_384), rel=0.02)
    assert rate.p90 == pytest.approx(6.50 / 1000 / 24 / 8, rel=0.02)


def test_hopeless_trainings_have_the_least_goodput():
    assert goodput(30.0, 600.0, 60.0) == LEAST_GOODPUT
    assert list(goodput(np.full(2, 30.0), np.full(2, 600.0), np.array([60.0, np.inf]))) == [
        LEAST_GOODPUT,
        1.0,
    ]


@given(seconds, seconds, mtbfs)
def test_no_other_interval_wastes_less(write_s, restart_s, mtbf_s):
    def waste(interval_s):
        return write_s / interval_s + (interval_s / 2 + restart_s) / mtbf_s

    best = checkpoint_interval_s(write_s, mtbf_s)
    assert waste(best) <= min(waste(best * 1.1), waste(best / 1.1))
    expected = max(1 - waste(best), LEAST_GOODPUT)
    assert goodput(write_s, restart_s, mtbf_s) == pytest.approx(expected, abs=1e-9)


@given(seconds, seconds, mtbfs, st.floats(1, 100))
def test_rarer_failures_never_cost_progress(write_s, restart_s, mtbf_s, factor):
    less, more = (goodput(write_s, restart_s, mtbf_s * times) for times in (1, factor))
    assert LEAST_GOODPUT <= less <= more <= 1


@given(st.floats(1e-7, 1e-3), st.integers(1, 10**6))
def test_failures_grow_with_the_count(rate, count):
    one, two = (mean_time_between_failures_h(rate, count * times) for times in (1, 2))
    assert one == pytest.approx(2 * two)
    assert failures_expected(100.0, two) == pytest.approx(200 * rate * count)
