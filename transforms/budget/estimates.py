"""Estimates as values, as JSON and as rows of the `budget` table."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from transforms.budget.arrays import FloatArray
from transforms.budget.chances import Chance
from transforms.budget.checks import Check
from transforms.budget.costs import UNITS
from transforms.budget.drivers import Driver
from transforms.budget.evidence.backtest import Card
from transforms.budget.facts.values import Assumption
from transforms.budget.supply.layout import Layouts
from transforms.tables.budget_schema import BUDGET

_PERCENTILES: Final = (10, 50, 90)
_KEY = ("workload", "network", "cluster", "phase", "as_of", "accelerator", "accelerator_count")


@dataclass(frozen=True, slots=True)
class Quantity:
    """An 80 % interval and its median.

    Attributes:
        p10: 10 % quantile, in `unit`.
        p50: median, in `unit`.
        p90: 90 % quantile, in `unit`.
        unit: the unit.
    """

    p10: float
    p50: float
    p90: float
    unit: str


@dataclass(frozen=True, slots=True)
class Allotment:
    """The part of a pool that a training gets and uses.

    Attributes:
        available: the pool's accelerators, or as many of them as were asked for.
        used: those that the training can make use of.
        kind: whether somebody said how many (user) or nobody did (default).
        limited_by: what keeps the training from using more: the loader, the critical batch, cost (they would not
            pay), or accelerators (there are no more); None where more would hardly shorten it.
    """

    available: int
    used: int
    kind: str
    limited_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a training costs on one pool of accelerators.

    Attributes:
        workload: what is trained; None where FLOPs were given.
        network: the network; None where FLOPs were given.
        cluster: the cluster; None where an accelerator was given.
        phase: the cluster's phase that the pool comes from.
        as_of: the date that phase and prices were chosen for.
        accelerator: what it is trained on; None where the cluster has no known pool yet.
        accelerator_count: how many there are, after allocation.
        quantities: by name, in the order of `UNITS`; None where nothing can be estimated.
        feasible: whether the training could be run there on that date.
        reasons: why not, and what to know about the pool.
        change: the smallest change that makes it feasible; None where it is, or none is known.
        evidence: published runs behind the utilisation; 0 = assumed.
        assumptions: every input with its provenance.
        detail: all else that is known of it; None where nothing can be estimated.
    """

    workload: str | None
    network: str | None
    cluster: str | None
    phase: str | None
    as_of: date
    accelerator: str | None
    accelerator_count: int | None
    quantities: dict[str, Quantity] | None
    feasible: bool
    reasons: tuple[str, ...]
    change: str | None
    evidence: int
    assumptions: tuple[Assumption, ...]
    detail: "Detail | None" = None

    @property
    def assumed_share(self) -> float:
        """Share of the inputs that are assumed or defaults: nobody has published or measured them."""
        assumed = sum(assumption.kind in {"assumed", "default"} for assumption in self.assumptions)
        return assumed / len(self.assumptions) if self.assumptions else 0.0

    def brief(self) -> dict[str, object]:
        """The form of `label --json`."""
        return {
            **{name: getattr(self, name) for name in _KEY},
            "as_of": self.as_of.isoformat(),
            "quantities": _told(self.quantities),
            "feasible": self.feasible,
            "reasons": list(self.reasons),
            "change": self.change,
            "evidence": self.evidence,
            "assumptions": [assumption.as_json() for assumption in self.assumptions],
        }

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return self.brief() | (self.detail.as_json() if self.detail else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What is known of an estimate beside its quantities.

    Attributes:
        share: the part of the pool that the training gets and uses.
        stands_in: what stands in for something unknown, in words; None where FLOPs were given.
        data_share: share of the FLOPs that grows with the data set, at the median.
        also: h100_hours, h100_equivalents, power_mw, utilisation, and what else follows.
        programme_year: the quantities of a year of work, runs beside this one included; days left out.
        layouts: how the training is laid out; None where the network's shape is unknown.
        reliability: mean_time_between_failures_h, checkpoint_interval_s and goodput; None where no count is known.
        drivers: what drives the spread, the strongest first.
        checks: sanity checks.
        chances: probabilities that limits are met.
        card: back-test card of the kind of network; None where no published run is behind it.
    """

    share: Allotment
    stands_in: str | None
    data_share: float
    also: dict[str, Quantity]
    programme_year: dict[str, Quantity] | None
    layouts: Layouts | None
    reliability: dict[str, Quantity] | None
    drivers: tuple[Driver, ...]
    checks: tuple[Check, ...]
    chances: tuple[Chance, ...]
    card: Card | None

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return {
            "allocation": asdict(self.share),
            "stands_in": self.stands_in,
            "data_share": self.data_share,
            "also": _told(self.also),
            "programme_year": _told(self.programme_year),
            "layout": self.layouts and self.layouts.as_json(),
            "reliability": _told(self.reliability),
            "drivers": [driver.as_json() for driver in self.drivers],
            "checks": [asdict(check) for check in self.checks],
            "chances": [asdict(chance) for chance in self.chances],
            "backtest": self.card and self.card.as_json(),
        }


def _told(quantities: dict[str, Quantity] | None) -> dict[str, object] | None:
    if quantities is None:
        return None
    return {name: asdict(quantity) for name, quantity in quantities.items()}


def summary(values: FloatArray, unit: str) -> Quantity:
    """Median and 80 % interval of draws.

    Args:
        values: float64[draws].
        unit: the unit.
    """
    p10, p50, p90 = (float(value) for value in np.percentile(values, _PERCENTILES))
    return Quantity(p10, p50, p90, unit)


def estimates_table(estimates: Iterable[Estimate]) -> pa.Table:
    """Estimates as rows of the `budget` table, one per quantity.

    Args:
        estimates: in the order that the rows shall have.
    """
    rows = [
        {
            **{name: getattr(estimate, name) for name in _KEY},
            "quantity": name,
            **_quantiles(estimate, name),
            "unit": unit,
            "feasible": estimate.feasible,
            "reasons": list(estimate.reasons),
            "evidence": estimate.evidence,
            "assumptions": [asdict(assumption) for assumption in estimate.assumptions],
        }
        for estimate in estimates
        for name, unit in UNITS.items()
    ]
    return pa.Table.from_pylist(rows, schema=BUDGET)


def _quantiles(estimate: Estimate, name: str) -> dict[str, float | None]:
    """The three columns of a quantity."""
    if estimate.quantities is None:
        return {"p10": None, "p50": None, "p90": None}
    quantity = estimate.quantities[name]
    return {"p10": quantity.p10, "p50": quantity.p50, "p90": quantity.p90}
