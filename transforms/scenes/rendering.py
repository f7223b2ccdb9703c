"""Rendering: what a camera of the car sees at a time, with exact truth."""

from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from transforms.scenes.actors import (
    CAR,
    PERSON,
    POLE,
    RIDER,
    TRAFFIC_LIGHT,
    TREE,
    TRUCK,
    Actors,
    ActorStates,
    states,
)
from transforms.scenes.buildings import paint_houses
from transforms.scenes.cameras import Camera
from transforms.scenes.ground import paint_road, paint_sky
from transforms.scenes.painting import Canvas
from transforms.scenes.people import person_shape, rider_shape
from transforms.scenes.portraits import MIN_HEIGHT_PX, FrameTruth, Painter, pose
from transforms.scenes.shapes import GAITS, Material, Shape
from transforms.scenes.street import light_shape, pole_shape, tree_shape
from transforms.scenes.vehicles import car_shape, truck_shape
from transforms.scenes.weather import Lighting, brightness, expose, lighting
from transforms.scenes.worlds import World

__all__ = ["FrameTruth", "frame_noise", "lamp_at", "render"]

FloatArray = npt.NDArray[np.float64]

_REACH_M: Final = 120.0
_BEHIND_M: Final = -6.0
_CYCLE_S: Final = 26.0
_STIFF: Final = {TREE: tree_shape, POLE: pole_shape}
_VEHICLES: Final = {CAR: car_shape, TRUCK: truck_shape}
_SHADOWLESS: Final = (TRAFFIC_LIGHT, POLE)


def lamp_at(phase_rad: float, time_s: float) -> Material:
    """The lamp of a traffic light that shines."""
    share = (time_s / _CYCLE_S + phase_rad / (2 * np.pi)) % 1.0
    # Green 12 s around phase 0, then yellow, then red.
    if share < 0.23 or share >= 0.77:  # noqa: PLR2004 - shares of the cycle
        return Material.GREEN
    return Material.YELLOW if share < 0.31 else Material.RED  # noqa: PLR2004 - the same


def _shape(kind: int, stride_m: float, phase_rad: float, time_s: float, *, private: bool) -> Shape:
    if kind == TRAFFIC_LIGHT:
        return light_shape(lamp_at(phase_rad, time_s))
    if kind == PERSON:
        return person_shape(int(stride_m / 1.5 * GAITS) % GAITS, face=private)
    if kind == RIDER:
        return rider_shape(int(stride_m / 4.5 * GAITS) % GAITS, face=private)
    if kind in _VEHICLES:
        return _VEHICLES[kind](plates=private)
    return _STIFF[kind]()


def frame_noise(world: World, camera: Camera, time_s: float) -> np.random.Generator:
    """The random numbers of one frame of one camera."""
    entropy = [world.seed, crc32(camera.name.encode()), round((time_s + 3600) * 1e6)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def render(world: World, camera: Camera, time_s: float) -> tuple[npt.NDArray[np.uint8], FrameTruth]:
    """Renders one frame.

    Args:
        world: the world.
        camera: one of the car's cameras.
        time_s: when, `worlds.FIRST_S` to `worlds.LAST_S`.

    Returns:
        The picture, BGR uint8[height, width, 3], and its truth.

    >>> from transforms.scenes.cameras import front_camera
    >>> from transforms.scenes.worlds import make_world
    >>> picture, truth = render(make_world(1), front_camera(320, 180), 0.0)
    >>> picture.shape, truth.boxes.shape[1]
    ((180, 320, 3), 4)
    """
    ego = world.ego(time_s)
    light = lighting(world.conditions)
    view = camera.at(ego.x_m, ego.y_m, ego.yaw_rad)
    size = (camera.height, camera.width)
    canvas = Canvas(view, np.empty((*size, 3), np.uint8), np.zeros(size, np.uint8))
    paint_sky(canvas, world, light)
    paint_road(canvas, world, ego, light)
    paint_houses(canvas, world, ego, light)
    _paint_actors(painter := Painter(canvas, light), world, time_s)
    return expose(canvas.image, light, frame_noise(world, camera, time_s)), painter.truth()


def _paint_actors(painter: Painter, world: World, time_s: float) -> None:
    canvas, light, actors = painter.canvas, painter.light, world.actors
    view, ego = canvas.view, world.ego(time_s)
    state = states(actors, world.road, world.along, world.against, time_s)
    ground = np.stack([state.x_m, state.y_m], axis=1)
    gap = ground - view.position[:2]
    distance = np.hypot(gap[:, 0], gap[:, 1])
    depth = gap @ view.rotation[2, :2]
    aside = np.abs(gap @ view.rotation[0, :2])
    camera = view.camera
    big_enough = actors.height_m * camera.focal_px / np.maximum(depth, 0.5) >= MIN_HEIGHT_PX
    seen = (distance < _REACH_M) & (depth > _BEHIND_M) & big_enough
    seen &= aside < np.maximum(depth, 0.0) * camera.width / 2 / camera.focal_px + 8.0
    order = np.flatnonzero(seen)
    order = order[np.argsort(-distance[order], kind="stable")]
    ahead, left = ego.relative(state.x_m[order], state.y_m[order])
    shine = brightness(light, ahead, left, state.s_m[order])
    chosen, places = actors.take(order), state.take(order)
    _paint_shadows(canvas, chosen, places, light)
    poses = pose(view, light, chosen, places, shine)
    for rank, index in enumerate(order.tolist()):
        kind = int(chosen.kind[rank])
        shape = _shape(
            kind,
            float(places.stride_m[rank]),
            float(chosen.phase_rad[rank]),
            time_s,
            private=world.has_private_parts,
        )
        painter.paint(shape, poses, rank, kind, index + 1)


def _paint_shadows(canvas: Canvas, actors: Actors, state: ActorStates, light: Lighting) -> None:
    """Darkens the ground beneath what stands on it."""
    standing = ~np.isin(actors.kind, _SHADOWLESS)
    yaw = state.yaw_rad[standing, None]
    ahead = np.array([-1, 1, 1, -1]) * 0.54 * actors.length_m[standing, None]
    left = np.array([-1, -1, 1, 1]) * 0.54 * actors.width_m[standing, None]
    x = state.x_m[standing, None] + ahead * np.cos(yaw) - left * np.sin(yaw)
    y = state.y_m[standing, None] + ahead * np.sin(yaw) + left * np.cos(yaw)
    tones = np.broadcast_to(np.array([48.0, 46.0, 44.0]) * (light.ambient + 0.1), (len(x), 3))
    canvas.quads(np.stack([x, y, np.zeros_like(x)], axis=2), tones, smooth=True)
