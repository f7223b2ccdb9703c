"""What is asked of a budget: small and immutable, so that it can travel to a worker."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final

from transforms.budget.chances import NO_LIMITS, Limits
from transforms.budget.demand.bare_flops import demand_of_flops
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import Fleet, scale
from transforms.budget.demand.workloads import demand_of
from transforms.budget.draws import DEFAULT_DRAWS, Draws, Inputs
from transforms.budget.errors import BudgetUsageError
from transforms.budget.estimates import Estimate
from transforms.budget.estimating import estimate_on, estimates_of
from transforms.budget.evaluating import Scenario, Target
from transforms.budget.facts.catalogue import WorkKind
from transforms.budget.facts.library import Facts, load_facts
from transforms.budget.facts.networks import Precision
from transforms.budget.facts.own import OwnFacts
from transforms.budget.facts.values import InputKind
from transforms.budget.placing import Question, Training, placements
from transforms.budget.supply.phases import Allocation

_ANYWHERE: Final = "anywhere"

_MOST: Final = {"flops": 1e35, "count": 1e8, "parameters": 1e15}
"""A thousand times and more what anybody plans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRequest:
    """What is asked of a budget.

    Attributes:
        workloads: names; none = all known ones.
        clusters: names; none = the target clusters.
        network: name of the network to train; None = each workload's own.
        own: facts of the caller's own, as `OwnFacts.text` writes them: so that workers need no files.
        as_of: chooses phases and prices; None = the facts' newest date.
        allocation: part of each pool; None = as many accelerators as pay off.
        precision: number format; None = the workload's own.
        fleet: what the data set is scaled to; None = it stays as it is.
        limits: of time and money.
        seed: of the draws.
        draws: how many.
    """

    workloads: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    network: str | None = None
    own: str = ""
    as_of: date | None = None
    allocation: Allocation | None = None
    precision: Precision | None = None
    fleet: Fleet | None = None
    limits: Limits = NO_LIMITS
    seed: int = 0
    draws: int = DEFAULT_DRAWS

    @classmethod
    def resolve(
        cls,
        workloads: Sequence[str] = (),
        clusters: Sequence[str] = (),
        network: str | None = None,
        own: OwnFacts | None = None,
    ) -> "BudgetRequest":
        """Looks names up and reads files.

        Args:
            workloads: names or TOML files.
            clusters: names or TOML files.
            network: name or TOML file.
            own: facts that the caller has made.

        Raises:
            BudgetUsageError: a name is unknown, or a file does not hold together.
        """
        own = own or OwnFacts()
        named = tuple(dict.fromkeys(own.name("workloads", name) for name in workloads))
        targets = tuple(dict.fromkeys(own.name("clusters", name) for name in clusters))
        trained = own.name("networks", network) if network is not None else None
        return cls(workloads=named, clusters=targets, network=trained, own=own.text())

    def facts(self) -> Facts:
        """The package's facts and the caller's."""
        return load_facts(self.own)

    def figures_for(self, figures: DatasetFigures) -> DatasetFigures:
        """The data set at the fleet's scale.

        Args:
            figures: the data set's own.

        Raises:
            BudgetUsageError: the data set holds no hours to scale.
        """
        return scale(figures, self.fleet) if self.fleet is not None else figures

    def question(self, figures: DatasetFigures, figures_kind: InputKind = "measured") -> Question:
        """The question that all estimates share.

        Args:
            figures: the data set's own.
            figures_kind: how they are known: measured, user or assumed.
        """
        facts = self.facts()
        return Question(
            facts=facts,
            figures=self.figures_for(figures),
            figures_kind="user" if self.fleet is not None else figures_kind,
            day=self.as_of or facts.newest,
            allocation=self.allocation,
            precision=self.precision,
            limits=self.limits,
            draws=Draws(self.seed, self.draws),
        )

    def answer(self, figures: DatasetFigures, figures_kind: InputKind = "measured") -> list[Estimate]:
        """Estimates every workload on every pool of every cluster.

        Args:
            figures: the data set's own.
            figures_kind: how they are known: measured, user or assumed.

        Returns:
            One estimate per workload and pool, in the order asked for; before a cluster's first phase one that
            says so.

        Raises:
            BudgetUsageError: a workload cannot be trained as asked.
        """
        question = self.question(figures, figures_kind)
        return [
            estimate
            for training in self.trainings()
            for cluster in self.targets()
            for estimate in estimates_of(question, training, cluster, placements(question, training, cluster))
        ]

    def trainings(self) -> list[Training]:
        """The workloads asked for, each with the network that it trains."""
        known = self.facts().workloads
        return [Training(name, self.network or known[name].network) for name in self.workloads or known]

    def targets(self) -> list[str]:
        """The clusters asked for."""
        known = self.facts().clusters
        return list(self.clusters) or [name for name, cluster in known.items() if cluster.is_default]

    def check(self) -> None:
        """Tries the request on an hour of video, so that what cannot be trained is told at once.

        Raises:
            BudgetUsageError: a workload cannot be trained as asked.
        """
        question = replace(self.question(DatasetFigures.of_hours(1.0), "user"), draws=Draws(count=1))
        for training in self.trainings():
            demand_of(
                question.facts,
                training.workload,
                training.network,
                question.figures,
                Inputs(question.draws),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlopsRequest:
    """What is asked about a training of known FLOPs on accelerators of a kind, wherever they stand.

    Attributes:
        flops: FLOPs of the training.
        kind: kind of network.
        accelerator: name or alias.
        count: how many; None = one, and memory is not looked at.
        parameters: of the network; None = not a small one, and memory is not looked at.
        own: facts of the caller's own, as `OwnFacts.text` writes them.
        as_of: chooses the rent; None = the facts' newest date.
        limits: of time and money.
        seed: of the draws.
        draws: how many.
    """

    flops: float
    kind: WorkKind
    accelerator: str
    count: int | None = None
    parameters: float | None = None
    own: str = ""
    as_of: date | None = None
    limits: Limits = NO_LIMITS
    seed: int = 0
    draws: int = DEFAULT_DRAWS

    def facts(self) -> Facts:
        """The package's facts and the caller's."""
        return load_facts(self.own)

    def answer(self) -> Estimate:
        """Estimates the training.

        Raises:
            BudgetUsageError: the accelerator is unknown, or a number is not positive.
        """
        facts = self.facts()
        for name, most in _MOST.items():
            value = getattr(self, name)
            if value is not None and not 0 < value <= most:
                raise BudgetUsageError(f"{name} {value:g}: give a number above 0, {most:g} at most")
        scenario = Scenario(
            facts,
            partial(demand_of_flops, facts, self.flops, self.kind, self.parameters),
            Target(
                accelerator=facts.accelerator(self.accelerator),
                available=self.count or 1,
                place=_ANYWHERE,
                owned=False,
                day=self.as_of or facts.newest,
                asked=self.count is not None,
                counted=self.count is not None,
            ),
        )
        remark = "no count given: the days are those of one accelerator; memory was not looked at"
        return estimate_on(
            scenario, Draws(self.seed, self.draws), self.limits, None if self.count else remark
        )
