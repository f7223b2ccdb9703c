"""Who lives in a world: draws actors and houses at random."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.scenes.actors import CAR, NEVER_S, PERSON, POLE, RIDER, TRAFFIC_LIGHT, TREE, TRUCK, Actors
from transforms.scenes.roads import Road

FloatArray = npt.NDArray[np.float64]

# BGR
_PAINTS: Final = (
    (40, 40, 190),
    (170, 90, 30),
    (215, 215, 215),
    (60, 60, 62),
    (30, 110, 40),
    (160, 160, 165),
    (25, 150, 215),
    (110, 60, 25),
)
_CLOTHES: Final = (
    (50, 50, 200),
    (200, 120, 40),
    (60, 160, 60),
    (40, 180, 220),
    (150, 60, 150),
    (190, 190, 190),
    (90, 70, 60),
    (60, 110, 230),
)
_TROUSERS: Final = ((90, 50, 30), (50, 50, 50), (110, 90, 70), (60, 80, 110))
_CARGO: Final = ((225, 225, 222), (200, 170, 120), (90, 150, 205), (150, 190, 150))
_CROSS_SHARE: Final = 0.35
_STAND_SHARE: Final = 0.15
"""Of the people, those who cross the road and those who stand still."""

_BUILT_SHARE: Final = 0.8
"""Of the places for a house, those that have one."""


@dataclass(frozen=True)
class Houses:
    """Buildings with a front along the road.

    Attributes:
        s_m: middle of the front along the road, float64[N].
        d_m: of the front, positive left, float64[N].
        length_m: of the front, float64[N].
        depth_m: float64[N].
        height_m: float64[N].
        colour: BGR, float64[N, 3].
        lit: seed of the pattern of lit windows, int64[N].
    """

    s_m: FloatArray
    d_m: FloatArray
    length_m: FloatArray
    depth_m: FloatArray
    height_m: FloatArray
    colour: FloatArray
    lit: npt.NDArray[np.int64]


def _along(rng: np.random.Generator, first: float, last: float, gap: tuple[float, float]) -> FloatArray:
    """Places from first to last with random gaps."""
    steps = rng.uniform(*gap, int((last - first) / gap[0]) + 1)
    places = first + np.cumsum(steps)
    return places[places < last]


def _actors(count: int, **values: object) -> Actors:
    """Actors that stand still, but for the values given."""
    filled: dict[str, FloatArray] = {}
    for entry in fields(Actors):
        default = NEVER_S if entry.name == "cross_from_s" else 0.0
        value = np.asarray(values.get(entry.name, default), np.float64)
        shape = (count, 3) if entry.name in {"colour", "second"} else (count,)
        filled[entry.name] = np.broadcast_to(value, shape).copy()
    kind = filled.pop("kind").astype(np.int64)
    return Actors(kind=kind, **filled)


def _pick(rng: np.random.Generator, colours: tuple[tuple[int, int, int], ...], count: int) -> FloatArray:
    chosen = np.array(colours, np.float64)[rng.integers(0, len(colours), count)]
    return np.clip(chosen + rng.normal(0, 10, (count, 3)), 8, 245)


def draw_vehicles(
    rng: np.random.Generator,
    s: FloatArray,
    d: float,
    facing: int,
    *,
    own_mps: float = 0.0,
    parked: bool = False,
) -> Actors:
    """Cars and trucks in one lane.

    Args:
        rng: source of the draws.
        s: their places at time 0, metres, float64[N].
        d: the lane's middle, metres to the left.
        facing: 1 along the road, -1 against it.
        own_mps: how much faster than the flow of their direction they drive.
        parked: whether they stand at the kerb.
    """
    count = len(s)
    truck = rng.random(count) < (0.06 if parked else 0.2)
    length = np.where(truck, rng.uniform(6.5, 8.5, count), rng.uniform(3.9, 4.8, count))
    width = np.where(truck, 2.35, rng.uniform(1.7, 1.9, count))
    height = np.where(truck, rng.uniform(2.9, 3.5, count), rng.uniform(1.42, 1.75, count))
    moving = 0.0 if parked else 1.0
    return _actors(
        count,
        kind=np.where(truck, TRUCK, CAR),
        length_m=length,
        width_m=width,
        height_m=height,
        colour=_pick(rng, _PAINTS, count),
        second=_pick(rng, _CARGO, count),
        s_m=s,
        d_m=d + rng.uniform(-0.2, 0.2, count),
        facing=facing,
        flow=moving,
        own_mps=own_mps,
        sway_m=rng.uniform(0.5, 3.0, count) * moving,
        sway_radps=rng.uniform(0.15, 0.4, count),
        phase_rad=rng.uniform(0, 2 * np.pi, count),
    )


def draw_people(
    rng: np.random.Generator, road: Road, s: FloatArray, side: int, times: tuple[float, float]
) -> Actors:
    """People on a sidewalk, some of whom will cross the road.

    Args:
        rng: source of the draws.
        road: the road.
        s: their places at time 0, metres, float64[N].
        side: 1 left, -1 right.
        times: first and last second of the world.
    """
    count = len(s)
    d = side * rng.uniform(road.kerb_m + 0.5, road.sidewalk_edge_m - 0.4, count)
    crosses = rng.random(count) < _CROSS_SHARE
    return _actors(
        count,
        kind=PERSON,
        length_m=rng.uniform(0.75, 0.9, count),
        width_m=rng.uniform(0.5, 0.62, count),
        height_m=rng.uniform(1.55, 1.9, count),
        colour=_pick(rng, _CLOTHES, count),
        second=_pick(rng, _TROUSERS, count),
        s_m=s,
        d_m=d,
        facing=rng.choice([-1.0, 1.0], count),
        own_mps=np.where(rng.random(count) < _STAND_SHARE, 0.0, rng.uniform(0.9, 1.6, count)),
        phase_rad=rng.uniform(0, 2 * np.pi, count),
        cross_from_s=np.where(crosses, rng.uniform(*times, count), NEVER_S),
        cross_mps=-side * rng.uniform(1.2, 1.7, count),
        cross_m=np.abs(d) + rng.uniform(road.kerb_m + 0.6, road.sidewalk_edge_m, count),
    )


def draw_riders(rng: np.random.Generator, road: Road, s: FloatArray, side: int) -> Actors:
    """Cyclists on one side's cycle lane."""
    count = len(s)
    speed = float(rng.uniform(3.6, 5.5))
    return _actors(
        count,
        kind=RIDER,
        length_m=rng.uniform(1.7, 1.85, count),
        width_m=rng.uniform(0.55, 0.65, count),
        height_m=rng.uniform(1.7, 1.85, count),
        colour=_pick(rng, _CLOTHES, count),
        second=_pick(rng, _TROUSERS, count),
        s_m=s,
        d_m=side * (road.lanes_edge_m + 0.5 * road.cycle_width_m),
        facing=-side,
        own_mps=speed,
        sway_m=rng.uniform(0, 1.5, count),
        sway_radps=rng.uniform(0.15, 0.3, count),
        phase_rad=rng.uniform(0, 2 * np.pi, count),
    )


def draw_lights(road: Road, s: FloatArray, phase: FloatArray) -> Actors:
    """Traffic lights over both directions at crossings, their masts included.

    Args:
        road: the road.
        s: places of the crossings, metres, float64[N].
        phase: of their cycles, radians, float64[N].
    """
    lights = []
    for side in (-1, 1):
        at = s + side * -6.0
        for d, base in ((road.kerb_m + 0.6, 2.5), (road.lanes_edge_m * 0.55, 4.9)):
            lights.append(
                _actors(
                    len(s), kind=TRAFFIC_LIGHT, length_m=0.3, width_m=0.45, height_m=1.15, base_m=base, colour=(20, 190, 230),
                    s_m=at, d_m=side * d, facing=side, phase_rad=phase,
                )
            )  # fmt: skip
        reach = road.kerb_m + 0.6 - road.lanes_edge_m * 0.55
        mast = _actors(
            len(s),
            kind=POLE,
            length_m=0.16,
            width_m=reach,
            height_m=6.0,
            s_m=at - side * 0.3,
            d_m=side * (road.kerb_m + 0.6),
            facing=-side,
        )
        lights.append(mast)
    return merge(lights)


def draw_clutter(rng: np.random.Generator, road: Road, s_range: tuple[float, float]) -> Actors:
    """Trees and street lamps at the kerb."""
    parts = []
    for side in (-1, 1):
        trees = _along(rng, *s_range, (14.0, 45.0))
        size = rng.uniform(3.0, 5.0, len(trees))
        green = np.array([45.0, 105.0, 60.0]) + rng.normal(0, 12, (len(trees), 3))
        parts.append(
            _actors(
                len(trees), kind=TREE, length_m=size, width_m=size, height_m=size * 1.6, colour=green, second=green * 0.8,
                s_m=trees, d_m=side * (road.sidewalk_edge_m + rng.uniform(0.3, 1.5, len(trees))), facing=1,
            )
        )  # fmt: skip
        lamps = np.arange(s_range[0] + 10 + 15 * (side > 0), s_range[1], 30.0)
        parts.append(
            _actors(
                len(lamps), kind=POLE, length_m=0.16, width_m=2.2, height_m=7.0, s_m=lamps,
                d_m=side * (road.kerb_m + 0.35), facing=-side, phase_rad=1.0,
            )
        )  # fmt: skip
    return merge(parts)


def draw_houses(rng: np.random.Generator, road: Road, s_range: tuple[float, float]) -> Houses:
    """Rows of houses on both sides, with gaps."""
    rows = []
    for side in (-1, 1):
        place = s_range[0]
        while place < s_range[1]:
            length = float(rng.uniform(9, 22))
            if rng.random() < _BUILT_SHARE:
                front = side * (road.sidewalk_edge_m + float(rng.uniform(1.5, 6)))
                grey = rng.uniform(90, 190)
                tint = np.array([grey, grey, grey]) + rng.uniform(-28, 28, 3)
                rows.append(
                    (
                        place + length / 2,
                        front,
                        length,
                        float(rng.uniform(7, 12)),
                        float(rng.uniform(4, 15)),
                        *tint,
                        int(rng.integers(1 << 30)),
                    )
                )
            place += length + float(rng.uniform(0.5, 9))
    table = np.array(rows, np.float64)
    return Houses(
        table[:, 0],
        table[:, 1],
        table[:, 2],
        table[:, 3],
        table[:, 4],
        table[:, 5:8],
        table[:, 8].astype(np.int64),
    )


def merge(parts: list[Actors]) -> Actors:
    """All actors in one, in order."""
    return Actors(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Actors)})


def draw_row(rng: np.random.Generator, s_range: tuple[float, float], gap: tuple[float, float]) -> FloatArray:
    """Places along the road.

    Args:
        rng: source of the draws.
        s_range: first and last metre.
        gap: least and greatest distance of neighbours, metres.
    """
    return _along(rng, *s_range, gap)
