"""Places that a data set must not show: positions near them are left out or rounded."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from transforms.tables.digests import canonical_json

_Reals = npt.NDArray[np.float64]
_Flags = npt.NDArray[np.bool_]

EARTH_RADIUS_M: Final = 6_371_008.7714
"""Mean radius R1 of the GRS 80 ellipsoid (Moritz 2000, Geodetic Reference System 1980, Journal of Geodesy 74)."""

MOST_PLACES: Final = 1000
"""Every position is compared with every place."""

_SALT: Final = b"clipmill.location_privacy"


class PrivatePlace(BaseModel):
    """A circle on the ground.

    Attributes:
        latitude_deg: latitude of its centre in degrees.
        longitude_deg: longitude of its centre in degrees.
        radius_m: its radius in metres.
        action: `drop` leaves positions in it out, `round` puts them on a grid.
        grid_deg: distance of the grid's lines in degrees of latitude and longitude.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    latitude_deg: Annotated[float, Field(ge=-90, le=90)]
    longitude_deg: Annotated[float, Field(ge=-180, le=180)]
    radius_m: Annotated[float, Field(gt=0, le=100_000)]
    action: Literal["drop", "round"] = "drop"
    grid_deg: Annotated[float, Field(ge=0.001, le=10)] = 0.01


@lru_cache(maxsize=16)
def places_digest(places: tuple[PrivatePlace, ...]) -> str | None:
    """What a data set tells of its private places: whether they are the same as another time's.

    Coordinates are few enough to be guessed one by one, so that a guess is made to cost some 50 ms (scrypt, RFC 7914).

    Args:
        places: in any order.

    Returns:
        Hexadecimal digest; None without places.
    """
    if not places:
        return None
    told = "\n".join(sorted(map(canonical_json, places))).encode()
    return hashlib.scrypt(told, salt=_SALT, n=1 << 14, r=8, p=1, dklen=32).hex()


def distance_m(
    latitude_deg: _Reals, longitude_deg: _Reals, other_latitude_deg: float, other_longitude_deg: float
) -> _Reals:
    """Great-circle distance by the haversine formula (Sinnott 1984, Virtues of the Haversine, Sky and Telescope 68).

    On a sphere of the Earth's mean radius: up to 0.6 % from the distance on the ellipsoid.

    Args:
        latitude_deg: latitudes in degrees, float64[N].
        longitude_deg: longitudes in degrees, float64[N].
        other_latitude_deg: latitude of the other end.
        other_longitude_deg: longitude of the other end.

    Returns:
        Metres, float64[N]; NaN where a coordinate is NaN or infinite.

    >>> bool(abs(distance_m(np.array([90.0]), np.array([0.0]), 0, 0)[0] - np.pi / 2 * EARTH_RADIUS_M) < 1)
    True
    """
    with np.errstate(invalid="ignore"):
        latitude, other = np.radians(latitude_deg), np.radians(other_latitude_deg)
        across = np.sin((np.radians(longitude_deg) - np.radians(other_longitude_deg)) / 2)
        haversine = np.sin((latitude - other) / 2) ** 2 + np.cos(latitude) * np.cos(other) * across**2
        result: _Reals = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(haversine, 0, 1)))
    return result


def has_position(latitude_deg: _Reals, longitude_deg: _Reals) -> _Flags:
    """Where a position is told: 0, 0 is a car's way to say that it has no fix."""
    finite = np.isfinite(latitude_deg) & np.isfinite(longitude_deg)
    result: _Flags = finite & ((latitude_deg != 0) | (longitude_deg != 0))
    return result


def hide(
    latitude_deg: _Reals, longitude_deg: _Reals, places: Sequence[PrivatePlace]
) -> tuple[_Reals, _Reals, _Flags]:
    """Positions as a data set may show them.

    Where circles overlap, leaving out comes before rounding, and the coarsest grid counts.

    Args:
        latitude_deg: latitudes in degrees, float64[N]; NaN where there is none.
        longitude_deg: longitudes in degrees, float64[N].
        places: the private places.

    Returns:
        (latitudes, longitudes, hidden): NaN where a position is left out, rounded ones on their grid; `hidden`
        (bool[N]) is true for both, and with any place also where there is no position: what cannot be shown to be
        outside counts as inside.
    """
    latitude, longitude = latitude_deg.copy(), longitude_deg.copy()
    hidden = np.zeros(len(latitude), bool)
    if not places:
        return latitude, longitude, hidden
    hidden |= ~has_position(latitude_deg, longitude_deg)
    # drop last: it overrules; among grids the coarsest is put on last
    for place in sorted(places, key=lambda place: (place.action == "drop", place.grid_deg)):
        inside = (
            distance_m(latitude_deg, longitude_deg, place.latitude_deg, place.longitude_deg) <= place.radius_m
        )
        for values, exact in ((latitude, latitude_deg), (longitude, longitude_deg)):
            values[inside] = np.nan if place.action == "drop" else _on_grid(exact[inside], place.grid_deg)
        hidden |= inside
    return latitude, longitude, hidden


def _on_grid(values: _Reals, grid_deg: float) -> _Reals:
    # the last rounding takes away what binary fractions add: 0.01 · 4712 is 47.12
    return np.round(np.round(values / grid_deg) * grid_deg, 9)
