from datetime import date

import pytest

from transforms.budget.feasibility import Obstacle, changes, of_accelerator, of_pool
from transforms.budget.supply.phases import pools_on


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
