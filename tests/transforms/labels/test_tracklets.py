"""Sums over tracks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.labels.tracklets import summarise

rows = st.lists(
    st.tuples(
        st.integers(-1, 4),
        st.integers(0, 1000),
        st.floats(0, 1, width=32),
        st.integers(0, 5),
    ),
    max_size=30,
)


def columns(table):
    numbers, times, scores, categories = (
        (list(column) for column in zip(*table, strict=True)) if table else ([],) * 4
    )
    return (
        np.array(numbers, dtype=np.int32),
        np.array(times, dtype=np.int64),
        np.array(scores, dtype=np.float32),
        np.array(categories, dtype=np.uint8),
    )


def test_two_tracks():
    found = summarise(
        *columns(
            [
                (3, 20, 0.5, 4),
                (0, 7, 0.25, 0),
                (3, 10, 1.0, 5),
                (-1, 0, 0.9, 1),
                (3, 30, 0.75, 4),
                (3, 40, 0.25, 5),
            ]
        )
    )
    assert found.numbers.tolist() == [0, 3]
    assert found.first_ns.tolist() == [7, 10]
    assert found.last_ns.tolist() == [7, 40]
    assert found.detected.tolist() == [1, 4]
    assert found.score.tolist() == [0.25, 0.875]
    assert found.votes.tolist() == [[0.25, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1.25, 1.25]]
    # Equal votes: the smaller index.
    assert found.categories.tolist() == [0, 4]


def test_votes_are_laid_out_as_a_map_column():
    found = summarise(*columns([(0, 0, 0.5, 4), (0, 1, 0.25, 2), (1, 0, 0.5, 200)]))
    offsets, categories, weights = found.vote_entries()
    assert offsets.tolist() == [0, 2, 3]
    assert categories.tolist() == [2, 4, 200]
    assert weights.tolist() == [0.25, 0.5, 0.5]
    assert (offsets.dtype, categories.dtype) == (np.int32, np.uint8)


@pytest.mark.parametrize("table", [[], [(-1, 5, 0.5, 3)]])
def test_no_tracks_are_empty_columns(table):
    found = summarise(*columns(table))
    assert [len(getattr(found, name)) for name in found.__dataclass_fields__] == [0] * 7
    assert found.vote_entries()[0].tolist() == [0]


@settings(deadline=None, max_examples=60)
@given(rows, st.randoms(use_true_random=False))
def test_equals_the_plain_loop_in_any_order(table, random):
    found = summarise(*columns(table))
    for place, number in enumerate(found.numbers.tolist()):
        own = [row for row in table if row[0] == number]
        scores = sorted((row[2] for row in own), reverse=True)
        better = scores[: (len(scores) + 1) // 2]
        assert found.detected[place] == len(own)
        assert (found.first_ns[place], found.last_ns[place]) == (
            min(r[1] for r in own),
            max(r[1] for r in own),
        )
        assert found.score[place] == pytest.approx(sum(better) / len(better))
        assert found.votes[place].sum() == pytest.approx(sum(scores))
    shuffled = list(table)
    random.shuffle(shuffled)
    again = summarise(*columns(shuffled))
    for name in found.__dataclass_fields__:
        assert np.array_equal(getattr(found, name), getattr(again, name)), name
