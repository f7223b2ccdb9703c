import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from transforms.labels.private_places import (
    EARTH_RADIUS_M,
    PrivatePlace,
    distance_m,
    has_position,
    hide,
    places_digest,
)
from transforms.labels.settings import LabelSettings
from transforms.tables.digests import canonical_json

LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)
HOME = PrivatePlace(latitude_deg=47.4979, longitude_deg=19.0402, radius_m=500)


def at(latitude: float, longitude: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array([latitude], float), np.array([longitude], float)


def travelled(latitude: float, longitude: float, bearing_deg: float, distance: float) -> tuple[float, float]:
    """Where one is after going straight on: the direct problem on a sphere."""
    start, away, bearing = math.radians(latitude), distance / EARTH_RADIUS_M, math.radians(bearing_deg)
    north = math.sin(start) * math.cos(away) + math.cos(start) * math.sin(away) * math.cos(bearing)
    end = math.asin(max(-1, min(1, north)))
    across = math.sin(bearing) * math.sin(away) * math.cos(start)
    turned = math.atan2(across, math.cos(away) - math.sin(start) * math.sin(end))
    return math.degrees(end), (longitude + math.degrees(turned) + 180) % 360 - 180


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_distances_are_those_between_unit_vectors(latitude, longitude, other_latitude, other_longitude):
    def vector(latitude, longitude):
        up, east = math.radians(latitude), math.radians(longitude)
        return np.array([math.cos(up) * math.cos(east), math.cos(up) * math.sin(east), math.sin(up)])

    one, other = vector(latitude, longitude), vector(other_latitude, other_longitude)
    angle = math.atan2(float(np.linalg.norm(np.cross(one, other))), float(one @ other))
    found = distance_m(*at(latitude, longitude), other_latitude, other_longitude)[0]
    # near the antipode the haversine loses digits: half a metre there
    assert found == pytest.approx(angle * EARTH_RADIUS_M, abs=0.5)
    assert found == pytest.approx(distance_m(*at(other_latitude, other_longitude), latitude, longitude)[0])


def test_a_known_distance():
    # a minute of arc of latitude is a nautical mile, but for the sphere's radius
    assert distance_m(*at(1 / 60, 10), 0, 10)[0] == pytest.approx(1853.2, abs=0.1)


@given(LATITUDES, LONGITUDES, st.floats(1, 100_000), st.floats(0, 360), st.floats(0, 3))
def test_what_is_within_the_radius_is_left_out_and_nothing_else(latitude, longitude, radius, bearing, share):
    assume(abs(share - 1) > 1e-3)
    place = PrivatePlace(latitude_deg=latitude, longitude_deg=longitude, radius_m=radius)
    point = travelled(latitude, longitude, bearing, radius * share)
    assume(point != (0, 0))
    shown_latitude, shown_longitude, hidden = hide(*at(*point), [place])
    if share < 1:
        assert np.isnan(shown_latitude[0])
        assert np.isnan(shown_longitude[0])
        assert hidden[0]
    else:
        assert (shown_latitude[0], shown_longitude[0]) == point
        assert not hidden[0]


@given(
    st.floats(-0.004, 0.004),
    st.floats(-0.004, 0.004),
    st.sampled_from([0.001, 0.01, 0.05, 0.1, 1]),
)
def test_rounded_positions_stand_on_the_grid(north, east, grid):
    place = HOME.model_copy(update={"action": "round", "grid_deg": grid})
    exact = at(HOME.latitude_deg + north, HOME.longitude_deg + east)
    *shown, hidden = hide(*exact, [place])
    inside = distance_m(*exact, HOME.latitude_deg, HOME.longitude_deg)[0] <= HOME.radius_m
    assert hidden[0] == inside
    for value, before in zip(shown, exact, strict=True):
        if inside:
            assert abs(value[0] - before[0]) <= grid / 2 + 1e-9
            assert value[0] / grid == pytest.approx(round(value[0] / grid), abs=1e-6)
        else:
            assert value[0] == before[0]


def test_a_circle_over_the_date_line_is_whole():
    place = PrivatePlace(latitude_deg=-17, longitude_deg=179.999, radius_m=1000)
    assert hide(*at(-17, -179.999), [place])[2][0]


@pytest.mark.parametrize("order", [1, -1])
def test_where_circles_overlap_the_stricter_counts(order):
    fine, coarse = (
        PrivatePlace(latitude_deg=10, longitude_deg=20, radius_m=900, action="round", grid_deg=grid)
        for grid in (0.01, 1)
    )
    point = at(10.003, 20.004)
    assert [values[0] for values in hide(*point, [fine, coarse][::order])] == [10, 20, True]
    dropped = PrivatePlace(latitude_deg=10, longitude_deg=20, radius_m=900)
    assert np.isnan(hide(*point, [coarse, dropped][::order])[0][0])


def test_without_a_position_nothing_can_be_shown_to_be_outside():
    latitude, longitude = np.array([0.0, np.nan, 5.0, 0.0]), np.array([0.0, 1.0, np.inf, 1.0])
    assert has_position(latitude, longitude).tolist() == [False, False, False, True]
    shown_latitude, shown_longitude, hidden = hide(latitude, longitude, [HOME])
    assert hidden.tolist() == [True, True, True, False]
    assert np.array_equal(shown_latitude, latitude, equal_nan=True)
    assert np.array_equal(shown_longitude, longitude, equal_nan=True)
    assert not hide(latitude, longitude, [])[2].any()


def test_settings_tell_only_whether_places_are_the_same():
    settings = LabelSettings(location_privacy=(HOME, HOME.model_copy(update={"radius_m": 31_337.0})))
    for text in (canonical_json(settings), json.dumps(settings.model_dump()), settings.model_dump_json()):
        assert not [value for value in ("47.4", "19.04", "500", "31337") if value in text]
    turned = LabelSettings(location_privacy=settings.location_privacy[::-1])
    assert canonical_json(turned) == canonical_json(settings)
    fewer = LabelSettings(location_privacy=(HOME,))
    assert len({places_digest(item.location_privacy) for item in (settings, fewer, LabelSettings())}) == 3
    assert LabelSettings().model_dump()["location_privacy"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"latitude_deg": 91},
        {"longitude_deg": float("nan")},
        {"radius_m": 0},
        {"action": "blur"},
        {"grid_deg": 0},
        {"name": "home"},
    ],
)
def test_a_place_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PrivatePlace(**{**HOME.model_dump(), **wrong})
