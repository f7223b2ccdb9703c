"""Overlaps of boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.labels.overlap import areas, covered, intersections, iou

edge = st.floats(-100, 100, width=32)
boxes = st.lists(st.tuples(edge, edge, edge, edge), max_size=5).map(
    lambda rows: np.array(rows, dtype=np.float64).reshape(-1, 4)
)


def test_known_overlaps():
    first = np.array([[0.0, 0.0, 4.0, 2.0], [10.0, 10.0, 12.0, 12.0]])
    second = np.array([[2.0, 0.0, 6.0, 2.0], [0.0, 0.0, 4.0, 2.0], [4.0, 0.0, 5.0, 2.0]])
    assert areas(first).tolist() == [8.0, 4.0]
    assert intersections(first, second).tolist() == [[4.0, 8.0, 0.0], [0.0, 0.0, 0.0]]
    assert iou(first, second) == pytest.approx(np.array([[1 / 3, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    assert covered(first, second) == pytest.approx(np.array([[0.5, 1.0, 0.0], [0.0, 0.0, 0.0]]))


def test_empty_boxes_overlap_nothing():
    nothing = np.array([[3.0, 3.0, 3.0, 3.0], [5.0, 5.0, 1.0, 1.0]])
    assert not iou(nothing, nothing).any()
    assert not covered(nothing, np.array([[0.0, 0.0, 9.0, 9.0]])).any()


@settings(deadline=None, max_examples=60)
@given(boxes, boxes)
def test_overlap_is_symmetric_and_bounded(first, second):
    overlaps = iou(first, second)
    assert overlaps.shape == (len(first), len(second))
    assert np.isfinite(overlaps).all()
    assert ((overlaps >= 0) & (overlaps <= 1 + 1e-9)).all()
    assert np.array_equal(overlaps, iou(second, first).T)
