"""A fact: a value or a range, with unit, source, date and kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Kind = Literal["published", "reported", "estimate", "assumed"]
"""How a fact is known: by its maker or a paper, by others, worked out by others, or supposed by us."""

InputKind = Literal["published", "reported", "estimate", "assumed", "measured", "user", "default"]
"""The same for all inputs: those of the data set are measured, those of the caller user or default."""

_INHERITED: Final = ("source", "as_of", "kind")
_VALUE_KEYS: Final = frozenset({"value", "low", "p10"})


class Fact(BaseModel):
    """A value with its uncertainty and provenance.

    Written as `value` (exact), as `low` and `high` (sources disagree: kept as p10 and p90, with the
    geometric mean between them), or as `p10`, `p50` and `p90`.

    Attributes:
        p10: 10 % quantile, in `unit`.
        p50: median, in `unit`.
        p90: 90 % quantile, in `unit`.
        unit: unit of the three; "1" for ratios and counts of nothing physical.
        source: where the value comes from.
        as_of: the date for which it is held to be true.
        kind: how it is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    p10: float = Field(gt=0, allow_inf_nan=False)
    p50: float = Field(gt=0, allow_inf_nan=False)
    p90: float = Field(gt=0, allow_inf_nan=False)
    unit: str = Field(min_length=1)
    source: str = Field(min_length=3)
    as_of: date
    kind: Kind

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, data: Any) -> Any:
        """Turns `value` and `low`/`high` into quantiles."""
        if not isinstance(data, Mapping):
            return data
        fields = dict(data)
        if "value" in fields:
            value = fields.pop("value")
            fields = {"p10": value, "p50": value, "p90": value, **fields}
        elif "low" in fields and "high" in fields:
            low, high = float(fields.pop("low")), float(fields.pop("high"))
            # max: a range that is not positive is refused by the fields, with a message of its own
            fields |= {"p10": low, "p50": max(low * high, 0.0) ** 0.5, "p90": high}
        return fields

    @model_validator(mode="after")
    def _ordered(self) -> "Fact":
        """Refuses quantiles out of order."""
        if not self.p10 <= self.p50 <= self.p90:
            raise ValueError(f"p10 <= p50 <= p90 does not hold: {self.p10}, {self.p50}, {self.p90}")
        return self

    @property
    def is_exact(self) -> bool:
        """Whether the fact is a single value."""
        return self.p10 == self.p90


class Record(BaseModel):
    """A table of facts, whose own source, date and kind hold for every value that has none of its own.

    Attributes:
        source: where its values come from.
        as_of: the date for which they are held to be true.
        kind: how they are known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str | None = None
    as_of: date | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Assumption:
    """An input as it stands in an estimate.

    Attributes:
        name: what it is.
        p10: 10 % quantile, in `unit`.
        p50: median (the value itself where it is exact), in `unit`.
        p90: 90 % quantile, in `unit`.
        unit: the unit.
        kind: how it is known.
        source: where it comes from.
    """

    name: str
    p10: float
    p50: float
    p90: float
    unit: str
    kind: InputKind
    source: str

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`: a number, or the three quantiles of a range."""
        spread = {"p10": self.p10, "p50": self.p50, "p90": self.p90}
        value = self.p50 if self.p10 == self.p90 else spread
        return {
            "name": self.name,
            "value": value,
            "unit": self.unit,
            "kind": self.kind,
            "source": self.source,
        }


def measured_in(unit: str, low: float, high: float) -> Callable[[Fact], Fact]:
    """A check of unit and of the range that a value of this sort can have."""

    def check(fact: Fact) -> Fact:
        if fact.unit != unit:
            raise ValueError(f"the unit is {fact.unit!r}, not {unit!r}")
        if not low <= fact.p10 <= fact.p90 <= high:
            raise ValueError(f"{fact.p10:g} to {fact.p90:g} {unit} leaves the range {low:g} to {high:g}")
        return fact

    return check


# The ranges are wide enough for any machine of this decade; they catch a slipped prefix or unit.
ComputeRate = Annotated[Fact, AfterValidator(measured_in("FLOP/s", 1e9, 1e17))]
Memory = Annotated[Fact, AfterValidator(measured_in("B", 1e9, 1e13))]
ByteRate = Annotated[Fact, AfterValidator(measured_in("B/s", 1e10, 1e14))]
BitRate = Annotated[Fact, AfterValidator(measured_in("bit/s", 1e9, 1e13))]
Power = Annotated[Fact, AfterValidator(measured_in("W", 50, 5000))]
Megawatts = Annotated[Fact, AfterValidator(measured_in("MW", 0.1, 20_000))]
Count = Annotated[Fact, AfterValidator(measured_in("accelerators", 1, 1e8))]
Money = Annotated[Fact, AfterValidator(measured_in("USD", 100, 1e12))]
HourlyRate = Annotated[Fact, AfterValidator(measured_in("USD/h", 0.01, 100))]
EnergyPrice = Annotated[Fact, AfterValidator(measured_in("USD/kWh", 0.005, 1))]
CarbonIntensity = Annotated[Fact, AfterValidator(measured_in("g/kWh", 1, 1500))]
WaterIntensity = Annotated[Fact, AfterValidator(measured_in("L/kWh", 0.01, 50))]
Share = Annotated[Fact, AfterValidator(measured_in("share", 1e-6, 1))]
Years = Annotated[Fact, AfterValidator(measured_in("a", 0.5, 30))]
Ratio = Annotated[Fact, AfterValidator(measured_in("1", 1, 1000))]
Parameters = Annotated[Fact, AfterValidator(measured_in("parameters", 1, 1e15))]
Tokens = Annotated[Fact, AfterValidator(measured_in("tokens", 1, 1e17))]
Dimension = Annotated[Fact, AfterValidator(measured_in("1", 1, 1e6))]
Frequency = Annotated[Fact, AfterValidator(measured_in("Hz", 0.01, 1000))]
Pixels = Annotated[Fact, AfterValidator(measured_in("px", 1, 20_000))]
PixelWork = Annotated[Fact, AfterValidator(measured_in("FLOP/px", 1, 1e9))]
FrameWork = Annotated[Fact, AfterValidator(measured_in("FLOP", 1, 1e18))]
PixelBytes = Annotated[Fact, AfterValidator(measured_in("B/px", 0.1, 1e7))]
FrameBytes = Annotated[Fact, AfterValidator(measured_in("B", 1, 1e14))]
Runs = Annotated[Fact, AfterValidator(measured_in("runs", 1e-4, 1000))]
Exponent = Annotated[Fact, AfterValidator(measured_in("exponent", 0.01, 2))]
ParameterBytes = Annotated[Fact, AfterValidator(measured_in("B/parameter", 1, 64))]


def inherit(table: Mapping[str, Any], inherited: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Gives every value the source, date and kind of the table it stands in, unless it has its own.

    Args:
        table: a table as read from TOML.
        inherited: source, as_of and kind of the tables around it.

    Returns:
        The same table with complete values.

    >>> inherit({"source": "data sheet", "power": {"value": 400, "unit": "W"}})["power"]
    {'source': 'data sheet', 'value': 400, 'unit': 'W'}
    """
    passed = {**(inherited or {}), **{key: table[key] for key in _INHERITED if key in table}}
    if _VALUE_KEYS & table.keys():
        return {**passed, **table}
    return {key: _inherit_item(item, passed) for key, item in table.items()}


def _inherit_item(item: Any, passed: Mapping[str, Any]) -> Any:
    if isinstance(item, Mapping):
        return inherit(item, passed)
    if isinstance(item, list):
        return [_inherit_item(element, passed) for element in item]
    return item
