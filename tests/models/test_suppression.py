import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.suppression import MAX_CANDIDATES, suppress


def _iou(first, second):
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return shared / (sum(areas) - shared)


def _one_by_one(boxes, scores, groups, max_iou):
    kept = []
    for index in sorted(range(len(scores)), key=lambda index: (-scores[index], index)):
        if all(
            groups[index] != groups[other] or _iou(boxes[index], boxes[other]) <= max_iou for other in kept
        ):
            kept.append(index)
    return kept


def test_the_better_of_two_boxes_of_a_group_stays():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10], [30, 0, 40, 10]], np.float32)
    scores = np.array([0.5, 0.9, 0.8, 0.7], np.float32)
    assert suppress(boxes, scores, np.array([0, 0, 1, 0]), 0.5).tolist() == [1, 2, 3]
    # the overlap of the first two is 9 / 11
    assert suppress(boxes, scores, np.array([0, 0, 1, 0]), 0.82).tolist() == [1, 2, 3, 0]


def test_a_suppressed_box_suppresses_nothing():
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert suppress(boxes, scores, np.zeros(3, np.int16), 0.3).tolist() == [0, 2]


@pytest.mark.parametrize("count", [0, 1])
def test_few_boxes_stay(count):
    kept = suppress(
        np.ones((count, 4), np.float32), np.ones(count, np.float32), np.zeros(count, np.int16), 0.5
    )
    assert kept.tolist() == list(range(count))


def test_the_number_of_candidates_is_bounded():
    count = MAX_CANDIDATES + 5
    left = np.arange(count, dtype=np.float32) * 2
    boxes = np.stack([left, left * 0, left + 1, left * 0 + 1], axis=1)
    kept = suppress(boxes, np.linspace(1, 0.5, count, dtype=np.float32), np.zeros(count, np.int16), 0.5)
    assert kept.tolist() == list(range(MAX_CANDIDATES))


_BOX = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20))


@settings(max_examples=60)
@given(st.lists(st.tuples(_BOX, st.integers(1, 9), st.integers(0, 2)), max_size=25))
def test_suppression_equals_the_definition(rows):
    boxes = np.array([[x, y, x + w, y + h] for (x, y, w, h), _, _ in rows], np.float32).reshape(-1, 4)
    scores = np.array([score / 10 for _, score, _ in rows], np.float32)
    groups = np.array([group for _, _, group in rows], np.int16)
    # no ratio of such areas is this one, so rounding decides nothing
    assert suppress(boxes, scores, groups, 0.41231).tolist() == _one_by_one(boxes, scores, groups, 0.41231)
