from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import pytest

from transforms.budget.costs import UNITS
from transforms.budget.demand.bare_flops import demand_of_flops
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.footage import Footage
from transforms.budget.demand.workloads import Demand, demand_of
from transforms.budget.draws import Draws, OneAtATime, spread
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
            batch_ratio=None,
            precision=precision,
        )

    return Scenario(facts, demand, target(**options))


def goodput_by_hand(count):
    # 2e-5 failures an accelerator-hour; 5 to 30 s a checkpoint, 3 to 10 min a restart
    between_s = 3600 / (2e-5 * count)
    return 1 - ((2 * 150**0.5 / between_s) ** 0.5 + (180 * 600) ** 0.5 / between_s)


def progress_by_hand(count):
    # the hours of published trainings, on 412 at the median, hold failures of their own
    return min(1.0, goodput_by_hand(count) / goodput_by_hand(412))


def of_driving(facts, workload="fsd", network="driving", **options):
    """A network of known shape on 100,000 hours."""
    return Scenario(
        facts, partial(demand_of, facts, workload, network, DatasetFigures.of_hours(1e5)), target(**options)
    )


def test_hours_and_days_by_hand(facts):
    found = evaluate(of_flops(facts), MEDIANS)
    hours = 1e22 / (PEAK["H100-SXM"] * USUAL * 3600)
    goodput, progress = goodput_by_hand(1024), progress_by_hand(1024)
    assert 0.9 < goodput < progress < 1
    assert found.compute_days == pytest.approx([hours / 24 / 1024])
    assert found.interruptions.goodput == pytest.approx([goodput])
    assert found.interruptions.beyond_evidence == pytest.approx([progress])
    assert found.progress == pytest.approx([progress])
    assert found.interruptions.mtbf_h == pytest.approx([1 / (2e-5 * 1024)])
    assert found.interruptions.checkpoint_s == pytest.approx([(2 * 150**0.5 * 3600 / (2e-5 * 1024)) ** 0.5])
    assert found.values["training_days"] == pytest.approx([hours / 24 / 1024 / progress])
    assert found.values["accelerator_hours"] == pytest.approx([hours / progress])
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


@pytest.mark.parametrize("count", [1, 412, 512, 16_384])
def test_failures_beyond_the_published_ones_stretch_days_and_hours_alike(facts, count):
    found, published = (evaluate(of_flops(facts, available=some), DRAWS) for some in (count, 412))
    progress = np.minimum(found.interruptions.goodput / published.interruptions.goodput, 1)
    assert found.progress == pytest.approx(progress)
    assert found.values["training_days"] == pytest.approx(found.compute_days / progress)
    assert found.values["accelerator_hours"] == pytest.approx(found.compute_days / progress * 24 * count)
    assert (found.interruptions.goodput < 1).all()


@pytest.mark.parametrize(("count", "progress"), [(1, 1.0), (412, 1.0), (1024, 0.9945), (16_384, 0.931)])
def test_no_training_fails_less_than_the_published_ones(facts, count, progress):
    found = evaluate(of_flops(facts, available=count), MEDIANS)
    assert progress_by_hand(count) == pytest.approx(progress, abs=5e-4)
    assert found.progress == pytest.approx([progress_by_hand(count)])
    # the share of the days that is progress stays what it is
    assert found.interruptions.goodput == pytest.approx([goodput_by_hand(count)])
    drawn = evaluate(of_flops(facts, available=count), DRAWS).progress
    assert (drawn == 1).all() if count <= 412 else (drawn < 1).all()


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
    assert found.values["training_days"] == pytest.approx([reading / progress_by_hand(1024)])
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
    assert (found.at_work, found.progress) == ([1.0], [1.0])
    assert found.values["accelerator_hours"] == pytest.approx([hours])
    assert found.values["training_days"] == pytest.approx([hours / 24])


def test_a_supposed_shape_binds_use_but_not_utilisation(facts):
    # critical batch of 16 million tokens, 1,953 samples of 8,192 on eight accelerators each; far more are there
    supposed = evaluate(of_flops(facts, parameters=7e9, available=100_000), DRAWS)
    unknown = evaluate(of_flops(facts, available=100_000), DRAWS)
    assert supposed.used == supposed.layouts.best.accelerators == 1953 * 8
    assert supposed.layouts.limited_by == "critical batch"
    assert (unknown.layouts, unknown.used) == (None, 100_000)
    # a guessed batch has no uncertainty of its own
    assert (supposed.at_work == 15_624).all()
    assert (unknown.at_work == 100_000).all()
    assert supposed.utilisation == pytest.approx(unknown.utilisation)
    assert supposed.compute_days == pytest.approx(unknown.compute_days * 100_000 / 15_624)
    assert supposed.values["accelerator_hours"] == pytest.approx(
        supposed.values["training_days"] * 24 * 15_624
    )
    assert "kernel_utilisation" not in {item.name for item in supposed.inputs.assumptions}


def test_a_known_shape_bounds_use_and_utilisation(facts):
    found = evaluate(of_driving(facts, available=50_000), DRAWS)
    assert found.used == found.layouts.best.accelerators < 50_000
    # the same network's draws without a layout
    free = of_flops(facts, kind=found.demand.kind, parameters=found.demand.parameters, counted=False)
    unbound = evaluate(free, DRAWS).utilisation
    # 65 to 85 % of the peak, by draw
    kernels = spread(facts.training.kernel_utilisation, DRAWS.normal("kernel_utilisation"))
    assert np.quantile(kernels, [0.1, 0.5, 0.9]) == pytest.approx([0.65, 0.75, 0.85], abs=2e-3)
    bound = kernels * found.layouts.best.efficiency
    assert (found.utilisation <= bound).all()
    assert found.utilisation == pytest.approx(np.minimum(unbound, bound))
    assert 0 < (bound < unbound).mean() < 1
    economical = evaluate(of_driving(facts, available=50_000, asked=False), DRAWS)
    assert economical.used < found.used
    assert economical.layouts.limited_by == "cost"


@pytest.mark.parametrize(
    ("options", "limit", "busy"),
    [
        # 244 samples on eight accelerators each
        ({"available": 50_000}, "critical batch", [8 * 244, 8 * 61, 8 * 976]),
        # no more than there are
        ({"available": 5_000}, "critical batch", [8 * 244, 8 * 61, 5_000]),
        # 244 samples on two accelerators each: wider would be faster, but dearer
        ({"available": 50_000, "asked": False}, "cost", [2 * 244, 2 * 61, 2 * 976]),
        # 64 replicas; a quarter of the batch has samples for 61 of them
        ({"available": 64}, "accelerators", [64, 4e6 / 16_384 / 4, 64]),
        ({"available": 8}, "accelerators", [8, 8, 8]),
    ],
)
def test_a_larger_critical_batch_has_work_for_more(facts, options, limit, busy):
    # the median; 1 instead of 4 million tokens a step, and 16
    found = evaluate(of_driving(facts, **options), OneAtATime(["fsd/batch"]))
    assert found.demand.batch_ratio == pytest.approx([1, 0.25, 4])
    assert found.layouts.limited_by == limit
    assert found.at_work == pytest.approx(busy)
    assert found.at_work[0] == found.used
    hours = found.demand.flops / (PEAK["H100-SXM"] * found.utilisation * 3600)
    assert hours == pytest.approx(hours[0])
    assert found.compute_days == pytest.approx(hours / 24 / busy)
    # each brings cores and network of its own
    assert found.loader_days == pytest.approx(found.loader_days[0] * busy[0] / np.array(busy))
    assert found.progress == pytest.approx(progress_by_hand(found.used))
    slower = np.maximum(found.compute_days, found.loader_days)
    assert found.values["training_days"] == pytest.approx(slower / found.progress)
    assert found.values["accelerator_hours"] == pytest.approx(found.values["training_days"] * 24 * busy)
    assert found.power_mw == pytest.approx(np.array(busy) * 1275 * 1.15 / 1e6)


def test_micro_batches_are_not_parted_among_replicas(facts):
    # 64 replicas that take four pictures at a time, of a batch of 512
    scenario = of_driving(facts, workload="autopilot", network="camera-detector", available=64)
    found = evaluate(scenario, DRAWS)
    assert (found.demand.shape.batch, found.layouts.best.micro_batch, found.used) == (512, 4, 64)
    batch = 512 * found.demand.batch_ratio
    assert (batch / 4 < 64).any()
    assert found.at_work == pytest.approx(np.minimum(batch / 4, 64))


def test_a_replica_always_has_work(facts):
    known = of_driving(facts, available=50_000)
    tiny = replace(known, demand=lambda inputs: replace(known.demand(inputs), batch_ratio=np.array([1e-4])))
    assert evaluate(tiny, MEDIANS).at_work == pytest.approx([8])


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize(("workload", "network"), [("fsd", "driving"), ("autopilot", "camera-detector")])
@pytest.mark.parametrize("count", [1, 7, 100, 1000, 30_000])
def test_at_the_medians_those_used_are_at_work(facts, workload, network, count, asked):
    scenario = of_driving(facts, workload, network, accelerator="D1", available=count, asked=asked)
    found = evaluate(scenario, MEDIANS)
    assert found.at_work == pytest.approx([found.used])


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
