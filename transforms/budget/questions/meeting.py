"""All that a planning meeting asks about a workload, over all pools of some clusters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from transforms.budget.demand.fleet import Fleet
from transforms.budget.placing import NOTHING, Placement, Question
from transforms.budget.questions.comparing import (
    EVEN,
    Against,
    BreakEven,
    SameSpending,
    break_even,
    ratios,
    same_money,
)
from transforms.budget.questions.doubling import Doubling, doubling
from transforms.budget.questions.needed import Needed, needed_for
from transforms.budget.questions.trainable import Trainable, trainable

PROBABILITIES: Final = (0.5, 0.9)
"""With which a deadline must be met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPool:
    """The answers that are a pool's own.

    Attributes:
        cluster: name of the cluster.
        name: cluster and accelerator for people.
        accelerator: what it is trained on.
        feasible: whether the training could be run there.
        reasons: why not.
        trainable: data that can be trained on within the limits; None without limits.
        needed: accelerators for the deadline, by probability; empty without one.
    """

    cluster: str
    name: str
    accelerator: str
    feasible: bool
    reasons: tuple[str, ...]
    trainable: Trainable | None
    needed: tuple[Needed, ...]

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return {
            "cluster": self.cluster,
            "accelerator": self.accelerator,
            "feasible": self.feasible,
            "reasons": list(self.reasons),
            "trainable": self.trainable and self.trainable.as_json(),
            "needed": [item.as_json() for item in self.needed],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """All answers about a workload. The first pool is what the others are compared with.

    Attributes:
        workload: what is trained.
        network: the network.
        pools: the answers by pool.
        doubling: twice the data against twice the network, on the first pool.
        ratios: each pool against the first.
        same_money: the first pool's money and energy on the others.
        break_even: the utilisation at which each other pool gets even with the first, by quantity.
        reason: why there are no answers; None where there are.
    """

    workload: str
    network: str
    pools: tuple[OnPool, ...] = ()
    doubling: Doubling | None = None
    ratios: tuple[Against, ...] = ()
    same_money: tuple[SameSpending, ...] = ()
    break_even: tuple[BreakEven, ...] = ()
    reason: str | None = None

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return {
            "workload": self.workload,
            "network": self.network,
            "reason": self.reason,
            "pools": [item.as_json() for item in self.pools],
            "doubling": self.doubling and self.doubling.as_json(),
            "ratios": [item.as_json() for item in self.ratios],
            "same_money": [item.as_json() for item in self.same_money],
            "break_even": [item.as_json() for item in self.break_even],
            "sentences": list(self.sentences()),
        }

    def sentences(self) -> Iterator[str]:
        """The answers for people, the first with the name of the workload.

        Yields:
            One sentence each. What to reach to break even is told of accelerators that are not proven; limits are
            told of pools that are feasible, or of all where none is.
        """
        if self.reason is not None:
            yield f"{self.workload}: {self.reason}"
            return
        yield f"{self.workload}{', compared with' if self.ratios[1:] else ' on'} {self.pools[0].name}:"
        yield from (item.says() for item in self.ratios[1:])
        money = [item for item in self.same_money if item.spent == "cost_usd"]
        if money:
            yield max(money, key=lambda item: item.data.p50).says()
        yield from (item.says() for item in self.break_even if item.quantity == "cost_usd" and item.unproven)
        assert self.doubling is not None
        yield from self.doubling.sentences()
        open_pools = [item for item in self.pools if item.feasible] or self.pools
        for item in open_pools:
            if item.trainable is not None:
                yield f"{item.name}: {item.trainable.says()}"
            yield from (f"{item.name}: {needed.says()}" for needed in item.needed)


def meeting(question: Question, placed: Sequence[Placement], fleet: Fleet | None = None) -> Meeting:
    """Answers all questions about a workload.

    Args:
        question: what is asked; its limits are the deadline and the money.
        placed: the workload on pools, one at least; the first is what the others are compared with.
        fleet: whose vehicles record the data; None = vehicles are not counted.

    Raises:
        BudgetUsageError: the workload cannot be trained as asked.
    """
    first = placed[0]
    workload, network = first.training.workload, first.training.network
    if not first.computes:
        return Meeting(workload=workload, network=network, reason=NOTHING.reason)
    return Meeting(
        workload=workload,
        network=network,
        pools=tuple(_on_pool(question, item, fleet) for item in placed),
        doubling=doubling(question, first.training, first.scenario, first.found),
        ratios=tuple(ratios(placed)),
        same_money=tuple(same_money(placed)),
        break_even=tuple(break_even(item, first, quantity) for item in placed[1:] for quantity in EVEN),
    )


def _on_pool(question: Question, item: Placement, fleet: Fleet | None) -> OnPool:
    limits, figures = question.limits, question.figures
    needed: tuple[Needed, ...] = ()
    if limits.deadline is not None:
        needed = needed_for(item.scenario, question.draws, limits.deadline, PROBABILITIES)
    return OnPool(
        cluster=item.cluster,
        name=item.name,
        accelerator=item.pool.accelerator,
        feasible=item.feasible,
        reasons=tuple(obstacle.reason for obstacle in item.obstacles),
        trainable=trainable(item.found, figures, limits, fleet) if limits.given() else None,
        needed=needed,
    )
