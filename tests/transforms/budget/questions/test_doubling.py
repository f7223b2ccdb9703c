import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.budget.evaluating import evaluate
from transforms.budget.placing import Training, scenario_of
from transforms.budget.questions.doubling import best_split, doubling, twice
from transforms.budget.supply.phases import Allocation, pools_on

QUANTILES = ("p10", "p50", "p90")


def ask(asked, workload, network=None, cluster="cortex", **options):
    question = asked.question(**options)
    found = question.facts.clusters[cluster]
    network = network or question.facts.workloads[workload].network
    training, pool = Training(workload, network), pools_on(found, question.day)[0]
    scenario = scenario_of(question, training, found, pool)
    return doubling(question, training, scenario, evaluate(scenario, question.draws))


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["fsd", "autopilot", "optimus"]),
    st.floats(1, 1e8),
    st.sampled_from(["colossus", "cortex", "dojo"]),
)
def test_twice_the_data_takes_twice_as_much_where_data_drives_all(asked, workload, hours, cluster):
    answer = ask(asked, workload, hours=hours, cluster=cluster)
    for ratio in answer.data.values():
        assert [getattr(ratio, quantile) for quantile in QUANTILES] == pytest.approx([2] * 3)


def test_twice_the_data_is_little_beside_much_text(asked):
    ratio = ask(asked, "grok").data["cost_usd"]
    assert 1 < ratio.p50 < 1.2
    assert ask(asked, "grok", hours=1e9).data["cost_usd"].p50 == pytest.approx(2, rel=0.01)


def test_a_network_of_twice_the_size_computes_a_little_less_than_twice(asked):
    # attention goes with L·d, which grows by 2^(2/3)
    ratio = ask(asked, "grok", hours=1.0).network["accelerator_hours"]
    assert 1.8 < ratio.p50 < 2.05


def test_the_attention_of_twice_the_network(facts):
    network = facts.networks["driving"]
    larger = twice(network)
    assert (larger.parameters.p50, larger.active_parameters.p10) == (2e9, 0.6e9)
    side = larger.layers.p50 / network.layers.p50
    assert side == larger.width.p50 / network.width.p50
    assert side**3 == pytest.approx(2)
    # N is about 12 L d², before and after
    assert larger.layers.p50 * larger.width.p50**2 == pytest.approx(
        2 * network.layers.p50 * network.width.p50**2
    )
    assert (larger.attention, larger.title) == (network.attention, network.title)


def test_a_graph_of_twice_the_size(facts):
    network = facts.networks["camera-detector"]
    larger = twice(network)
    assert larger.forward_per_pixel.p90 == 2 * network.forward_per_pixel.p90
    assert larger.activations_per_pixel.p50 == pytest.approx(2 ** (2 / 3) * network.activations_per_pixel.p50)
    assert (larger.forward, larger.activations, larger.multiple) == (None, None, network.multiple)


def test_a_graph_takes_twice_the_hours(asked):
    ratio = ask(asked, "autopilot", hours=1e3).network["accelerator_hours"]
    assert ratio.p50 == pytest.approx(2, rel=0.1)


def test_a_larger_network_that_does_not_fit_is_told(asked):
    counts = (2**power for power in range(14))
    fits = next(
        answer
        for count in counts
        if (answer := ask(asked, "grok", allocation=Allocation(count=count))).network is not None
    )
    narrow = ask(asked, "grok", allocation=Allocation(count=fits.used[0] // 2))
    assert narrow.network is None
    assert narrow.reason.startswith("memory: no layout over")
    assert "twice the network: memory: no layout" in narrow.sentences()[0]
    assert fits.reason is None


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("language", "language"),
        ("language_small", "language"),
        ("video", "driving"),
        ("vision", "driving"),
    ],
)
def test_each_field_has_its_law(facts, kind, field):
    split = best_split(facts, kind)
    law = facts.scaling[field]
    assert split.field == field
    assert split.parameters == 2**law.parameters_exponent.p50
    assert split.data == 2**law.data_exponent.p50
    assert "arXiv" in split.source


def test_the_words_and_the_json_form(asked):
    answer = ask(asked, "fsd")
    costs, best = answer.sentences()
    assert costs.startswith("twice the data: cost x 2; twice the network: cost x 1.")
    assert best == "twice the compute goes best into 1.55 x the parameters and 1.36 x the data (driving)"
    data = json.loads(json.dumps(answer.as_json(), allow_nan=False))
    assert set(data["data"]) == {"accelerator_hours", "training_days", "cost_usd"}
    assert data["network"]["cost_usd"]["unit"] == "1"
    assert len(data["used"]) == 2
