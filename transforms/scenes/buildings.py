"""Houses beside the road."""

from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.scenes.painting import Canvas
from transforms.scenes.weather import Lighting, brightness, fogged
from transforms.scenes.worlds import EgoState, World

FloatArray = npt.NDArray[np.float64]

_REACH_M: Final = 130.0
_WINDOW_REACH_M: Final = 60.0
# Corners of a wall among those of the floor plan (front left and right, back right and left) and its share of light.
_WALLS: Final = ((2, 3, 0.7), (1, 2, 0.75), (3, 0, 0.8), (0, 1, 1.0))


def paint_houses(canvas: Canvas, world: World, ego: EgoState, light: Lighting) -> None:
    """Paints the houses near the car, far ones first."""
    houses, view = world.houses, canvas.view
    near = np.flatnonzero(np.abs(houses.s_m - ego.s_m) < _REACH_M)
    near = near[np.argsort(-np.abs(houses.s_m[near] - ego.s_m), kind="stable")]
    half, side = houses.length_m[near] / 2, np.sign(houses.d_m[near])
    s = houses.s_m[near, None] + half[:, None] * np.array([-1, 1, 1, -1])
    d = houses.d_m[near, None] + (side * houses.depth_m[near])[:, None] * np.array([0, 0, 1, 1])
    plan = np.stack([*world.road.place(s, d), np.zeros_like(s)], axis=2)
    distance = np.abs(houses.s_m[near] - ego.s_m)
    shine = brightness(
        light, *ego.relative(plan[..., 0].mean(axis=1), plan[..., 1].mean(axis=1)), houses.s_m[near]
    )
    quads: list[FloatArray] = []
    colours: list[FloatArray] = []
    for rank, index in enumerate(near):
        base = plan[rank]
        if view.to_camera(base)[:, 2].max() <= 0:
            continue
        up = np.array([0, 0, houses.height_m[index]])
        for first, second, tone in _WALLS:
            edge = base[second] - base[first]
            away = view.position - base[first]
            if (edge[0] * away[1] - edge[1] * away[0]) * side[rank] > 0:
                continue
            quads.append(np.stack([base[first], base[second], base[second] + up, base[first] + up])[None])
            tones = houses.colour[index] * (shine[rank] + light.sun * (tone - 0.4)) * tone
            colours.append(np.minimum(fogged(light, tones, distance[rank]), 255.0)[None])
            if first == 0 and distance[rank] < _WINDOW_REACH_M:
                windows = _windows(base, float(up[2]))
                quads.append(windows)
                colours.append(
                    _panes(light, int(houses.lit[index]), len(windows), shine[rank], float(distance[rank]))
                )
    if quads:
        canvas.quads(np.concatenate(quads), np.concatenate(colours), smooth=True)


def _windows(base: FloatArray, tall: float) -> FloatArray:
    """Quads of the windows of a front, float64[N, 4, 3]."""
    front = base[1] - base[0]
    length = float(np.linalg.norm(front))
    across, floors = max(int(length / 3.2), 1), max(int(tall / 3.4), 1)
    v, u = np.meshgrid(
        (np.arange(floors) + 0.55) * tall / floors, (np.arange(across) + 0.5) / across, indexing="ij"
    )
    along = u.reshape(-1, 1) + np.array([-1, 1, 1, -1]) * 0.55 / length
    high = v.reshape(-1, 1) + np.array([-0.7, -0.7, 0.7, 0.7])
    corners: FloatArray = base[0] + along[..., None] * front + high[..., None] * np.array([0, 0, 1.0])
    return corners


def _panes(light: Lighting, pattern: int, count: int, shine: FloatArray, distance_m: float) -> FloatArray:
    """Colours of windows, some of them lit when lamps are on, float64[N, 3]."""
    dark = fogged(light, np.array([75.0, 62.0, 52.0]) * (shine + 0.3 * light.sun), distance_m)
    lit = fogged(light, np.array([110.0, 190.0, 235.0]), distance_m)
    shines = (light.lamps > 0) & ((pattern >> (np.arange(count) % 29)) & 3 == 0)
    return np.where(shines[:, None], lit, dark)
