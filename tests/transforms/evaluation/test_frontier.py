import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.estimates import Quantity
from transforms.evaluation.frontier import FrontierRow, marked


def row(ap, hours, model="net"):
    cost = Quantity(hours / 2, hours, hours * 2, "h")
    return FrontierRow(model, 640, 10, ap, ap, ap, ap, None, 1.0, 2.0, 3.0, cost, cost)


@pytest.mark.parametrize(
    ("points", "front"),
    [
        ([(0.5, 10)], [True]),
        # sorted by falling AP; the second costs more than the first and finds less
        ([(0.5, 10), (0.4, 20), (0.3, 5)], [True, False, True]),
        ([(0.5, 10), (0.5, 8)], [True, False]),
        ([(0.5, 10), (0.4, 10)], [True, False]),
        ([(0.5, 10), (0.5, 10)], [True, True]),
        ([(None, 1), (0.1, 10)], [True, False]),
    ],
)
def test_the_front(points, front):
    assert [one.on_front for one in marked([row(*point) for point in points])] == front


def test_rows_come_by_falling_ap_and_rising_cost():
    found = marked([row(None, 1), row(0.2, 9), row(0.4, 5), row(0.2, 3)])
    assert [(one.ap, one.core_hours.p50) for one in found] == [(0.4, 5), (0.2, 3), (0.2, 9), (None, 1)]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1, 100)), min_size=1, max_size=12))
def test_whoever_is_not_on_the_front_is_beaten_by_one_that_is(points):
    found = marked([row(*point) for point in points])
    front = [one for one in found if one.on_front]
    assert front
    for one in found:
        better = [
            other
            for other in front
            if other.ap >= one.ap
            and other.core_hours.p50 <= one.core_hours.p50
            and (other.ap > one.ap or other.core_hours.p50 < one.core_hours.p50)
        ]
        assert bool(better) != one.on_front
