from math import log, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.evidence.prediction import predict, unseen_family
from transforms.budget.evidence.work import measured, whole_over_step

SCALE = log(1.4)
VALUES = st.lists(st.lists(st.floats(-4, -0.5), min_size=1, max_size=5).map(np.array), min_size=1, max_size=6)


def by_sampling(families, scale, draws=400_000):
    """The same quantiles, the posterior being sampled from its prior and weighted by the likelihood."""
    generator = np.random.default_rng(5)
    between = np.abs(generator.normal(0, scale, draws))
    within = np.abs(generator.normal(0, scale, draws)) + 1e-6
    sizes = np.array([len(values) for values in families])
    means = np.array([values.mean() for values in families])
    variance = between[:, None] ** 2 + within[:, None] ** 2 / sizes
    total = (1 / variance).sum(axis=1)
    centre = (means / variance).sum(axis=1) / total
    logs = -0.5 * (np.log(variance).sum(axis=1) + np.log(total))
    logs -= 0.5 * ((means - centre[:, None]) ** 2 / variance).sum(axis=1)
    for values in families:
        logs -= (len(values) - 1) * np.log(within) + ((values - values.mean()) ** 2).sum() / 2 / within**2
    weight = np.exp(logs - logs.max())
    chosen = generator.choice(draws, 100_000, p=weight / weight.sum())
    spread = np.sqrt(between**2 + within**2 + 1 / total)[chosen]
    return np.quantile(centre[chosen] + spread * generator.normal(size=len(chosen)), (0.1, 0.5, 0.9))


@pytest.mark.parametrize(
    "families",
    [
        [[-1.0, -1.2, -0.9], [-1.5, -1.4], [-1.1]],
        [[-2.2, -2.0, -1.8, -2.1], [-2.0, -2.1, -1.6, -1.6], [-3.1, -2.5, -2.1, -1.7, -1.4]],
        [[-1.4, -1.3, -1.25]],
        [[-1.0]],
    ],
)
def test_quantiles_are_those_of_sampling(families):
    families = [np.array(values) for values in families]
    found, sampled = unseen_family(families, SCALE), by_sampling(families, SCALE)
    assert found == pytest.approx(sampled, abs=0.025)


@given(VALUES, st.floats(-1, 1))
def test_a_shift_of_all_runs_shifts_the_prediction(families, shift):
    moved = [values + shift for values in families]
    assert unseen_family(moved, SCALE) == pytest.approx(unseen_family(families, SCALE) + shift, abs=1e-3)


@given(VALUES)
def test_quantiles_are_ordered_and_do_not_depend_on_the_order_of_families(families):
    p10, p50, p90 = unseen_family(families, SCALE)
    assert p10 < p50 < p90
    assert unseen_family(families[::-1], SCALE) == pytest.approx((p10, p50, p90), abs=1e-3)


def test_a_family_of_many_runs_does_not_outvote_the_others():
    others = [np.array([-1.0]), np.array([-1.05]), np.array([-0.95])]
    few = unseen_family([*others, np.full(3, -2.0)], SCALE)[1]
    many = unseen_family([*others, np.full(300, -2.0)], SCALE)[1]
    assert few == pytest.approx(-1.25, abs=0.05)
    assert many == pytest.approx(few, abs=0.01)


def test_few_families_are_sure_of_less():
    widths = []
    for number in (1, 2, 4, 8, 16):
        families = [np.array([-1.0, -1.2]) + 0.1 * (-1) ** index for index in range(number)]
        p10, _, p90 = unseen_family(families, SCALE)
        widths.append(p90 - p10)
    assert widths == sorted(widths, reverse=True)


def test_steps_are_told_as_trainings(facts, make_run):
    peak, flops = 989.4e12 * 3600, 6 * 1e9 * 2e12
    runs = [
        make_run("a", "one", hours=flops / peak / 0.3, mfu={"value": 0.6, "unit": "share"}),
        make_run("b", "two", stratum="llm_step", hours=flops / peak / 0.6),
    ]
    found = predict(measured(runs, facts.utilisation["language"], facts), facts)
    assert found.whole_over_step == pytest.approx(0.5)
    assert found.p50 == pytest.approx(0.3, rel=1e-3)
    assert found.factor == pytest.approx((found.p90 / found.p10) ** 0.5)


def test_a_share_does_not_pass_one(facts, make_run):
    flops = 6 * 1e9 * 2e12
    runs = [make_run("a", "one", hours=flops / (989.4e12 * 3600) / 0.95)]
    assert predict(measured(runs, facts.utilisation["language"], facts), facts).p90 == 1


def log_density(families, scale, values):
    """Logarithms of the predictive density at values, summed over an even grid of both spreads."""
    spreads = np.linspace(0.01, 4 * scale, 80)
    between, within = spreads[:, None, None], spreads[None, :, None]
    sizes = np.array([len(family) for family in families])
    means = np.array([family.mean() for family in families])
    variance = between**2 + within**2 / sizes
    total = (1 / variance).sum(axis=2, keepdims=True)
    centre = (means / variance).sum(axis=2, keepdims=True) / total
    logs = -0.5 * (np.log(variance) + (means - centre) ** 2 / variance).sum(axis=2, keepdims=True)
    logs -= 0.5 * np.log(total) + 0.5 * (between**2 + within**2) / scale**2
    for family in families:
        scatter = ((family - family.mean()) ** 2).sum()
        logs -= (len(family) - 1) * np.log(within) + scatter / 2 / within**2
    weight = np.exp(logs - logs.max())
    deviation = np.sqrt(between**2 + within**2 + 1 / total)
    density = np.exp(-0.5 * ((values - centre) / deviation) ** 2) / deviation / sqrt(2 * pi)
    return np.log((weight * density).sum(axis=(0, 1)) / weight.sum())


def log_likelihood(facts, factor):
    """Of the left-out families of all kinds."""
    likelihood = 0.0
    for kind in ("language", "vision"):
        known = measured(facts.runs, facts.utilisation[kind], facts)
        for family in {item.run.family for item in known}:
            others = [item for item in known if item.run.family != family]
            share = whole_over_step(others, facts)
            logs = {}
            for item in known:
                whole = log(item.utilisation * (share if item.is_step else 1))
                logs.setdefault(item.run.family, []).append(whole)
            left_out = np.array(logs.pop(family))
            likelihood += log_density([*map(np.array, logs.values())], log(factor), left_out).sum()
    return likelihood


def test_the_supposed_spread_is_the_one_under_which_left_out_families_are_most_likely(facts):
    likelihoods = {factor: log_likelihood(facts, factor) for factor in (1.2, 1.3, 1.4, 1.5, 1.6, 1.7)}
    assert max(likelihoods, key=likelihoods.get) == facts.family_spread.p50
