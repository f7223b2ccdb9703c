import json
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.budget.chances import Limits
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import Fleet
from transforms.budget.errors import BudgetUsageError
from transforms.budget.evaluating import evaluate
from transforms.budget.questions.trainable import trainable

HOURS = 1e5
figures = DatasetFigures.of_hours(HOURS)
workloads = st.sampled_from(["fsd", "autopilot", "optimus"])


def train_on(scenario, draws, *options):
    return trainable(evaluate(scenario, draws), *options)


@settings(max_examples=25, deadline=None)
@given(workloads, st.one_of(st.none(), st.floats(0.1, 1e3)), st.floats(1e3, 1e8))
def test_what_is_sure_meets_the_limits_in_nine_of_ten_draws(asked, workload, days, dollars):
    limits = Limits(days, dollars)
    answer = train_on(asked.scenario(workload), asked.draws, figures, limits)
    for hours, probability in ((answer.sure, 0.9), (answer.camera_hours.p50, 0.5)):
        values = evaluate(asked.scenario(workload, hours=hours), asked.draws).values
        met = values["cost_usd"] <= dollars * (1 + 1e-9)
        if days is not None:
            met &= values["training_days"] <= days * (1 + 1e-9)
        # a quantile lies between two draws
        assert met.mean() == pytest.approx(probability, abs=1.5 / asked.draws.count)


@settings(max_examples=25, deadline=None)
@given(workloads, st.floats(0.01, 1e5), st.floats(1.1, 100))
def test_more_days_train_in_proportion(asked, workload, days, factor):
    less, more = (
        train_on(asked.scenario(workload), asked.draws, figures, Limits(limit)).camera_hours
        for limit in (days, days * factor)
    )
    for quantile in ("p10", "p50", "p90"):
        assert getattr(more, quantile) == pytest.approx(factor * getattr(less, quantile))


def test_the_answer_does_not_depend_on_the_data_set_at_hand(asked):
    one, other = (
        train_on(
            asked.scenario("fsd", hours=hours), asked.draws, DatasetFigures.of_hours(hours), Limits(30.0)
        )
        for hours in (1.0, 1e6)
    )
    assert one.camera_hours.p50 == pytest.approx(other.camera_hours.p50)


def test_both_limits_are_met_and_the_tighter_one_is_told(asked):
    scenario = asked.scenario("fsd")
    time, money, both = (
        train_on(scenario, asked.draws, figures, limits)
        for limits in (Limits(deadline=1e4), Limits(money=100.0), Limits(1e4, 100.0))
    )
    assert both.camera_hours == money.camera_hours
    assert both.camera_hours.p50 < time.camera_hours.p50
    assert (time.bound_by, money.bound_by, both.bound_by) == ("deadline", "money", "money")
    assert both.reason is None
    assert both.accelerators == evaluate(scenario, asked.draws).used


def test_vehicles_of_a_fleet_record_it(asked, figures):
    # two cameras of 100 and 300 h: a vehicle-hour has 4/3 camera-hours
    question = replace(asked.question(), figures=figures)
    scenario = replace(
        asked.scenario("fsd"),
        demand=partial(asked.scenario("fsd").demand.func, question.facts, "fsd", "driving", figures),
    )
    fleet = Fleet(vehicles=1000, hours_per_day=2, days=10, keep_rate=0.5)
    answer = train_on(scenario, asked.draws, figures, Limits(10.0), fleet)
    assert answer.vehicle_hours.p50 == pytest.approx(answer.camera_hours.p50 * 3 / 4)
    assert answer.vehicles.p50 == pytest.approx(answer.vehicle_hours.p50 / 10)
    assert answer.says().endswith(f" sure at 90%), or {answer.vehicles.p50 / 1e3:.3g}k vehicles")
    assert train_on(scenario, asked.draws, figures, Limits(10.0)).vehicles is None


def test_text_that_breaks_the_limit_leaves_nothing(asked):
    answer = train_on(asked.scenario("grok"), asked.draws, figures, Limits(money=1e3))
    assert (answer.camera_hours.p90, answer.sure) == (0, 0)
    assert answer.reason == "text alone takes more in 100% of draws"
    assert answer.says() == "$1k train nothing: text alone takes more in 100% of draws"


def test_text_that_breaks_the_limit_in_some_draws(asked):
    scenario = asked.scenario("grok")
    values = evaluate(scenario, asked.draws).values["training_days"]
    often = train_on(scenario, asked.draws, figures, Limits(float(np.quantile(values, 0.3))))
    assert often.camera_hours.p50 == 0 < often.camera_hours.p90
    assert re.search("d train nothing: text alone takes more in (6|7).% of draws", often.says())
    seldom = train_on(scenario, asked.draws, figures, Limits(float(np.quantile(values, 0.7))))
    assert seldom.camera_hours.p10 == 0 < seldom.camera_hours.p50
    assert seldom.says().endswith(" (none sure at 90%)")
    assert re.fullmatch("text alone takes more in (2|3).% of draws", seldom.reason)
    rarely = train_on(scenario, asked.draws, figures, Limits(float(np.quantile(values, 0.99))))
    assert rarely.reason is None
    assert rarely.says().endswith("sure at 90%)")


def test_a_data_set_without_hours_cannot_be_multiplied(asked):
    empty = DatasetFigures(0.0, 0, 0, ())
    answer = train_on(asked.scenario("grok", hours=0.0), asked.draws, empty, Limits(30.0))
    assert (answer.camera_hours, answer.vehicle_hours, answer.sure) == (None, None, 0)
    assert (
        answer.says()
        == "30 d train nothing: the data set holds no camera-hours: there is nothing to multiply"
    )


def test_what_does_not_fit_is_told_beside_the_figures(asked):
    answer = train_on(asked.scenario("grok", count=1), asked.draws, figures, Limits(1e9))
    assert answer.reason.startswith("memory: no layout over 1 accelerator")


def test_a_limit_is_needed(asked):
    with pytest.raises(BudgetUsageError, match="a deadline or money"):
        train_on(asked.scenario("fsd"), asked.draws, figures, Limits())


def test_the_json_form(asked):
    answer = train_on(asked.scenario("fsd"), asked.draws, figures, Limits(30.0, 1e5), Fleet(10, 1, 1))
    data = json.loads(json.dumps(answer.as_json(), allow_nan=False))
    assert data["limits"] == {"deadline": 30.0, "money": 1e5}
    assert data["sure_camera_hours"] == data["camera_hours"]["p10"] > 0
    assert set(data) == {
        "limits", "accelerators", "camera_hours", "vehicle_hours", "vehicles", "bound_by", "reason",
        "sure_camera_hours",
    }  # fmt: skip
    assert data["vehicles"]["unit"] == "vehicles"
