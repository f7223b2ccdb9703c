"""How many accelerators to use where nobody said: as many as pay off."""

from dataclasses import replace
from typing import Final

from transforms.budget.demand.shape import TrainingShape
from transforms.budget.facts.parallelism import Parallelism
from transforms.budget.supply.communication import Machine
from transforms.budget.supply.layout import Layouts, choose_layout

_HALVINGS: Final = 6
"""Sixty-four times fewer accelerators than the fastest layout has: there, wide splitting costs nothing."""


def economical_layout(
    training: TrainingShape,
    machine: Machine,
    available: int,
    rules: Parallelism,
    utilisation: float,
    most_work: float,
) -> Layouts:
    """The widest layout that does not pay for its speed with much more work.

    The fastest layout uses whatever there is up to the critical batch, however little the last
    accelerators bring. Here the count is halved until a step takes no more work than is allowed.

    Args:
        training: what is laid out.
        machine: an accelerator and its links.
        available: how many there are.
        rules: the formulae's figures.
        utilisation: share of the peak at which accelerators compute while they do.
        most_work: accelerator-hours that speed may cost, over those of the cheapest layout.

    Returns:
        The layouts at that count; `limited_by` is "cost" where more accelerators would be faster.
    """
    fastest = choose_layout(training, machine, available, rules, utilisation)
    if fastest.best is None:
        return fastest
    tried = [fastest]
    count = fastest.best.accelerators
    for _ in range(_HALVINGS):
        count //= 2
        narrower = choose_layout(training, machine, count, rules, utilisation) if count else None
        if narrower is None or narrower.best is None:
            break
        tried.append(narrower)
    cheapest = min(map(_work, tried))
    chosen = next(item for item in tried if _work(item) <= cheapest * most_work)
    return chosen if chosen is fastest else replace(chosen, limited_by="cost")


def _work(layouts: Layouts) -> float:
    """Accelerator-seconds of a step."""
    assert layouts.best is not None
    return layouts.best.accelerators * layouts.best.step_seconds
