from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import pytest

from transforms.budget.costs import UNITS
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.footage import Footage
from transforms.budget.demand.bare_flops import demand_of_flops
from transforms.budget.demand.workloads import Demand, demand_of
from transforms.budget.draws import Draws, OneAtATime
from transforms.budget.evaluating import Scenario, Target, evaluate

MEDIANS = OneAtATime(())
DRAWS = Draws(0, 400)
PEAK = {"H100-SXM": 9.894e14, "A100-SXM-80GB": 3.12e14, "D1": 3.62e14}

# video networks are supposed to reach 40 % of the peak, 20 % of D1's
USUAL = 0.40


def target(accelerator="H100-SXM", available=1024, **options):
    usual = Target(
        accelerator=accelerator,
        available=available,
        place="anywhere",
        owned=False,
        day=date(2026, 1, 1),
        asked=True,
    )
    return replace(usual, **options)


def of_flops(facts, flops=1e22, kind="video", parameters=None, **options):
    return Scenario(facts, partial(demand_of_flops, facts, flops, kind, parameters), target(**options))


def of_video(facts, flops=1e22, precision="bf16", footage=None, passes=2.0, **options):
    """A training without a shape, that may read video."""

    def demand(inputs):
        work = np.full(inputs.count, flops)
        return Demand(
            flops=work,
            data_flops=work,
            kind="video",
            parameters=None,
            passes=np.full(inputs.count, passes),
            footage=footage,
            tokens=None,
            shape=None,
            precision=precision,
        )

    return Scenario(facts, demand, target(**options))


def goodput_by_hand(count):
    # 2e-5 failures an accelerator-hour; 5 to 30 s a checkpoint, 3 to 10 min a restart
    between_s = 3600 / (2e-5 * count)
    return 1 - ((2 * 150**0.5 / between_s) ** 0.5 + (180 * 600) ** 0.5 / between_s)


def test_hours_and_days_by_hand(facts):
    found = evaluate(of_flops(facts), MEDIANS)
    hours = 1e22 / (PEAK["H100-SXM"] * USUAL * 3600)
    goodput = goodput_by_hand(1024)
    assert 0.9 < goodput < 1
    assert found.compute_days == pytest.approx([hours / 24 / 1024])
    assert found.interruptions.goodput == pytest.approx([goodput])
    assert found.interruptions.mtbf_h == pytest.approx([1 / (2e-5 * 1024)])
    assert found.interruptions.checkpoint_s == pytest.approx([(2 * 150**0.5 * 3600 / (2e-5 * 1024)) ** 0.5])
    assert found.values["training_days"] == pytest.approx([hours / 24 / 1024 / goodput])
    assert found.values["accelerator_hours"] == pytest.approx([hours / goodput])
    assert (found.used, found.layouts, found.feed, found.loader_days) == (1024, None, None, [0.0])


def test_what_follows_from_hours_by_hand(facts):
    found = evaluate(of_flops(facts), MEDIANS)
    (hours,) = found.values["accelerator_hours"]
    server_kwh = hours * 1.275
    assert list(found.values) == list(UNITS)
    assert found.values["energy_mwh"] == pytest.approx([server_kwh * 1.15 / 1000])
    assert found.values["carbon_t"] == pytest.approx([server_kwh * 1.15 * 350 / 1e6])
    assert found.values["water_m3"] == pytest.approx([server_kwh * (0.42 + 1.15 * 3.14) / 1000])
    assert found.values["cost_usd"] == pytest.approx([hours * (1.7 * 3.0) ** 0.5])


def test_power_is_that_of_the_accelerators_while_they_train(facts):
    found = evaluate(of_flops(facts), MEDIANS)
    assert found.power_mw == pytest.approx([1024 * 1275 * 1.15 / 1e6])


@pytest.mark.parametrize("count", [1, 512, 16_384])
def test_failures_stretch_days_and_hours_alike(facts, count):
    found = evaluate(of_flops(facts, available=count), DRAWS)
    stretched = found.compute_days / found.interruptions.goodput
    assert found.values["training_days"] == pytest.approx(stretched)
    assert found.values["accelerator_hours"] == pytest.approx(stretched * 24 * count)
    assert (found.interruptions.goodput < 1).all()


@pytest.mark.parametrize(
    ("stored_bytes", "decode_core_s", "rate", "tightest"),
    [
        # 75 % of 14 cores each decode; the file system reads 0.35 GB/s each
        (1e9, 36_000.0, 1024 * 14 * 0.75 / 36_000, "decode"),
        (1e12, 1.0, 1024 * (1.22e8 * 1e9) ** 0.5 / 1e12, "storage"),
    ],
)
def test_days_are_those_of_the_loader_where_it_is_slower(facts, stored_bytes, decode_core_s, rate, tightest):
    footage = Footage(1e7, np.array([stored_bytes]), np.array([decode_core_s]))
    found = evaluate(of_video(facts, footage=footage), MEDIANS)
    reading = 2 * 1e7 / rate / 86_400
    assert found.feed.limit == tightest
    assert found.loader_days == pytest.approx([reading])
    assert found.compute_days < reading
    assert found.values["training_days"] == pytest.approx([reading / goodput_by_hand(1024)])
    # accelerators that wait are held all the same
    assert found.values["accelerator_hours"] == pytest.approx(found.values["training_days"] * 24 * 1024)


def test_a_loader_that_keeps_up_costs_nothing(facts):
    footage = Footage(1.0, np.array([1e9]), np.array([1.0]))
    fed, unfed = (evaluate(of_video(facts, footage=film), MEDIANS) for film in (footage, None))
    assert 0 < fed.loader_days < fed.compute_days
    assert fed.values["training_days"] == unfed.values["training_days"]


def speed_up(facts, accelerator, draws):
    bf16, fp8 = (
        evaluate(of_video(facts, precision=precision, accelerator=accelerator), draws).compute_days
        for precision in ("bf16", "fp8")
    )
    return bf16 / fp8


def test_fp8_is_as_much_faster_as_published(facts):
    assert speed_up(facts, "H100-SXM", MEDIANS) == pytest.approx([(1.2 * 1.7) ** 0.5])


def test_fp8_is_never_faster_than_the_accelerators_peak(facts):
    faster = speed_up(facts, "H100-SXM", Draws(0, 4000))
    assert faster.max() == pytest.approx(1.979e15 / 9.894e14)
    assert 1 <= faster.min() < 1.2


@pytest.mark.parametrize(
    "accelerator",
    [
        "A100-SXM-80GB",  # has no FP8
        "D1",  # multiplies no faster in eight bits
    ],
)
def test_fp8_brings_nothing(facts, accelerator):
    assert speed_up(facts, accelerator, DRAWS) == pytest.approx(np.ones(400))


def test_a_year_of_work_by_hand(facts):
    # this run; development, failed runs, retrains, evaluation, simulation
    assert evaluate(of_flops(facts), MEDIANS).programme == pytest.approx([1 + 4.6 + 0.1 + 2 + 0.05 + 0.2])
    assert (evaluate(of_flops(facts), DRAWS).programme > 1).all()


def test_without_a_count_nothing_fails_and_nothing_is_laid_out(facts):
    found = evaluate(of_flops(facts, parameters=7e9, available=1, counted=False, asked=False), MEDIANS)
    hours = 1e22 / (PEAK["H100-SXM"] * USUAL * 3600)
    assert (found.interruptions, found.layouts, found.used) == (None, None, 1)
    assert found.values["accelerator_hours"] == pytest.approx([hours])
    assert found.values["training_days"] == pytest.approx([hours / 24])


def test_a_supposed_shape_binds_nothing(facts):
    # critical batch of 1,953 samples, and far more accelerators
    supposed = evaluate(of_flops(facts, parameters=7e9, available=100_000), DRAWS)
    unknown = evaluate(of_flops(facts, available=100_000), DRAWS)
    assert supposed.layouts.best.accelerators < supposed.used == 100_000
    assert supposed.utilisation == pytest.approx(unknown.utilisation)
    assert "kernel_utilisation" not in {item.name for item in supposed.inputs.assumptions}


def test_a_known_shape_bounds_use_and_utilisation(facts):
    demand = partial(demand_of, facts, "fsd", "driving", DatasetFigures.of_hours(1e5))
    found = evaluate(Scenario(facts, demand, target(available=50_000)), DRAWS)
    assert found.used == found.layouts.best.accelerators < 50_000
    assert found.utilisation.max() <= 0.75 * found.layouts.best.efficiency
    economical = evaluate(Scenario(facts, demand, target(available=50_000, asked=False)), DRAWS)
    assert economical.used < found.used
    assert economical.layouts.limited_by == "cost"


def test_no_work_is_not_laid_out(facts):
    demand = partial(demand_of, facts, "fsd", "driving", DatasetFigures(0.0, 0, 0, ()))
    found = evaluate(Scenario(facts, demand, target()), MEDIANS)
    assert (found.layouts, found.compute_days, found.values["cost_usd"]) == (None, [0.0], [0.0])


@pytest.mark.parametrize("kind", ["language", "vision", "video"])
def test_an_unproven_accelerator_never_beats_the_proven_ones(facts, kind):
    proven, unproven = (
        evaluate(of_flops(facts, kind=kind, accelerator=name), DRAWS) for name in ("H100-SXM", "D1")
    )
    assert (unproven.utilisation <= proven.utilisation).all()
    supposed = next(item for item in unproven.inputs.assumptions if item.name == "utilisation_of_accelerator")
    assert (supposed.p10, supposed.p50, supposed.p90) == (0.09, 0.20, 0.44)
    assert (unproven.card.kind, unproven.card.runs) == ("D1", 0)


def test_d1_by_hand(facts):
    found = evaluate(of_flops(facts, accelerator="D1"), MEDIANS)
    assert found.utilisation == pytest.approx([0.20])
    assert found.compute_days == pytest.approx([1e22 / (PEAK["D1"] * 0.20 * 86_400 * 1024)])
