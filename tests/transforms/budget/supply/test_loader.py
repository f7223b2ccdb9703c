from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.footage import footage_of
from transforms.budget.draws import Draws, Inputs, OneAtATime
from transforms.budget.facts.library import load_facts
from transforms.budget.supply.loader import feed, loader_days, wanted_rate

HOURS = DatasetFigures.of_hours(12.0)
MEDIANS = OneAtATime(())
"""One draw, all at the medians."""


def fed(facts, figures, accelerator="H100-SXM", count=1, draws=MEDIANS):
    inputs = Inputs(draws)
    footage = footage_of(facts, figures, inputs)
    return feed(facts, accelerator, count, footage, inputs), inputs


def test_limits_by_hand(facts, figures):
    supply, _ = fed(facts, figures, count=8)
    pixels_per_hour = 3600 * (100 * 1280 * 960 * 36 + 300 * 1920 * 1080 * 30) / 400
    cores = 14 * facts.decoding.share.p50
    assert supply.limits["decode"].rate == pytest.approx(
        [8 * cores * facts.decoding.speed.p50 / pixels_per_hour]
    )
    stored = 1e12 / 400
    assert supply.limits["storage"].rate == pytest.approx([8 * facts.storage.read_rate.p50 / stored])
    assert supply.limits["network"].rate == pytest.approx(
        [8 * 4e11 / 8 * facts.storage.network_share.p50 / stored]
    )
    assert supply.limit == "decode"
    assert supply.rate == pytest.approx(supply.limits["decode"].rate)


def test_the_tightest_limit_is_told_in_words(facts, figures):
    supply, _ = fed(facts, figures, count=8)
    allowed = supply.rate[0]
    assert supply.says(5.0) == (
        f"decode: 75% of 8 x 14 cores decode {allowed:.3g} h of video a second, the training wants 5"
    )
    heavy, _ = fed(facts, replace(figures, bytes=10**18), count=8)
    assert heavy.limit == "storage"
    assert heavy.says(5.0).startswith("storage: 8 x 0.35 GB/s read ")
    slow = facts.model_copy(update={"storage": slow_network(facts)})
    carried, _ = fed(slow, replace(figures, bytes=10**18), count=8)
    assert carried.says(5.0).startswith("network: 0% of 8 x 400 Gbit/s carry ")


def slow_network(facts):
    share = facts.storage.network_share.model_copy(update={"p10": 1e-6, "p50": 1e-6, "p90": 1e-6})
    return facts.storage.model_copy(update={"network_share": share})


def test_an_accelerator_without_a_network_of_its_own(facts, figures):
    supply, inputs = fed(facts, figures, accelerator="TPUv4")
    assert set(supply.limits) == {"decode", "storage"}
    assert "scale_out" not in {item.name for item in inputs.assumptions}


def test_an_accelerator_without_known_cores_has_supposed_ones(facts, figures):
    other = facts.model_copy(
        update={"accelerators": {**facts.accelerators, "mine": facts.accelerators["H100-SXM"]}}
    )
    _, inputs = fed(other, figures, accelerator="mine")
    noted = {item.name: item for item in inputs.assumptions}
    assert (noted["host_cores"].p50, noted["host_cores"].kind) == (12, "assumed")


def test_days_and_wanted_rates(facts, figures):
    supply, _ = fed(facts, figures)
    hours = supply.rate * 86_400 * 10
    assert loader_days(supply, hours) == pytest.approx([10.0])
    assert wanted_rate(np.array([86_400.0]), np.array([2.0])) == 0.5


def test_every_draw_has_its_own_limit(facts, figures):
    supply, inputs = fed(facts, figures, draws=Draws(seed=1, count=500))
    stacked = np.stack([limit.rate for limit in supply.limits.values()])
    assert stacked.shape == (3, 500)
    assert (supply.rate == stacked.min(axis=0)).all()
    assert {"host_cores", "decoding_share", "decoding_speed", "storage_rate", "network_share"} <= {
        item.name for item in inputs.assumptions
    }


@given(st.integers(1, 10**6), st.floats(1, 1e9))
def test_twice_the_accelerators_are_fed_twice_as_fast(count, hours):
    facts = load_facts()
    one, two = (fed(facts, HOURS, count=count * times)[0] for times in (1, 2))
    assert two.rate == pytest.approx(2 * one.rate)
    seen = np.array([hours])
    assert loader_days(one, seen) == pytest.approx(2 * loader_days(two, seen))


def test_all_accelerators_of_the_facts_have_cores(facts):
    assert set(facts.decoding.cores) == set(facts.accelerators)
