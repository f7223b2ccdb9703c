"""Quantities as people read them: three digits, and the unit that fits their size."""

import re
from dataclasses import dataclass
from math import isfinite, isinf, isnan
from typing import Final

_DAYS_A_YEAR: Final = 365.25
_PREFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_PREFIXES_OF_UNITS: Final = ((1.0, ""), *reversed(_PREFIXES), (1e15, "P"), (1e18, "E"))
_EXPONENT_FROM: Final = 1e15  # no word for thousands that most people know
_NO_PREFIX_FROM: Final = 1e21  # a training's FLOPs are told as 3.8e25, not in millions of exa
_EXPONENT_BELOW: Final = 1e-4

# shown units of a unit, ascending: size in the unit, name
_LADDERS: Final = {
    "d": ((1 / 86_400, "s"), (1 / 1_440, "min"), (1 / 24, "h"), (1.0, "d"), (_DAYS_A_YEAR, "years")),
    "s": ((1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3_600.0, "h"), (86_400.0, "d")),
    "MWh": ((1e-6, "Wh"), (1e-3, "kWh"), (1.0, "MWh"), (1e3, "GWh"), (1e6, "TWh")),
    "MW": ((1e-6, "W"), (1e-3, "kW"), (1.0, "MW"), (1e3, "GW")),
    "t": ((1e-6, "g"), (1e-3, "kg"), (1.0, "t")),
    "m3": ((1e-3, "L"), (1.0, "m³")),
}
# nobody says "1.1 days": these stand from two of them on
_FROM_TWO: Final = {"min", "h", "d", "years"}
_TAKES_PREFIX: Final = re.compile(r"(B|bit|FLOPs?|W)(/.*)?")
_NAMES: Final = {"a": " years", "1": "", "": "", "share": "%"}


@dataclass(frozen=True, slots=True)
class Measure:
    """How values of one unit are shown.

    Attributes:
        size: what one of the shown unit is, in the values' own unit.
        before: what stands before a number: the dollar's sign, whose thousand millions are a B, not a G.
        after: what stands after it: a space and the shown unit.
    """

    size: float = 1.0
    before: str = ""
    after: str = ""

    @property
    def name(self) -> str:
        """What one of it is called, as on an axis."""
        return "USD" if self.before else self.after.strip()

    def written(self, number: float) -> str:
        """A number of the shown unit."""
        return short(number).replace("G", "B") if self.before else short(number)

    def number(self, value: float) -> str:
        """A value, given in its own unit, as a number of the shown unit."""
        return self.written(value / self.size)

    def full(self, value: float) -> str:
        """A value, given in its own unit, with the shown unit."""
        return f"{self.before}{self.number(value)}{self.after}"

    def interval(self, p10: float, p50: float, p90: float) -> str:
        """A median and its 80 % interval; an exact value stands alone."""
        if p10 == p90:
            return self.full(p50)
        return f"{self.full(p50)} ({self.number(p10)} to {self.number(p90)})"


def measure(unit: str, typical: float) -> Measure:
    """The shown unit that fits a size.

    Args:
        unit: the values' own unit.
        typical: a value of the usual size, in `unit`.

    Returns:
        Days become seconds to years, megawatt-hours watt-hours to terawatt-hours, shares percent, dollars
        get their sign; a unit that is not known here stays as it is.
    """
    if unit in _NAMES:
        return Measure(0.01 if unit == "share" else 1.0, after=_NAMES[unit])
    if unit == "USD":
        return Measure(before="$")
    ladder = _LADDERS.get(unit)
    if ladder is None:
        if not _TAKES_PREFIX.fullmatch(unit):
            return Measure(after=f" {unit}")
        fitting_prefixes = _PREFIXES_OF_UNITS if abs(typical) < _NO_PREFIX_FROM else _PREFIXES_OF_UNITS[:1]
        ladder = tuple((size, prefix + unit) for size, prefix in fitting_prefixes)
    rounded = _three_digits(abs(typical)) if isfinite(typical) else 0.0
    fitting = [(size, name) for size, name in ladder if rounded >= size * (2 if name in _FROM_TWO else 1)]
    own = next(step for step in ladder if step[0] == 1.0)
    size, name = own if rounded == 0 else [ladder[0], *fitting][-1]
    return Measure(size, after=f" {name}")


def short(value: float) -> str:
    """A number in three digits.

    >>> short(5_234_000), short(0.08163), short(999.9), short(3.8e25)
    ('5.23M', '0.0816', '1k', '3.8e25')
    """
    if isnan(value):
        return "unknown"
    if isinf(value):
        return "infinite" if value > 0 else "-infinite"
    rounded = _three_digits(value)
    size = abs(rounded)
    if size >= _EXPONENT_FROM or 0 < size < _EXPONENT_BELOW:
        mantissa, exponent = f"{rounded:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    for limit, prefix in _PREFIXES:
        if size >= limit:
            return f"{rounded / limit:.3g}{prefix}"
    return f"{rounded:.3g}"


def amount(value: float, unit: str) -> str:
    """A value with the unit that fits it.

    >>> amount(0.02, "d"), amount(1500, "MWh"), amount(2.5e9, "USD"), amount(0.834, "share")
    ('28.8 min', '1.5 GWh', '$2.5B', '83.4%')
    """
    return measure(unit, value).full(value)


def interval(p10: float, p50: float, p90: float, unit: str) -> str:
    """A median and its 80 % interval, all three in the unit that fits the median.

    >>> interval(0.5, 1.25, 60, "d")
    '30 h (12 to 1.44k)'
    """
    return measure(unit, p50).interval(p10, p50, p90)


def count(value: float) -> str:
    """A number of things, every digit of it.

    >>> count(150000)
    '150,000'
    """
    return f"{value:,.0f}" if isfinite(value) else short(value)


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")
