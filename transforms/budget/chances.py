"""Chances: the probability that a limit of time or money is met."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final

from transforms.budget.arrays import FloatArray
from transforms.budget.errors import BudgetUsageError

LIMITED: Final = {"deadline": ("training_days", "d"), "money": ("cost_usd", "USD")}
"""The quantity that a limit is put on, and its unit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a training may take.

    Attributes:
        deadline: days; None = no limit.
        money: dollars; None = no limit.
    """

    deadline: float | None = None
    money: float | None = None

    def __post_init__(self) -> None:
        for name in LIMITED:
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and value > 0):
                raise BudgetUsageError(f"{name} {value:g} is not a positive number")

    def given(self) -> dict[str, float]:
        """The limits that there are, by name."""
        return {name: getattr(self, name) for name in LIMITED if getattr(self, name) is not None}


NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Chance:
    """The probability that a limit is met.

    Attributes:
        limit: deadline or money.
        value: the limit.
        unit: its unit.
        probability: share of the draws that meet it.
    """

    limit: str
    value: float
    unit: str
    probability: float


def chances(values: Mapping[str, FloatArray], limits: Limits) -> tuple[Chance, ...]:
    """The probability of each limit.

    Args:
        values: by quantity, float64[draws].
        limits: what the training may take.
    """
    return tuple(
        Chance(name, limit, LIMITED[name][1], float((values[LIMITED[name][0]] <= limit).mean()))
        for name, limit in limits.given().items()
    )
