import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.labels.privacy.covering import CELLS, MIN_CELL_PX, blurred, pixels
from transforms.labels.privacy.regions import Region, grown

NOISE = np.random.default_rng(1).integers(0, 256, (60, 80, 3), np.uint8)
side = st.floats(-30, 110, allow_nan=False)


def region(*edges):
    return Region("face", edges, "test")


@given(side, side, st.floats(0.1, 90), st.floats(0.1, 90))
def test_inside_a_region_few_colours_are_left_and_outside_nothing_changes(x, y, width, height):
    edges = (x, y, x + width, y + height)
    shown = blurred(NOISE, [region(*edges)])
    left, top, right, bottom = pixels(edges, 80, 60)
    outside = np.ones((60, 80), bool)
    if left < right and top < bottom:
        outside[top:bottom, left:right] = False
        inside = shown[top:bottom, left:right].reshape(-1, 3)
        shorter, longer = sorted((right - left, bottom - top))
        most = CELLS * max(1, longer // max(MIN_CELL_PX, shorter // CELLS))
        assert len(np.unique(inside, axis=0)) <= most
    assert np.array_equal(shown[outside], NOISE[outside])


def test_what_is_left_tells_nothing_finer_than_a_cell():
    """Pictures that differ only within cells come out the same."""
    one, other = np.full((24, 24, 3), 100, np.uint8), np.full((24, 24, 3), 100, np.uint8)
    one[0:8:2], one[1:8:2] = 50, 150
    other[:, 0:8:2], other[:, 1:8:2] = 100, 100
    assert not np.array_equal(one, other)
    whole = [region(0, 0, 24, 24)]
    assert np.array_equal(blurred(one, whole), blurred(other, whole))


def test_the_frame_itself_is_left_as_it_is():
    before = NOISE.copy()
    blurred(NOISE, [region(5, 5, 50, 50)])
    assert np.array_equal(before, NOISE)


@pytest.mark.parametrize("edges", [(-20, -20, -5, -5), (90, 10, 100, 20), (10, 70, 20, 90)])
def test_a_region_outside_the_frame_is_nothing(edges):
    assert np.array_equal(blurred(NOISE, [region(*edges)]), NOISE)


@given(side, side, st.floats(0.1, 50), st.floats(0.1, 50), st.floats(0, 2))
def test_a_grown_box_holds_the_box(x, y, width, height, share):
    edges = (x, y, x + width, y + height)
    more = grown(edges, share)
    assert more[0] <= edges[0]
    assert more[1] <= edges[1]
    assert more[2] >= edges[2]
    assert more[3] >= edges[3]
