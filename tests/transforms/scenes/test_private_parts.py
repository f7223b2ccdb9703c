import numpy as np
import pytest

from transforms.scenes.cameras import front_camera
from transforms.scenes.rendering import render
from transforms.scenes.worlds import Conditions, make_world

CAMERA = front_camera(960, 540)


@pytest.fixture(scope="module")
def scenes():
    """(plain picture, picture with faces and plates, its truth, the plain truth) of some moments."""
    found = []
    for seed, time_s in ((0, 3.0), (1, 0.0), (4, 6.0)):
        plain, bare = render(make_world(seed, Conditions("day")), CAMERA, time_s)
        private = make_world(seed, Conditions("day"), has_private_parts=True)
        picture, truth = render(private, CAMERA, time_s)
        found.append((plain, picture, truth, bare))
    return found


def test_worlds_without_have_none_and_all_else_is_the_same(scenes):
    for _, _, truth, bare in scenes:
        assert len(bare.private.boxes) == 0
        assert np.array_equal(truth.boxes, bare.boxes)
        assert np.array_equal(truth.visibility, bare.visibility)
    assert {kind for _, _, truth, _ in scenes for kind in truth.private.kinds} == {"face", "plate"}


def test_parts_lie_in_the_boxes_of_what_they_belong_to(scenes):
    for _, _, truth, _ in scenes:
        parts = truth.private
        assert len(parts.kinds) == len(parts.boxes) == len(parts.object_ids) == len(parts.visibility)
        assert ((parts.visibility >= 0) & (parts.visibility <= 1)).all()
        owners = dict(zip(truth.object_ids.tolist(), truth.boxes, strict=True))
        for box, number in zip(parts.boxes, parts.object_ids.tolist(), strict=True):
            # a face stands out from its head, a plate from its bumper, by less than a pixel at these distances
            assert (box[:2] >= owners[number][:2] - 1).all()
            assert (box[2:] <= owners[number][2:] + 1).all()
            assert (box[:2] < box[2:]).all()


def test_where_a_picture_differs_from_the_plain_one_there_is_a_part(scenes):
    for plain, picture, truth, _ in scenes:
        differs = np.abs(plain.astype(int) - picture).max(axis=2) > 24
        for left, top, right, bottom in truth.private.boxes.tolist():
            differs[max(int(top) - 1, 0) : int(bottom) + 2, max(int(left) - 1, 0) : int(right) + 2] = False
        assert differs.sum() == 0


def test_a_part_that_is_seen_changes_the_picture(scenes):
    looked = 0
    for plain, picture, truth, _ in scenes:
        parts = truth.private
        for box, visibility in zip(parts.boxes.tolist(), parts.visibility.tolist(), strict=True):
            left, top, right, bottom = (round(edge) for edge in box)
            if visibility > 0.95 and bottom - top >= 5 and right - left >= 5:
                inside = np.s_[top:bottom, left:right]
                assert np.abs(plain[inside].astype(int) - picture[inside]).mean() > 8
                looked += 1
    assert looked >= 4
