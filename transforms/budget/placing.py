"""Placing: a training on each pool of accelerators that a question asks about, evaluated once for all answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

import numpy as np

from transforms.budget.chances import Limits
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.workloads import demand_of
from transforms.budget.draws import Draws
from transforms.budget.evaluating import Evaluation, Scenario, Target, evaluate
from transforms.budget.facts.catalogue import Cluster
from transforms.budget.facts.library import Facts
from transforms.budget.facts.networks import Precision
from transforms.budget.facts.values import InputKind
from transforms.budget.feasibility import Obstacle, of_pool, of_training
from transforms.budget.supply.phases import Allocation, Pool, pools_on

NOTHING: Final = Obstacle("the data set holds nothing to train on: no camera-hours")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What all answers of one call share.

    Attributes:
        facts: the facts.
        figures: the data set.
        figures_kind: how the figures are known: measured, user or assumed.
        day: chooses phases and prices.
        allocation: part of each pool; None = as much of it as pays off.
        precision: number format; None = the workload's own.
        limits: of time and money.
        draws: where uncertainty comes from.
    """

    facts: Facts
    figures: DatasetFigures
    figures_kind: InputKind
    day: date
    allocation: Allocation | None
    precision: Precision | None
    limits: Limits
    draws: Draws


@dataclass(frozen=True, slots=True)
class Training:
    """What is trained.

    Attributes:
        workload: name of a workload.
        network: name of the network that is trained.
    """

    workload: str
    network: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A training on a pool.

    Attributes:
        training: what is trained.
        cluster: name of the cluster.
        pool: its accelerators of a kind.
        name: cluster and accelerator for people.
        scenario: the training and the pool.
        found: its evaluation.
        obstacles: what stands in its way on the day asked for.
    """

    training: Training
    cluster: str
    pool: Pool
    name: str
    scenario: Scenario
    found: Evaluation
    obstacles: tuple[Obstacle, ...]

    @property
    def computes(self) -> bool:
        """Whether there is anything to train on."""
        return NOTHING not in self.obstacles

    @property
    def feasible(self) -> bool:
        """Whether the training could be run there."""
        return not self.obstacles


def placements(question: Question, training: Training, cluster_name: str) -> Iterator[Placement]:
    """Places a training on every pool that a cluster has on the day asked for.

    Args:
        question: what is asked.
        training: what is trained.
        cluster_name: name of a cluster.

    Yields:
        One a pool, oldest kind of accelerator first.
    """
    cluster = question.facts.clusters[cluster_name]
    for pool in pools_on(cluster, question.day):
        scenario = scenario_of(question, training, cluster, pool)
        found = evaluate(scenario, question.draws)
        yield Placement(
            training=training,
            cluster=cluster_name,
            pool=pool,
            name=f"{cluster.title} ({pool.accelerator})",
            scenario=scenario,
            found=found,
            obstacles=tuple(_obstacles(question, cluster, pool, scenario, found)),
        )


def scenario_of(question: Question, training: Training, cluster: Cluster, pool: Pool) -> Scenario:
    """A training on a pool, ready to be evaluated.

    Args:
        question: what is asked.
        training: what is trained.
        cluster: the cluster.
        pool: its accelerators of a kind.
    """
    allocation = question.allocation or Allocation()
    target = Target(
        accelerator=pool.accelerator,
        available=allocation.of(pool.count),
        place=cluster.place,
        owned=True,
        day=question.day,
        asked=question.allocation is not None or question.limits.deadline is not None,
    )
    demand = partial(
        demand_of,
        question.facts,
        training.workload,
        training.network,
        question.figures,
        precision=question.precision,
    )
    return Scenario(question.facts, demand, target)


def _obstacles(
    question: Question, cluster: Cluster, pool: Pool, scenario: Scenario, found: Evaluation
) -> Iterator[Obstacle]:
    wanted = question.allocation.count if question.allocation else None
    yield from of_pool(cluster, pool, question.day, wanted)
    if not found.demand.flops.any():
        yield NOTHING
        return
    power_mw = float(np.median(found.power_mw))
    yield from of_training(question.facts, scenario.target, found, power_mw, pool.phase.facility)
