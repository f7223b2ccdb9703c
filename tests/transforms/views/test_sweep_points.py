import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.views.sweep_points import Point, points_by_line

positive = st.floats(1e-9, 1e18)


def row(x, name, p50=2.0, **others):
    return {"vehicles": x, "cluster": name, "p10": p50 / 2, "p50": p50, "p90": p50 * 2, **others}


def test_lines_in_the_order_of_the_rows_points_in_that_of_the_axis():
    lines = points_by_line([row(30, "dojo"), row(10, "cortex"), row(20, "dojo", 8.0)], "vehicles", "cluster")
    assert list(lines) == ["dojo", "cortex"]
    assert lines["dojo"] == [Point(20.0, 4.0, 8.0, 16.0), Point(30.0, 1.0, 2.0, 4.0)]
    assert lines["cortex"] == [Point(10.0, 1.0, 2.0, 4.0)]


@pytest.mark.parametrize("value", [None, 0, -1.0, float("nan"), float("inf"), "many"])
@pytest.mark.parametrize("column", ["vehicles", "p10", "p50", "p90"])
def test_what_cannot_stand_on_a_logarithmic_axis_is_left_out(column, value):
    bad = {**row(10, "cortex"), column: value}
    assert points_by_line([bad, row(20, "dojo")], "vehicles", "cluster").keys() == {"dojo"}
    with pytest.raises(ValueError, match="nothing to draw: no row has vehicles, p10, p50 and p90 above 0"):
        points_by_line([bad], "vehicles", "cluster")


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="nothing to draw"):
        points_by_line([], "vehicles", "cluster")


def test_two_points_at_one_place_are_told():
    with pytest.raises(ValueError, match=r"two rows of cortex at vehicles 1\.5M: give those of one quantity"):
        points_by_line([row(1.5e6, "cortex"), row(1_500_000, "cortex", 3.0)], "vehicles", "cluster")


@given(st.dictionaries(st.tuples(positive, st.sampled_from("abc")), positive, min_size=1), st.randoms())
def test_every_row_is_a_point_of_its_line(values, chance: random.Random):
    rows = [row(x, name, p50) for (x, name), p50 in values.items()]
    chance.shuffle(rows)
    lines = points_by_line(rows, "vehicles", "cluster")
    assert sum(map(len, lines.values())) == len(rows)
    for name, points in lines.items():
        assert [point.x for point in points] == sorted(x for x, its in values if its == name)
        assert all(values[point.x, name] == point.p50 for point in points)
