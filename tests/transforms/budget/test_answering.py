import json
import re
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import pytest
from speeds import SPEED

from models.flops import GraphFlops
from transforms.budget.answering import answer, answer_flops
from transforms.budget.chances import Limits
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import UPLINK_UNITS, Fleet
from transforms.budget.demand.onnx_networks import CountedNetwork, add_counted
from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import load_facts
from transforms.budget.facts.own import OwnFacts
from transforms.budget.request import BudgetRequest, FlopsRequest

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "budget.md"
DRAWS = 100
FLEET = Fleet(vehicles=1000, hours_per_day=1, days=30, keep_rate=0.1)


@pytest.fixture(scope="module")
def full():
    """Two workloads of a fleet with limits, and a speed that a run measured."""
    request = BudgetRequest(
        workloads=("autopilot", "fsd"),
        clusters=("cortex", "dojo"),
        fleet=FLEET,
        limits=Limits(deadline=3.0, money=1e4),
        seed=2,
        draws=DRAWS,
    )
    return request, answer(
        request, DatasetFigures.of_hours(100.0), "measured", dataset="/data/drives", speed=SPEED
    )


def plain(text):
    """The names of a list in the documentation, without what stands in brackets behind them."""
    while (shorter := re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]", "", text)) != text:
        text = shorter
    return re.findall(r"\w+", text)


def documented(before):
    """What stands between back-quotes after some words of the budget's section."""
    section = PAGE.read_text(encoding="utf-8").split("## In detail")[1]
    return plain(section.split(before, 1)[1].split("`")[1])


def test_the_json_form_has_the_documented_names(full):
    data = full[1].as_json()
    assert list(data) == documented("`--json` prints")
    always = documented("An estimate has")
    assert [list(item) for item in data["estimates"]] == [
        always + documented("where anything can be estimated,")
    ] * 6
    nothing = BudgetRequest(workloads=("fsd",), clusters=("dojo",), as_of=date(2020, 1, 1), draws=DRAWS)
    (early,) = answer(nothing, DatasetFigures.of_hours(1.0), "user").as_json()["estimates"]
    assert list(early) == always


def test_the_json_form_has_no_number_that_json_lacks(full, figures):
    answers = [
        full[1],
        answer(BudgetRequest(draws=DRAWS), figures, "measured"),
        answer(
            BudgetRequest(draws=DRAWS, fleet=None), DatasetFigures(0.0, 0, 0, ()), "measured", speed=SPEED
        ),
        answer_flops(FlopsRequest(flops=1e22, kind="language", accelerator="D1", draws=DRAWS)),
    ]
    for item in answers:
        data = item.as_json()
        assert json.loads(json.dumps(data, allow_nan=False))["headline"] == item.headline


def test_what_was_asked_is_told(full):
    request, found = full
    assert (found.seed, found.draws, found.dataset) == (2, DRAWS, "/data/drives")
    assert (found.facts_as_of, found.network) == ("2026-05-06", None)
    assert found.as_json()["fleet"] == asdict(FLEET)
    assert found.figures == request.figures_for(DatasetFigures.of_hours(100.0))
    # 1,000 vehicles, an hour on each of 30 days, a tenth kept
    assert found.figures.camera_hours == pytest.approx(3000)


def test_estimates_are_those_of_the_request_in_its_order(full):
    request, found = full
    assert list(found.estimates) == request.answer(DatasetFigures.of_hours(100.0))
    assert [(item.workload, item.accelerator) for item in found.estimates] == [
        (workload, accelerator)
        for workload in ("autopilot", "fsd")
        for accelerator in ("H100-SXM", "H200-SXM", "D1")
    ]
    assert {chance.limit for item in found.estimates for chance in item.detail.chances} == {
        "deadline",
        "money",
    }


def test_an_uplink_belongs_to_a_fleet(full, figures):
    uplink = full[1].uplink
    assert {name: item.unit for name, item in uplink.items()} == UPLINK_UNITS
    # 4 Mbit/s of one camera; 30,000 hours recorded, a tenth uploaded
    hourly = 4e6 / 8 * 3600
    assert uplink["bytes_per_vehicle_hour"].p50 == pytest.approx(hourly, rel=0.02)
    assert uplink["recorded"].p50 == pytest.approx(hourly * 30_000 / 1e15, rel=0.02)
    assert uplink["uploaded"].p50 == pytest.approx(uplink["recorded"].p50 / 10)
    assert {"uplink_rate", "uplink_connected", "cameras"} <= {item.name for item in full[1].assumptions}
    alone = answer(BudgetRequest(workloads=("fsd",), draws=DRAWS), figures, "measured")
    assert (alone.uplink, alone.fleet, alone.labelling, alone.shares) == (None, None, None, {})
    assert alone.assumptions == ()


def test_labelling_is_that_of_the_fleets_hours(full):
    labelling = full[1].labelling
    # 5 frames of an hour at 10 a second and core: half an hour of a core
    assert labelling.camera_hours_per_core_hour == pytest.approx(2)
    assert labelling.modes[0].core_hours.p50 == pytest.approx(1500, rel=0.05)
    assert "labelling_speed" in {item.name for item in full[1].assumptions}


def test_shares_are_those_of_the_cheapest_training_and_add_up(full):
    found = full[1]
    assert list(found.shares) == ["autopilot", "fsd"]
    labelling = found.labelling.modes[0].cost_usd.p50
    for workload, parts in found.shares.items():
        costs = [
            item.quantities["cost_usd"].p50
            for item in found.estimates
            if item.workload == workload and item.feasible
        ]
        together = labelling + min(costs)
        assert parts.labelling + parts.decoding + parts.training == pytest.approx(1)
        assert parts.training == pytest.approx(min(costs) / together)
        assert parts.decoding == pytest.approx(labelling * 0.25 / together)
        assert parts.labelling == pytest.approx(labelling * 0.75 / together)
    told = found.as_json()["labelling"]["share"]
    assert told == {name: asdict(parts) for name, parts in found.shares.items()}


def test_a_data_set_without_hours_was_not_labelled():
    request = BudgetRequest(workloads=("grok",), clusters=("cortex",), draws=DRAWS)
    found = answer(request, DatasetFigures(0.0, 0, 0, ()), "measured", speed=SPEED)
    assert (found.labelling, found.shares, found.as_json()["labelling"]) == (None, {}, None)


def test_workloads_meet_where_there_are_pools(full):
    found = full[1]
    assert [item.workload for item in found.meetings] == ["autopilot", "fsd"]
    assert [pool.accelerator for pool in found.meetings[0].pools] == ["H100-SXM", "H200-SXM", "D1"]
    early = BudgetRequest(workloads=("fsd",), clusters=("dojo",), as_of=date(2020, 1, 1), draws=DRAWS)
    nowhere = answer(early, DatasetFigures.of_hours(1.0), "user", speed=SPEED)
    assert (nowhere.meetings, nowhere.shares) == ((), {})
    # a workload that has pools on one of two clusters meets there
    partly = answer(
        replace(early, clusters=("dojo", "colossus"), as_of=date(2024, 8, 20)),
        DatasetFigures.of_hours(1.0),
        "user",
    )
    assert [pool.cluster for pool in partly.meetings[0].pools] == ["dojo", "colossus"]


def test_a_counted_network_is_told():
    flops = GraphFlops(
        forward=10**9, parameters=10**6, activation_elements=10**7, counted=(), uncounted=(), inputs=()
    )
    network, own = CountedNetwork("tiny", flops), OwnFacts()
    add_counted(network, own, load_facts())
    request = replace(BudgetRequest.resolve(["autopilot"], ["cortex"], "tiny", own), draws=DRAWS)
    found = answer(request, DatasetFigures.of_hours(10.0), "user", network=network)
    assert found.as_json()["network"] == network.as_json()
    assert {item.network for item in found.estimates} == {"tiny"}
    # 5 frames a second, a hundred passes, three forward passes a step
    work = found.estimates[0].detail.also["training_flops"]
    assert work.p50 == pytest.approx(3 * 1e9 * 10 * 3600 * 5 * 100, rel=0.05)


def test_what_cannot_be_trained_is_told():
    request = BudgetRequest(workloads=("grok",), network="camera-detector", draws=DRAWS)
    with pytest.raises(BudgetUsageError, match="takes frames alone"):
        answer(request, DatasetFigures.of_hours(1.0), "user")


def test_flops_have_an_estimate_and_nothing_of_a_data_set():
    request = FlopsRequest(flops=1e22, kind="video", accelerator="H100", count=64, seed=4, draws=DRAWS)
    found = answer_flops(request)
    assert found.estimates == (request.answer(),)
    data = found.as_json()
    assert (data["seed"], data["draws"], data["facts_as_of"]) == (4, DRAWS, "2026-05-06")
    empty = ("dataset", "figures", "fleet", "uplink", "labelling", "network")
    assert [data[name] for name in empty] == [None] * 6
    assert (data["questions"], data["assumptions"]) == ([], [])
