"""Logarithmic axes: from a quantity to a place in a drawing, and the ticks between."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Final
from xml.etree.ElementTree import Element

from transforms.budget.amounts import Measure
from transforms.views.svg import element

_SMALLEST: Final = 1e-300  # round numbers beyond these are no floats
_LARGEST: Final = 1e300
_MOST_TICKS: Final = 8  # as many as a phone's width has room for
_GRID: Final = 0.15  # opacity of what only guides the eye
_ROOM_PER_CHARACTER: Final = 0.56  # of the font size: mean width in the sans-serif fonts of common systems


@dataclass(frozen=True, slots=True)
class LogScale:
    """A logarithmic scale.

    Attributes:
        low: quantity at `start`, above 0.
        high: quantity at `stop`, above `low`.
        start: place of `low` in the drawing.
        stop: place of `high`; below `start` where the axis points up.
    """

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        """Place of a quantity; one outside of the scale stands at its end."""
        inside = min(max(value, self.low), self.high)
        low = log10(self.low)
        share = (log10(inside) - low) / (log10(self.high) - low)
        return self.start + share * (self.stop - self.start)


def log_scale(values: Iterable[float], start: float, stop: float) -> LogScale:
    """The scale from the round number (1, 2 or 5 times a power of ten) below all values to the one above.

    Args:
        values: quantities; those that a logarithm cannot show (not above 0, not finite) do not count.
        start: place of the lower end.
        stop: place of the upper end.
    """
    shown = [value for value in values if drawable(value)] or [1.0]
    low, high = _round_below(min(shown)), _round_above(max(shown))
    if low == high:
        low, high = _round_below(low * 0.9), _round_above(high * 1.1)
    return LogScale(low, high, start, stop)


def drawable(*values: float | None) -> bool:
    """Whether all values can stand on a logarithmic axis."""
    return all(value is not None and _SMALLEST < value < _LARGEST for value in values)


def ticks(scale: LogScale) -> list[float]:
    """Round quantities on a scale: 1-2-5 steps, or powers of ten where those would be too many.

    >>> ticks(LogScale(2, 50, 0, 100))
    [2.0, 5.0, 10.0, 20.0, 50.0]
    """
    powers = range(floor(log10(scale.low)), floor(log10(scale.high)) + 2)
    shown = ([value for value in ladder if scale.low <= value <= scale.high] for ladder in _ladders(powers))
    return next(values for values in shown if len(values) <= _MOST_TICKS)


def horizontal_axis(
    scale: LogScale, top: float, bottom: float, shown: Measure, caption: str
) -> list[Element]:
    """Grid, numbers and caption of an axis along the lower edge.

    Args:
        scale: from left to right.
        top: where the grid's lines begin.
        bottom: where they end; numbers and caption take 32 more.
        shown: how the scale's numbers are written.
        caption: what is measured, with its unit.
    """
    grid = [
        element("line", x1=x, x2=x, y1=top, y2=bottom, stroke="currentColor", stroke_opacity=_GRID)
        for x in map(scale.at, ticks(scale))
    ]
    numbers = [
        element(
            "text",
            text=shown.written(value),
            class_="tick",
            x=scale.at(value),
            y=bottom + 14,
            text_anchor="middle",
            font_size=11,
        )
        for value in ticks(scale)
    ]
    middle = (scale.start + scale.stop) / 2
    said = element("text", text=caption, x=middle, y=bottom + 29, text_anchor="middle", font_size=11)
    return [*grid, *numbers, said]


def vertical_axis(scale: LogScale, left: float, right: float, shown: Measure, caption: str) -> list[Element]:
    """Grid, numbers and caption of an axis along the left edge.

    Args:
        scale: from the bottom up.
        left: where the grid's lines begin; the numbers stand left of it.
        right: where they end.
        shown: how the scale's numbers are written.
        caption: what is measured, with its unit; stands above the axis.
    """
    grid = [
        element("line", x1=left, x2=right, y1=y, y2=y, stroke="currentColor", stroke_opacity=_GRID)
        for y in map(scale.at, ticks(scale))
    ]
    numbers = [
        element(
            "text",
            text=shown.written(value),
            class_="tick",
            x=left - 5,
            y=scale.at(value) + 4,
            text_anchor="end",
            font_size=11,
        )
        for value in ticks(scale)
    ]
    said = element("text", text=caption, x=0, y=scale.stop - 10, font_size=11)
    return [*grid, *numbers, said]


def fitted(text: str, room: float, font_size: float = 12) -> str:
    """The text, cut where the room for it ends.

    >>> fitted("a very long name of a cluster", 80)
    'a very lon…'
    """
    fits = int(room / (font_size * _ROOM_PER_CHARACTER))
    return text if len(text) <= fits else f"{text[: max(1, fits - 1)].rstrip()}…"


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Moves places apart so that labels on them do not overlap, keeping their order.

    >>> spread([10, 12, 50], 10, 0, 100)
    [6.0, 16.0, 50.0]

    Args:
        places: in any order.
        gap: least distance.
        low: least place, where there is room for all.
        high: greatest place.
    """
    groups: list[list[int]] = []
    centres: list[float] = []
    for index in sorted(range(len(places)), key=lambda at: places[at]):
        groups.append([index])
        centres.append(min(max(places[index], low), high))
        while len(groups) > 1 and _overlap(groups, centres, gap):
            last = groups.pop()
            centres.pop()
            groups[-1] += last
            mean = sum(places[member] for member in groups[-1]) / len(groups[-1])
            half = (len(groups[-1]) - 1) / 2 * gap
            centres[-1] = max(min(mean, high - half), low + half)
    moved = list(places)
    for members, centre in zip(groups, centres, strict=True):
        for at, member in enumerate(members):
            moved[member] = centre + (at - (len(members) - 1) / 2) * gap
    return moved


def _overlap(groups: list[list[int]], centres: list[float], gap: float) -> bool:
    """Whether the last two groups are too close for their labels."""
    return centres[-1] - centres[-2] < (len(groups[-1]) + len(groups[-2])) / 2 * gap


def _ladders(exponents: range) -> Iterator[list[float]]:
    """Ever fewer round numbers with these powers of ten."""
    yield [float(f"{digit}e{exponent}") for exponent in exponents for digit in (1, 2, 5)]
    for step in range(1, len(exponents) + 1):
        yield [float(f"1e{exponent}") for exponent in exponents[::step]]


def _round_numbers(value: float) -> list[float]:
    # decimal literals: powers of a float are off in their last digit
    exponent = floor(log10(value))
    return [float(f"{digit}e{near}") for near in range(exponent - 1, exponent + 2) for digit in (1, 2, 5)]


def _round_below(value: float) -> float:
    return max(number for number in _round_numbers(value) if number <= value)


def _round_above(value: float) -> float:
    return min(number for number in _round_numbers(value) if number >= value)
