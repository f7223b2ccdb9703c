from itertools import pairwise
from math import log10
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.views.charts import (
    PALETTE,
    Driver,
    Interval,
    interval_chart,
    share_chart,
    sweep_chart,
    tornado_chart,
)

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert('x')</script>&\"\x00\udcff"


def parse(svg):
    return ET.fromstring(svg)  # noqa: S314 - drawn by this test


def drawn(picture, tag, name):
    return [element for element in picture.iter(SVG + tag) if element.get("class") == name]


def numbers(element, *names):
    return [float(element.get(name)) for name in names]


def texts(picture, name=None):
    return [text.text for text in picture.iter(SVG + "text") if name is None or text.get("class") == name]


def told(picture):
    return picture.find(SVG + "title").text, picture.find(SVG + "desc").text


def points(element):
    return [tuple(map(float, pair.split(","))) for pair in element.get("points").split()]


def assert_a_picture(picture):
    assert picture.tag == SVG + "svg"
    assert picture.get("role") == "img"
    assert picture[0].tag == SVG + "title"
    assert picture[1].tag == SVG + "desc"
    assert all(told(picture))
    assert not list(picture.iter(SVG + "script"))
    assert "href" not in ET.tostring(picture, encoding="unicode")


def test_intervals_stand_where_the_scale_says():
    rows = [Interval("colossus", (10, 20, 50)), Interval("cortex", (20, 20, 20))]
    picture = parse(interval_chart(rows, title="hours", unit="h"))
    assert_a_picture(picture)
    # 10 and 50 are round, so the axis goes from 10 at 18 to 50 at 382
    twenty = 18 + 364 * log10(2) / log10(5)
    bars, medians = drawn(picture, "rect", "interval"), drawn(picture, "rect", "median")
    assert numbers(bars[0], "x", "width", "y") == [18, 364, 18]
    assert numbers(bars[1], "x", "width", "y") == pytest.approx([twenty, 1, 56], abs=0.01)
    assert numbers(medians[0], "x", "width") == pytest.approx([twenty - 1, 2], abs=0.01)
    assert texts(picture, "tick") == ["10", "20", "50"]
    assert texts(picture, "label") == ["colossus", "cortex"]
    assert texts(picture, "value") == ["20 h (10 to 50)", "20 h"]
    assert told(picture)[1] == "Median and 80% interval. colossus: 20 h (10 to 50); cortex: 20 h."


def test_all_rows_have_the_unit_that_fits_the_middle_one():
    rows = [Interval(name, (days / 2, days, days * 2)) for name, days in (("a", 0.1), ("b", 1), ("c", 40))]
    picture = parse(interval_chart(rows, title="time", unit="d"))
    assert texts(picture, "value") == ["2.4 h (1.2 to 4.8)", "24 h (12 to 48)", "960 h (480 to 1.92k)"]
    assert "h" in texts(picture)


def test_what_does_not_fit_is_outlined_and_says_so():
    rows = [
        Interval("dojo", (1, 2, 4), "not feasible"),
        Interval("colossus2", None),
        Interval("x", None, "off"),
    ]
    picture = parse(interval_chart(rows, title="hours", unit="h"))
    [bar] = drawn(picture, "rect", "interval")
    assert bar.get("stroke-dasharray")
    assert texts(picture, "value") == ["2 h, not feasible", "no estimate", "off"]
    assert "dojo: 2 h (1 to 4), not feasible; colossus2: no estimate; x: off." in told(picture)[1]


@pytest.mark.parametrize("quantiles", [(0, 0, 0), (float("nan"),) * 3, (0, 0, 5)])
def test_what_has_no_logarithm_is_told_but_not_drawn(quantiles):
    picture = parse(interval_chart([Interval("a", quantiles)], title="hours", unit="h"))
    assert not drawn(picture, "rect", "interval")
    assert len(texts(picture, "value")) == 1


def test_an_interval_from_nothing_begins_at_the_edge():
    picture = parse(interval_chart([Interval("a", (0, 20, 50))], title="hours", unit="h"))
    [bar] = drawn(picture, "rect", "interval")
    assert numbers(bar, "x", "width") == [18, 364]


def test_no_rows_are_an_empty_chart():
    assert_a_picture(parse(interval_chart([], title="hours", unit="h")))


def test_long_names_are_cut_in_the_picture_and_whole_in_its_description():
    name = "a cluster whose owner wrote a novel into its name"
    picture = parse(interval_chart([Interval(name, (1, 2, 3))], title="hours", unit="h"))
    [label] = texts(picture, "label")
    assert label.endswith("…")
    assert name in told(picture)[1]


def test_a_tornado_swings_around_its_centre():
    drivers = [
        Driver("passes", "1", 1, 10, 50, 500),
        Driver("utilisation", "share", 0.25, 0.5, 200, 100),
        Driver("electricity", "USD/kWh", 0.05, 0.1, 100, 200),
    ]
    picture = parse(tornado_chart(drivers, centre=100, title="hours", unit="h"))
    assert_a_picture(picture)
    # from 50 at 62 to 500 at 338: a decade
    places = {value: 62 + 276 * log10(value / 50) for value in (50, 100, 200, 500)}
    low, high = drawn(picture, "rect", "low"), drawn(picture, "rect", "high")
    widths = [places[100] - places[50], places[500] - places[100], places[200] - places[100]]
    assert numbers(low[0], "x", "width") == pytest.approx([places[50], widths[0]], abs=0.01)
    assert numbers(high[0], "x", "width") == pytest.approx([places[100], widths[1]], abs=0.01)
    assert numbers(low[1], "x", "width") == pytest.approx([places[100], widths[2]], abs=0.01)
    assert numbers(high[1], "width") == [0]
    [line] = drawn(picture, "line", "centre")
    assert numbers(line, "x1") == pytest.approx([places[100]], abs=0.01)
    ends = {name: drawn(picture, "text", name) for name in ("low", "high")}
    assert [text.text for text in ends["low"]] == ["1", "25%", "0.05"]
    assert [text.text for text in ends["high"]] == ["10", "50%", "0.1"]
    assert [text.get("text-anchor") for text in ends["low"]] == ["end", "start", "end"]
    assert [text.get("text-anchor") for text in ends["high"]] == ["start", "end", "start"]
    assert texts(picture, "label") == ["passes", "utilisation", "electricity, USD/kWh"]
    assert texts(picture, "value") == ["50 to 500 h", "100 to 200 h", "100 to 200 h"]
    assert "passes: 50 h at 1, 500 h at 10" in told(picture)[1]


def test_a_unit_that_the_name_tells_stands_once():
    drivers = [Driver("active parameters", "parameters", 3e8, 4e9, 1, 2), Driver("life", "a", 4, 5, 1, 2)]
    picture = parse(tornado_chart(drivers, centre=1.5, title="hours", unit="h"))
    assert texts(picture, "label") == ["active parameters", "life, years"]


def test_a_driver_without_a_logarithm_is_told_but_not_drawn():
    picture = parse(tornado_chart([Driver("a", "1", 1, 2, 0, 5)], centre=3, title="hours", unit="h"))
    assert not drawn(picture, "rect", "low")
    assert texts(picture, "value") == ["0 to 5 h"]
    empty = parse(tornado_chart([], centre=0, title="hours", unit="h"))
    assert not drawn(empty, "line", "centre")


@pytest.mark.parametrize(("share", "width"), [(0.5, 59), (0, 0), (-1, 0), (1.7, 118)])
def test_a_share_fills_its_bar(share, width):
    picture = parse(share_chart(share, title="used"))
    assert_a_picture(picture)
    [part] = drawn(picture, "rect", "part")
    assert numbers(part, "width") == [width]
    assert told(picture)[0] == "used"


def sweep_row(hours, cluster, p50, unit="USD"):
    return {"hours": hours, "cluster": cluster, "p10": p50 / 10, "p50": p50, "p90": p50 * 10, "unit": unit}


def test_a_sweep_draws_medians_and_bands_where_the_scales_say():
    rows = [sweep_row(100, "a", 100), sweep_row(1, "a", 1)]
    picture = parse(sweep_chart(rows, "hours", "cost", "cluster"))
    assert_a_picture(picture)
    # a label of one letter leaves the lines 44 to 373; cost goes from 0.1 at 246 to 1,000 at 26
    down = {0.1: 246, 1: 191, 10: 136, 100: 81, 1000: 26}
    [median] = drawn(picture, "polyline", "median")
    assert points(median) == [(44, down[1]), (373, down[100])]
    [band] = drawn(picture, "polygon", "band")
    assert points(band) == [(44, down[10]), (373, down[1000]), (373, down[10]), (44, down[0.1])]
    assert texts(picture, "series") == ["a"]
    assert "cost, USD" in texts(picture)
    assert "hours" in texts(picture)
    assert told(picture) == (
        "cost against hours, by cluster",
        "Medians with 80% intervals; first and last of each line. a, 1: $1; a, 100: $100.",
    )


def test_the_lines_of_a_sweep_differ_in_more_than_colour_and_their_names_do_not_overlap():
    rows = [sweep_row(hours, f"cluster {name}", hours * 1.01**name) for name in range(7) for hours in (1, 10)]
    picture = parse(sweep_chart(rows, "hours", "cost", "cluster"))
    names = drawn(picture, "text", "series")
    assert [text.text for text in names] == [f"cluster {name}" for name in range(7)]
    places = sorted(float(text.get("y")) for text in names)
    assert all(b - a >= 12.99 for a, b in pairwise(places))
    lines = drawn(picture, "polyline", "median")
    styles = {(line.get("stroke"), line.get("stroke-dasharray")) for line in lines}
    assert len(styles) == 7
    assert len({line.get("stroke-dasharray") for line in lines[:4]}) == 4


def test_many_lines_get_a_taller_picture():
    rows = [sweep_row(1, f"cluster {name}", 5) for name in range(40)]
    picture = parse(sweep_chart(rows, "hours", "cost", "cluster"))
    height = float(picture.get("viewBox").split()[-1])
    places = [float(text.get("y")) for text in drawn(picture, "text", "series")]
    assert 0 < min(places) < max(places) < height


def test_a_sweep_leaves_out_what_it_cannot_draw():
    rows = [
        sweep_row(1, "a", 1),
        {**sweep_row(10, "a", 1), "p50": None},
        sweep_row(0, "a", 1),
        sweep_row("many", "a", 1),
        {**sweep_row(1, "dojo", 1), "p10": None},
    ]
    picture = parse(sweep_chart(rows, "hours", "cost", "cluster"))
    assert texts(picture, "series") == ["a"]
    assert len(list(picture.iter(SVG + "circle"))) == 1


def test_a_sweep_may_lack_units():
    picture = parse(sweep_chart([sweep_row(1, "a", 1, unit=None)], "hours", "cost", "cluster"))
    assert "cost" in texts(picture)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "nothing to draw"),
        ([sweep_row(0, "a", 1)], "nothing to draw"),
        ([sweep_row(1, "a", 1), sweep_row(1, "b", 1, unit="h")], "one unit, not USD, h"),
        ([sweep_row(1000, "a", 1), sweep_row(1000, "a", 2)], "two rows of a at hours 1k"),
    ],
)
def test_rows_that_are_no_sweep_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        sweep_chart(rows, "hours", "cost", "cluster")


def test_names_cannot_break_out_of_a_picture():
    pictures = [
        interval_chart([Interval(HOSTILE, (1, 2, 3), HOSTILE)], title=HOSTILE, unit=HOSTILE),
        tornado_chart([Driver(HOSTILE, HOSTILE, 1, 2, 3, 4)], centre=3, title=HOSTILE, unit=HOSTILE),
        share_chart(0.5, title=HOSTILE),
        sweep_chart([{**sweep_row(1, HOSTILE, 1), HOSTILE: 1}], HOSTILE, HOSTILE, "cluster"),
    ]
    for svg in pictures:
        assert_a_picture(parse(svg))
        assert "<script" not in svg
        svg.encode()


def test_pictures_are_the_same_every_time():
    rows = [Interval("a", (1, 2, 3)), Interval("b", (2, 3, 4))]
    assert interval_chart(rows, title="t", unit="h") == interval_chart(rows, title="t", unit="h")


@pytest.mark.parametrize("colour", PALETTE)
@pytest.mark.parametrize("page", ["#ffffff", "#14171a"])
def test_fills_stand_out_on_light_and_dark_pages(colour, page):
    light, dark = sorted((luminance(colour), luminance(page)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def luminance(colour):
    """Relative luminance of WCAG 2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@given(st.lists(st.tuples(*[st.floats(1e-9, 1e15)] * 3), min_size=1, max_size=8))
def test_every_bar_lies_inside_of_its_picture(values):
    rows = [Interval(str(at), tuple(sorted(quantiles))) for at, quantiles in enumerate(values)]
    picture = parse(interval_chart(rows, title="hours", unit="h"))
    _, _, width, height = map(float, picture.get("viewBox").split())
    for bar in drawn(picture, "rect", "interval"):
        x, y, wide, high = numbers(bar, "x", "y", "width", "height")
        assert x >= 0
        assert x + wide <= width
        assert y + high <= height
