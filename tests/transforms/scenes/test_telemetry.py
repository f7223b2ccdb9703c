from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.clips.sei import build_nal, parse
from transforms.scenes.telemetry import changes_lane, telemetry_at
from transforms.scenes.worlds import make_world

WORLDS = [make_world(seed) for seed in (1, 2, 3)]
TIMES = st.floats(-15, 65)


@settings(deadline=None)
@given(st.sampled_from(WORLDS), TIMES, st.integers(0, 1 << 40))
def test_telemetry_survives_the_wire_exactly(world, time_s, number):
    message = telemetry_at(world, time_s, number)
    assert parse(b"\x00\x00\x01" + build_nal(message), 0) == message


@settings(deadline=None)
@given(st.sampled_from(WORLDS), TIMES)
def test_telemetry_fits_the_motion(world, time_s):
    now, later = telemetry_at(world, time_s, 0), telemetry_at(world, time_s + 0.1, 1)
    assert now.vehicle_speed_mps == pytest.approx(world.ego(time_s).speed_mps)
    gained = later.vehicle_speed_mps - now.vehicle_speed_mps
    assert gained == pytest.approx(0.1 * now.linear_acceleration_mps2_x, abs=0.06)
    north = (later.latitude_deg - now.latitude_deg) * 111_320
    east = (later.longitude_deg - now.longitude_deg) * 111_320 * 0.8090
    assert (north**2 + east**2) ** 0.5 == pytest.approx(0.1 * now.vehicle_speed_mps, rel=0.03)
    assert 0 <= now.heading_deg < 360
    assert not (now.brake_applied and now.accelerator_pedal_position)
    turn = (later.heading_deg - now.heading_deg + 180) % 360 - 180
    if abs(turn) > 0.3:
        assert (now.steering_wheel_angle > 0) == (turn < 0)


def test_the_car_signals_a_change_of_lanes_to_its_side_and_no_other():
    world = replace(WORLDS[0], change_m=3.5, change_from_s=2.0)
    assert [changes_lane(world, t, 1) for t in (0.0, 1.0, 3.0, 5.6)] == [False, True, True, False]
    assert not changes_lane(world, 3.0, -1)
    right = replace(world, change_m=-3.5)
    assert telemetry_at(right, 3.0, 0).blinker_on_right
    assert not telemetry_at(replace(world, change_m=0.0), 3.0, 0).blinker_on_left
