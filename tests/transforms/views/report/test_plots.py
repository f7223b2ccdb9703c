from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.views.report.plots import Band, Bins, LinearScale, histogram, lines, round_ticks, time_axis

SVG = "{http://www.w3.org/2000/svg}"


def parse(svg):
    return ET.fromstring(svg)  # noqa: S314 - drawn by this test


@given(st.floats(-1e6, 1e6), st.floats(0.1, 1e9))
def test_ticks_are_round_few_and_within(low, span):
    high = low + span
    found = round_ticks(low, high)
    assert len(found) <= 7
    slack = span * 1e-6
    assert all(low - slack <= tick <= high + slack for tick in found)


@given(st.lists(st.integers(0, 10**9), min_size=4, max_size=4))
def test_bars_are_as_high_as_their_counts(counts):
    edges = [0.0, 1.0, 2.0, 3.0, 4.0]
    picture = parse(histogram([Bins("n", counts)], edges, title="t", caption="c"))
    bars = [shape for shape in picture.iter(SVG + "rect") if shape.get("class") == "bar"]
    assert len(bars) == sum(count > 0 for count in counts)
    heights = [float(bar.get("height")) for bar in bars]
    if heights:
        most = max(counts)
        assert max(heights) == pytest.approx(116, abs=0.1)
        for height, count in zip(heights, (count for count in counts if count), strict=True):
            assert height == pytest.approx(116 * count / most, abs=0.1)


def test_a_histogram_tells_itself():
    picture = parse(
        histogram(
            [Bins("final", [1, 4]), Bins("network", [2, 0])], [0.0, 0.5, 1.0], title="scores", caption="score"
        )
    )
    assert picture[0].text == "scores"
    assert picture[1].text == (
        "Counts by score. final: 5 in all, most (4) from 0.5 to 1; network: 2 in all, most (2) from 0 to 0.5."
    )


def test_lines_and_bands_tell_themselves_and_stay_inside():
    picture = parse(
        lines(
            [[(0.0, 5.0), (10.0, 15.0)], [(30.0, 2.0)]],
            [Band("brake", [(5.0, 8.0)])],
            title="speed",
            caption="speed, m/s",
            seconds=(0.0, 31.0),
            utc=False,
        )
    )
    assert picture[1].text == "From 2 to 15, speed, m/s. brake: 3 of 31 s"
    assert len(list(picture.iter(SVG + "polyline"))) == 1
    assert len(list(picture.iter(SVG + "circle"))) == 1
    for line in picture.iter(SVG + "polyline"):
        for pair in line.get("points").split():
            x, y = map(float, pair.split(","))
            assert 40 <= x <= 390
            assert 20 <= y <= 116


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (20, ["22:13:20", "22:13:25"]),
        (3600, ["22:15", "22:30"]),
        (40 * 86_400, ["2023-11"]),
        (200 * 365 * 86_400, ["UTC, 2023-11-14 to 2223"]),
        (1e-3, ["UTC, 2023-11-14"]),
    ],
)
def test_time_is_told_as_finely_as_there_is_room(span, words):
    start = 1_700_000_000.0
    texts = " ".join(
        part.text or "" for part in time_axis(LinearScale(start, start + span, 0, 100), 10, utc=True)
    )
    for word in words:
        assert word in texts
    assert texts.count(":") < 20
