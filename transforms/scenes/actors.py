"""Everything beside the road or on it that is not the car itself: where it is at a time."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from models.taxonomy import CATEGORIES
from transforms.scenes.roads import Road

FloatArray = npt.NDArray[np.float64]

PERSON: Final = CATEGORIES.index("person")
RIDER: Final = CATEGORIES.index("rider")
CAR: Final = CATEGORIES.index("car")
TRUCK: Final = CATEGORIES.index("truck")
TRAFFIC_LIGHT: Final = CATEGORIES.index("traffic_light")
TREE: Final = 100
POLE: Final = 101
"""Kinds of actors: taxonomy indices, and clutter (from 100) that hides things and has no truth."""

NEVER_S: Final = 1e9
"""A time that does not come."""

ACTOR_CATEGORIES: Final = (PERSON, RIDER, CAR, TRUCK, TRAFFIC_LIGHT)
"""The categories that scenes hold; a cyclist and the bicycle are one `rider`."""


@dataclass(frozen=True)
class Flow:
    """Traffic that speeds up and slows down together.

    Attributes:
        speed_mps: mean speed.
        sway_m: how far it runs ahead of the mean and falls behind.
        rate_radps: how fast it does so.
        phase_rad: where it stands at time 0.
    """

    speed_mps: float
    sway_m: float
    rate_radps: float
    phase_rad: float

    def way(self, time_s: npt.ArrayLike) -> FloatArray:
        """Metres driven since time 0, the shape of `time_s`."""
        time = np.asarray(time_s, np.float64)
        swing = np.sin(self.rate_radps * time + self.phase_rad) - np.sin(self.phase_rad)
        metres: FloatArray = self.speed_mps * time + self.sway_m * swing
        return metres

    def speed(self, time_s: npt.ArrayLike) -> FloatArray:
        """Metres a second, the shape of `time_s`."""
        time = np.asarray(time_s, np.float64)
        return self.speed_mps + self.sway_m * self.rate_radps * np.cos(
            self.rate_radps * time + self.phase_rad
        )


@dataclass(frozen=True)
class Actors:
    """Actors as arrays with one entry each; their index + 1 is their object id.

    Attributes:
        kind: taxonomy index or clutter, int64[N].
        length_m: along their heading, float64[N].
        width_m: float64[N].
        height_m: float64[N].
        base_m: height of their lower edge above ground, float64[N].
        colour: BGR of their body, float64[N, 3].
        second: BGR of their second material, float64[N, 3].
        s_m: place along the road at time 0, float64[N].
        d_m: place to the left of the centreline before any crossing, float64[N].
        facing: 1 along the road, -1 against it, float64[N].
        flow: share in the flow of their own direction, 0 or 1, float64[N].
        own_mps: speed of their own along their heading, float64[N].
        sway_m: amplitude of their own drift along the road, float64[N].
        sway_radps: float64[N].
        phase_rad: of drift, gait and traffic light, float64[N].
        cross_from_s: when they begin to cross the road, or `NEVER_S`, float64[N].
        cross_mps: speed of crossing, positive to the left, float64[N].
        cross_m: how far they cross, float64[N].
    """

    kind: npt.NDArray[np.int64]
    length_m: FloatArray
    width_m: FloatArray
    height_m: FloatArray
    base_m: FloatArray
    colour: FloatArray
    second: FloatArray
    s_m: FloatArray
    d_m: FloatArray
    facing: FloatArray
    flow: FloatArray
    own_mps: FloatArray
    sway_m: FloatArray
    sway_radps: FloatArray
    phase_rad: FloatArray
    cross_from_s: FloatArray
    cross_mps: FloatArray
    cross_m: FloatArray

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Actors":
        """The actors at an index or mask."""
        return Actors(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def never_crossing(self, mask: npt.NDArray[np.bool_]) -> "Actors":
        """The same actors; those under the mask stay on their side of the road."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        return Actors(**kept | {"cross_from_s": np.where(mask, NEVER_S, self.cross_from_s)})


@dataclass(frozen=True)
class ActorStates:
    """Where actors are at one time.

    Attributes:
        s_m: along the road, float64[N].
        d_m: to its left, float64[N].
        x_m: east, float64[N].
        y_m: north, float64[N].
        yaw_rad: heading, anticlockwise from east, float64[N].
        stride_m: way walked or ridden, which drives the gait, float64[N].
    """

    s_m: FloatArray
    d_m: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    yaw_rad: FloatArray
    stride_m: FloatArray

    def take(self, index: npt.NDArray[np.intp]) -> "ActorStates":
        """The states at an index."""
        return ActorStates(**{f.name: getattr(self, f.name)[index] for f in fields(self)})


def lane_places(
    actors: Actors, along: Flow, against: Flow, time_s: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Places on the road.

    Args:
        actors: N actors.
        along: the flow of the traffic in the car's direction.
        against: the oncoming flow.
        time_s: seconds, broadcast against the actors: a number, or float64[T, 1].

    Returns:
        s and d in metres, each float64[N] or float64[T, N].
    """
    time = np.asarray(time_s, np.float64)
    shared = np.where(actors.facing > 0, along.way(time), against.way(time)) * actors.flow
    drift = actors.sway_m * np.sin(actors.sway_radps * time + actors.phase_rad)
    crossed = np.clip((time - actors.cross_from_s) * np.abs(actors.cross_mps), 0.0, actors.cross_m)
    # Who crosses walks straight over: the own speed along the road rests meanwhile.
    elapsed = time - np.divide(
        crossed, np.abs(actors.cross_mps), out=np.zeros_like(crossed), where=actors.cross_m > 0
    )
    s = actors.s_m + actors.facing * (shared + actors.own_mps * elapsed + drift)
    return s, actors.d_m + np.sign(actors.cross_mps) * crossed


def states(actors: Actors, road: Road, along: Flow, against: Flow, time_s: float) -> ActorStates:
    """Where the actors are.

    Args:
        actors: N actors.
        road: the road they live on.
        along: the flow of the traffic in the car's direction.
        against: the oncoming flow.
        time_s: seconds.
    """
    s, d = lane_places(actors, along, against, time_s)
    x, y = road.place(s, d)
    gone = (time_s - actors.cross_from_s) * np.abs(actors.cross_mps)
    crossing = (gone > 0) & (gone < actors.cross_m)
    ahead = np.where(crossing, np.sign(actors.cross_mps) * np.pi / 2, np.where(actors.facing > 0, 0.0, np.pi))
    stride = actors.own_mps * time_s + np.clip(gone, 0.0, actors.cross_m) + actors.phase_rad
    return ActorStates(s, d, x, y, road.heading(s) + ahead, stride)
