import numpy as np
import pytest

from transforms.labels.motion.corners import MAX_CORNERS, pick_corners


def test_corners_are_spread_and_no_more_than_allowed(texture, view):
    corners = pick_corners(view(texture()))
    assert len(corners) == MAX_CORNERS
    assert len(np.unique(corners // 8, axis=0)) == MAX_CORNERS
    quarter = corners >= [160, 90]
    for right in (False, True):
        for low in (False, True):
            assert np.count_nonzero((quarter == [right, low]).all(axis=1)) > MAX_CORNERS / 8


def test_a_square_has_corners_where_it_has_corners():
    luma = np.full((180, 320), 90, np.uint8)
    luma[60:90, 100:140] = 200
    corners = pick_corners(luma)
    assert len(corners) > 0
    ends = np.array([[x, y] for x in (99.5, 139.5) for y in (59.5, 89.5)])
    apart = np.abs(corners[:, None] - ends).max(axis=2)
    assert apart.min(axis=1).max() <= 2
    assert apart.min(axis=0).max() <= 2


def test_a_small_thing_gets_points_beside_much_texture(texture, view):
    luma = view(texture())
    luma[:, 200:] = 90
    luma[100:108, 260:272] = 190
    corners = pick_corners(luma)
    assert np.count_nonzero((corners >= [258, 98]).all(axis=1) & (corners <= [273, 109]).all(axis=1)) >= 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 320), (3, 3), (4, 400), (9, 16), (17, 5)])
def test_tiny_pictures(shape):
    noise = np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8)
    corners = pick_corners(noise)
    assert corners.dtype == np.float32
    assert corners.shape[1] == 2
    assert ((corners >= 0) & (corners <= [shape[1] - 1, shape[0] - 1])).all()


def test_a_plain_picture_has_none():
    assert pick_corners(np.full((180, 320), 77, np.uint8)).shape == (0, 2)
