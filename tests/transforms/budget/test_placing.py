import numpy as np

from transforms.budget.estimating import estimates_of
from transforms.budget.placing import NOTHING


def test_a_placement_is_what_is_estimated(asked):
    question = asked.question()
    for item in asked.placed("optimus"):
        (estimate,) = estimates_of(question, item.training, item.cluster, [item])
        assert item.scenario.target.available == estimate.accelerator_count
        assert float(np.median(item.found.values["cost_usd"])) == estimate.quantities["cost_usd"].p50
        assert item.feasible == estimate.feasible


def test_names_tell_cluster_and_accelerator(asked):
    assert [item.name for item in asked.placed("fsd", ("dojo", "cortex"))] == [
        "Dojo (D1)",
        "Cortex (H100-SXM)",
        "Cortex (H200-SXM)",
    ]


def test_where_nothing_is_computed_the_placement_says_so(asked):
    for item in asked.placed("fsd", hours=0.0):
        assert NOTHING in item.obstacles
        assert not item.computes
