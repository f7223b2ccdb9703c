from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.scenes.actors import NEVER_S, PERSON, TRAFFIC_LIGHT, Actors, lane_places, states
from transforms.scenes.worlds import FIRST_S, LAST_S, Conditions, draw_conditions, make_world

WORLDS = [make_world(seed) for seed in range(4)]


@settings(deadline=None)
@given(st.sampled_from(WORLDS), st.floats(FIRST_S, LAST_S - 0.1))
def test_speed_times_time_is_the_way_of_the_car(world, time_s):
    step = 0.05
    before, middle, after = (world.ego(time_s + k * step) for k in range(3))
    way = np.hypot(after.x_m - before.x_m, after.y_m - before.y_m)
    assert way == pytest.approx(middle.speed_mps * 2 * step, rel=2e-3, abs=1e-3)
    assert np.arctan2(after.y_m - before.y_m, after.x_m - before.x_m) == pytest.approx(
        middle.yaw_rad, abs=3e-3
    )
    assert 2 < middle.speed_mps < 20


def test_the_same_seed_makes_the_same_world_and_another_another():
    again = make_world(2)
    for entry in fields(Actors):
        assert np.array_equal(getattr(again.actors, entry.name), getattr(WORLDS[2].actors, entry.name))
    assert again.along == WORLDS[2].along != WORLDS[1].along


def test_conditions_change_nothing_else():
    night = make_world(2, Conditions("night", rain=True))
    assert night.conditions == Conditions("night", rain=True)
    assert np.array_equal(night.actors.s_m, WORLDS[2].actors.s_m)
    assert night.ego(3.0) == WORLDS[2].ego(3.0)


def test_a_world_ends():
    with pytest.raises(ValueError, match="a world lives from"):
        WORLDS[0].ego(LAST_S + 1)


@pytest.mark.parametrize("world", WORLDS)
def test_nothing_stands_in_the_cars_way(world):
    times = np.arange(FIRST_S, LAST_S, 0.5)[:, None]
    s, d = lane_places(world.actors, world.along, world.against, times)
    beside = np.abs(d - world.lateral(times)[0]) < 1.0 + world.actors.width_m / 2
    near = np.abs(s - world.along.way(times)) < 2.3 + world.actors.length_m / 2
    solid = world.actors.base_m == 0
    upright = world.actors.kind < TRAFFIC_LIGHT
    assert not (beside & near & solid & upright).any()


def test_people_cross_straight_over_and_walk_on():
    world = WORLDS[2]
    walkers = world.actors.take((world.actors.kind == PERSON) & (world.actors.cross_from_s < NEVER_S))
    assert len(walkers)
    start = float(walkers.cross_from_s[0])
    over = start + float(walkers.cross_m[0] / abs(walkers.cross_mps[0]))
    at = [
        lane_places(walkers, world.along, world.against, t)
        for t in (start, (start + over) / 2, over, over + 1)
    ]
    assert at[0][0][0] == pytest.approx(at[1][0][0]) == pytest.approx(at[2][0][0])
    assert np.sign(at[0][1][0]) == -np.sign(at[2][1][0])
    assert abs(at[3][0][0] - at[2][0][0]) == pytest.approx(walkers.own_mps[0])
    facing = states(walkers, world.road, world.along, world.against, (start + over) / 2)
    heading = float(world.road.heading(facing.s_m[0]))
    assert abs(np.sin(facing.yaw_rad[0] - heading)) == pytest.approx(1.0)


def test_a_change_of_lanes_takes_its_time():
    world = next(w for w in WORLDS if w.change_m)
    start, stop = world.change_from_s, world.change_from_s + world.change_s
    before, after = world.lateral(start - 0.01)[0], world.lateral(stop + 0.01)[0]
    assert float(after - before) == pytest.approx(world.change_m, abs=0.3)


def test_conditions_are_drawn_in_their_shares():
    drawn = [draw_conditions(np.random.Generator(np.random.PCG64(seed))) for seed in range(400)]
    assert 0.35 < np.mean([c.light == "day" for c in drawn]) < 0.55
    assert np.mean([c.light == "night" or c.rain for c in drawn]) > 0.4


@settings(deadline=None)
@given(st.integers(0, 1 << 40))
def test_a_car_never_turns_faster_than_a_car_can(seed):
    world = WORLDS[seed % 4]
    time_s = FIRST_S + 1 + (seed % 900) / 10
    if time_s < LAST_S - 1:
        assert abs(world.ego(time_s + 0.1).yaw_rad - world.ego(time_s).yaw_rad) < 0.1
