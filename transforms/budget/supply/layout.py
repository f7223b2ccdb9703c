"""The layout of a training over accelerators: what fits their memory and takes the least time a step."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from transforms.budget.arrays import FloatArray
from transforms.budget.demand.shape import TrainingShape
from transforms.budget.facts.parallelism import Parallelism
from transforms.budget.supply.candidates import (
    Candidates,
    enumerate_candidates,
    tensor_widths,
    with_all_replicas,
)
from transforms.budget.supply.communication import Machine
from transforms.budget.supply.memory import memory_bytes, usable_bytes
from transforms.budget.supply.reasons import change, missing, reasons_of
from transforms.budget.supply.shortage import find_shortage
from transforms.budget.supply.steps import Layout, layout_of, time_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Layouts:
    """The answer.

    Attributes:
        best: the fastest layout that fits; among those about as fast the simplest. None where none fits.
        runner_up: the next that cuts, shares out or recomputes differently; None where none other fits.
        reasons: plain sentences on the best and the runner-up, or on what is missing.
        limited_by: why not more accelerators are used: there are none for another replica, or the critical batch has
            no samples for it; None where more would hardly shorten the step. Where nothing fits: "accelerators"
            if more of them would do.
        change: the smallest change that would make it fit; None where it fits.
        accelerators_needed: how many of these would do; None where it fits, or no number does.
        memory_needed_bytes: memory of an accelerator that would do; None where it fits.
    """

    best: Layout | None
    runner_up: Layout | None
    reasons: tuple[str, ...]
    limited_by: Literal["accelerators", "critical batch", "cost"] | None
    change: str | None = None
    accelerators_needed: int | None = None
    memory_needed_bytes: float | None = None

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return {
            "best": self.best and self.best.as_json(),
            "runner_up": self.runner_up and self.runner_up.as_json(),
            "reasons": list(self.reasons),
            "limited_by": self.limited_by,
            "change": self.change,
            "accelerators_needed": self.accelerators_needed,
            "memory_needed_bytes": self.memory_needed_bytes,
        }


@lru_cache(maxsize=4096)
def choose_layout(
    training: TrainingShape, machine: Machine, accelerators: int, rules: Parallelism, utilisation: float
) -> Layouts:
    """Chooses how to split a training.

    Tensor parallelism stays within fast links; it crosses the network only where nothing else fits, and no further
    than it must.

    Args:
        training: what is laid out.
        machine: an accelerator and its links.
        accelerators: how many there are; as many, or fewer, are used.
        rules: the formulae's figures.
        utilisation: share of the peak at which accelerators compute while they do.

    Raises:
        ValueError: there are no accelerators, or they do not compute.
    """
    if accelerators < 1 or not 0 < utilisation <= 1:
        raise ValueError(f"no layout over {accelerators} accelerators at utilisation {utilisation}")
    search = _Search(training, machine, accelerators, rules, utilisation)
    widths = tensor_widths(training, rules.head_size.p50)
    on_links = [width for width in widths if width <= machine.linked]
    for tensors in (on_links, *([width] for width in widths[len(on_links) :])):
        found = search.over(tensors)
        if found is not None:
            return found
    shortage = find_shortage(training, machine, accelerators, rules, utilisation)
    return Layouts(
        best=None,
        runner_up=None,
        reasons=tuple(missing(training, machine, accelerators, rules, shortage)),
        limited_by="accelerators" if shortage.accelerators_needed else None,
        change=change(shortage),
        accelerators_needed=shortage.accelerators_needed,
        memory_needed_bytes=shortage.memory_needed_bytes,
    )


@dataclass(frozen=True, slots=True)
class _Search:
    """What `choose_layout` is asked."""

    training: TrainingShape
    machine: Machine
    accelerators: int
    rules: Parallelism
    utilisation: float

    def over(self, tensors: list[int]) -> Layouts | None:
        """The best and the runner-up for some widths of tensor parallelism; None where nothing fits."""
        candidates = enumerate_candidates(self.training, self.accelerators, tensors, self.machine.linked)
        fits = self._fits(candidates)
        if not fits.any():
            return None
        some = np.asarray(fits.any(axis=(1, 2)))
        candidates, fits = candidates.rows(some), fits[some]
        seconds = self._seconds(candidates)
        first = self._cheapest(candidates, seconds, fits)
        others = fits & _cuts_differently(candidates, first)
        second = self._cheapest(candidates, seconds, others) if others.any() else None
        best = self._layout(first)
        runner_up = None if second is None else self._layout(second)
        words = reasons_of(self.training, self.machine, self.accelerators, self.rules, best, runner_up)
        return Layouts(
            best=best,
            runner_up=runner_up,
            reasons=tuple(words),
            limited_by=_limit(best, self.accelerators),
        )

    def _layout(self, one: Candidates) -> Layout:
        """A layout with the best number of replicas, which the first search only took samples of."""
        candidates = with_all_replicas(self.training, one, self.accelerators)
        best = self._cheapest(candidates, self._seconds(candidates), self._fits(candidates))
        return layout_of(self.training, self.machine, best, self.rules, self.utilisation)

    def _fits(self, candidates: Candidates) -> NDArray[np.bool_]:
        usable = usable_bytes(self.machine.memory_bytes, self.rules)
        return (memory_bytes(self.training, candidates, self.rules) <= usable) & candidates.makes_sense

    def _seconds(self, candidates: Candidates) -> FloatArray:
        return time_steps(self.training, self.machine, candidates, self.rules, self.utilisation).batch

    def _cheapest(self, candidates: Candidates, seconds: FloatArray, among: NDArray[np.bool_]) -> Candidates:
        """The fastest of some; of those about as fast the simplest: the fewest cuts, shared parts and things redone.

        Accelerators must earn their keep: twice as many must save a share of the time.
        """
        keep = -np.log2(1 - self.rules.worth_of_doubling.p50)
        cost = np.where(among, seconds * candidates.accelerators**keep, np.inf)
        least = cost.min()
        fastest = np.broadcast_to(seconds, cost.shape).flat[cost.argmin()]
        tie = 1 + self.rules.tie.p50
        near = (cost <= least * tie) & (seconds <= fastest * tie)
        known, relative = candidates.where(near), cost[near] / least
        complexity = np.log2(known.tensor * known.pipeline * known.interleave)
        complexity += known.zero_stage + known.recomputation
        # where micro-batches alone differ, larger ones keep accelerators busier than the formulae know
        order = np.lexsort((-known.micro_batch, np.round(relative, 6), complexity))
        return known.where(np.arange(relative.size) == order[0])


def _cuts_differently(candidates: Candidates, one: Candidates) -> NDArray[np.bool_]:
    """Where the network is cut, shared out or recomputed in another way."""
    cut = (candidates.tensor != one.tensor) | (candidates.pipeline != one.pipeline)
    shared = candidates.zero_stage != one.zero_stage
    return np.asarray(cut | shared | (candidates.recomputation != one.recomputation))


def _limit(best: Layout, accelerators: int) -> Literal["accelerators", "critical batch"] | None:
    """What keeps another replica away."""
    if best.accelerators + best.tensor * best.pipeline > accelerators:
        return "accelerators"
    # replicas have no more than a sample for every stage: more of them would leave stages without work
    return "critical batch" if best.micro_batch * best.micro_batches <= best.pipeline else None
