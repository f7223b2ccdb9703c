"""What a cluster was made of on a date, and how much of it a training gets."""

import re
from calendar import monthrange
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from math import floor, isfinite

from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.catalogue import Cluster, Phase


@dataclass(frozen=True, slots=True)
class Pool:
    """The accelerators of one kind that a cluster has.

    Attributes:
        phase: the phase that says so.
        accelerator: what they are.
        count: how many.
    """

    phase: Phase
    accelerator: str
    count: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """The part of a pool that a training gets.

    Attributes:
        count: that many accelerators, or None.
        share: that share of the pool, in (0, 1], or None.
    """

    count: int | None = None
    share: float | None = None

    @classmethod
    def parse(cls, text: str) -> "Allocation":
        """Reads `N` accelerators or `P%` of each pool.

        >>> Allocation.parse("25%")
        Allocation(count=None, share=0.25)
        """
        wrong = BudgetUsageError(
            f"allocation {text!r}: give a number of accelerators (4096) or a share (25%)"
        )
        try:
            if text.endswith("%"):
                share = float(text[:-1]) / 100
                if isfinite(share) and 0 < share <= 1:
                    return cls(share=share)
            elif int(text) > 0:
                return cls(count=int(text))
        except ValueError:
            raise wrong from None
        raise wrong

    def of(self, available: int) -> int:
        """Accelerators of a pool: never more than it has, at least one."""
        if self.share is not None:
            # 1e-9: 29 % of 100 is 28.999999999999996 in floating point
            return max(1, floor(available * self.share + 1e-9))
        return available if self.count is None else min(self.count, available)


def parse_as_of(text: str) -> date:
    """Reads YYYY-MM-DD, or YYYY-MM as that month's last day.

    >>> parse_as_of("2024-02")
    datetime.date(2024, 2, 29)
    """
    # fromisoformat alone would also take weeks, and more besides
    match = re.fullmatch(r"([0-9]{4}-[0-9]{2})(-[0-9]{2})?", text)
    with suppress(ValueError):
        if match and match[2]:
            return date.fromisoformat(text)
        if match:
            first = date.fromisoformat(f"{text}-01")
            return first.replace(day=monthrange(first.year, first.month)[1])
    raise BudgetUsageError(f"as-of {text!r}: give YYYY-MM or YYYY-MM-DD")


def pools_on(cluster: Cluster, day: date) -> tuple[Pool, ...]:
    """The pools of a cluster on a day: the newest known phase of each accelerator, oldest kind first."""
    newest: dict[str, Pool] = {}
    for phase in sorted(cluster.phases, key=lambda phase: phase.as_of):
        if phase.as_of > day or phase.state == "closed":
            continue
        known = newest.get(phase.accelerator or "")
        if phase.state == "planned" and known is not None and known.phase.state == "operating":
            # what is planned does not take away what is there
            continue
        if phase.accelerator is not None and phase.count is not None:
            newest[phase.accelerator] = Pool(phase, phase.accelerator, int(phase.count.p50))
    return tuple(newest.values())


def first_known(cluster: Cluster) -> Phase | None:
    """The first phase whose accelerator and count are known."""
    known = (phase for phase in cluster.phases if phase.accelerator is not None and phase.count is not None)
    return min(known, key=lambda phase: phase.as_of, default=None)


def closed(cluster: Cluster, day: date, pool: Pool) -> Phase | None:
    """The phase that closed a pool by a day: the pool's own, or a newer one that closes the whole cluster."""
    closing = [
        phase
        for phase in cluster.phases
        if phase.state == "closed"
        and pool.phase.as_of <= phase.as_of <= day
        and phase.accelerator in {None, pool.accelerator}
    ]
    return max(closing, key=lambda phase: phase.as_of, default=None)


def opens(cluster: Cluster, day: date, accelerator: str) -> Phase | None:
    """The first phase after a day in which accelerators of a kind operate."""
    later = [
        phase
        for phase in cluster.phases
        if phase.state == "operating"
        and phase.as_of > day
        and phase.accelerator == accelerator
        and phase.count is not None
    ]
    return min(later, key=lambda phase: phase.as_of, default=None)


_PLAIN = frozenset({"operational", "superseded"})


def remarks(cluster: Cluster, day: date, pool: Pool | None) -> list[str]:
    """What to know about a cluster's phases beside an estimate: the pool's own, and those not counted.

    Args:
        cluster: the cluster.
        day: the day asked for.
        pool: the pool that is estimated, if any.
    """
    phases = sorted(cluster.phases, key=lambda phase: phase.as_of)
    known = {pool.accelerator: pool.phase.as_of for pool in pools_on(cluster, day)}
    said = []
    if pool is not None and pool.phase.state == "operating" and pool.phase.status not in _PLAIN:
        said.append(f"{cluster.title}: {pool.phase.name} of {pool.phase.as_of}: {pool.phase.status}")
    for phase in phases:
        kept = known.get(phase.accelerator or "")
        if phase.as_of > day or phase.state == "closed":
            continue
        if phase.accelerator is None or phase.count is None:
            # an unknown count matters until a later phase of the same accelerator tells it
            if kept is None or kept <= phase.as_of:
                said.append(f"{_told(cluster, phase)} ({_missing(phase)}): {phase.status}")
        elif kept is not None and kept < phase.as_of:
            said.append(
                f"{_told(cluster, phase)} ({phase.count.p50:,.0f} {phase.accelerator}): {phase.status}"
            )
    later = _listed(
        f"{phase.name} from {phase.as_of} ({phase.status})" for phase in phases if phase.as_of > day
    )
    return [*said, f"{cluster.title}: later, not counted: {later}"] if later else said


def _told(cluster: Cluster, phase: Phase) -> str:
    return f"{cluster.title}: not counted: {phase.name} of {phase.as_of}"


def _missing(phase: Phase) -> str:
    """What a phase does not tell."""
    unknown = [name for name in ("accelerator", "count") if getattr(phase, name) is None]
    return f"{' and '.join(unknown)} unknown"


def _listed(items: Iterable[str]) -> str:
    return "; ".join(items)
