from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.views.axes import LogScale, drawable, fitted, log_scale, spread, ticks

positive = st.floats(1e-200, 1e200)


def test_a_scale_reaches_from_round_number_to_round_number():
    scale = log_scale([3, 70], 0, 100)
    assert (scale.low, scale.high) == (2, 100)
    assert scale.at(2) == 0
    assert scale.at(100) == 100
    assert scale.at(2 * 50**0.5) == pytest.approx(50)


def test_a_single_value_stands_inside_of_its_scale():
    scale = log_scale([10], 0, 100)
    assert (scale.low, scale.high) == (5, 20)
    assert scale.at(10) == pytest.approx(50)


def test_values_without_a_logarithm_do_not_count():
    scale = log_scale([0, -3, float("nan"), float("inf"), 20, 50], 0, 100)
    assert (scale.low, scale.high) == (20, 50)
    assert scale.at(0) == 0
    assert log_scale([], 0, 100).at(1) == pytest.approx(50)
    assert drawable(1, 2)
    assert not drawable(1, None)
    assert not drawable(1, 0)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1, 10, [1, 2, 5, 10]),
        (0.02, 0.5, [0.02, 0.05, 0.1, 0.2, 0.5]),
        (2, 500, [2, 5, 10, 20, 50, 100, 200, 500]),
        (1, 1000, [1, 10, 100, 1000]),
        (1e-6, 1e6, [1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6]),
    ],
)
def test_ticks_are_round_and_few(low, high, expected):
    assert ticks(LogScale(low, high, 0, 1)) == expected


@given(st.lists(positive, min_size=1))
def test_every_scale_holds_its_values_and_has_ticks(values):
    scale = log_scale(values, 10, 390)
    assert scale.low <= min(values) <= max(values) <= scale.high
    assert all(10 <= scale.at(value) <= 390 for value in values)
    assert 1 <= len(ticks(scale)) <= 8


@given(st.lists(positive, min_size=2, unique=True))
def test_a_scale_keeps_the_order(values):
    scale = log_scale(values, 300, 20)
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places, reverse=True)


@given(st.lists(st.floats(-10, 310), max_size=20))
def test_labels_are_apart_in_order_and_inside(places):
    moved = spread(places, 13, 0, 300)
    order = sorted(range(len(places)), key=lambda at: places[at])
    assert all(moved[b] - moved[a] >= 13 - 1e-6 for a, b in pairwise(order))
    assert all(-1e-6 <= place <= 300 + 1e-6 for place in moved)


def test_labels_stay_where_there_is_room():
    assert spread([250.0, 10.0, 100.0], 13, 0, 300) == [250, 10, 100]


def test_text_that_fits_stays():
    assert fitted("colossus", 100) == "colossus"
    assert fitted("colossus", 30) == "col…"
    assert fitted("colossus", -5) == "c…"
