import numpy as np
import pytest

from transforms.scenes.cameras import front_camera, mounted_camera
from transforms.scenes.lanes import lane_truth, lines
from transforms.scenes.worlds import make_world

WORLD = make_world(1)


def test_lines_stand_symmetrically_from_right_to_left():
    kinds, places = zip(*lines(WORLD), strict=True)
    assert list(places) == sorted(places)
    assert np.array(places) == pytest.approx(-np.array(places[::-1]))
    assert list(kinds) == list(kinds[::-1])
    assert len(kinds) == 2 * (WORLD.road.lanes + 2)


def test_the_car_drives_between_the_lines_of_its_lane():
    camera = front_camera(640, 360)
    found = lane_truth(WORLD, camera, -10.0)
    d = WORLD.ego(-10.0).d_m
    for line in found:
        assert ((line.points >= 0) & (line.points <= (640, 360))).all()
        nearest = line.points[np.argmax(line.points[:, 1])]
        assert (nearest[0] < 320) == (lines(WORLD)[line.number][1] > d)
        assert lines(WORLD)[line.number][0] == line.kind
    assert len(found) >= 4


def test_a_camera_that_looks_back_sees_lines_too():
    assert len(lane_truth(WORLD, mounted_camera("back", 480, 270), 0.0)) >= 4
