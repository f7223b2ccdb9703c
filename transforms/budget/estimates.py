"""Estimates as values, as JSON and as rows of the `budget` table."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby

import pyarrow as pa

from transforms.budget.costs import UNITS
from transforms.budget.facts.values import Assumption
from transforms.tables.budget_schema import BUDGET

_KEY = ("workload", "cluster", "phase", "as_of", "accelerator", "accelerator_count")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a training costs on one pool of accelerators.

    Attributes:
        workload: the network; None where FLOPs were given.
        cluster: the cluster; None where an accelerator was given.
        phase: the cluster's phase that the pool comes from.
        as_of: the date that phase and prices were chosen for.
        accelerator: what it is trained on; None where the cluster has no known pool yet.
        accelerator_count: how many, after allocation.
        quantities: by name, in the order of `UNITS`; None where nothing can be estimated.
        feasible: whether the training fits the pool.
        reasons: why not, and what to know about the pool.
        evidence: published runs behind the utilisation; 0 = assumed.
        assumptions: every input with its provenance.
    """

    workload: str | None
    cluster: str | None
    phase: str | None
    as_of: date
    accelerator: str | None
    accelerator_count: int | None
    quantities: dict[str, Quantity] | None
    feasible: bool
    reasons: tuple[str, ...]
    evidence: int
    assumptions: tuple[Assumption, ...]

    @property
    def assumed_share(self) -> float:
        """Share of the inputs that are assumed or defaults: nobody has published or measured them."""
        assumed = sum(assumption.kind in {"assumed", "default"} for assumption in self.assumptions)
        return assumed / len(self.assumptions) if self.assumptions else 0.0

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        known = self.quantities
        return {
            **{name: getattr(self, name) for name in _KEY},
            "as_of": self.as_of.isoformat(),
            "quantities": known and {name: asdict(quantity) for name, quantity in known.items()},
            "feasible": self.feasible,
            "reasons": list(self.reasons),
            "evidence": self.evidence,
            "assumptions": [assumption.as_json() for assumption in self.assumptions],
        }


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


def estimates_from_table(table: pa.Table) -> Iterator[Estimate]:
    """The inverse of `estimates_table`.

    Args:
        table: rows of the `budget` table in their order.

    Yields:
        An estimate per workload and pool.
    """
    for _, group in groupby(table.to_pylist(), key=lambda row: [row[name] for name in _KEY]):
        rows = list(group)
        first = rows[0]
        known = {
            row["quantity"]: Quantity(row["p10"], row["p50"], row["p90"], row["unit"])
            for row in rows
            if row["p50"] is not None
        }
        yield Estimate(
            **{name: first[name] for name in _KEY},
            quantities=known or None,
            feasible=first["feasible"],
            reasons=tuple(first["reasons"]),
            evidence=first["evidence"],
            assumptions=tuple(Assumption(**assumption) for assumption in first["assumptions"]),
        )


def _quantiles(estimate: Estimate, name: str) -> dict[str, float | None]:
    """The three columns of a quantity."""
    if estimate.quantities is None:
        return {"p10": None, "p50": None, "p90": None}
    quantity = estimate.quantities[name]
    return {"p10": quantity.p10, "p50": quantity.p50, "p90": quantity.p90}
