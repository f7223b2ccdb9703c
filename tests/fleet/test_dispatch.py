from dataclasses import replace

import numpy as np
import pytest
from fleet.dispatch import EXACT_SHARDS, core_speeds, dealt, free, shard_seconds, span, with_losses
from fleet.page import numbers
from hypothesis import given
from hypothesis import strategies as st

MEASURED, ASSUMED = numbers()
# made up, so that a new measurement changes no test
MEASURED = replace(MEASURED, label_s=0.25, shard_costs=(0.5, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5))
ASSUMED = replace(ASSUMED, losses_per_core_hour=1e-3, hanging_share=1e-5, slow_core_share=0.01)
QUIET = replace(ASSUMED, losses_per_core_hour=0.0, hanging_share=0.0, slow_core_share=0.0)

shards = st.lists(st.floats(0.1, 100), min_size=1, max_size=40).map(np.array)
cores = st.integers(1, 12)


def rng():
    return np.random.default_rng(0)


def test_free_cores_take_the_next_shard_and_dealt_ones_wait_for_their_own():
    seconds = np.array([9.0, 1, 1, 1, 1, 1, 1, 1])
    assert free(seconds, np.ones(2)) == 9
    assert dealt(seconds, np.ones(2)) == 12


def test_a_slow_core_holds_up_what_was_dealt_to_it():
    seconds, speeds = np.ones(100), np.array([1.0, 1, 1, 0.5])
    assert dealt(seconds, speeds) == 50
    # the others take 86 meanwhile
    assert free(seconds, speeds) == 29


@given(shards)
def test_one_core_takes_the_sum(seconds):
    assert free(seconds, np.ones(1)) == pytest.approx(seconds.sum())
    assert dealt(seconds, np.ones(1)) == pytest.approx(seconds.sum())


@given(shards, cores)
def test_one_core_more_is_never_slower_where_free_cores_take_the_next(seconds, count):
    assert free(seconds, np.ones(count + 1)) <= free(seconds, np.ones(count)) * (1 + 1e-9)


@given(shards, cores)
def test_free_cores_stay_within_what_is_possible(seconds, count):
    """Graham's bound: an even share of the work, and at most one shard more."""
    even, longest = seconds.sum() / count, seconds.max()
    assert max(even, longest) <= free(seconds, np.ones(count)) * (1 + 1e-9)
    assert free(seconds, np.ones(count)) <= (even + longest) * (1 + 1e-9)
    assert dealt(seconds, np.ones(count)) >= max(even, longest) * (1 - 1e-9)


@given(st.integers(1, 3_000), st.integers(1, 300), st.sampled_from(["free", "dealt"]))
def test_work_is_conserved(count, number_of_cores, dispatch):
    found = span(count, number_of_cores, dispatch, MEASURED, QUIET, rng())
    assert found.retried_s == pytest.approx(0, abs=1e-6)
    assert found.even_s * number_of_cores == pytest.approx(found.useful_s)
    assert found.seconds >= found.even_s


@pytest.mark.parametrize("dispatch", ["free", "dealt"])
@pytest.mark.parametrize("number_of_cores", [40, 1_000, 5_000])
def test_the_approximation_for_many_shards_is_that_of_few(dispatch, number_of_cores, monkeypatch):
    def mean():
        spans = [
            span(EXACT_SHARDS, number_of_cores, dispatch, MEASURED, ASSUMED, np.random.default_rng(seed))
            for seed in range(4)
        ]
        return np.mean([(found.useful_s, found.seconds) for found in spans], axis=0)

    exact = mean()
    monkeypatch.setattr("fleet.dispatch.EXACT_SHARDS", 0)
    assert mean() == pytest.approx(exact, rel=0.1)


def test_billions_of_shards_take_their_mean():
    found = span(1_500_000_000, 50_000, "free", MEASURED, QUIET, rng())
    mean_s = MEASURED.label_s * 60 * ASSUMED.cameras
    assert found.seconds == pytest.approx(1.5e9 * mean_s / 50_000, rel=0.01)


def test_a_lost_worker_costs_half_a_shard_and_its_restart():
    seconds = np.full(200_000, 50.0)
    again = with_losses(seconds, 1e-4, 120.0, rng()) - seconds
    assert again.mean() == pytest.approx(0.005 * (25 + 120), rel=0.1)
    assert np.array_equal(with_losses(seconds, 0.0, 120.0, rng()), seconds)


def test_a_clip_that_hangs_is_waited_for_twice():
    every = replace(QUIET, hanging_share=1.0)
    useful, seconds = shard_seconds(1_000, MEASURED, every, rng())
    # two attempts of a minute's clip: 60 s and a second for each of its seconds, and half a shard for nothing
    assert seconds - useful == pytest.approx(240 + useful)
    useful, seconds = shard_seconds(1_000, MEASURED, QUIET, rng())
    assert np.array_equal(seconds, useful)


def test_shards_cost_what_labelling_costs():
    useful, _ = shard_seconds(200_000, MEASURED, QUIET, rng())
    assert useful.mean() == pytest.approx(MEASURED.label_s * 60 * ASSUMED.cameras, rel=0.01)


def test_slow_cores():
    some = replace(ASSUMED, slow_core_share=0.25, slow_core_speed=0.5)
    assert core_speeds(4, some).tolist() == [1, 1, 1, 0.5]
    assert core_speeds(1, some).tolist() == [1]
