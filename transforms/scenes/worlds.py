"""A world: road, traffic, weather and the car's own drive through it, all a function of a seed."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from transforms.scenes.actors import NEVER_S, PERSON, TRAFFIC_LIGHT, Actors, Flow, lane_places
from transforms.scenes.crowd import (
    Houses,
    draw_clutter,
    draw_houses,
    draw_lights,
    draw_people,
    draw_riders,
    draw_row,
    draw_vehicles,
    merge,
)
from transforms.scenes.roads import Road, draw_road

FloatArray = npt.NDArray[np.float64]
Light = Literal["day", "dusk", "night"]

LIGHTS: Final[tuple[Light, ...]] = ("day", "dusk", "night")
FIRST_S: Final = -20.0
LAST_S: Final = 72.0
"""The seconds a world lives."""

_AHEAD_M: Final = 220.0
_FREE_M: Final = 17.0
"""Before and behind the car its own lane is free."""

_CHANGE_S: Final = 3.5
_CHANGE_SHARE: Final = 0.7
_RAIN_SHARE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Conditions:
    """Light and weather."""

    light: Light = "day"
    rain: bool = False


@dataclass(frozen=True, slots=True)
class EgoState:
    """The car at a time: the point on the ground under its middle.

    Attributes:
        s_m: along the road.
        d_m: to its left.
        x_m: east.
        y_m: north.
        yaw_rad: direction of travel, anticlockwise from east.
        speed_mps: speed over ground.
    """

    s_m: float
    d_m: float
    x_m: float
    y_m: float
    yaw_rad: float
    speed_mps: float

    def relative(self, x_m: FloatArray, y_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Places in the world as metres ahead of the car and to its left, the shape of `x_m`."""
        east, north = x_m - self.x_m, y_m - self.y_m
        cosine, sine = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        return east * cosine + north * sine, north * cosine - east * sine


@dataclass(frozen=True)
class World:
    """All there is.

    Attributes:
        seed: what it was drawn from.
        conditions: light and weather.
        road: the road.
        along: flow of the car's own direction; the car drives with it.
        against: oncoming flow.
        actors: everything that moves, and clutter.
        houses: buildings.
        crossings_m: places of zebra crossings along the road, float64[N].
        lane_m: the car's first lane, metres to the left of the centreline.
        change_m: how far to the left it changes lanes; 0 for not at all.
        change_from_s: when it begins to.
        skyline: amplitudes and phases of the hills on the horizon, float64[K, 2].
        has_private_parts: whether people have faces and vehicles number plates.
    """

    seed: int
    conditions: Conditions
    road: Road
    along: Flow
    against: Flow
    actors: Actors
    houses: Houses
    crossings_m: FloatArray
    lane_m: float
    change_m: float
    change_from_s: float
    skyline: FloatArray
    has_private_parts: bool = False

    @property
    def change_s(self) -> float:
        """How long a change of lanes takes."""
        return _CHANGE_S

    def lateral(self, time_s: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """The car's place to the left of the centreline and its rate of change, m and m/s."""
        time = np.asarray(time_s, np.float64)
        return _lateral(time, self.lane_m, self.change_m, self.change_from_s)

    def ego(self, time_s: float) -> EgoState:
        """The car at a time.

        Args:
            time_s: from `FIRST_S` to `LAST_S`.

        Raises:
            ValueError: the world does not reach that far.
        """
        if not FIRST_S <= time_s <= LAST_S:
            raise ValueError(f"a world lives from {FIRST_S} s to {LAST_S} s, not at {time_s} s")
        s = float(self.along.way(time_s))
        d, sideways = (float(value) for value in self.lateral(time_s))
        x, y = (float(value) for value in self.road.place(s, d))
        # In road coordinates a car at d metres to the left drives a shorter way in a left bend.
        forward = float(self.along.speed(time_s)) * (1 - d * float(self.road.curvature(s)))
        yaw = float(self.road.heading(s)) + float(np.arctan2(sideways, forward))
        return EgoState(s, d, x, y, yaw, float(np.hypot(forward, sideways)))


def _lateral(time: FloatArray, lane: float, change: float, start: float) -> tuple[FloatArray, FloatArray]:
    share = np.clip((time - start) / _CHANGE_S, 0.0, 1.0)
    wander = 0.12 * np.sin(0.5 * time + lane)
    place = lane + change * share**3 * (10 - 15 * share + 6 * share**2) + wander
    rate = change * 30 * share**2 * (1 - share) ** 2 / _CHANGE_S + 0.06 * np.cos(0.5 * time + lane)
    return place, rate


def _draw_flow(rng: np.random.Generator) -> Flow:
    return Flow(
        speed_mps=float(rng.uniform(7.5, 11.5)),
        sway_m=float(rng.uniform(3.0, 8.0)),
        rate_radps=float(rng.uniform(0.35, 0.55)),
        phase_rad=float(rng.uniform(0, 2 * np.pi)),
    )


def _draw_actors(
    rng: np.random.Generator,
    road: Road,
    against: Flow,
    s_range: tuple[float, float],
    lane: float,
) -> Actors:
    first, last = s_range
    oncoming = (first - float(against.way(-FIRST_S)), last + float(against.way(LAST_S)))
    parts: list[Actors] = []
    for side, reach in ((-1, (first, 2 * _AHEAD_M + 60)), (1, oncoming)):
        for number in range(road.lanes):
            d = side * (number + 0.5) * road.lane_width_m
            places = draw_row(rng, reach, (22.0, 90.0))
            faster = float(rng.uniform(-1.8, 1.8))
            if abs(d - lane) < 1:
                places, faster = places[np.abs(places) > _FREE_M], 0.0
            parts.append(draw_vehicles(rng, places, d, -side, own_mps=faster))
        kerb = side * (road.kerb_m - road.parking_width_m / 2)
        parked = draw_row(rng, s_range, (8.0, 60.0))
        parts.append(draw_vehicles(rng, parked, kerb, -side, parked=True))
        parts.append(draw_riders(rng, road, draw_row(rng, (first - 350, last + 350), (20.0, 110.0)), side))
        walks = (draw_row(rng, s_range, (8.0, 80.0)) for _ in range(2))
        parts.extend(draw_people(rng, road, walk, side, (FIRST_S, LAST_S)) for walk in walks)
    return merge(parts)


def _clear(actors: Actors, along: Flow, against: Flow, ego_lateral: tuple[float, float, float]) -> Actors:
    """Takes away what the car would hit, and keeps on their sidewalk those whom traffic would hit."""
    times = np.arange(FIRST_S, LAST_S, 0.25)[:, None]
    s, d = lane_places(actors, along, against, times)
    ego_s, ego_d = along.way(times), _lateral(times, *ego_lateral)[0]
    beside = np.abs(d - ego_d) < 1.2 + actors.width_m / 2
    hit = np.asarray(np.any((np.abs(s - ego_s) < 7.0 + actors.length_m / 2) & beside, axis=0))
    walkers = actors.cross_from_s < NEVER_S
    wheels = np.flatnonzero((actors.kind != PERSON) & (actors.kind != TRAFFIC_LIGHT))
    in_the_way = hit.copy()
    for walker in np.flatnonzero(walkers):
        gap = np.abs(s[:, wheels] - s[:, [walker]]) < 1.0 + actors.length_m[wheels] / 2
        beside = np.abs(d[:, wheels] - d[:, [walker]]) < 0.6 + actors.width_m[wheels] / 2
        in_the_way[walker] |= bool((gap & beside).any())
    return actors.never_crossing(in_the_way).take(~hit | walkers)


def draw_conditions(rng: np.random.Generator) -> Conditions:
    """Draws light and weather: day 45 %, dusk 25 %, night 30 %, rain 30 %."""
    light = LIGHTS[int(np.searchsorted([0.45, 0.7], rng.random()))]
    return Conditions(light, bool(rng.random() < _RAIN_SHARE))


def make_world(seed: int, conditions: Conditions | None = None, *, has_private_parts: bool = False) -> World:
    """Makes the world of a seed.

    Args:
        seed: not negative.
        conditions: light and weather; drawn from the seed where not given. All else stays the same.
        has_private_parts: whether people have faces and vehicles number plates. All else stays the same.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = draw_conditions(rng)
    along, against = _draw_flow(rng), _draw_flow(rng)
    s_range = (float(along.way(FIRST_S)) - _AHEAD_M, float(along.way(LAST_S)) + _AHEAD_M)
    road = draw_road(rng, s_range[0] - 1500.0, s_range[1] + 1500.0)
    number = int(rng.integers(road.lanes))
    lane = -(number + 0.5) * road.lane_width_m
    changes = road.lanes > 1 and rng.random() < _CHANGE_SHARE
    change = (road.lane_width_m * (1 if number else -1)) if changes else 0.0
    change_from = float(rng.uniform(-1.0, 8.0))
    crossings = draw_row(rng, s_range, (55.0, 130.0))
    # Green when the car comes by: the middle of the green phase falls on the time of arrival.
    times = np.linspace(FIRST_S - 30, LAST_S + 30, 2000)
    phase = -2 * np.pi * np.interp(crossings, along.way(times), times) / 26.0
    actors = _draw_actors(rng, road, against, s_range, lane)
    actors = _clear(actors, along, against, (lane, change, change_from))
    return World(
        seed=seed,
        conditions=conditions or drawn,
        road=road,
        along=along,
        against=against,
        actors=merge([actors, draw_lights(road, crossings, phase), draw_clutter(rng, road, s_range)]),
        houses=draw_houses(rng, road, s_range),
        crossings_m=crossings,
        lane_m=lane,
        change_m=change,
        change_from_s=change_from,
        skyline=np.stack([rng.uniform(2, 9, 6), rng.uniform(0, 2 * np.pi, 6)], axis=1),
        has_private_parts=has_private_parts,
    )
