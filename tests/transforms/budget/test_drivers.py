from datetime import date
from functools import partial

import pytest

from transforms.budget.demand.bare_flops import demand_of_flops
from transforms.budget.draws import Draws, OneAtATime
from transforms.budget.drivers import DRIVEN, drivers
from transforms.budget.evaluating import Scenario, Target, evaluate

Z90 = 1.2815515655446004


@pytest.fixture
def training(facts):
    target = Target(
        accelerator="H100-SXM",
        available=1,
        place="anywhere",
        owned=False,
        day=date(2026, 1, 1),
        asked=False,
        counted=False,
    )
    return Scenario(facts, partial(demand_of_flops, facts, 1e22, "video", None), target)


def test_a_plan_moves_one_name_at_a_time():
    plan = OneAtATime(("a", "b"))
    assert plan.count == 5
    assert plan.normal("a").tolist() == [0, -Z90, Z90, 0, 0]
    assert plan.normal("b").tolist() == [0, 0, 0, -Z90, Z90]
    assert not plan.normal("c").any()


def test_a_driver_is_its_input_alone_at_its_quantiles(training):
    found = evaluate(training, Draws(0, 500))
    by_name = {item.input.name: item for item in drivers(training, found.inputs.streams)}
    utilisation = by_name["utilisation"]
    # hours go with the reciprocal of utilisation: 25, 40 and 50 % are assumed for video
    median = 1e22 / (989.4e12 * 0.40 * 3600)
    low, high = utilisation.effects["accelerator_hours"]
    assert utilisation.medians["accelerator_hours"] == pytest.approx(median)
    assert (low, high) == (pytest.approx(median * 0.40 / 0.25), pytest.approx(median * 0.40 / 0.50))
    assert utilisation.swing == pytest.approx(2.0)
    rent = by_name["rent"]
    assert rent.effects["accelerator_hours"] == (pytest.approx(median), pytest.approx(median))
    assert rent.effects["cost_usd"][1] / rent.effects["cost_usd"][0] == pytest.approx(3.0 / 1.7)


def test_the_strongest_comes_first_and_what_moves_nothing_is_left_out(training):
    found = evaluate(training, Draws(0, 500))
    told = drivers(training, found.inputs.streams)
    swings = [item.swing for item in told]
    assert swings == sorted(swings, reverse=True)
    assert min(swings) > 1.01
    assert not {item.input.name for item in told} & {"water_off_site", "programme_retrains"}


def test_the_json_form(training):
    found = evaluate(training, Draws(0, 500))
    data = drivers(training, found.inputs.streams)[0].as_json()
    assert list(data) == ["name", "unit", "low", "high", "accelerator_hours", "training_days", "cost_usd"]
    assert (data["name"], data["unit"], data["low"], data["high"]) == ("utilisation", "share", 0.25, 0.50)
    assert set(data["cost_usd"]) == {"low", "median", "high"}


def test_medians_do_not_depend_on_draws(training):
    alone = evaluate(training, OneAtATime(())).values
    few, many = (
        drivers(training, evaluate(training, Draws(seed, count)).inputs.streams)
        for seed, count in ((0, 50), (7, 200))
    )
    assert few == many
    for item in few:
        assert item.medians == {name: values[0] for name, values in alone.items() if name in DRIVEN}
    streams = evaluate(training, Draws(0, 50)).inputs.streams
    (alone_moved,) = drivers(
        training, {stream: item for stream, item in streams.items() if item.name == "utilisation"}
    )
    assert alone_moved == few[0]
    hours = 1e22 / (989.4e12 * 0.40 * 3600)
    assert few[0].medians == {
        "accelerator_hours": pytest.approx(hours),
        "training_days": pytest.approx(hours / 24),
        "cost_usd": pytest.approx(hours * (1.7 * 3.0) ** 0.5),
    }
