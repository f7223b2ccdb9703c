"""Feasibility on a date: what stands in a training's way, and the smallest change that clears it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from transforms.budget.evaluating import Evaluation, Target
from transforms.budget.facts.catalogue import Accelerator, Cluster
from transforms.budget.facts.library import Facts
from transforms.budget.facts.values import Fact
from transforms.budget.supply.phases import Pool, closed, opens


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that stands in a training's way.

    Attributes:
        reason: a plain sentence.
        change: the smallest change that clears it; None where none is known.
    """

    reason: str
    change: str | None = None


def of_pool(cluster: Cluster, pool: Pool, day: date, wanted: int | None) -> Iterator[Obstacle]:
    """What of a pool stands in the way of any training.

    Args:
        cluster: the cluster.
        pool: its accelerators of a kind.
        day: the day asked for.
        wanted: accelerators that were asked for; None = as many as there are.

    Yields:
        A pool that is planned or closed, and one that is too small.
    """
    phase = pool.phase
    closing = closed(cluster, day, pool)
    if closing is not None:
        reason = f"{cluster.title}: {closing.name} of {closing.as_of}: {closing.status}"
        yield Obstacle(reason, f"as of a day before {closing.as_of}, or another cluster")
    elif phase.state == "planned":
        opening = opens(cluster, day, pool.accelerator)
        reason = f"{cluster.title}: {phase.name} of {phase.as_of}: {phase.status}; not operating on {day}"
        yield Obstacle(reason, f"as of {opening.as_of}, when {opening.name} operates" if opening else None)
    if wanted is not None and wanted > pool.count:
        reason = f"{wanted:,} accelerators asked for, the pool has {pool.count:,}: counted with those"
        yield Obstacle(reason, f"an allocation of {pool.count:,}")


def of_accelerator(name: str, accelerator: Accelerator, day: date) -> Iterator[Obstacle]:
    """Whether an accelerator existed on a day.

    Args:
        name: the accelerator's.
        accelerator: what is known of it; its date is that of its announcement.
        day: the day asked for.
    """
    if accelerator.as_of is not None and accelerator.as_of > day:
        reason = f"{name} was announced on {accelerator.as_of}: there is none on {day}"
        yield Obstacle(reason, f"as of {accelerator.as_of}")


def of_training(
    facts: Facts, target: Target, found: Evaluation, power_mw: float, facility: Fact | None
) -> Iterator[Obstacle]:
    """What of a training stands in its own way on a target.

    Args:
        facts: the facts.
        target: the accelerators.
        found: the evaluation.
        power_mw: median power of the accelerators used.
        facility: power of the site; None where unknown.
    """
    accelerator = facts.accelerators[target.accelerator]
    if found.demand.precision == "fp8" and accelerator.fp8_dense is None:
        yield Obstacle(f"{target.accelerator} does not multiply in FP8: counted in BF16", "bf16")
    if found.layouts is not None and not found.demand.supposed:
        if found.layouts.best is None:
            yield Obstacle("; ".join(found.layouts.reasons), found.layouts.change)
    elif target.counted and found.demand.parameters is not None:
        yield from _state(facts, target, found.demand.parameters)
    if facility is not None and power_mw > facility.p90:
        fits = int(found.used * facility.p90 / power_mw)
        reason = (
            f"power: {found.used:,} accelerators draw {power_mw:,.3g} MW, the site has {facility.p90:,.3g}"
        )
        yield Obstacle(reason, f"an allocation of {fits:,}" if fits else None)


def _state(facts: Facts, target: Target, parameters: float) -> Iterator[Obstacle]:
    """Weights, gradients and optimiser against all memory: whoever fails this fails every layout."""
    memory = facts.accelerators[target.accelerator].memory.p50
    needed, available = parameters * facts.training.state_bytes.p10, target.available * memory
    if needed > available:
        state = f"weights, gradients and optimiser of {parameters:.3g} parameters need {needed / 1e9:,.0f} GB"
        held = f"{target.available:,} x {target.accelerator} have {available / 1e9:,.0f} GB"
        yield Obstacle(f"memory: {state}, {held}", f"{-int(-needed // memory):,} accelerators")


def changes(obstacles: Iterable[Obstacle]) -> str | None:
    """All changes in one sentence; None where one of the obstacles has none, or there are no obstacles.

    Args:
        obstacles: what stands in the way.
    """
    wanted = [obstacle.change for obstacle in obstacles]
    known = [change for change in wanted if change is not None]
    return "; and ".join(known) if known and len(known) == len(wanted) else None
