from datetime import date
from functools import partial

import pytest

from transforms.budget.demand.bare_flops import demand_of_flops
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.workloads import demand_of
from transforms.budget.draws import OneAtATime
from transforms.budget.evaluating import Scenario, Target, evaluate
from transforms.budget.facts.values import Fact
from transforms.budget.feasibility import Obstacle, changes, of_accelerator, of_pool, of_training
from transforms.budget.supply.phases import pools_on


def hindering(facts, demand, accelerator="H100-SXM", count=1024, *, counted=True, power=0.0, facility=None):
    """What stands in a training's way, at the medians."""
    target = Target(
        accelerator=accelerator,
        available=count,
        place="anywhere",
        owned=False,
        day=date(2026, 1, 1),
        asked=counted,
        counted=counted,
    )
    found = evaluate(Scenario(facts, demand, target), OneAtATime(()))
    return list(of_training(facts, target, found, power, facility)), found


def megawatts(low, high):
    return Fact.model_validate(
        {
            "low": low,
            "high": high,
            "unit": "MW",
            "source": "made up",
            "as_of": "2026-01-01",
            "kind": "assumed",
        }
    )


@pytest.mark.parametrize(
    ("cluster", "day", "reason", "change"),
    [
        (
            "cortex",
            date(2024, 9, 30),
            "Cortex: announced of 2024-08-04: announced, under construction; not operating on 2024-09-30",
            "as of 2024-11-15, when phase 1 operates",
        ),
        (
            "dojo",
            date(2025, 8, 7),
            "Dojo: end of 2025-08-07: disbanded",
            "as of a day before 2025-08-07, or another cluster",
        ),
    ],
)
def test_a_pool_that_cannot_train(facts, cluster, day, reason, change):
    named = facts.clusters[cluster]
    (pool,) = pools_on(named, day)
    assert list(of_pool(named, pool, day, None)) == [Obstacle(reason, change)]


def test_a_pool_that_is_too_small(facts):
    cortex = facts.clusters["cortex"]
    day = date(2025, 1, 1)
    (pool,) = pools_on(cortex, day)
    assert not list(of_pool(cortex, pool, day, 50_000))
    (found,) = of_pool(cortex, pool, day, 50_001)
    assert found.reason.startswith("50,001 accelerators asked for, the pool has 50,000")
    assert found.change == "an allocation of 50,000"


def test_an_accelerator_exists_from_its_announcement_on(facts):
    h100 = facts.accelerators["H100-SXM"]
    assert not list(of_accelerator("H100-SXM", h100, date(2022, 9, 20)))
    (found,) = of_accelerator("H100-SXM", h100, date(2022, 9, 19))
    assert found.change == "as of 2022-09-20"


def test_a_change_is_told_only_if_it_clears_everything():
    assert changes([]) is None
    assert changes([Obstacle("a", "b"), Obstacle("c", "d")]) == "b; and d"
    assert changes([Obstacle("a", "b"), Obstacle("c")]) is None


@pytest.mark.parametrize(
    ("parameters", "reason", "change"),
    [
        # 16 bytes a parameter; 1,024 x 80 GB
        (
            1e13,
            (
                "memory: weights, gradients and optimiser of 1e+13 parameters need 160,000 GB, "
                "1,024 x H100-SXM have 81,920 GB"
            ),
            "2,000 accelerators",
        ),
        # a parameter more than fits asks for a whole accelerator
        (
            5.12e12 + 1,
            (
                "memory: weights, gradients and optimiser of 5.12e+12 parameters need 81,920 GB, "
                "1,024 x H100-SXM have 81,920 GB"
            ),
            "1,025 accelerators",
        ),
    ],
)
def test_a_network_without_a_shape_needs_memory_for_its_state(facts, parameters, reason, change):
    obstacles, found = hindering(facts, partial(demand_of_flops, facts, 1e22, "vision", parameters))
    assert found.layouts is None
    assert obstacles == [Obstacle(reason, change)]


@pytest.mark.parametrize(
    ("parameters", "counted"),
    [(5.12e12, True), (None, True), (1e15, False)],
    ids=["it just fits", "its size is unknown", "nobody counted accelerators"],
)
def test_no_memory_is_missing(facts, parameters, counted):
    demand = partial(demand_of_flops, facts, 1e22, "vision", parameters)
    assert hindering(facts, demand, count=1024 if counted else 1, counted=counted)[0] == []


def test_a_network_with_a_shape_needs_memory_for_a_layout(facts):
    demand = partial(demand_of, facts, "grok", "grok-1", DatasetFigures.of_hours(1.0))
    obstacles, found = hindering(facts, demand, count=8)
    layouts = found.layouts
    assert obstacles == [Obstacle("; ".join(layouts.reasons), layouts.change)]
    # 17 bytes a parameter on 8; and activations, all 64 layers recomputed: 2 bytes each and 34 for one
    held = 314e9 * 17 / 8 + 8192 * 6144 / 8 * (2 * 64 + 34)
    assert layouts.memory_needed_bytes == pytest.approx(held / 0.9)
    assert layouts.change.startswith("80 accelerators, or accelerators of 743 GB")
    assert hindering(facts, demand, count=80)[0] == []
    assert hindering(facts, demand, count=79)[0] != []


@pytest.mark.parametrize(
    ("accelerator", "expected"),
    [
        ("A100-SXM-80GB", [Obstacle("A100-SXM-80GB does not multiply in FP8: counted in BF16", "bf16")]),
        ("H100-SXM", []),
        ("D1", []),
    ],
)
def test_fp8_needs_an_accelerator_that_has_it(facts, accelerator, expected):
    def demand(inputs, precision="fp8"):
        return demand_of(facts, "fsd", "driving", DatasetFigures.of_hours(1e5), inputs, precision=precision)

    assert hindering(facts, demand, accelerator)[0] == expected
    assert hindering(facts, partial(demand, precision="bf16"), accelerator)[0] == []


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        (10.0, []),
        (
            12.5,
            [
                Obstacle(
                    "power: 1,024 accelerators draw 12.5 MW, the site has 10",
                    "an allocation of 819",
                )
            ],
        ),
    ],
)
def test_power_is_held_against_the_most_that_the_site_may_have(facts, power, expected):
    demand = partial(demand_of_flops, facts, 1e22, "video", None)
    assert hindering(facts, demand, power=power, facility=megawatts(4, 10))[0] == expected
    assert hindering(facts, demand, power=power)[0] == []
