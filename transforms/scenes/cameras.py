"""Pinhole cameras mounted on one car.

Frames of reference: world east, north, up; car forward, left, up with its origin on the ground under its
middle; camera right, down, forward. Pixels are continuous: pixel i covers [i, i + 1).
"""

from dataclasses import dataclass
from math import cos, pi, radians, sin, tan
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A pinhole camera without distortion; its principal point is the middle of the frame.

    Attributes:
        name: front, back, left_repeater, ...
        width: pixels.
        height: pixels.
        focal_px: focal length in pixels, the same for both axes.
        forward_m: place on the car.
        left_m: place on the car.
        up_m: height above ground.
        yaw_deg: turn to the left, 0 looks ahead.
        pitch_deg: tilt, positive looks down.
    """

    name: str
    width: int
    height: int
    focal_px: float
    forward_m: float
    left_m: float
    up_m: float
    yaw_deg: float
    pitch_deg: float

    @property
    def car_from_camera(self) -> FloatArray:
        """Columns are the camera's right, down and forward axes in the car's frame, float64[3, 3]."""
        yaw, pitch = radians(self.yaw_deg), radians(self.pitch_deg)
        forward = (cos(yaw) * cos(pitch), sin(yaw) * cos(pitch), -sin(pitch))
        right = (sin(yaw), -cos(yaw), 0.0)
        down = np.cross(forward, right)
        return np.stack([right, down, forward], axis=1)

    def at(self, x_m: float, y_m: float, yaw_rad: float) -> "Viewpoint":
        """The camera's view while the car stands at a place.

        Args:
            x_m: the car's place, east.
            y_m: the car's place, north.
            yaw_rad: the car's heading, anticlockwise from east.
        """
        turn = np.array([[cos(yaw_rad), -sin(yaw_rad), 0], [sin(yaw_rad), cos(yaw_rad), 0], [0, 0, 1]])
        position = np.array([x_m, y_m, 0.0]) + turn @ np.array([self.forward_m, self.left_m, self.up_m])
        return Viewpoint(self, (turn @ self.car_from_camera).T, position)


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """A camera at a place in the world.

    Attributes:
        camera: the camera.
        rotation: world directions to camera directions, float64[3, 3].
        position: of the camera in the world, metres, float64[3].
    """

    camera: Camera
    rotation: FloatArray
    position: FloatArray

    def to_camera(self, points: FloatArray) -> FloatArray:
        """World points float64[..., 3] in metres to the camera's frame (right, down, forward)."""
        return (points - self.position) @ self.rotation.T

    def project(self, points: FloatArray) -> FloatArray:
        """Points in the camera's frame, float64[..., 3] with forward > 0, to pixels float64[..., 2]."""
        scale = self.camera.focal_px / points[..., 2:]
        return points[..., :2] * scale + (self.camera.width / 2, self.camera.height / 2)


_MOUNTS: Final[dict[str, tuple[float, float, float, float, float, float]]] = {
    # name: forward_m, left_m, up_m, yaw_deg, pitch_deg, horizontal field of view in degrees
    "front": (0.7, 0.0, 1.45, 0.0, 2.0, 70.0),
    "back": (-2.2, 0.0, 1.05, 180.0, 4.0, 90.0),
    "left_repeater": (1.0, 1.0, 1.0, 148.0, 3.0, 80.0),
    "right_repeater": (1.0, -1.0, 1.0, -148.0, 3.0, 80.0),
    "left_pillar": (0.1, 0.75, 1.35, 62.0, 3.0, 80.0),
    "right_pillar": (0.1, -0.75, 1.35, -62.0, 3.0, 80.0),
}

CAMERAS: Final = tuple(_MOUNTS)
"""Names of the cameras a car can have."""


def mounted_camera(name: str, width: int, height: int) -> Camera:
    """A camera by its name.

    Args:
        name: one of `CAMERAS`.
        width: pixels.
        height: pixels.
    """
    forward, left, up, yaw, pitch, view = _MOUNTS[name]
    return Camera(
        name=name,
        width=width,
        height=height,
        focal_px=width / 2 / tan(view / 2 * pi / 180),
        forward_m=forward,
        left_m=left,
        up_m=up,
        yaw_deg=yaw,
        pitch_deg=pitch,
    )


def front_camera(width: int, height: int) -> Camera:
    """The camera behind the windscreen.

    >>> front_camera(640, 360).name
    'front'
    """
    return mounted_camera("front", width, height)


def tesla_cameras(
    width: int, height: int, names: tuple[str, ...] = ("front", "back", "left_repeater", "right_repeater")
) -> tuple[Camera, ...]:
    """The cameras of one car, all of one frame size, in the order of `names`."""
    return tuple(mounted_camera(name, width, height) for name in names)
