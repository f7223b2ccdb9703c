"""Small charts as SVG text: intervals, tornado, shares and sweeps.

They are drawn for a phone's width and grow with their place. Nothing is told by colour alone, text takes the
colour of the page, and the fills stand out on white and on black.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final
from xml.etree.ElementTree import Element

from transforms.budget.amounts import Measure, amount, measure, short
from transforms.views.axes import (
    LogScale,
    drawable,
    fitted,
    horizontal_axis,
    log_scale,
    spread,
    vertical_axis,
)
from transforms.views.svg import drawing, element
from transforms.views.sweep_points import Point, points_by_line

# each at least 3:1 against white and against a near-black page
PALETTE: Final = ("#2f7bd9", "#cf5a1a", "#12897b", "#a54fd0", "#97760f", "#d6336c", "#6b7686")
_DASHES: Final = ("none", "7 3", "2 3", "9 3 2 3")

_WIDTH: Final = 400.0
_EDGE: Final = 8.0
_TICK_ROOM: Final = 18.0  # half of an axis' widest number
_ROW: Final = 38.0
_BAR: Final = 12.0
_AXIS: Final = 34.0
_END_LABEL: Final = 62.0  # room left and right of a tornado for the values of its inputs
_SWEEP_HEIGHT: Final = 280.0
_LABEL_GAP: Final = 13.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A row of `interval_chart`.

    Attributes:
        label: whose it is.
        quantiles: 10 % quantile, median and 90 % quantile, in the chart's unit; None: no estimate.
        note: what to know of it; a row with a note is drawn in outline.
    """

    label: str
    quantiles: tuple[float, float, float] | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Driver:
    """A row of `tornado_chart`: an uncertain input and what it does.

    Attributes:
        name: the input.
        unit: its unit.
        low: its 10 % quantile, in `unit`.
        high: its 90 % quantile.
        at_low: the quantity with the input at `low`, all others at their medians; in the chart's unit.
        at_high: the same with the input at `high`.
    """

    name: str
    unit: str
    low: float
    high: float
    at_low: float
    at_high: float


def interval_chart(rows: Sequence[Interval], *, title: str, unit: str) -> str:
    """80 % intervals with their medians on one logarithmic axis.

    Args:
        rows: from the top down.
        title: what is measured.
        unit: of the rows' values.

    Returns:
        An `svg` element.
    """
    known = [row.quantiles for row in rows if row.quantiles is not None]
    shown = measure(unit, median(quantiles[1] for quantiles in known) if known else 1.0)
    values = (value / shown.size for quantiles in known for value in quantiles)
    scale = log_scale(values, _TICK_ROOM, _WIDTH - _TICK_ROOM)
    bottom = _ROW * len(rows) + 2
    parts = horizontal_axis(scale, 0, bottom, shown, shown.name)
    told = []
    for at, row in enumerate(rows):
        parts += _heading(row.label, _said(row, shown, whole=not row.note), at * _ROW)
        parts += _bar(row, scale, shown, at * _ROW + 18)
        told.append(f"{row.label}: {_said(row, shown, whole=True)}")
    description = f"Median and 80% interval. {'; '.join(told)}."
    return drawing(_WIDTH, bottom + _AXIS, title, description, *parts)


def tornado_chart(drivers: Sequence[Driver], *, centre: float, title: str, unit: str) -> str:
    """What each uncertain input does to a quantity when all others stay at their medians.

    Args:
        drivers: from the top down; the largest effect first.
        centre: the quantity with all inputs at their medians, in `unit`.
        title: which quantity.
        unit: of the quantity.

    Returns:
        An `svg` element: a bar an input, with the input's values at its ends.
    """
    shown = measure(unit, centre)
    ends = [value for driver in drivers for value in (driver.at_low, driver.at_high)]
    scale = log_scale((value / shown.size for value in (*ends, centre)), _END_LABEL, _WIDTH - _END_LABEL)
    bottom = _ROW * len(drivers) + 2
    parts = horizontal_axis(scale, 0, bottom, shown, shown.name)
    told = []
    for at, driver in enumerate(drivers):
        least, most = sorted((driver.at_low, driver.at_high))
        reach = f"{shown.number(least)} to {shown.full(most)}"
        parts += _heading(_with_unit(driver), reach, at * _ROW)
        if drawable(least, most, centre):
            parts += _swing(driver, scale, shown, centre, at * _ROW + 18)
        told.append(
            f"{driver.name}: {shown.full(driver.at_low)} at {amount(driver.low, driver.unit)},"
            f" {shown.full(driver.at_high)} at {amount(driver.high, driver.unit)}"
        )
    if drawable(centre):
        x = scale.at(centre / shown.size)
        parts.append(element("line", class_="centre", x1=x, x2=x, y1=0, y2=bottom, stroke="currentColor"))
    description = f"All inputs at their medians: {shown.full(centre)}. {'; '.join(told)}."
    return drawing(_WIDTH, bottom + _AXIS, title, description, *parts)


def share_chart(share: float, *, title: str) -> str:
    """A part of a whole as a bar that is filled so far.

    Args:
        share: 0 to 1; drawn as 1 above it.
        title: what it is the share of.
    """
    width, height = 120.0, 12.0
    filled = min(max(share, 0.0), 1.0) * (width - 2)
    return drawing(
        width,
        height,
        title,
        amount(share, "share"),
        element("rect", class_="part", x=1, y=1, width=filled, height=height - 2, fill=PALETTE[0]),
        element("rect", x=0.5, y=0.5, width=width - 1, height=height - 1, fill="none", stroke="currentColor"),
    )


def sweep_chart(rows: Sequence[Mapping[str, object]], x: str, y: str, series: str) -> str:
    """Medians as lines with a band from p10 to p90, on logarithmic axes.

    Args:
        rows: of one quantity: `p10`, `p50`, `p90`, the columns that `x` and `series` name, and where known
            `unit`. Rows without an estimate (None) are left out.
        x: column of the horizontal axis.
        y: what the quantity is called.
        series: column that tells the lines apart.

    Returns:
        An `svg` element; every line carries its name.

    Raises:
        ValueError: several units, two rows of one line at one place, or nothing that can be drawn.
    """
    units = {str(row.get("unit") or "") for row in rows}
    if len(units) > 1:
        raise ValueError(f"rows of one quantity have one unit, not {', '.join(sorted(units))}")
    lines = points_by_line(rows, x, series)
    points = [point for its_points in lines.values() for point in its_points]
    shown = measure(units.pop(), median(point.p50 for point in points))
    label_room = min(140.0, 7.0 * max(map(len, lines)) + 20)
    height = max(_SWEEP_HEIGHT, _LABEL_GAP * len(lines) + 26 + _AXIS)
    left, right, top, bottom = 44.0, _WIDTH - label_room, 26.0, height - _AXIS
    across = log_scale((point.x for point in points), left, right)
    values = (value / shown.size for point in points for value in (point.p10, point.p50, point.p90))
    up = log_scale(values, bottom, top)
    parts = [
        *horizontal_axis(across, top, bottom, Measure(), x.replace("_", " ")),
        *vertical_axis(up, left, right, shown, f"{y}, {shown.name}".removesuffix(", ")),
    ]
    ends = [up.at(its_points[-1].p50 / shown.size) for its_points in lines.values()]
    told = []
    for at, ((name, its_points), place) in enumerate(
        zip(lines.items(), spread(ends, _LABEL_GAP, top, bottom), strict=True)
    ):
        stroke = {"stroke": PALETTE[at % len(PALETTE)], "stroke_dasharray": _DASHES[at % len(_DASHES)]}
        parts += _line([_placed(point, across, up, shown) for point in its_points], stroke)
        leader = f"{_pair(across.at(its_points[-1].x), ends[at])} {_pair(right + 10, place)}"
        label = fitted(name, label_room - 14, 11)
        parts += [
            element("polyline", points=leader, fill="none", stroke_opacity=0.6, **stroke),
            element("text", text=label, class_="series", x=right + 13, y=place + 4, font_size=11),
        ]
        told += [
            f"{name}, {short(point.x)}: {shown.full(point.p50)}" for point in (its_points[0], its_points[-1])
        ]
    title = f"{y} against {x.replace('_', ' ')}, by {series.replace('_', ' ')}"
    description = f"Medians with 80% intervals; first and last of each line. {'; '.join(told)}."
    return drawing(_WIDTH, height, title, description, *parts)


def _placed(point: Point, across: LogScale, up: LogScale, shown: Measure) -> Point:
    """A point's place in the drawing."""
    return Point(
        across.at(point.x), *(up.at(value / shown.size) for value in (point.p10, point.p50, point.p90))
    )


def _line(places: Sequence[Point], stroke: Mapping[str, str]) -> list[Element]:
    """Band, median and a dot for each value that was computed."""
    around = [_pair(place.x, place.p90) for place in places]
    around += [_pair(place.x, place.p10) for place in reversed(places)]
    through = " ".join(_pair(place.x, place.p50) for place in places)
    colour = stroke["stroke"]
    return [
        element("polygon", class_="band", points=" ".join(around), fill=colour, fill_opacity=0.12),
        element("polyline", class_="median", points=through, fill="none", stroke_width=2, **stroke),
        *(element("circle", cx=place.x, cy=place.p50, r=2.5, fill=colour) for place in places),
    ]


def _pair(x: float, y: float) -> str:
    return f"{x:.2f},{y:.2f}"


def _heading(label: str, value: str, top: float) -> list[Element]:
    """What a row is, and its value at the right."""
    room = _WIDTH - 2 * _EDGE - 6.5 * len(value) - 8
    return [
        element("text", text=fitted(label, room), class_="label", x=_EDGE, y=top + 13),
        element("text", text=value, class_="value", x=_WIDTH - _EDGE, y=top + 13, text_anchor="end"),
    ]


def _said(row: Interval, shown: Measure, *, whole: bool) -> str:
    """A row's values and its note in words; of a row that is not told whole the median alone."""
    if row.quantiles is None:
        return row.note or "no estimate"
    told = shown.interval(*row.quantiles) if whole else shown.full(row.quantiles[1])
    return f"{told}, {row.note}" if row.note else told


def _bar(row: Interval, scale: LogScale, shown: Measure, top: float) -> list[Element]:
    """The interval and its median; nothing where a logarithmic axis cannot show the median."""
    if row.quantiles is None or not drawable(row.quantiles[1]):
        return []
    p10, p50, p90 = (scale.at(value / shown.size) for value in row.quantiles)
    outline = {"fill_opacity": "0.2", "stroke": PALETTE[0], "stroke_dasharray": "4 2"} if row.note else {}
    return [
        element(
            "rect",
            class_="interval",
            x=p10,
            y=top,
            width=max(1.0, p90 - p10),
            height=_BAR,
            fill=PALETTE[0],
            **outline,
        ),
        element("rect", class_="median", x=p50 - 1, y=top - 3, width=2, height=_BAR + 6),
    ]


def _with_unit(driver: Driver) -> str:
    """An input's name with the unit that its values at the bar's ends have no room for."""
    shown = measure(driver.unit, driver.high)
    spaced = shown.after.startswith(" ") and not driver.name.endswith(shown.name)
    return f"{driver.name}, {shown.name}" if spaced else driver.name


def _swing(driver: Driver, scale: LogScale, shown: Measure, centre: float, top: float) -> list[Element]:
    """The bar of an input from its low to its high value, with both values at their ends."""
    middle = scale.at(centre / shown.size)
    parts = []
    inputs = measure(driver.unit, driver.high)
    rises = driver.at_low <= driver.at_high
    for end, value, at, colour, is_left in (
        ("low", driver.low, driver.at_low, PALETTE[0], rises),
        ("high", driver.high, driver.at_high, PALETTE[1], not rises),
    ):
        place = scale.at(at / shown.size)
        left, right = min(place, middle), max(place, middle)
        x, anchor = (left - 4, "end") if is_left else (right + 4, "start")
        said = inputs.number(value) if inputs.after.startswith(" ") else inputs.full(value)
        parts += [
            element("rect", class_=end, x=left, y=top, width=right - left, height=_BAR, fill=colour),
            element("text", text=said, class_=end, x=x, y=top + 10, text_anchor=anchor, font_size=11),
        ]
    return parts
