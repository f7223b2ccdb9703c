"""Plots of a report: histograms and lines on linear axes, as SVG text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil, floor, log10
from typing import Final
from xml.etree.ElementTree import Element

from transforms.budget.amounts import short
from transforms.views.axes import fitted
from transforms.views.charts import PALETTE
from transforms.views.svg import drawing, element

WIDTH: Final = 400.0
_LEFT: Final = 40.0
_RIGHT: Final = 10.0
_TOP: Final = 20.0
_AXIS: Final = 34.0
_HEIGHT: Final = 170.0
_BAND: Final = 16.0
_GRID: Final = 0.15
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400.0
_TIME_STEPS: Final = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(60.0 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600.0 * hours for hours in (1, 2, 3, 6, 12)),
    *(_DAY * days for days in (1, 2, 7, 14, 30, 91, 182, 365, 1826, 3652, 18_262)),
)
_TIME_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class LinearScale:
    """A linear scale: quantity `low` stands at `start`, `high` (above it) at `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        """Place of a quantity; one outside of the scale stands at its end."""
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.stop - self.start)


@dataclass(frozen=True, slots=True)
class Bins:
    """A series of a histogram: its name and a count for each bin."""

    name: str
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Band:
    """A condition over time under a plot of lines: its name and the half-open spans in which it holds."""

    name: str
    spans: Sequence[tuple[float, float]]


def round_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, in steps of 1, 2 or 5 times a power of ten.

    >>> round_ticks(0, 23)
    [0.0, 5.0, 10.0, 15.0, 20.0]
    """
    raw = (high - low) / most
    power = 10.0 ** floor(log10(raw))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= raw * (1 - 1e-9))
    return [count * step for count in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def histogram(series: Sequence[Bins], edges: Sequence[float], *, title: str, caption: str) -> str:
    """Counts by bin: the first series filled, a second one as an outline.

    Args:
        series: one or two.
        edges: of the bins, ascending: one more than there are counts.
        title: what is counted.
        caption: what stands along the lower axis.

    Returns:
        An `svg` element.
    """
    width = WIDTH
    across = LinearScale(edges[0], edges[-1], _LEFT, width - _RIGHT)
    bottom = _HEIGHT - _AXIS
    most = max((count for its in series for count in its.counts), default=0) or 1
    up = LinearScale(0.0, most, bottom, _TOP)
    parts = [*_left_axis(up, width - _RIGHT), *_lower_numbers(across, bottom, caption)]
    first, *others = series
    for (left, right), count in zip(pairwise(edges), first.counts, strict=True):
        if count:
            x, y = across.at(left), up.at(count)
            parts.append(
                element(
                    "rect",
                    class_="bar",
                    x=x + 0.5,
                    y=y,
                    width=max(0.5, across.at(right) - x - 1),
                    height=bottom - y,
                    fill=PALETTE[0],
                )
            )
    for other in others:
        steps = [(edges[0], 0)]
        for (left, right), count in zip(pairwise(edges), other.counts, strict=True):
            steps += [(left, count), (right, count)]
        outline = " ".join(f"{across.at(x):.2f},{up.at(y):.2f}" for x, y in steps)
        parts.append(
            element(
                "polyline", points=outline, fill="none", stroke=PALETTE[1], stroke_width=2, class_="outline"
            )
        )
    if others:
        parts += _key([(its.name, PALETTE[at]) for at, its in enumerate(series)], width)
    told = "; ".join(f"{its.name}: {_spoken(its.counts, edges)}" for its in series)
    return drawing(width, _HEIGHT, title, f"Counts by {caption}. {told}.", *parts)


def lines(
    segments: Sequence[Sequence[tuple[float, float]]],
    bands: Sequence[Band] = (),
    *,
    title: str,
    caption: str,
    seconds: tuple[float, float],
    utc: bool,
) -> str:
    """A quantity over time, with conditions under it.

    Args:
        segments: runs of (seconds, value) without a gap.
        bands: conditions.
        title: which quantity, of what.
        caption: the quantity with its unit.
        seconds: first and last second that are shown.
        utc: whether seconds are Unix time; else they are told as they are.

    Returns:
        An `svg` element.
    """
    width = WIDTH
    values = [value for segment in segments for _, value in segment]
    low, high = min([0.0, *values]), max([*values, 0.0])
    across = LinearScale(seconds[0], max(seconds[1], seconds[0] + 1), _LEFT, width - _RIGHT)
    plot = _TOP + 96.0
    up = LinearScale(low, high if high > low else low + 1, plot, _TOP)
    bottom = plot + _BAND * len(bands) + (4 if bands else 0)
    parts = _left_axis(up, width - _RIGHT)
    parts.append(element("text", text=caption, x=0, y=_TOP - 8, font_size=11))
    for segment in segments:
        if len(segment) == 1:
            ((x, y),) = segment
            parts.append(element("circle", cx=across.at(x), cy=up.at(y), r=1.5, fill=PALETTE[0]))
            continue
        points = " ".join(f"{across.at(x):.2f},{up.at(y):.2f}" for x, y in segment)
        parts.append(element("polyline", points=points, fill="none", stroke=PALETTE[0], stroke_width=1.5))
    told = []
    for at, band in enumerate(bands):
        top = plot + 4 + _BAND * at
        parts.append(element("text", text=fitted(band.name, _LEFT - 4, 10), x=0, y=top + 11, font_size=10))
        for start, stop in band.spans:
            x = across.at(start)
            room = max(1.0, across.at(stop) - x)
            parts.append(
                element("rect", x=x, y=top + 3, width=room, height=9, fill=PALETTE[(at + 1) % len(PALETTE)])
            )
        held = sum(stop - start for start, stop in band.spans)
        told.append(f"{band.name}: {held:.0f} of {seconds[1] - seconds[0]:.0f} s")
    parts += time_axis(across, bottom, utc=utc)
    spoken = f"From {min(values):.3g} to {max(values):.3g}" if values else "No values"
    return drawing(width, bottom + _AXIS, title, f"{spoken}, {caption}. {'; '.join(told)}".strip(), *parts)


def time_axis(scale: LinearScale, bottom: float, *, utc: bool) -> list[Element]:
    """Numbers and caption of a time axis.

    Args:
        scale: seconds from left to right.
        bottom: where it stands; it takes 32 more.
        utc: whether seconds are Unix time.
    """
    span = scale.high - scale.low
    step = next((step for step in _TIME_STEPS if span / step <= _TIME_TICKS), span)
    first = ceil(scale.low / step - 1e-9)
    at = [count * step for count in range(first, floor(scale.high / step + 1e-9) + 1)]
    pattern = "%H:%M:%S" if step < 60 else "%H:%M" if step < _DAY else "%Y-%m-%d"  # noqa: PLR2004 - seconds a minute
    parts = []
    for seconds in at:
        x = scale.at(seconds)
        text = moment(seconds, pattern) if utc else f"{seconds:g}"
        parts += [
            element("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, stroke="currentColor"),
            element(
                "text",
                text=text,
                class_="tick",
                x=min(max(x, 26.0), scale.stop - 12),
                y=bottom + 15,
                text_anchor="middle",
                font_size=11,
            ),
        ]
    days = dict.fromkeys(moment(seconds, "%Y-%m-%d") for seconds in (scale.low, scale.high))
    caption = f"UTC, {' to '.join(days)}" if utc else "seconds"
    middle = (scale.start + scale.stop) / 2
    return [
        *parts,
        element("line", x1=scale.start, x2=scale.stop, y1=bottom, y2=bottom, stroke="currentColor"),
        element("text", text=caption, x=middle, y=bottom + 29, text_anchor="middle", font_size=11),
    ]


def moment(seconds: float, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A Unix time in words.

    >>> moment(0)
    '1970-01-01 00:00:00'
    """
    return (_EPOCH + timedelta(seconds=seconds)).strftime(pattern)


def _left_axis(scale: LinearScale, right: float) -> list[Element]:
    parts = []
    for value in round_ticks(scale.low, scale.high, 4):
        y = scale.at(value)
        parts += [
            element("line", x1=_LEFT, x2=right, y1=y, y2=y, stroke="currentColor", stroke_opacity=_GRID),
            element(
                "text",
                text=short(value),
                class_="tick",
                x=_LEFT - 5,
                y=y + 4,
                text_anchor="end",
                font_size=11,
            ),
        ]
    return parts


def _lower_numbers(scale: LinearScale, bottom: float, caption: str) -> Iterator[Element]:
    yield element("line", x1=scale.start, x2=scale.stop, y1=bottom, y2=bottom, stroke="currentColor")
    for value in round_ticks(scale.low, scale.high):
        yield element(
            "text",
            text=short(value),
            class_="tick",
            x=scale.at(value),
            y=bottom + 14,
            text_anchor="middle",
            font_size=11,
        )
    middle = (scale.start + scale.stop) / 2
    yield element("text", text=caption, x=middle, y=bottom + 29, text_anchor="middle", font_size=11)


def _key(names: Sequence[tuple[str, str]], width: float) -> list[Element]:
    parts = []
    x = width - _RIGHT
    for name, colour in reversed(names):
        x -= 6.2 * len(name)
        parts.append(element("text", text=name, x=x, y=12, font_size=11))
        x -= 14
        parts.append(element("rect", x=x, y=3, width=10, height=10, fill=colour))
        x -= 12
    return parts


def _spoken(counts: Sequence[int], edges: Sequence[float]) -> str:
    """A histogram in words: how many, and where most are."""
    total = sum(counts)
    if not total:
        return "none"
    at = max(range(len(counts)), key=lambda index: counts[index])
    return f"{total:,} in all, most ({counts[at]:,}) from {short(edges[at])} to {short(edges[at + 1])}"
