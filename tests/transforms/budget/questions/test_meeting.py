import json
from datetime import date

import pytest

from transforms.budget.chances import Limits
from transforms.budget.demand.fleet import Fleet
from transforms.budget.estimating import estimates_of
from transforms.budget.questions.meeting import meeting
from transforms.budget.supply.phases import Allocation

CLUSTERS = ("colossus", "cortex", "dojo")
WORKLOADS = ("fsd", "autopilot", "optimus", "grok")


def meet(asked, workload, clusters=CLUSTERS, fleet=None, **options):
    return meeting(asked.question(**options), asked.placed(workload, clusters, **options), fleet)


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("limits", [Limits(), Limits(10.0, 1e5), Limits(deadline=1000.0), Limits(money=1e7)])
def test_sentences_are_short_and_the_json_form_holds(asked, workload, limits):
    answer = meet(asked, workload, limits=limits, fleet=Fleet(1e6, 1, 365, 0.01))
    sentences = list(answer.sentences())
    assert sentences[0] == f"{workload}, compared with Colossus (H100-SXM):"
    assert all(0 < len(sentence) <= 100 for sentence in sentences)
    assert len(set(sentences)) == len(sentences)
    data = json.loads(json.dumps(answer.as_json(), allow_nan=False))
    assert [(item["cluster"], item["accelerator"]) for item in data["pools"]] == [
        ("colossus", "H100-SXM"),
        ("colossus", "H200-SXM"),
        ("colossus", "GB200"),
        ("cortex", "H100-SXM"),
        ("cortex", "H200-SXM"),
        ("dojo", "D1"),
    ]
    assert [item["name"] for item in data["ratios"]] == [item.name for item in answer.pools]
    assert {len(item["needed"]) for item in data["pools"]} == {2 if limits.deadline else 0}
    assert all((item["trainable"] is not None) == bool(limits.given()) for item in data["pools"])
    assert len(data["break_even"]) == 5 * 3
    assert data["reason"] is None


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"as_of": date(2024, 12, 31)},
        {"as_of": date(2023, 1, 1)},
        {"allocation": Allocation(count=20_000)},
        {"allocation": Allocation(count=1)},
    ],
)
@pytest.mark.parametrize("workload", WORKLOADS)
def test_pools_are_as_feasible_as_their_estimates(asked, workload, options):
    question = asked.question(**options)
    placed = asked.placed(workload, **options)
    known = {
        (item.cluster, item.pool.accelerator): estimates_of(question, item.training, item.cluster, [item])[0]
        for item in placed
    }
    for item in meeting(question, placed).pools:
        estimate = known[item.cluster, item.accelerator]
        assert item.feasible == estimate.feasible
        assert item.reasons == estimate.reasons[: len(item.reasons)]


def test_limits_are_told_of_pools_that_are_feasible(asked):
    said = list(meet(asked, "fsd", limits=Limits(30.0)).sentences())
    assert [line for line in said if line.startswith("Cortex (H100-SXM): 30 d train ")]
    assert [
        line for line in said if line.startswith("Cortex (H100-SXM): ") and "accelerators meet 30 d" in line
    ]
    assert not [line for line in said if line.startswith("Colossus (H100-SXM): ")]


def test_where_none_is_feasible_all_are_told(asked):
    said = list(meet(asked, "fsd", ("colossus", "dojo"), limits=Limits(30.0)).sentences())
    for name in ("Colossus (H100-SXM)", "Dojo (D1)"):
        assert [line for line in said if line.startswith(f"{name}: 30 d train ")]


def test_a_single_pool_is_compared_with_nothing(asked):
    answer = meet(asked, "fsd", ("dojo",))
    said = list(answer.sentences())
    assert said[0] == "fsd on Dojo (D1):"
    assert len(said) == 3
    assert (answer.same_money, answer.break_even, len(answer.ratios)) == ((), (), 1)


def test_what_is_not_proven_is_told_at_which_utilisation_it_would_win(asked):
    said = list(meet(asked, "grok").sentences())
    wins = [line for line in said if "utilisation" in line]
    assert len(wins) == 1
    assert wins[0].startswith("Dojo (D1) costs less than Colossus (H100-SXM) above ")


def test_nothing_to_train_on(asked):
    answer = meet(asked, "fsd", hours=0.0)
    assert answer.reason == "the data set holds nothing to train on: no camera-hours"
    assert list(answer.sentences()) == [f"fsd: {answer.reason}"]
    assert answer.as_json()["pools"] == []


def test_text_alone_still_answers(asked):
    answer = meet(asked, "grok", hours=0.0, limits=Limits(30.0))
    assert answer.reason is None
    assert any("there is nothing to multiply" in line for line in answer.sentences())


def test_a_cluster_that_is_not_there_yet_is_left_out(asked):
    answer = meet(asked, "fsd", as_of=date(2024, 9, 30))
    assert {item.cluster for item in answer.pools} == {"colossus", "cortex", "dojo"}
    answer = meet(asked, "fsd", as_of=date(2023, 1, 1))
    assert {item.cluster for item in answer.pools} == {"dojo"}


def test_the_first_pool_asked_for_is_the_measure(asked):
    answer = meet(asked, "fsd", ("dojo", "cortex"))
    assert {item.base for item in answer.ratios} == {"Dojo (D1)"}
    assert answer.ratios[1].ratios["cost_usd"].p50 < 1
