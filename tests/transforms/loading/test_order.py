import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.loading.order import Part, ShuffleBuffer, source_of_chance, units_of_part

COUNTS = st.lists(st.integers(1, 300), max_size=40)
SEEDS = st.none() | st.integers(0, 2**32)


@given(COUNTS, SEEDS, st.integers(0, 5), st.integers(1, 5), st.integers(1, 4))
def test_every_unit_falls_to_one_part_and_parts_are_even(counts, seed, epoch, world_size, workers):
    parts = [
        units_of_part(counts, seed, epoch, Part(rank, world_size, worker, workers))
        for rank in range(world_size)
        for worker in range(workers)
    ]
    assert sorted(unit for part in parts for unit in part) == list(range(len(counts)))
    sizes = [sum(counts[unit] for unit in part) for part in parts]
    assert max(sizes) - min(sizes) <= max(counts, default=0)


def test_order_is_the_seeds_and_the_epochs_and_no_machines():
    counts = [1] * 8
    assert units_of_part(counts, None, 3, Part()) == list(range(8))
    # fixed: a state that was saved years ago must still lead on
    assert units_of_part(counts, 7, 0, Part()) == [1, 0, 3, 5, 7, 6, 4, 2]
    assert units_of_part(counts, 7, 1, Part()) == [6, 4, 5, 0, 2, 7, 1, 3]


@given(st.integers(0, 200), st.integers(0, 50), st.integers(0, 9))
def test_a_buffer_gives_everything_once_and_holds_no_more_than_its_size(count, size, seed):
    buffer = ShuffleBuffer[int](size, random.Random(seed))
    given_away = []
    for item in range(count):
        given_away += buffer.exchange(item)
        assert len(buffer.items) <= size
    while buffer.items:
        given_away.append(buffer.take())
    assert sorted(given_away) == list(range(count))
    # a sample can come late, but never before it has arrived
    assert all(item <= place + size for place, item in enumerate(given_away))


def test_a_buffer_mixes():
    buffer = ShuffleBuffer[int](16, source_of_chance(1, "x"))
    given_away = [out for item in range(64) for out in buffer.exchange(item)]
    assert given_away != sorted(given_away)


@pytest.mark.parametrize("part", [(1, 1, 0, 1), (-1, 2, 0, 1), (0, 1, 2, 2), (0, 0, 0, 1)])
def test_a_part_that_there_is_not(part):
    with pytest.raises(ValueError, match="count from 0"):
        Part(*part)
