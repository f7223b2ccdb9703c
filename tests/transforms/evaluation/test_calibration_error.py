"""Expected calibration error, by hand and by properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from transforms.evaluation.calibration_error import calibration_error, expected_calibration_error
from transforms.evaluation.judging import judge
from transforms.evaluation.pairing import pair


def test_by_hand():
    # bins: [0, 1/15) holds 0.05 and 0.06, [14/15, 1] holds 0.95 and 1
    scores = np.array([0.05, 0.06, 0.95, 1.0])
    right = np.array([False, True, True, True])
    expected = (abs(1 - 0.11) + abs(2 - 1.95)) / 4
    assert expected_calibration_error(scores, right) == pytest.approx(expected)


def test_without_rows_there_is_none():
    assert expected_calibration_error(np.zeros(0), np.zeros(0, dtype=bool)) is None
    assert calibration_error([]).error is None


@given(arrays(np.float64, 50, elements=st.floats(0, 1)), arrays(np.bool_, 50))
def test_lies_between_the_whole_gap_and_the_mean_distance(scores, right):
    found = expected_calibration_error(scores, right)
    assert abs((right - scores).mean()) - 1e-12 <= found <= np.abs(right - scores).mean() + 1e-12


def test_rows_that_count_neither_way_are_left_out(table):
    box, far = (0.0, 0.0, 50.0, 50.0), (500.0, 0.0, 550.0, 50.0)
    truth = table(("a", 0, "car", 0, box, 1), ("a", 0, "van", 1, far, 1))
    labels = table(("a", 0, "car", 0, box, 0.75), ("a", 0, "car", 1, far, 0.1))
    found = calibration_error([judge(pair(labels, truth).of("car"))])
    assert (found.error, found.rows) == (0.25, 1)
