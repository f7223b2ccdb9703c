"""The inverse question: how many accelerators a deadline needs."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np

from transforms.budget.amounts import amount, count
from transforms.budget.arrays import FloatArray
from transforms.budget.draws import NormalDraws
from transforms.budget.errors import BudgetUsageError
from transforms.budget.evaluating import Evaluation, Scenario, evaluate
from transforms.budget.supply.failures import LEAST_GOODPUT

_RUNGS: Final = tuple(4**power for power in range(11))
"""Where the search looks first: up to a million accelerators, more than any cluster has."""

_PER_DOUBLING: Final = 32

GRID: Final = tuple(sorted({round(2 ** (step / _PER_DOUBLING)) for step in range(20 * _PER_DOUBLING + 1)}))
"""Numbers of accelerators that are tried: all up to 46, then 2.2 % apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """How many accelerators a deadline needs.

    Attributes:
        deadline_days: the deadline.
        probability: with which it must be met, at least.
        accelerators: the smallest number of `GRID` that meets it; None where none does.
        used: those that the training makes use of, of that number or else of the fastest one.
        reached: probability with which these meet the deadline.
        pool: how many there are.
        reason: why no number does, or why the pool does not; None where it does.
    """

    deadline_days: float
    probability: float
    accelerators: int | None
    used: int
    reached: float
    pool: int
    reason: str | None

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return asdict(self)

    def says(self) -> str:
        """The answer in a few words."""
        deadline = f"{amount(self.deadline_days, 'd')} at {self.probability:.0%}"
        if self.accelerators is None:
            return f"no number meets {deadline}: {self.reason}"
        short = f"; {self.reason}" if self.reason else ""
        return f"{count(self.accelerators)} accelerators meet {deadline}{short}"


def needed_for(
    scenario: Scenario, draws: NormalDraws, deadline_days: float, probabilities: Sequence[float]
) -> tuple[Needed, ...]:
    """The smallest number of accelerators that meets a deadline; layout and failures change with the number.

    More accelerators do not always help: the critical batch bounds the width, and failures eat what is won. So
    the search climbs from one accelerator on in steps of four times as many, and parts the step on which the
    deadline is first met: 20 evaluations at most for a probability, and some probabilities share theirs.

    Args:
        scenario: a training on a target; how many the target has does not matter.
        draws: where uncertainty comes from.
        deadline_days: days from start to end.
        probabilities: with which the deadline must be met, each in (0, 1).

    Returns:
        An answer for each probability.

    Raises:
        BudgetUsageError: a number is out of its range.
    """
    for probability in probabilities:
        if not (deadline_days > 0 and 0 < probability < 1):
            asked = f"a deadline of {deadline_days:g} days at probability {probability:g}"
            raise BudgetUsageError(f"{asked}: give days above 0 and a probability between 0 and 1")
    trials = _Trials(scenario, draws, deadline_days)
    return tuple(_search(trials, probability) for probability in probabilities)


class _Trials:
    """A training on numbers of accelerators, each evaluated once."""

    def __init__(self, scenario: Scenario, draws: NormalDraws, deadline_days: float) -> None:
        self.target = scenario.target
        self.deadline_days = deadline_days
        self._scenario = scenario
        self._draws = draws
        self._found: dict[int, Evaluation] = {}

    def at(self, number: int) -> Evaluation:
        """The training on so many accelerators, all of which may be used."""
        if number not in self._found:
            target = replace(self.target, available=number, asked=True, counted=True)
            self._found[number] = evaluate(replace(self._scenario, target=target), self._draws)
        return self._found[number]

    def days(self, number: int) -> FloatArray:
        """Days by draw, float64[draws]; infinite where no layout fits, and where failures leave no progress."""
        found = self.at(number)
        if not _fits(found):
            return np.full_like(found.compute_days, np.inf)
        assert found.interruptions is not None
        # at its bound, goodput is not what the formula gives
        lost = found.interruptions.goodput <= LEAST_GOODPUT
        return np.where(lost, np.inf, found.values["training_days"])

    def chance(self, number: int) -> float:
        """The probability that the deadline is met."""
        return float((self.days(number) <= self.deadline_days).mean())

    def within(self, number: int, probability: float) -> float:
        """Days within which the training ends with a probability."""
        return float(np.quantile(self.days(number), probability, method="higher"))


def _fits(found: Evaluation) -> bool:
    return found.layouts is None or found.layouts.best is not None


def _search(trials: _Trials, probability: float) -> Needed:
    tried: tuple[int, ...] = _RUNGS
    met = next((number for number in tried if trials.chance(number) >= probability), None)
    if met is None:
        # the fastest number may lie between two rungs
        best = min(_RUNGS, key=lambda number: trials.within(number, probability))
        tried = tuple(number for number in (best // 2, best, best * 2) if 1 <= number <= GRID[-1])
        met = next((number for number in tried if trials.chance(number) >= probability), None)
    if met is not None:
        met = _first(trials, probability, met)
    shown = met or min(tried, key=lambda number: trials.within(number, probability))
    return Needed(
        deadline_days=trials.deadline_days,
        probability=probability,
        accelerators=met,
        used=trials.at(shown).used,
        reached=trials.chance(shown),
        pool=trials.target.available,
        reason=_shortage(trials, met) if met else _reason(trials, shown, probability),
    )


def _first(trials: _Trials, probability: float, met: int) -> int:
    """Bisects `GRID` between the last rung that fails and a number that meets: the one before the answer fails."""
    failed = max((rung for rung in _RUNGS if rung < met), default=0)
    low, high = bisect_left(GRID, failed) if failed else -1, bisect_left(GRID, met)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if trials.chance(GRID[middle]) >= probability else (middle, high)
    return GRID[high]


def _shortage(trials: _Trials, met: int) -> str | None:
    """Whether the pool is too small."""
    pool = trials.target.available
    return f"the pool has {count(pool)}" if met > pool else None


def _reason(trials: _Trials, fastest: int, probability: float) -> str:
    """Why no number meets the deadline."""
    found, widest = trials.at(fastest), trials.at(_RUNGS[-1])
    if found.layouts is not None and not _fits(found):
        return found.layouts.reasons[0]
    # a layout that leaves accelerators idle has no work for them
    why = "critical batch" if widest.used == found.used else "failures"
    return f"{why}: {amount(trials.within(fastest, probability), 'd')} on {count(found.used)} at best"
