"""What lies behind and beneath the traffic: sky, hills and road."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.scenes.painting import Canvas
from transforms.scenes.weather import Lighting, brightness, fogged
from transforms.scenes.worlds import EgoState, World

FloatArray = npt.NDArray[np.float64]

_GRASS: Final = np.array([62.0, 108.0, 92.0])
_ASPHALT: Final = np.array([98.0, 96.0, 94.0])
_WET: Final = np.array([84.0, 80.0, 76.0])
_PAVEMENT: Final = np.array([150.0, 152.0, 156.0])
_CYCLE: Final = np.array([92.0, 88.0, 116.0])
_LINE: Final = np.array([228.0, 230.0, 232.0])
_ZEBRA_REACH_M: Final = 80.0
# Short pieces near the car, long ones far away: what a piece covers on the image stays of one size.
_PIECES: Final = np.array(
    [-170, -110, -70, -45, -30, -20, -14, -9, -5, -2, 1, 4, 7, 10, 14, 19, 26, 36, 50, 70, 95, 130, 170.0]
)


def paint_sky(canvas: Canvas, world: World, light: Lighting) -> None:
    """Paints sky, hills on the horizon, and the far ground below."""
    camera = canvas.view.camera
    rows = np.arange(camera.height)[:, None] + 0.5
    forward = canvas.view.rotation[2]
    # The horizon is level, as the cameras do not roll.
    horizon = camera.height / 2 - camera.focal_px * np.tan(np.arcsin(-forward[2]))
    above = np.clip((horizon - rows) / (camera.height * 0.6), 0, 1)
    sky = light.fog + (light.zenith - light.fog) * above**0.7
    far = fogged(light, _GRASS * light.ambient, 200.0)
    column = np.where(rows < horizon, sky, far).astype(np.uint8)[:, None]
    cv2.resize(column, (camera.width, camera.height), dst=canvas.image, interpolation=cv2.INTER_NEAREST)
    columns = np.linspace(0, camera.width, 33)
    azimuth = np.arctan2(forward[1], forward[0]) - np.arctan((columns - camera.width / 2) / camera.focal_px)
    tall = sum(a * (1 + np.sin((k + 2) * azimuth + phase)) for k, (a, phase) in enumerate(world.skyline))
    ridge = np.stack([columns, horizon - np.asarray(tall) * camera.focal_px / 900], axis=1)
    outline = np.concatenate([ridge, [[camera.width, horizon + 1], [0, horizon + 1]]])
    hills = fogged(light, np.array([88.0, 92.0, 74.0]) * light.ambient, 320.0)
    cv2.fillPoly(canvas.image, [np.rint(outline * 16).astype(np.int32)], hills.tolist(), cv2.LINE_AA, 4)


@dataclass(frozen=True, slots=True)
class _Line:
    """Places along the road with all that is needed to go to their left and right.

    Attributes:
        x: east of the centreline, float64[N].
        y: north, float64[N].
        left_x: east of one metre to the left, float64[N].
        left_y: north, float64[N].
    """

    x: FloatArray
    y: FloatArray
    left_x: FloatArray
    left_y: FloatArray

    @classmethod
    def at(cls, world: World, s: FloatArray) -> "_Line":
        x, y = world.road.place(s, 0.0)
        heading = world.road.heading(s)
        return cls(x, y, -np.sin(heading), np.cos(heading))

    def points(self, d: FloatArray) -> FloatArray:
        """Ground points d metres to the left, float64[N] against d's float64[M, 1]: float64[M, N, 3]."""
        x, y = self.x + d * self.left_x, self.y + d * self.left_y
        return np.stack([x, y, np.zeros_like(x)], axis=-1)


def _strips(line: _Line, d0: FloatArray, d1: FloatArray) -> FloatArray:
    """Quads between neighbouring places from d0 to d1: float64[M, N - 1, 4, 3] for d float64[M]."""
    right, left = line.points(d0[:, None]), line.points(d1[:, None])
    return np.stack([right[:, :-1], right[:, 1:], left[:, 1:], left[:, :-1]], axis=2)


def _bars(world: World, s: FloatArray, length: float, d0: FloatArray, d1: FloatArray) -> FloatArray:
    """Quads that begin at each s and are `length` long, from d0 to d1: float64[M * N, 4, 3]."""
    near, far = _Line.at(world, s), _Line.at(world, s + length)
    a, b = d0[:, None], d1[:, None]
    return np.stack([near.points(a), far.points(a), far.points(b), near.points(b)], axis=2).reshape(-1, 4, 3)


def _light_on(
    ego: EgoState, light: Lighting, quads: FloatArray, s: FloatArray, colours: FloatArray
) -> FloatArray:
    """Colours of ground quads float64[N, 4, 3] with colours of their own, float64[N, 3]."""
    ahead, left = ego.relative(quads[:, :, 0].mean(axis=1), quads[:, :, 1].mean(axis=1))
    shine = brightness(light, ahead, left, s) + light.sun * 0.7
    return np.minimum(fogged(light, colours * shine, np.hypot(ahead, left)), 255.0)


def paint_road(canvas: Canvas, world: World, ego: EgoState, light: Lighting) -> None:
    """Paints grass, sidewalks, lanes and their markings."""
    road = world.road
    pieces = ego.s_m + _PIECES
    middle = (pieces[:-1] + pieces[1:]) / 2
    edge, kerb, walk, lanes = 60.0, road.kerb_m, road.sidewalk_edge_m, road.lanes_edge_m
    cycle = lanes + road.cycle_width_m
    table = [
        (-edge, -walk, _GRASS), (walk, edge, _GRASS), (-walk, -kerb, _PAVEMENT), (kerb, walk, _PAVEMENT),
        (-kerb, kerb, _WET if light.rain else _ASPHALT), (-cycle, -lanes, _CYCLE), (lanes, cycle, _CYCLE),
        *((d - 0.1, d + 0.1, _PAVEMENT * 0.6) for d in (-kerb, kerb)),
        *((d - 0.06, d + 0.06, _LINE) for d in (-lanes, lanes, -0.12, 0.12)),
    ]  # fmt: skip
    d0, d1 = (np.array([row[k] for row in table], np.float64) for k in (0, 1))
    quads = _strips(_Line.at(world, pieces), d0, d1).reshape(-1, 4, 3)
    colours = np.repeat(np.array([row[2] for row in table]), len(middle), axis=0)
    canvas.quads(quads, _light_on(ego, light, quads, np.tile(middle, len(table)), colours), smooth=False)
    quads, places = _markings(world, ego)
    canvas.quads(quads, _light_on(ego, light, quads, places, _LINE[None]), smooth=True)


def _markings(world: World, ego: EgoState) -> tuple[FloatArray, FloatArray]:
    """Dashes between lanes, zebra crossings and stop lines: quads float64[N, 4, 3] and their places float64[N]."""
    road = world.road
    starts = np.floor((ego.s_m - 60) / 9) * 9 + np.arange(0, 150, 9.0)
    dashes = np.array([side * n * road.lane_width_m for side in (-1, 1) for n in range(1, road.lanes)])
    zebras = world.crossings_m[np.abs(world.crossings_m - ego.s_m) < _ZEBRA_REACH_M]
    bars = np.arange(-road.lanes_edge_m + 0.4, road.lanes_edge_m - 0.4, 1.0)
    edges = np.array([road.lanes_edge_m])
    quads = [
        _bars(world, starts, 3.0, dashes - 0.07, dashes + 0.07),
        _bars(world, zebras - 1.6, 3.2, bars, bars + 0.5),
        _bars(world, zebras - 3.4, 0.4, -edges, -edges * 0.05),
        _bars(world, zebras + 3.0, 0.4, edges * 0.05, edges),
    ]
    places = [np.tile(starts, len(dashes)), np.tile(zebras, len(bars)), zebras, zebras]
    return np.concatenate(quads), np.concatenate(places)
