from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.errors import BudgetUsageError
from transforms.budget.supply.phases import (
    Allocation,
    closed,
    first_known,
    opens,
    parse_as_of,
    pools_on,
    remarks,
)


def pools(facts, cluster, day):
    found = pools_on(facts.clusters[cluster], parse_as_of(day))
    return [(pool.phase.name, pool.accelerator, pool.count) for pool in found]


@pytest.mark.parametrize(
    ("cluster", "day", "expected"),
    [
        ("colossus", "2024-08-10", []),
        ("colossus", "2024-08", [("first workload", "H100-SXM", 25_000)]),
        ("colossus", "2024-09-02", [("phase 1", "H100-SXM", 100_000)]),
        (
            "colossus",
            "2026-05",
            [
                ("phase 2 H100", "H100-SXM", 150_000),
                ("phase 2 H200", "H200-SXM", 50_000),
                ("phase 2 GB200", "GB200", 30_000),
            ],
        ),
        ("cortex", "2024-10-31", [("announced", "H100-SXM", 50_000)]),
        ("cortex", "2025-06", [("phase 1", "H100-SXM", 50_000), ("phase 1 H200", "H200-SXM", 16_000)]),
        ("dojo", "2022-09-29", []),
        ("dojo", "2023-01", [("exapod", "D1", 3000)]),
        ("dojo", "2026-01", [("start", "D1", 3000)]),
    ],
)
def test_the_newest_known_phase_of_each_accelerator_holds(facts, cluster, day, expected):
    assert pools(facts, cluster, day) == expected


def test_later_and_unknown_phases_are_told(facts):
    cortex = facts.clusters["cortex"]
    day = date(2024, 10, 31)
    (pool,) = pools_on(cortex, day)
    unknown, later = remarks(cortex, day, pool)
    assert unknown == "Cortex: not counted: ramp of 2024-10-23 (count unknown): partly in use"
    assert later.startswith(
        "Cortex: later, not counted: phase 1 from 2024-11-15 (operational); phase 1 H200 from 2025-05-15"
    )


def test_an_unknown_count_is_forgotten_once_a_later_phase_tells_it(facts):
    cortex = facts.clusters["cortex"]
    day = date(2025, 1, 1)
    said = " ".join(remarks(cortex, day, pools_on(cortex, day)[0]))
    assert "ramp" not in said
    assert "phase 1 H200 from 2025-05-15" in said


def test_what_became_of_dojo_is_told(facts):
    dojo = facts.clusters["dojo"]
    (pool,) = pools_on(dojo, facts.newest)
    start, plan, restart = remarks(dojo, facts.newest, pool)
    assert start == "Dojo: start of 2023-07-31: start reported, its size not published"
    assert "buffalo plan" in plan
    assert "dojo 3 restart of 2026-01-18 (accelerator and count unknown)" in restart


@pytest.mark.parametrize(
    ("cluster", "day", "phase"),
    [
        ("dojo", "2025-08-06", None),
        ("dojo", "2025-08-07", "end"),
        ("colossus", "2026-05-05", None),
        ("colossus", "2026-05-06", "lease"),
        ("cortex", "2026-05-06", None),
    ],
)
def test_closed_clusters(facts, cluster, day, phase):
    named = facts.clusters[cluster]
    day = date.fromisoformat(day)
    closing = [closed(named, day, pool) for pool in pools_on(named, day)]
    assert {item and item.name for item in closing} == {phase}


def test_when_a_planned_pool_opens(facts):
    cortex = facts.clusters["cortex"]
    assert opens(cortex, date(2024, 9, 30), "H100-SXM").name == "phase 1"
    assert opens(cortex, date(2026, 1, 1), "H100-SXM") is None


def test_the_first_known_phase(facts):
    dojo = facts.clusters["dojo"]
    assert first_known(dojo).name == "exapod"
    unknown = tuple(phase for phase in dojo.phases if phase.count is None)
    assert first_known(dojo.model_copy(update={"phases": unknown})) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [("2024-02", date(2024, 2, 29)), ("2023-12", date(2023, 12, 31)), ("2025-03-04", date(2025, 3, 4))],
)
def test_a_month_means_its_last_day(text, day):
    assert parse_as_of(text) == day


@pytest.mark.parametrize(
    "text", ["2024", "2024-13", "2024-02-30", "today", "", "2024-1-1", "20240101xx", "2024-W01-1"]
)
def test_what_is_no_date_is_told(text):
    with pytest.raises(BudgetUsageError, match="YYYY-MM"):
        parse_as_of(text)


@pytest.mark.parametrize("text", ["0", "-5", "0%", "101%", "nan%", "-1%", "half", "", "%", "1.5"])
def test_what_is_no_allocation_is_told(text):
    with pytest.raises(BudgetUsageError, match="allocation"):
        Allocation.parse(text)


@pytest.mark.parametrize(
    ("text", "of", "count"),
    [("512", 1000, 512), ("5000", 1000, 1000), ("29%", 100, 29), ("0.01%", 10, 1), ("100%", 7, 7)],
)
def test_allocations(text, of, count):
    assert Allocation.parse(text).of(of) == count


@given(st.integers(1, 10**7), st.floats(0.01, 100))
def test_a_share_is_at_least_one_and_at_most_all(available, percent):
    assert 1 <= Allocation.parse(f"{percent}%").of(available) <= available


def test_what_is_planned_does_not_take_away_what_operates(facts):
    colossus2 = facts.clusters["colossus2"]
    day = date(2026, 5, 6)
    (pool,) = pools_on(colossus2, day)
    assert (pool.phase.name, pool.count) == ("phase 1", 110_000)
    assert remarks(colossus2, day, pool) == [
        "Colossus 2: not counted: projection of 2026-02-01 (550,000 GB200): projected"
    ]
