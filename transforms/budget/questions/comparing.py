"""Pools side by side on the same draws: ratios, the same money, and the utilisation at which they break even."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from transforms.budget.amounts import amount, interval
from transforms.budget.costs import UNITS
from transforms.budget.estimates import Quantity, summary
from transforms.budget.placing import Placement
from transforms.budget.questions.growth import Growth, days_for

SPENT: Final = ("cost_usd", "energy_mwh")
"""What is spent on another pool instead."""

EVEN: Final = {
    "cost_usd": "costs less than",
    "training_days": "is faster than",
    "energy_mwh": "uses less energy than",
}
"""Quantities in which a pool can get even with another, and how its win is told."""

_MOST: Final = 0.5


@dataclass(frozen=True, slots=True)
class Against:
    """A pool against another.

    Attributes:
        name: the pool.
        base: the pool that it is compared with.
        ratios: by quantity of `costs.UNITS`, its own over the other's.
    """

    name: str
    base: str
    ratios: dict[str, Quantity]

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return asdict(self)

    def says(self) -> str:
        """The medians of the ratios that a meeting asks for."""
        days, cost, energy, carbon = (
            f"{self.ratios[name].p50:.3g} x the {word}"
            for name, word in (
                ("training_days", "days"),
                ("cost_usd", "cost"),
                ("energy_mwh", "MWh"),
                ("carbon_t", "CO2"),
            )
        )
        return f"{self.name}: {days}, {cost}, {energy}, {carbon}"


def ratios(placed: Sequence[Placement]) -> list[Against]:
    """Each pool against the first, that one included.

    Args:
        placed: the same training on pools, on the same draws.
    """
    return [
        Against(
            item.name,
            placed[0].name,
            {name: summary(item.found.values[name] / placed[0].found.values[name], "1") for name in UNITS},
        )
        for item in placed
    ]


@dataclass(frozen=True, slots=True)
class SameSpending:
    """What the first pool's money or energy does on another.

    Attributes:
        name: the other pool.
        base: the first pool.
        spent: cost_usd or energy_mwh.
        amount: the median of what the first pool takes.
        unit: its unit.
        data: data trained on there, over that trained on here.
        after_text: whether text is trained on as well, and paid for first.
    """

    name: str
    base: str
    spent: str
    amount: float
    unit: str
    data: Quantity
    after_text: bool

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return asdict(self)

    def says(self) -> str:
        """The answer in a sentence."""
        data = interval(self.data.p10, self.data.p50, self.data.p90, "x")
        text = ", after the text" if self.after_text else ""
        return f"{amount(self.amount, self.unit)} on {self.name} train {data} as much data{text}"


def same_money(placed: Sequence[Placement]) -> list[SameSpending]:
    """What the first pool's money, and its energy, train on the others.

    Draw by draw the first pool's data set is the unit, and what it takes there is spent here: a price that both
    share does not blur the answer. Where text is trained on too, it is paid for first.

    Args:
        placed: the same training on pools, on the same draws.

    Returns:
        By what is spent, then by pool; none where nothing grows with the data set.
    """
    first = placed[0].found
    if not Growth.of(first).grows:
        return []
    after_text = bool((first.demand.data_flops < first.demand.flops).any())
    found = []
    for spent in SPENT:
        for item in placed[1:]:
            days = days_for(item.found, spent, first.values[spent])
            found.append(
                SameSpending(
                    name=item.name,
                    base=placed[0].name,
                    spent=spent,
                    amount=float(np.median(first.values[spent])),
                    unit=UNITS[spent],
                    data=summary(Growth.of(item.found).multiple(days), "1"),
                    after_text=after_text,
                )
            )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """The utilisation at which a pool takes no more of a quantity than another.

    Attributes:
        name: the pool.
        base: the other.
        quantity: cost_usd, training_days or energy_mwh.
        utilisation: that it must reach, a share of the dense BF16 peak; no machine reaches more than 1. Draws in
            which none suffices stand at its upper end.
        expected: utilisation that the estimate counts with, at the median.
        assumed: whether no published run is behind that.
        unproven: whether nobody has published a training on such accelerators at all.
        within_reach: share of the draws in which a utilisation of at most 1 suffices.
        waiting: share of the draws in which none does, as reading the video alone takes more.
    """

    name: str
    base: str
    quantity: str
    utilisation: Quantity
    expected: float
    assumed: bool
    unproven: bool
    within_reach: float
    waiting: float

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return asdict(self)

    def says(self) -> str:
        """The answer in a sentence."""
        wins = f"{self.name} {EVEN[self.quantity]} {self.base}"
        p10, p50, p90 = self.utilisation.p10, self.utilisation.p50, self.utilisation.p90
        if self.waiting > _MOST:
            return f"{wins} at no utilisation: it waits for data"
        if self.within_reach < _MOST:
            return f"{wins} at no utilisation: {p50:.0%} would be needed"
        upper = f"{p90:.0%}" if p90 <= 1 else "none"
        known = f"{self.expected:.0%} are {'assumed' if self.assumed else 'expected'}"
        return f"{wins} above {p50:.0%} utilisation ({p10:.0%} to {upper}); {known}"


def break_even(one: Placement, other: Placement, quantity: str = "cost_usd") -> BreakEven:
    """The utilisation that a pool must reach to take no more of a quantity than another pool.

    Days of computing go with 1 / utilisation, and quantities with days: u · amount / other amount, draw by draw,
    as long as the training does not wait for its data. Layout and failures stay.

    Args:
        one: the pool.
        other: the other, the same training on the same draws.
        quantity: a name of `EVEN`.
    """
    found = one.found
    growth = Growth.of(found)
    progress = days_for(found, quantity, other.found.values[quantity]) * growth.goodput
    needed = found.utilisation * (found.compute_days / progress)
    # one part in a billion: a pool is even with itself where its training waits for data
    possible = growth.reading <= progress * (1 + 1e-9)
    highest = needed[possible].max(initial=1.0)
    return BreakEven(
        name=one.name,
        base=other.name,
        quantity=quantity,
        utilisation=summary(np.where(possible, needed, highest), "share"),
        expected=float(np.median(found.utilisation)),
        assumed=not found.card.runs,
        unproven=one.pool.accelerator in one.scenario.facts.accelerator_utilisation,
        within_reach=float((possible & (needed <= 1)).mean()),
        waiting=float(1 - possible.mean()),
    )
