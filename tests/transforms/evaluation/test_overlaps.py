"""Sparse overlaps and choices against dense ones."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.evaluation import overlaps
from transforms.evaluation.overlaps import assign, category_overlaps, uncontested
from transforms.evaluation.pairing import Boxes, CategoryPairing
from transforms.labels.overlap import covered, iou


def random_boxes(generator, frames, most):
    counts = generator.integers(0, most + 1, frames)
    rows = int(counts.sum())
    low = generator.uniform(0, 60, (rows, 2))
    return Boxes(
        frames=np.repeat(np.arange(frames), counts),
        boxes=np.concatenate([low, low + generator.uniform(0, 40, (rows, 2))], axis=1),
        categories=np.array(["car"] * rows, dtype=object),
        tracks=np.arange(rows),
        scores=generator.random(rows),
        rows=np.arange(rows),
    )


def random_category(seed, frames=6, most=5):
    generator = np.random.default_rng(seed)
    parts = [random_boxes(generator, frames, most) for _ in range(4)]
    return CategoryPairing(np.zeros(frames, dtype=np.int64), *parts)


def dense(pairs, rows, columns):
    table = np.zeros((rows, columns))
    table[pairs.labels, pairs.others] = pairs.overlaps
    return table


@pytest.mark.parametrize("block", [1, 7, 10_000])
@pytest.mark.parametrize("seed", range(5))
def test_equal_to_every_pair_of_the_same_frame(monkeypatch, block, seed):
    monkeypatch.setattr(overlaps, "_BLOCK", block)
    category = random_category(seed)
    found = category_overlaps(category)
    labels = category.labels
    for pairs, others in ((found.truth, category.truth), (found.neutral, category.neutral)):
        same = labels.frames[:, None] == others.frames[None]
        assert np.array_equal(
            dense(pairs, len(labels), len(others)), np.where(same, iou(labels.boxes, others.boxes), 0)
        )
        assert (np.diff(pairs.labels) >= 0).all()
    same = labels.frames[:, None] == category.regions.frames[None]
    share = np.where(same, covered(labels.boxes, category.regions.boxes), 0).max(axis=1, initial=0.0)
    assert np.array_equal(found.covered, share)
    assert (found.truth_count, found.neutral_count) == (len(category.truth), len(category.neutral))


@given(st.integers(0, 1000), st.integers(1, 6))
def test_boxes_that_are_not_wanted_become_neutral(seed, every):
    found = category_overlaps(random_category(seed))
    wanted = np.arange(found.truth_count) % every == 0
    part = found.among(wanted)
    assert part.truth_count == wanted.sum()
    assert part.neutral_count == found.neutral_count + len(wanted)
    assert len(part.truth.labels) + len(part.neutral.labels) == len(found.truth.labels) + len(
        found.neutral.labels
    )
    assert sorted(part.truth.overlaps) == sorted(found.truth.overlaps[wanted[found.truth.others]])
    assert (part.truth.others < part.truth_count).all()


@given(st.integers(0, 10_000))
def test_no_other_choice_is_worth_more(seed):
    generator = np.random.default_rng(seed)
    frames, first, second = [], [], []
    for frame in range(3):
        for row, column in itertools.product(range(3), range(3)):
            if generator.random() < 0.5:
                frames.append(frame)
                first.append(3 * frame + row)
                second.append(3 * frame + column)
    frames, first, second = (np.array(part, dtype=np.int64) for part in (frames, first, second))
    worth = generator.integers(0, 5, len(frames)).astype(float)
    chosen = assign(frames, first, second, worth)
    assert len(set(first[chosen])) == len(set(second[chosen])) == chosen.sum()
    assert (worth[chosen] > 0).all()
    total = sum(best_worth(first, second, worth, frames == frame) for frame in range(3))
    assert worth[chosen].sum() == total


def best_worth(first, second, worth, inside):
    """Worth of the best choice, by trying every one."""
    table = {(a, b): value for a, b, value in zip(first[inside], second[inside], worth[inside], strict=True)}
    rows, columns = ({key[place] for key in table} for place in (0, 1))
    columns = [*columns, *[None] * len(rows)]
    orders = itertools.permutations(columns, len(rows))
    return max(sum(table.get(pair, 0) for pair in zip(rows, order, strict=True)) for order in orders)


def test_uncontested_pairs():
    assert uncontested(np.array([0, 1, 1, 2]), np.array([5, 6, 7, 7])).tolist() == [True, False, False, False]
    assert uncontested(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []
