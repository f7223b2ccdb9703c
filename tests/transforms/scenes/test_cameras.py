import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.scenes.cameras import CAMERAS, front_camera, mounted_camera, tesla_cameras

PLACE = st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.floats(-7, 7))


@given(PLACE, st.floats(2, 200), st.floats(-3, 3))
def test_what_lies_straight_ahead_stands_in_the_middle_column(place, ahead, up):
    view = front_camera(640, 360).at(*place)
    x, y, yaw = place
    point = np.array([x + (ahead + 0.7) * np.cos(yaw), y + (ahead + 0.7) * np.sin(yaw), up])
    seen = view.to_camera(point)
    assert view.project(seen)[0] == pytest.approx(320, abs=1e-6)
    assert seen[2] > 0


@given(st.floats(2, 100), st.floats(1, 50))
def test_nearer_ground_is_lower_and_nearer_things_are_larger(near, more):
    view = front_camera(640, 360).at(0, 0, 0)
    feet = view.project(view.to_camera(np.array([[0.7 + near, 0, 0], [0.7 + near + more, 0, 0]])))
    heads = view.project(view.to_camera(np.array([[0.7 + near, 0, 1.8], [0.7 + near + more, 0, 1.8]])))
    assert feet[0, 1] > feet[1, 1]
    assert (feet - heads)[0, 1] > (feet - heads)[1, 1] > 0


def test_left_is_left_on_the_image_and_up_is_up():
    view = front_camera(640, 360).at(0, 0, 0)
    left, right, high = view.project(view.to_camera(np.array([[20, 3, 1], [20, -3, 1], [20, 3, 4.0]])))
    assert left[0] < 320 < right[0]
    assert high[1] < left[1]


@pytest.mark.parametrize("name", CAMERAS)
def test_the_axes_are_a_rotation(name):
    axes = mounted_camera(name, 480, 270).car_from_camera
    assert axes.T @ axes == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)


def test_the_back_camera_looks_back_and_the_left_ones_to_the_left():
    forward = {name: mounted_camera(name, 480, 270).car_from_camera[:, 2] for name in CAMERAS}
    assert forward["front"][0] > 0.9
    assert forward["back"][0] < -0.9
    assert forward["left_repeater"][1] > 0
    assert forward["right_pillar"][1] < 0


@given(PLACE, st.floats(8, 60), st.floats(-0.4, 0.4))
def test_two_cameras_of_one_car_triangulate_a_point(place, distance, aside):
    yaw = place[2] + np.radians(33) + aside * 0.2
    point = np.array([place[0] + distance * np.cos(yaw), place[1] + distance * np.sin(yaw), 1.0])
    rays = []
    for camera in tesla_cameras(640, 360, ("front", "left_pillar")):
        view = camera.at(*place)
        pixel = view.project(view.to_camera(point))
        ray = (
            np.array([(pixel[0] - 320) / camera.focal_px, (pixel[1] - 180) / camera.focal_px, 1.0])
            @ view.rotation
        )
        rays.append((view.position, ray / np.linalg.norm(ray)))
    planes = [np.eye(3) - np.outer(ray, ray) for _, ray in rays]
    found = np.linalg.solve(sum(planes), sum(p @ origin for p, (origin, _) in zip(planes, rays, strict=True)))
    assert found == pytest.approx(point, abs=1e-4)
