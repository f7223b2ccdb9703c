from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import pytest

from transforms.budget.amounts import short
from transforms.budget.checks import checks
from transforms.budget.demand.bare_flops import demand_of_flops
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.draws import OneAtATime
from transforms.budget.evaluating import Scenario, Target, evaluate
from transforms.budget.placing import Training, placements
from transforms.budget.request import BudgetRequest, FlopsRequest
from transforms.budget.supply.phases import Allocation


def found(hours=1e5, workload="fsd", cluster="cortex", **options):
    request = BudgetRequest(workloads=(workload,), clusters=(cluster,), draws=500, **options)
    answer = request.answer(DatasetFigures.of_hours(hours))[0]
    return {check.name: check for check in answer.detail.checks}


def test_all_checks_hold_for_a_usual_training():
    checks = found()
    assert list(checks) == [
        "utilisation",
        "tokens per parameter",
        "steps",
        "tokens per accelerator and step",
        "power against the site",
        "dollars against capital",
        "wall time against failures",
        "loader",
        "hand formula within 2 x",
    ]
    assert all(check.holds for check in checks.values())


def test_tokens_a_parameter_by_hand():
    # 1280 x 960 is 768 tokens a frame, 6.25 frames a second, three passes, a billion parameters
    tokens = 1e5 * 3600 * 6.25 * 768 * 3
    said = found()["tokens per parameter"].says
    assert float(said.split("k tokens")[0]) * 1000 == pytest.approx(tokens / 1e9, rel=0.02)


def test_a_data_set_of_a_minute_fills_no_step():
    checks = found(hours=1 / 60)
    assert not checks["steps"].holds
    assert not checks["tokens per parameter"].holds


def test_power_is_that_of_the_accelerators_used():
    checks = found(workload="grok", allocation=Allocation(share=1.0))
    assert checks["power against the site"].says.endswith("of 71 to 130 MW")


def test_frames_instead_of_tokens_for_a_graph():
    checks = found(workload="autopilot")
    assert "frames per accelerator and step" in checks
    assert "tokens per parameter" not in checks


def test_without_a_count_there_is_nothing_to_fail():
    answer = FlopsRequest(flops=1e24, kind="language", accelerator="H100", draws=200).answer()
    assert [check.name for check in answer.detail.checks] == ["utilisation", "dollars against capital"]
    # a year of one accelerator costs more than the accelerator
    assert answer.quantities["training_days"].p50 > 365
    assert not {check.name: check for check in answer.detail.checks}["dollars against capital"].holds


@pytest.mark.parametrize("kind", ["language", "video"])
def test_the_hand_formula_is_the_hours_of_computing(kind):
    answer = FlopsRequest(
        flops=1e24, kind=kind, accelerator="H100", count=1024, parameters=1e10, draws=500
    ).answer()
    checks = {check.name: check for check in answer.detail.checks}
    assert checks["hand formula within 2 x"].holds


@pytest.fixture
def ten_billion(facts):
    """1e24 FLOPs of a video network of 1e10 parameters on rented accelerators, at the medians."""

    def evaluated(count=1024, flops=1e24, parameters=1e10):
        target = Target(
            accelerator="H100-SXM",
            available=count,
            place="anywhere",
            owned=False,
            day=date(2026, 1, 1),
            asked=True,
        )
        scenario = Scenario(facts, partial(demand_of_flops, facts, flops, "video", parameters), target)
        return scenario, evaluate(scenario, OneAtATime(()))

    return evaluated


def by_name(scenario, evaluation, power_mw=0.0, facility=None):
    return {check.name: check for check in checks(scenario, evaluation, power_mw, facility)}


# 40 % of the peak is supposed for video networks
HOURS = 1e24 / (9.894e14 * 0.40 * 3600)


def goodput_by_hand(count):
    # 2e-5 failures an accelerator-hour; 5 to 30 s a checkpoint, 3 to 10 min a restart
    between_s = 3600 / (2e-5 * count)
    return 1 - ((2 * 150**0.5 / between_s) ** 0.5 + (180 * 600) ** 0.5 / between_s)


def progress_by_hand(count):
    # the hours of published trainings, on 412 at the median, hold failures of their own
    return min(1.0, goodput_by_hand(count) / goodput_by_hand(412))


def test_the_hand_formula_says_work_over_rate(ten_billion):
    check = by_name(*ten_billion())["hand formula within 2 x"]
    assert check.holds
    assert check.says == f"{short(HOURS)} accelerator-hours of computing by hand, {short(HOURS)} here"
    assert check.says.startswith("702k accelerator-hours")


@pytest.mark.parametrize(("factor", "holds"), [(0.49, False), (0.51, True), (1.99, True), (2.01, False)])
def test_the_hand_formula_fails_beyond_a_factor_of_two(ten_billion, factor, holds):
    scenario, evaluation = ten_billion()
    changed = replace(evaluation, compute_days=evaluation.compute_days * factor)
    check = by_name(scenario, changed)["hand formula within 2 x"]
    assert check.holds is holds
    assert check.says.endswith(f"by hand, {short(HOURS * factor)} here")


def test_the_hand_formula_is_one_of_bf16(ten_billion):
    scenario, evaluation = ten_billion()
    eight_bits = replace(evaluation, demand=replace(evaluation.demand, precision="fp8"))
    assert "hand formula within 2 x" not in by_name(scenario, eight_bits)


@pytest.mark.parametrize(("count", "holds"), [(1024, True), (8, False)])
def test_dollars_are_held_against_the_price_of_the_accelerators(ten_billion, count, holds):
    scenario, evaluation = ten_billion(count)
    check = by_name(scenario, evaluation)["dollars against capital"]
    # 1.7 to 3 dollars an hour; 38,000 to 52,900 dollars each
    dollars = HOURS / progress_by_hand(count) * (1.7 * 3.0) ** 0.5
    capital = count * (38e3 * 52.9e3) ** 0.5
    assert check.holds is holds
    assert check.says == f"{short(dollars)} dollars; the accelerators used cost {short(capital)}"


def test_failures_are_counted_over_the_wall_time(ten_billion):
    scenario, evaluation = ten_billion()
    check = by_name(scenario, evaluation)["wall time against failures"]
    between = 1 / (2e-5 * 1024)
    wall = HOURS / 1024 / progress_by_hand(1024)
    assert check.holds
    assert check.says == (
        f"{short(wall / between)} failures expected in {short(wall)} h, one in {short(between)} h"
    )
    assert check.says.endswith("one in 48.8 h")


def test_failures_between_two_checkpoints_are_too_many(ten_billion):
    # ten million accelerators fail every 18 s; checkpoints every 21 s would be best
    check = by_name(*ten_billion(10_000_000, parameters=None))["wall time against failures"]
    assert not check.holds
    assert check.says.endswith("one in 0.005 h")
    # of a network whose critical batch has work for 1,953 x 8, no more can fail
    check = by_name(*ten_billion(10_000_000))["wall time against failures"]
    assert check.holds
    assert check.says.endswith(f"one in {short(1 / (2e-5 * 1953 * 8))} h")


@pytest.mark.parametrize(("power", "holds"), [(130.0, True), (130.1, False)])
def test_power_is_held_against_the_site(facts, ten_billion, power, holds):
    phase = facts.clusters["cortex"].phases[2]
    check = by_name(*ten_billion(), power_mw=power, facility=phase.facility)["power against the site"]
    assert (check.holds, check.says) == (holds, f"{short(power)} MW of 71 to 130 MW")
    assert "power against the site" not in by_name(*ten_billion(), power_mw=power)


def test_a_step_is_a_token_for_each_accelerator_at_least(ten_billion):
    # a step of 16 million tokens: 15,625 on each of 1024
    checked = by_name(*ten_billion())["tokens per accelerator and step"]
    assert (checked.holds, checked.says) == (True, f"{short(16e6 / 1024)} a step")
    # however many there are, 1,953 x 8 are used: an eighth of a sample of 8,192 on each
    checked = by_name(*ten_billion(32_000_000))["tokens per accelerator and step"]
    assert (checked.holds, checked.says) == (True, f"{short(8192 / 8)} a step")


@pytest.mark.parametrize(("used", "holds", "says"), [(16_000_000, True, "1"), (32_000_000, False, "0.5")])
def test_a_step_of_less_than_a_token_does_not_hold(ten_billion, used, holds, says):
    scenario, evaluation = ten_billion()
    checked = by_name(scenario, replace(evaluation, used=used))["tokens per accelerator and step"]
    assert (checked.holds, checked.says) == (holds, f"{says} a step")


def test_steps_by_hand(ten_billion):
    shape = ten_billion()[1].demand.shape
    samples = 1e24 / shape.flops
    check = by_name(*ten_billion())["steps"]
    assert check.holds
    assert check.says == (
        f"{short(samples)} samples in batches of {short(16e6 / 8192)}: {short(samples / (16e6 / 8192))} steps"
    )
    # half a step of 16 million tokens
    assert not by_name(*ten_billion(flops=shape.flops * 16e6 / 8192 / 2))["steps"].holds


@pytest.mark.parametrize(("most", "holds"), [(1.0, True), (1.01, False)])
def test_no_training_passes_the_peak(ten_billion, most, holds):
    scenario, evaluation = ten_billion()
    check = by_name(scenario, replace(evaluation, utilisation=np.array([0.4, most])))["utilisation"]
    assert (check.holds, check.says) == (holds, f"at most {most:.0%} of the peak in any draw")


def at_medians(workload, network, cluster, hours=1e4):
    question = BudgetRequest(draws=1).question(DatasetFigures.of_hours(hours))
    placed = next(placements(question, Training(workload, network), cluster))
    evaluation = evaluate(placed.scenario, OneAtATime(()))
    return evaluation, by_name(placed.scenario, evaluation)["loader"]


def test_a_detector_that_reads_all_of_the_video_waits_for_its_loader():
    # six of 36 frames a second are trained on, but all are decoded, by few cores
    evaluation, check = at_medians("fsd", "camera-detector", "dojo")
    cores = 0.75 * (1.3 * 2.6) ** 0.5 * evaluation.used
    rate = cores / (3600 * 36 * 1280 * 960 / 2.1e8)
    reading = 1e4 * 3 / rate / 86_400
    (computing,) = evaluation.compute_days
    assert not check.holds
    assert reading > computing
    assert check.says.startswith(
        f"{short(reading)} days of reading, {short(computing)} of computing; decode: "
    )
    assert check.says.endswith(
        f"cores decode {rate:.3g} h of video a second, the training wants {3e4 / computing / 86_400:.3g}"
    )
    assert evaluation.values["training_days"] == pytest.approx(reading / progress_by_hand(evaluation.used))
    assert evaluation.used > 412


def test_a_detector_that_reads_pictures_does_not_wait():
    evaluation, check = at_medians("autopilot", "camera-detector", "dojo")
    # five pictures a second, a hundred times
    cores = 0.75 * (1.3 * 2.6) ** 0.5 * evaluation.used
    reading = 1e4 * 100 * 3600 * 5 * 1280 * 960 / 2.5e8 / cores / 86_400
    (computing,) = evaluation.compute_days
    assert check.holds
    assert check.says.startswith(
        f"{short(reading)} days of reading, {short(computing)} of computing; decode: "
    )
