"""What drives the spread of an estimate: each input alone at its 10 % and 90 % quantiles."""

from dataclasses import dataclass
from math import log
from typing import Final

from transforms.budget.draws import OneAtATime
from transforms.budget.evaluating import Scenario, evaluate
from transforms.budget.facts.values import Assumption

DRIVEN: Final = ("accelerator_hours", "training_days", "cost_usd")
"""Quantities whose drivers are told."""

_LEAST: Final = 1.01
"""Ratio of a quantity below which an input does not drive it."""


@dataclass(frozen=True, slots=True)
class Driver:
    """An uncertain input and what it does to the quantities.

    Attributes:
        input: the input.
        effects: by quantity, its value with the input at its 10 % and at its 90 % quantile, all others at
            their medians.
        medians: by quantity, its value with all inputs at their medians.
    """

    input: Assumption
    effects: dict[str, tuple[float, float]]
    medians: dict[str, float]

    @property
    def swing(self) -> float:
        """The larger over the smaller value, of the quantity that moves most."""
        return max(map(self.swing_of, self.effects))

    def swing_of(self, quantity: str) -> float:
        """The larger over the smaller value of a quantity.

        Args:
            quantity: one of `DRIVEN`.
        """
        low, high = self.effects[quantity]
        return max(low, high) / min(low, high)

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        told = {
            name: {"low": low, "median": self.medians[name], "high": high}
            for name, (low, high) in self.effects.items()
        }
        span = {"low": self.input.p10, "high": self.input.p90}
        return {"name": self.input.name, "unit": self.input.unit, **span, **told}


def drivers(scenario: Scenario, uncertain: dict[str, Assumption]) -> tuple[Driver, ...]:
    """The drivers of a scenario, the strongest first.

    Args:
        scenario: a training on a target.
        uncertain: its uncertain inputs by the name of their draws, as an evaluation notes them.

    Returns:
        Those that move a quantity by 1 % or more: a tornado chart's rows.
    """
    values = evaluate(scenario, OneAtATime(tuple(uncertain))).values
    medians = {name: float(values[name][0]) for name in DRIVEN}
    found = [
        Driver(
            item,
            {name: (float(values[name][at]), float(values[name][at + 1])) for name in DRIVEN},
            medians,
        )
        for at, item in zip(range(1, 2 * len(uncertain), 2), uncertain.values(), strict=True)
    ]
    return tuple(sorted((item for item in found if item.swing > _LEAST), key=lambda item: -log(item.swing)))
