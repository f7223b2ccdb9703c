"""What is missing where no layout fits: memory of an accelerator, or accelerators."""

from dataclasses import dataclass

import numpy as np

from transforms.budget.demand.shape import TrainingShape
from transforms.budget.facts.parallelism import Parallelism
from transforms.budget.supply.candidates import leanest_candidates, tensor_widths
from transforms.budget.supply.communication import Machine
from transforms.budget.supply.memory import memory_bytes, usable_bytes
from transforms.budget.supply.steps import Layout, layout_of


@dataclass(frozen=True, slots=True)
class Shortage:
    """What is missing.

    Attributes:
        leanest: the layout that needs least memory.
        memory_needed_bytes: memory of an accelerator, reserve included, in which it would fit.
        accelerators_needed: how many of these would do; None where no number does.
    """

    leanest: Layout
    memory_needed_bytes: float
    accelerators_needed: int | None


def find_shortage(
    training: TrainingShape, machine: Machine, accelerators: int, rules: Parallelism, utilisation: float
) -> Shortage:
    """Finds what is missing.

    Args:
        training: what is laid out.
        machine: an accelerator and its links.
        accelerators: how many there are; no layout over them fits.
        rules: the formulae's figures.
        utilisation: share of the peak at which accelerators compute.
    """
    tensors = tensor_widths(training, rules.head_size.p50)
    shapes = leanest_candidates(tensors, training)
    widest = np.minimum(accelerators // (shapes.tensor * shapes.pipeline), training.samples)
    all_of_them = leanest_candidates(tensors, training, np.maximum(widest, 1))
    possible = (widest >= 1) & all_of_them.makes_sense
    memory = np.where(possible, memory_bytes(training, all_of_them, rules), np.inf)
    least = np.zeros(memory.shape, dtype=np.bool_)
    least.flat[memory.argmin()] = True
    usable = usable_bytes(machine.memory_bytes, rules)
    return Shortage(
        leanest=layout_of(training, machine, all_of_them.where(least), rules, utilisation),
        memory_needed_bytes=memory.min().item() / usable_bytes(1.0, rules),
        accelerators_needed=_accelerators_needed(training, tensors, usable, rules),
    )


def _accelerators_needed(
    training: TrainingShape, tensors: list[int], usable: float, rules: Parallelism
) -> int | None:
    """The fewest accelerators that hold a training: by halving the range of replicas, all shapes at once.

    More replicas never need more memory each, and cannot be more than samples of a step.
    """
    shapes = leanest_candidates(tensors, training)
    shape = np.broadcast(*shapes.columns).shape
    too_few, enough = np.zeros(shape), np.full(shape, float(training.samples))
    most = leanest_candidates(tensors, training, enough)
    can = memory_bytes(training, most, rules) <= usable
    if not can.any():
        return None
    while (enough - too_few).max() > 1:
        middle = np.ceil((too_few + enough) / 2)
        fits = memory_bytes(training, leanest_candidates(tensors, training, middle), rules) <= usable
        too_few, enough = np.where(fits, too_few, middle), np.where(fits, middle, enough)
    return int((shapes.tensor * shapes.pipeline * enough)[can].min())
