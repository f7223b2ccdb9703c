"""What the rendered car reports of itself: telemetry that fits its motion."""

from math import atan, cos, degrees, radians
from typing import Final

import numpy as np

from transforms.clips.sei import SeiMetadata
from transforms.scenes.worlds import World

ORIGIN_DEG: Final = (36.0, -120.0)
"""Latitude and longitude of the world's origin."""

_METRES_PER_DEGREE: Final = 111_320.0
_WHEELBASE_M: Final = 2.9
_STEERING_RATIO: Final = 12.0
_BLINKS_AHEAD_S: Final = 1.2
_STEP_S: Final = 0.05
_BRAKES_MPS2: Final = -0.6
_DRIVE: Final = 1


def position_deg(x_m: float, y_m: float) -> tuple[float, float]:
    """Latitude and longitude of a place in the world.

    Args:
        x_m: east.
        y_m: north.

    >>> position_deg(0.0, 0.0)
    (36.0, -120.0)
    """
    latitude = ORIGIN_DEG[0] + y_m / _METRES_PER_DEGREE
    return latitude, ORIGIN_DEG[1] + x_m / (_METRES_PER_DEGREE * cos(radians(ORIGIN_DEG[0])))


def telemetry_at(world: World, time_s: float, number: int) -> SeiMetadata:
    """The telemetry of one frame; `float` values are 32-bit ones, so they survive the wire exactly.

    Axes of the acceleration are forward, left, up, without gravity; angles of the steering wheel are
    positive to the left; the pedal counts in per cent.

    Args:
        world: the world.
        time_s: when the frame was taken.
        number: the frame's number.
    """
    before, now, after = (world.ego(time_s + step) for step in (-_STEP_S, 0.0, _STEP_S))
    turn_radps = (after.yaw_rad - before.yaw_rad) / (2 * _STEP_S)
    forward = (after.speed_mps - before.speed_mps) / (2 * _STEP_S)
    pedal = 0.0 if forward < 0 else min(100.0, 4.0 + 0.8 * now.speed_mps + 14.0 * forward)
    wheel = degrees(atan(_WHEELBASE_M * turn_radps / now.speed_mps)) * _STEERING_RATIO
    latitude, longitude = position_deg(now.x_m, now.y_m)
    left, right = (changes_lane(world, time_s, side) for side in (1, -1))
    return SeiMetadata(
        version=1,
        gear_state=_DRIVE,
        frame_seq_no=number,
        vehicle_speed_mps=float(np.float32(now.speed_mps)),
        accelerator_pedal_position=float(np.float32(pedal)),
        steering_wheel_angle=float(np.float32(wheel)),
        blinker_on_left=left,
        blinker_on_right=right,
        brake_applied=forward < _BRAKES_MPS2,
        autopilot_state=world.seed % 4,
        latitude_deg=latitude,
        longitude_deg=longitude,
        heading_deg=(90.0 - degrees(now.yaw_rad)) % 360.0,
        linear_acceleration_mps2_x=forward,
        linear_acceleration_mps2_y=now.speed_mps * turn_radps,
    )


def changes_lane(world: World, time_s: float, side: int) -> bool:
    """Whether the car signals a change of lanes.

    Args:
        world: the world.
        time_s: when.
        side: 1 to the left, -1 to the right.
    """
    since = time_s - world.change_from_s
    return world.change_m * side > 0 and -_BLINKS_AHEAD_S <= since < world.change_s
