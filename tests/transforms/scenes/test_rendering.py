import numpy as np
import pytest

from models.taxonomy import CATEGORIES
from transforms.scenes.actors import ACTOR_CATEGORIES, CAR, PERSON, states
from transforms.scenes.cameras import CAMERAS, front_camera, mounted_camera
from transforms.scenes.people import person_shape, rider_shape
from transforms.scenes.rendering import lamp_at, render
from transforms.scenes.shapes import GAITS, Material
from transforms.scenes.vehicles import car_shape, truck_shape
from transforms.scenes.worlds import Conditions, make_world

DAY = make_world(1, Conditions("day"))


@pytest.fixture(scope="module")
def frames():
    """Truth of several worlds, cameras and times: (camera, truth)."""
    found = []
    for seed in range(4):
        world = make_world(seed, Conditions())
        for index, name in enumerate(CAMERAS):
            camera = mounted_camera(name, 320, 180)
            found += [(camera, render(world, camera, 2.0 * k + index)[1]) for k in range(3)]
    return found


def test_boxes_lie_within_the_frame(frames):
    for camera, truth in frames:
        assert (truth.boxes[:, :2] >= 0).all()
        assert (truth.boxes[:, 2:] <= (camera.width, camera.height)).all()
        assert (truth.boxes[:, 2:] > truth.boxes[:, :2]).all()
        assert (truth.boxes[:, 3] - truth.boxes[:, 1] >= 5 - 1e-3).all()


def test_truth_is_of_one_length_and_its_shares_are_shares(frames):
    for _, truth in frames:
        count = len(truth.boxes)
        columns = (truth.categories, truth.object_ids, truth.visibility, truth.truncation, truth.depth_m)
        assert {len(column) for column in columns} == {count}
        assert len(set(truth.object_ids.tolist())) == count
        for share in (truth.visibility, truth.truncation):
            assert ((share >= 0) & (share <= 1)).all()


def test_every_category_appears_and_some_things_are_hidden(frames):
    assert {int(c) for _, t in frames for c in t.categories} == set(ACTOR_CATEGORIES)
    every = np.concatenate([t.visibility for _, t in frames])
    assert (every == 0).any()
    assert (every == 1).any()
    truncated = np.concatenate([t.truncation for _, t in frames])
    assert (truncated == 1).any()
    assert (truncated == 0).any()
    assert [CATEGORIES[c] for c in ACTOR_CATEGORIES] == ["person", "rider", "car", "truck", "traffic_light"]


def test_an_object_keeps_its_id_category_and_place_from_frame_to_frame():
    camera = front_camera(320, 180)
    kinds: dict[int, set[int]] = {}
    last = None
    for k in range(6):
        truth = render(DAY, camera, k / 12)[1]
        for number, kind in zip(truth.object_ids.tolist(), truth.categories.tolist(), strict=True):
            kinds.setdefault(number, set()).add(kind)
        now = dict(zip(truth.object_ids.tolist(), truth.boxes, strict=True))
        if last is not None:
            shared = now.keys() & last.keys()
            assert len(shared) > 5
            moved = [np.abs(now[i] - last[i]).max() for i in shared]
            assert np.median(moved) < 4
        last = now
    assert all(len(kind) == 1 for kind in kinds.values())
    assert all(int(DAY.actors.kind[number - 1]) in kind for number, kind in kinds.items())


def test_the_same_frame_has_the_same_bytes_and_the_next_other_noise():
    camera = front_camera(320, 180)
    first, truth = render(DAY, camera, 1.0)
    again, same = render(make_world(1, Conditions("day")), camera, 1.0)
    assert np.array_equal(first, again)
    assert np.array_equal(truth.boxes, same.boxes)
    other = render(DAY, camera, 1.0 + 1e-5)[0]
    assert not np.array_equal(first, other)
    assert np.abs(first.astype(int) - other).mean() < 8


@pytest.mark.parametrize("rain", [False, True])
def test_night_is_darker_than_dusk_than_day(rain):
    camera = front_camera(320, 180)
    means = [
        render(make_world(1, Conditions(light, rain=rain)), camera, 0.0)[0].mean()
        for light in ("day", "dusk", "night")
    ]
    assert means[0] > 1.2 * means[1] > 1.8 * means[2]


def test_light_and_weather_leave_the_truth_alone():
    camera = front_camera(320, 180)
    day = render(DAY, camera, 0.5)[1]
    night = render(make_world(1, Conditions("night", rain=True)), camera, 0.5)[1]
    assert np.array_equal(day.boxes, night.boxes)
    assert np.array_equal(day.visibility, night.visibility)


def test_things_stand_out_from_what_they_hide():
    # What is a box to the truth is a change of the image: paint the world with and without its actors.
    camera = front_camera(320, 180)
    image, truth = render(DAY, camera, 0.5)
    ids = truth.object_ids[(truth.visibility > 0.9) & (truth.boxes[:, 3] - truth.boxes[:, 1] > 15)]
    hidden = np.isin(np.arange(len(DAY.actors)) + 1, ids)
    assert hidden.any()
    bare = type(DAY)(**{**vars(DAY), "actors": DAY.actors.take(~hidden)})
    changed = np.abs(image.astype(int) - render(bare, camera, 0.5)[0]).max(axis=2) > 12
    for box in truth.boxes[np.isin(truth.object_ids, ids)]:
        left, top, right, bottom = np.rint(box).astype(int)
        area = changed[top:bottom, left:right]
        assert area.mean() > 0.4
        rows, columns = np.nonzero(area)
        assert np.ptp(rows) >= 0.8 * (bottom - top) - 3
        assert np.ptp(columns) >= 0.8 * (right - left) - 3


def test_two_cameras_see_the_same_thing_at_the_same_place():
    seen = 0
    for k in range(10):
        time_s = k * 1.2
        ego = DAY.ego(time_s)
        state = states(DAY.actors, DAY.road, DAY.along, DAY.against, time_s)
        sights: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        for name in ("front", "left_pillar", "right_pillar"):
            camera = mounted_camera(name, 480, 270)
            view = camera.at(ego.x_m, ego.y_m, ego.yaw_rad)
            truth = render(DAY, camera, time_s)[1]
            for box, number, kind, outside in zip(
                truth.boxes, truth.object_ids.tolist(), truth.categories, truth.truncation, strict=True
            ):
                if kind == PERSON and outside == 0:
                    x, y = (box[:2] + box[2:]) / 2 - (240, 135)
                    ray = np.array([x / camera.focal_px, y / camera.focal_px, 1.0]) @ view.rotation
                    sights.setdefault(number, []).append((view.position, ray / np.linalg.norm(ray)))
        for number, rays in sights.items():
            place = np.array(
                [state.x_m[number - 1], state.y_m[number - 1], 0.5 * DAY.actors.height_m[number - 1]]
            )
            for origin, ray in rays:
                gap = place - origin
                assert np.linalg.norm(gap - (gap @ ray) * ray) < 0.35
            seen += len(rays) > 1
    assert seen > 0


def test_depth_is_the_distance_along_the_axis():
    camera = front_camera(320, 180)
    truth = render(DAY, camera, 0.0)[1]
    ego = DAY.ego(0.0)
    state = states(DAY.actors, DAY.road, DAY.along, DAY.against, 0.0)
    ahead, _ = ego.relative(state.x_m, state.y_m)
    cars = truth.categories == CAR
    assert truth.depth_m[cars] == pytest.approx(ahead[truth.object_ids[cars] - 1] - 0.7, abs=0.8)


def test_a_traffic_light_goes_round():
    assert [lamp_at(0.0, t) for t in (0, 5.9, 7, 15, 25)] == [
        Material.GREEN,
        Material.GREEN,
        Material.YELLOW,
        Material.RED,
        Material.GREEN,
    ]


@pytest.mark.parametrize(
    "shape", [car_shape(), truck_shape(), *map(person_shape, range(GAITS)), *map(rider_shape, range(GAITS))]
)
def test_shapes_fill_their_own_box(shape):
    corners = np.concatenate([shape.vertices[first:last] for first, last, _ in shape.parts])
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert low[2] == pytest.approx(0, abs=0.03)
    assert high[2] == pytest.approx(1, abs=0.03)
    assert (low[:2] >= -0.62).all()
    assert (high[:2] <= 0.62).all()
    assert high[1] == pytest.approx(-low[1], abs=0.11)
