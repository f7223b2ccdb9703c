import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.scenes.roads import draw_road

ROAD = draw_road(np.random.Generator(np.random.PCG64(3)), -200.0, 800.0)


@given(st.floats(-190, 780), st.floats(-12, 12))
def test_a_metre_along_the_road_points_in_its_heading(s, d):
    x, y = ROAD.place([s, s + 1.0], 0.0)
    assert np.hypot(np.diff(x), np.diff(y))[0] == pytest.approx(1.0, abs=1e-3)
    middle = float(ROAD.heading(s + 0.5))
    assert np.arctan2(np.diff(y), np.diff(x))[0] == pytest.approx(middle, abs=2e-3)
    side_x, side_y = ROAD.place([s, s], [0.0, d])
    left = np.array([-np.sin(ROAD.heading(s)), np.cos(ROAD.heading(s))])
    assert np.array([np.diff(side_x)[0], np.diff(side_y)[0]]) == pytest.approx(d * left, abs=1e-9)


@given(st.floats(-190, 780))
def test_curvature_is_the_change_of_heading(s):
    slope = (ROAD.heading(s + 1e-4) - ROAD.heading(s - 1e-4)) / 2e-4
    assert float(ROAD.curvature(s)) == pytest.approx(float(slope), abs=1e-7)


def test_the_strips_stand_side_by_side():
    assert ROAD.lanes_edge_m == ROAD.lanes * 3.5
    assert ROAD.lanes_edge_m < ROAD.kerb_m < ROAD.sidewalk_edge_m


def test_the_origin_lies_at_the_middle_of_the_road():
    assert ROAD.place(0.0, 0.0) == (0.0, 0.0)
