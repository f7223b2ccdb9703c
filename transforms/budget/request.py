"""What is asked of a budget: small and immutable, so that it can travel to a worker."""

from dataclasses import dataclass
from datetime import date

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.draws import DEFAULT_DRAWS
from transforms.budget.estimates import Estimate
from transforms.budget.estimating import estimate
from transforms.budget.facts.library import load_facts
from transforms.budget.facts.values import InputKind
from transforms.budget.supply.phases import Allocation


@dataclass(frozen=True, slots=True)
class BudgetRequest:
    """What is asked of a budget.

    Attributes:
        workloads: names or TOML files; none = all known ones.
        clusters: names or TOML files; none = the target clusters.
        as_of: chooses phases and prices; None = the facts' newest date.
        allocation: part of each pool; None = all of it.
        seed: of the draws.
        draws: how many.
    """

    workloads: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    as_of: date | None = None
    allocation: Allocation | None = None
    seed: int = 0
    draws: int = DEFAULT_DRAWS

    def check(self) -> None:
        """Looks every name up.

        Raises:
            BudgetUsageError: a workload or cluster is unknown.
        """
        facts = load_facts()
        for name in self.workloads:
            facts.workload(name)
        for name in self.clusters:
            facts.cluster(name)

    def answer(self, figures: DatasetFigures, figures_kind: InputKind = "measured") -> list[Estimate]:
        """Estimates for a data set.

        Args:
            figures: the data set's.
            figures_kind: how they are known: measured or user.
        """
        return estimate(
            figures,
            self.workloads,
            self.clusters,
            as_of=self.as_of,
            allocation=self.allocation,
            seed=self.seed,
            draws=self.draws,
            figures_kind=figures_kind,
        )
