"""Estimating: what training a network on a data set costs on a cluster, with 80 % intervals."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Final, TypeVar

import numpy as np

from transforms.budget.costs import UNITS, Site, accelerator_hours, quantities
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.flops import FloatArray
from transforms.budget.demand.workloads import Workload, training_flops
from transforms.budget.draws import DEFAULT_DRAWS, Draws, Inputs
from transforms.budget.errors import BudgetUsageError
from transforms.budget.estimates import Estimate, Quantity, estimates_table
from transforms.budget.facts.catalogue import Cluster, WorkKind
from transforms.budget.facts.library import Facts, load_facts
from transforms.budget.facts.values import InputKind
from transforms.budget.supply.phases import Allocation, Pool, first_known, pools_on, remarks

__all__ = ["Estimate", "Quantity", "estimate", "estimate_flops", "estimates_table"]

Item = TypeVar("Item")

_PERCENTILES: Final = (10, 50, 90)
_ANYWHERE: Final = "anywhere"
_FIGURES_SOURCE: Final[dict[InputKind, str]] = {
    "measured": "tables of the data set",
    "user": "given by the caller",
}


@dataclass(frozen=True, slots=True)
class _Work:
    """A training, whatever it came from: FLOPs by draw, kind of network, and its parameters where known."""

    flops: FloatArray
    kind: str
    parameters: float | None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The part of an estimate that does not depend on where workload and pool came from."""

    quantities: dict[str, Quantity] | None
    obstacles: tuple[str, ...]
    evidence: int


def estimate(
    figures: DatasetFigures,
    workloads: Sequence[str] = (),
    clusters: Sequence[str] = (),
    *,
    as_of: date | None = None,
    allocation: Allocation | None = None,
    seed: int = 0,
    draws: int = DEFAULT_DRAWS,
    figures_kind: InputKind = "measured",
    facts: Facts | None = None,
) -> list[Estimate]:
    """Estimates every workload on every pool of every cluster.

    Args:
        figures: the data set.
        workloads: names or TOML files; none = all known ones.
        clusters: names or TOML files; none = the target clusters.
        as_of: chooses phases and prices; None = the facts' newest date.
        allocation: part of each pool; None = all of it.
        seed: of the draws.
        draws: how many.
        figures_kind: how the figures are known: measured or user.
        facts: None = those of this package.

    Returns:
        One estimate per workload and pool, in the order asked for.

    Raises:
        BudgetUsageError: a workload or cluster is unknown.
    """
    facts = facts or load_facts()
    defaults = [name for name, cluster in facts.clusters.items() if cluster.is_default]
    question = _Question(
        facts, figures, figures_kind, as_of or facts.newest, allocation or Allocation(), Draws(seed, draws)
    )
    targets = _by_name(map(facts.cluster, clusters or defaults))
    trained = _by_name(map(facts.workload, workloads or facts.workloads))
    return [
        answer
        for name, workload in trained.items()
        for cluster_name, cluster in targets.items()
        for answer in question.answers(name, workload, cluster_name, cluster)
    ]


def estimate_flops(
    flops: float,
    kind: WorkKind,
    accelerator: str,
    *,
    count: int | None = None,
    parameters: float | None = None,
    as_of: date | None = None,
    seed: int = 0,
    draws: int = DEFAULT_DRAWS,
    facts: Facts | None = None,
) -> Estimate:
    """Estimates a training of known FLOPs on accelerators of a kind, wherever they stand.

    Args:
        flops: FLOPs of the training.
        kind: kind of network.
        accelerator: name or alias.
        count: how many; None = one, and memory is not looked at.
        parameters: of the network; None = not a small one, and memory is not looked at.
        as_of: chooses the rent; None = the facts' newest date.
        seed: of the draws.
        draws: how many.
        facts: None = those of this package.

    Raises:
        BudgetUsageError: the accelerator is unknown, or a number is not positive.
    """
    facts = facts or load_facts()
    for name, value in (("FLOPs", flops), ("parameters", parameters), ("count", count)):
        if value is not None and not (isfinite(value) and value > 0):
            raise BudgetUsageError(f"{name}: {value:g} is not a positive number")
    name = facts.accelerator(accelerator)
    inputs = Inputs(Draws(seed, draws))
    inputs.given("training_flops", flops, "FLOP", "user", "given by the caller")
    if parameters is not None:
        inputs.given("parameters", parameters, "parameters", "user", "given by the caller")
    if count is None:
        inputs.given("accelerator_count", 1, "accelerators", "default", "no count given")
    else:
        inputs.given("accelerator_count", count, "accelerators", "user", "given by the caller")
    day = as_of or facts.newest
    site = Site(name, count or 1, _ANYWHERE, owned=False, day=day)
    verdict = _judge(
        facts, site, _Work(np.full(draws, flops), kind, parameters), inputs, memory=count is not None
    )
    remark = (
        () if count else ("no count given: the days are those of one accelerator; memory was not looked at",)
    )
    return Estimate(
        workload=None,
        cluster=None,
        phase=None,
        as_of=day,
        accelerator=name,
        accelerator_count=site.count,
        quantities=verdict.quantities,
        feasible=not verdict.obstacles,
        reasons=verdict.obstacles + remark,
        evidence=verdict.evidence,
        assumptions=inputs.assumptions,
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """What all estimates of one call share."""

    facts: Facts
    figures: DatasetFigures
    figures_kind: InputKind
    day: date
    allocation: Allocation
    draws: Draws

    def answers(
        self, name: str, workload: Workload, cluster_name: str, cluster: Cluster
    ) -> Iterator[Estimate]:
        """The estimates of a workload on the pools of a cluster."""
        pools = pools_on(cluster, self.day)
        if not pools:
            yield self._too_early(name, cluster_name, cluster)
        for pool in pools:
            yield self._on_pool(name, workload, cluster_name, cluster, pool)

    def _too_early(self, name: str, cluster_name: str, cluster: Cluster) -> Estimate:
        first = first_known(cluster)
        named = f"the first is {first.name} of {first.as_of}" if first else "none is"
        reason = f"{cluster.title} has no phase of known accelerators on {self.day}: {named}"
        return Estimate(
            workload=name,
            cluster=cluster_name,
            phase=None,
            as_of=self.day,
            accelerator=None,
            accelerator_count=None,
            quantities=None,
            feasible=False,
            reasons=(reason, *remarks(cluster, self.day, None)),
            evidence=0,
            assumptions=(),
        )

    def _on_pool(
        self, name: str, workload: Workload, cluster_name: str, cluster: Cluster, pool: Pool
    ) -> Estimate:
        inputs = Inputs(self.draws)
        hours = self.figures.camera_hours
        inputs.given("camera_hours", hours, "h", self.figures_kind, _FIGURES_SOURCE[self.figures_kind])
        flops = training_flops(workload, self.figures, inputs, name)
        work = _Work(flops, workload.utilisation, inputs.note("parameters", workload.parameters))
        if pool.phase.count is not None:
            inputs.note("pool", pool.phase.count)
        site = Site(pool.accelerator, self.allocation.of(pool.count), cluster.place, owned=True, day=self.day)
        verdict = _judge(self.facts, site, work, inputs, memory=True)
        obstacles = verdict.obstacles
        wanted = self.allocation.count
        if wanted is not None and wanted > pool.count:
            short = f"{wanted:,} accelerators asked for, the pool has {pool.count:,}: counted with those"
            obstacles = (short, *obstacles)
        return Estimate(
            workload=name,
            cluster=cluster_name,
            phase=pool.phase.name,
            as_of=self.day,
            accelerator=pool.accelerator,
            accelerator_count=site.count,
            quantities=verdict.quantities,
            feasible=not obstacles,
            reasons=(*obstacles, *remarks(cluster, self.day, pool)),
            evidence=verdict.evidence,
            assumptions=inputs.assumptions,
        )


def _judge(facts: Facts, site: Site, work: _Work, inputs: Inputs, *, memory: bool) -> _Verdict:
    """Prices a training at a site, and tells what stands in its way."""
    accelerator = facts.accelerators[site.accelerator]
    utilisation, evidence = _utilisation(facts, site.accelerator, work, inputs)
    if not work.flops.any():
        return _Verdict(None, ("the data set holds nothing to train on: no camera-hours",), evidence)
    hours = accelerator_hours(work.flops, inputs.draw("bf16_dense", accelerator.bf16_dense), utilisation)
    values = quantities(facts, site, hours, inputs)
    summary = {name: _summary(values[name], unit) for name, unit in UNITS.items()}
    obstacles: tuple[str, ...] = ()
    if memory and work.parameters is not None:
        inputs.note("state_bytes", facts.state_bytes)
        # the smallest the state can be against all there is: whoever fails this fails every layout
        needed = work.parameters * facts.state_bytes.p10
        available = site.count * inputs.note("memory", accelerator.memory)
        if needed > available:
            held = f"{site.count:,} x {site.accelerator} have {available / 1e9:,.0f} GB"
            state = f"weights, gradients and optimiser of {work.parameters:.3g} parameters"
            obstacles = (f"memory: {state} need {needed / 1e9:,.0f} GB, {held}",)
    return _Verdict(summary, obstacles, evidence)


def _utilisation(facts: Facts, accelerator: str, work: _Work, inputs: Inputs) -> tuple[FloatArray, int]:
    """Utilisation by draw, and the published runs behind it.

    The draws go by kind of network: a training that runs well does so on every cluster.
    """
    kind = work.kind
    small = facts.utilisation[kind].small
    if small is not None and work.parameters is not None and work.parameters < small.below.p50:
        kind = small.use
    prior = facts.utilisation[kind]
    reached = inputs.draw("utilisation", prior.mfu, f"utilisation/{kind}")
    if prior.transfer is not None:
        inputs.note("utilisation_of_unseen_family", prior.transfer)
    own = facts.accelerator_utilisation.get(accelerator)
    if own is None:
        return reached, facts.evidence(prior)
    # an accelerator nobody has published trainings of is not supposed to beat the proven ones
    supposed = inputs.draw("utilisation_of_accelerator", own.mfu, f"utilisation/{kind}")
    return np.minimum(reached, supposed), facts.evidence(own)


def _summary(values: FloatArray, unit: str) -> Quantity:
    p10, p50, p90 = (float(value) for value in np.percentile(values, _PERCENTILES))
    return Quantity(p10, p50, p90, unit)


def _by_name(named: Iterable[tuple[str, Item]]) -> dict[str, Item]:
    """Each once, in the order asked for."""
    found: dict[str, Item] = {}
    for name, item in named:
        if found.setdefault(name, item) != item:
            raise BudgetUsageError(f"two different things are called {name!r}: rename the file")
    return found
