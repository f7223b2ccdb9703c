import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.scenes.cameras import front_camera
from transforms.scenes.painting import (
    NEAR_M,
    Canvas,
    clip_near,
    clip_to_frame,
    convex_outline,
    drawable,
    fixed,
    hull,
)

VIEW = front_camera(64, 36).at(0, 0, 0)
SQUARE = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
CUBE = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1.0, 3.0)])
NINE_ON = np.array([0, 0, 9])


def blank():
    return Canvas(VIEW, np.zeros((36, 64, 3), np.uint8), np.zeros((36, 64), np.uint8))


@given(st.floats(-30, 60), st.floats(-30, 60), st.floats(1, 80))
def test_a_cut_polygon_stays_within_the_frame_and_keeps_its_own_corners(x, y, size):
    cut = clip_to_frame(SQUARE * size + (x, y), 64, 36)
    if x + size < 0 or y + size < 0 or x > 64 or y > 36:
        assert len(cut) == 0
        return
    low, high = np.maximum((x, y), 0), np.minimum((x + size, y + size), (64, 36))
    if (high - low > 1e-9).all():
        assert cut.min(axis=0) == pytest.approx(low, abs=1e-9)
        assert cut.max(axis=0) == pytest.approx(high, abs=1e-9)


def test_the_near_plane_cuts():
    quad = np.array([[0, 0, -1.0], [1, 0, -1], [1, 0, 3], [0, 0, 3]])
    cut = clip_near(quad)
    assert len(cut) == 4
    assert cut[:, 2].min() == NEAR_M
    assert len(clip_near(quad - NINE_ON)) == 0
    assert clip_near(quad + NINE_ON) == pytest.approx(quad + NINE_ON)


def test_the_outline_of_a_body_through_the_near_plane_is_that_of_what_lies_before_it():
    outline = convex_outline(VIEW, CUBE)
    reach = VIEW.camera.focal_px / NEAR_M
    assert outline.min(axis=0) == pytest.approx((32 - reach, 18 - reach), rel=1e-5)
    assert len(convex_outline(VIEW, CUBE - NINE_ON)) == 0
    whole = convex_outline(VIEW, CUBE + NINE_ON)
    assert len(whole) == 4


def test_hull_leaves_out_what_lies_inside():
    assert len(hull(np.concatenate([SQUARE, [[0.5, 0.5]]]))) == 4


def test_a_filled_square_covers_its_pixels():
    canvas = blank()
    canvas.fill(fixed(SQUARE * 4 + (10, 10)), (1, 2, 3), smooth=False)
    canvas.mark(fixed(SQUARE * 4 + (10, 10)), 7)
    assert canvas.image[12, 12].tolist() == [1, 2, 3]
    assert canvas.image[12, 20].tolist() == [0, 0, 0]
    rows, columns = np.nonzero(canvas.ids == 7)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 14, 10, 14)


def test_quads_are_painted_in_order_and_cut_where_they_must_be():
    canvas = blank()
    before = np.array([(20, 5, -9), (20, -5, -9), (20, -5, 9), (20, 5, 9.0)])
    through = np.array([(-5, 800, 0), (-5, -800, 0), (30, -800, 0), (30, 800, 0.0)])
    behind = before * (-1, 1, 1)
    aside = before + np.array([0, 500, 0])
    colours = np.array([(10, 0, 0), (0, 20, 0), (0, 0, 30), (0, 0, 40.0)])
    canvas.quads(np.stack([before, through, behind, aside]), colours, smooth=False)
    assert canvas.image[10, 32].tolist() == [10, 0, 0]
    assert canvas.image[35, 32].tolist() == [0, 20, 0]
    assert canvas.image[..., 2].max() == 0


def test_polygons_beyond_what_cv2_can_count_are_cut_around_the_frame():
    canvas = blank()
    huge = SQUARE * 80_000 - 40_000
    assert not drawable(huge)
    tame = canvas.tame(huge)
    assert drawable(tame)
    assert (tame.min(axis=0) <= 0).all()
    assert (tame.max(axis=0) >= (64, 36)).all()
    assert canvas.tame(SQUARE) is SQUARE


def test_a_halo_is_brightest_in_its_middle_and_nothing_outside_the_frame():
    canvas = blank()
    canvas.glow(20, 20, 6, (100, 100, 100))
    assert canvas.image[20, 20, 0] == 100
    assert 0 < canvas.image[20, 23, 0] < 100
    before = canvas.image.copy()
    canvas.glow(-50, 20, 6, (100, 100, 100))
    canvas.glow(20, 90, 6, (100, 100, 100))
    assert np.array_equal(before, canvas.image)
