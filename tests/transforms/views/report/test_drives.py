"""Telemetry and coverage: what is read of the tables, and what is drawn of it."""

import re
from xml.etree import ElementTree as ET

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_sets import filled

from transforms.tables.schemas import CLIPS, COVERAGE, TELEMETRY
from transforms.views.report.coverage import camera_strips, coverage
from transforms.views.report.ingested import ingested
from transforms.views.report.sections import Tables
from transforms.views.report.telemetry import read_drives, telemetry

SVG = "{http://www.w3.org/2000/svg}"
SECOND = 1_000_000_000
START = 1_700_000_000


def tables(clips, rows):
    """Clips (id, drive, camera, start in s or None) and rows (clip, second, speed, latitude, longitude, brake)."""
    data = duckdb.connect()
    ids, drives, cameras, starts = zip(*clips, strict=True)
    made = {
        "clip_id": ids,
        "drive_id": drives,
        "camera": cameras,
        "start_utc_ns": [None if start is None else start * SECOND for start in starts],
        "duration_ns": [60 * SECOND] * len(ids),
    }
    data.register("clips", filled(CLIPS, made))
    names = ("clip_id", "timestamp_ns", "vehicle_speed_mps", "latitude_deg", "longitude_deg", "brake_applied")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    if rows:
        columns["timestamp_ns"] = [round(second * SECOND) for second in columns["timestamp_ns"]]
    data.register("telemetry", filled(TELEMETRY, columns) if rows else TELEMETRY.empty_table())
    data.register("coverage", COVERAGE.empty_table())
    return Tables(data)


def shapes(body, tag):
    svgs = re.findall(r"<svg.*?</svg>", body, re.DOTALL)
    return [shape for svg in svgs for shape in ET.fromstring(svg).iter(SVG + tag)]  # noqa: S314 - our own


@pytest.fixture
def drive():
    clips = [("a", "d", "front", START), ("b", "d", "back", START), ("c", "e", "front", None)]
    rows = [("a", second / 2, 10.0, 37.0 + second * 1e-5, -122.0, second < 20) for second in range(120)]
    rows += [("b", second, 10.0, 37.0, -122.0, False) for second in range(60)]
    return tables(clips, rows)


def test_the_cameras_of_a_drive_become_one_value_a_second(drive):
    [found] = read_drives(drive)
    assert (found.drive_id, found.is_utc, len(found.seconds)) == ("d", True, 60)
    assert found.seconds.tolist() == [START + at for at in range(60)]
    assert found.speed.tolist() == [10.0] * 60
    assert found.brake.sum() == 10
    assert len(found.latitude) == len(found.fixed_at) == 60


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(0.0, 0.0), (None, None), (float("nan"), 3.0), (91.0, 3.0), (5.0, 1e6), (float("inf"), 3.0)],
)
def test_positions_that_are_none_are_left_out(latitude, longitude):
    rows = [("a", 0.0, float("inf"), latitude, longitude, False), ("a", 1.0, 3.0, 5.0, 6.0, False)]
    [found] = read_drives(tables([("a", "d", "front", START)], rows))
    assert found.latitude.tolist() == [5.0]
    assert found.fixed_at.tolist() == [START + 1]
    assert np.isnan(found.speed[0])
    body = telemetry([found]).body
    assert "nan" not in body
    assert "3 m/s (10.8 km/h)" in body


def test_the_map_has_the_drives_length_and_a_scale(drive):
    body = coverage(drive, read_drives(drive), {}).body
    assert "1 drive, " in body
    assert "north is up" in body
    lines = shapes(body, "polyline")
    xs, ys = np.array([list(map(float, pair.split(","))) for pair in lines[-1].get("points").split()]).T
    # north is up: y falls as the latitude grows
    assert (np.diff(ys) <= 0).all()
    assert abs(xs[-1] - xs[0]) < 1


def test_drives_across_the_date_line_stay_together():
    clips = [("a", "d", "front", START)]
    rows = [("a", at, 9.0, 0.1, 179.999 + at * 1e-3 - (360 if at > 1 else 0), False) for at in range(5)]
    body = coverage(tables(clips, rows), read_drives(tables(clips, rows)), {}).body
    assert "1 drive, 445 m" in body


def test_regions_far_apart_have_maps_of_their_own():
    clips = [(name, f"drive {name}", "front", START + at) for at, name in enumerate("abc")]
    places = {"a": (37.0, -122.0), "b": (37.01, -122.0), "c": (52.0, 13.0)}
    rows = [
        (clip, at, 9.0, lat + at * 1e-4, lon, False) for clip, (lat, lon) in places.items() for at in range(4)
    ]
    its = tables(clips, rows)
    body = coverage(its, read_drives(its), {}).body
    assert "2 drives, " in body
    assert body.count("north is up") == 2


def test_without_clocks_and_telemetry_it_is_said():
    its = tables([("a", "d", "front", None)], [])
    drives = read_drives(its)
    assert drives == []
    body = coverage(its, drives, {}).body
    assert "No clip tells when it was filmed." in body
    assert "No clip carries telemetry with positions" in body
    assert "No clip carries telemetry." in telemetry(drives).body


def test_a_drive_begins_with_the_clip_that_was_filmed_first():
    data = duckdb.connect()
    starts, places = [7, 5, 5, None], ["/a/b/1.mp4", "/z/b/3.mp4", "/z/b/2.mp4", "/a/a/0.mp4"]
    made = {"clip_id": ["a", "b", "c", "d"], "start_utc_ns": starts, "uri": places}
    data.register("clips", filled(CLIPS, made))
    facts = {
        "rows": {"clips": 4, "failures": 0},
        "drives": 1,
        "duplicates": 0,
        **{name: [] for name in ("failures", "cameras", "clocks", "events")},
    }
    body = ingested(facts, Tables(data)).body
    assert "z/b/2.mp4" in body
    assert "b/1.mp4" not in body


@given(
    st.dictionaries(
        st.text(max_size=30),
        st.lists(
            st.tuples(st.floats(0, 4e9), st.floats(0, 1e5)),
            min_size=1,
            max_size=5,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_footage_is_drawn_within_its_row(cameras):
    arrays = {name: tuple(map(np.array, zip(*clips, strict=True))) for name, clips in cameras.items()}
    picture = ET.fromstring(camera_strips(arrays))  # noqa: S314 - our own
    width = float(picture.get("viewBox").split()[2])
    filmed = [shape for shape in picture.iter(SVG + "rect") if shape.get("class") == "filmed"]
    assert len(filmed) <= 110 * len(cameras)
    for shape in filmed:
        assert float(shape.get("x")) >= 96
        assert float(shape.get("x")) + float(shape.get("width")) <= width
        assert 0.25 < float(shape.get("fill-opacity")) <= 1
    if any(length > 0 for clips in cameras.values() for _, length in clips):
        assert filmed


def test_the_strip_tells_hours_and_clips():
    arrays = {"front": (np.array([0.0, 7200.0]), np.array([3600.0, 1800.0]))}
    strip = camera_strips(arrays)
    assert "front: 1.5 h in 2 clips" in strip
    filmed = [shape for shape in ET.fromstring(strip).iter(SVG + "rect") if shape.get("class") == "filmed"]  # noqa: S314
    widths = [float(shape.get("width")) for shape in filmed]
    assert len(widths) == 2
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
