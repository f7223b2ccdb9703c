"""Layouts in words: why one is chosen, and what is missing where none fits."""

from collections.abc import Iterator
from math import ceil, floor, log10
from typing import Final

from transforms.budget.amounts import amount, short
from transforms.budget.demand.shape import TrainingShape
from transforms.budget.facts.parallelism import Parallelism
from transforms.budget.supply.communication import Machine
from transforms.budget.supply.memory import usable_bytes
from transforms.budget.supply.shortage import Shortage
from transforms.budget.supply.steps import Layout

_LOSSES: Final = {
    "bubble": "stages waiting for one another",
    "recomputation_share": "recomputation",
    "tensor_share": "tensor-parallel traffic",
    "pipeline_share": "traffic between stages",
    "expert_share": "traffic to experts",
    "gradient_share": "gradient and weight traffic",
    "update_share": "the optimiser",
}
_WORTH_TELLING: Final = 0.005


def describe(layout: Layout) -> str:
    """A layout in a few words.

    Args:
        layout: the layout.
    """
    interleaved = f" (interleaved {layout.interleave} times)" if layout.interleave > 1 else ""
    recomputed = "no" if layout.recomputation == "none" else layout.recomputation
    return (
        f"tensor {layout.tensor} x pipeline {layout.pipeline}{interleaved} x data {layout.data}, "
        f"ZeRO {layout.zero_stage}, {recomputed} recomputation, "
        f"micro-batches {layout.micro_batches} x {layout.micro_batch}"
    )


def reasons_of(
    training: TrainingShape,
    machine: Machine,
    accelerators: int,
    rules: Parallelism,
    best: Layout,
    runner_up: Layout | None,
) -> Iterator[str]:
    """Why a layout is chosen.

    Args:
        training: what is laid out.
        machine: an accelerator and its links.
        accelerators: how many there are.
        rules: the formulae's figures.
        best: the chosen layout.
        runner_up: the next one.

    Yields:
        One sentence each.
    """
    yield f"{best.accelerators:,} of {_accelerators(accelerators)}: {describe(best)}"
    state = training.parameters * training.state_bytes
    usable = usable_bytes(machine.memory_bytes, rules)
    yield (
        f"memory: {amount(best.memory_bytes, 'B')} of {amount(usable, 'B')} usable: {amount(best.state_bytes, 'B')} of "
        f"the {amount(state, 'B')} of weights, gradients and optimiser, and activations"
    )
    yield f"step: {amount(best.step_seconds, 's')}, {_share(best.efficiency)} of it useful work{_lost(best)}"
    if runner_up is not None:
        yield f"next best: {describe(runner_up)}: {_compared(best, runner_up)}"
    if best.tensor > machine.linked:
        yield "tensor parallelism crosses the network, as a last resort: nothing else fits"
    if training.resting_parameters:
        resting = short(training.resting_parameters / 1e9)
        yield (
            f"mixture of experts: the {resting} billion weights that rest on a token are spread over replicas, as "
            "many as there are experts, and tokens travel to them and back"
        )
    if machine.scale_out_bytes_per_s is None:
        yield "no network bandwidth is known: traffic over it is not counted"


def missing(
    training: TrainingShape, machine: Machine, accelerators: int, rules: Parallelism, shortage: Shortage
) -> Iterator[str]:
    """Why nothing fits.

    Args:
        training: what is laid out.
        machine: an accelerator and its links.
        accelerators: how many there are.
        rules: the formulae's figures.
        shortage: what is missing.

    Yields:
        One sentence each.
    """
    lean = shortage.leanest
    usable = usable_bytes(machine.memory_bytes, rules)
    yield (
        f"memory: no layout over {_accelerators(accelerators)} fits: the leanest needs "
        f"{amount(lean.memory_bytes, 'B')} on each, {amount(usable, 'B')} of {amount(machine.memory_bytes, 'B')} are usable"
    )
    yield (
        f"the leanest ({describe(lean)}) holds {amount(lean.state_bytes, 'B')} of the "
        f"{amount(training.parameters * training.state_bytes, 'B')} of weights, gradients and optimiser, and "
        f"{amount(lean.memory_bytes - lean.state_bytes, 'B')} of activations"
    )
    if shortage.accelerators_needed is None:
        yield f"more of these accelerators do not help: a step of {training.samples:,} samples has no work for them"


def change(shortage: Shortage) -> str:
    """The smallest change that would do.

    Args:
        shortage: what is missing.
    """
    memory = f"accelerators of {_bytes_or_more(shortage.memory_needed_bytes)}"
    if shortage.accelerators_needed is None:
        return memory
    return f"{_accelerators(shortage.accelerators_needed)}, or {memory}"


def _lost(layout: Layout) -> str:
    """What the rest of a step goes to, the most first."""
    losses = sorted(((getattr(layout, name), words) for name, words in _LOSSES.items()), reverse=True)
    told = [f"{_share(share)} {words}" for share, words in losses if share >= _WORTH_TELLING]
    return f"; {', '.join(told)}" if told else ""


def _compared(best: Layout, other: Layout) -> str:
    """How long a step is, and what for."""
    longer = other.step_seconds / best.step_seconds
    if abs(longer - 1) < _WORTH_TELLING:
        return "about as fast, but less simple"
    if longer < 1:
        more = other.accelerators / best.accelerators
        return f"{longer:.2f} x as long a step, on {more:.2f} x as many accelerators"
    spent = {
        words: getattr(other, name) * other.step_seconds - getattr(best, name) * best.step_seconds
        for name, words in _LOSSES.items()
    }
    spent["fewer accelerators"] = other.efficiency * other.step_seconds - best.efficiency * best.step_seconds
    return f"{longer:.2f} x as long a step, most of it for {max(spent, key=lambda words: spent[words])}"


def _accelerators(count: int) -> str:
    return "1 accelerator" if count == 1 else f"{count:,} accelerators"


def _share(share: float) -> str:
    return f"{share:.0%}"


def _bytes_or_more(count: float) -> str:
    """Three digits that are not less."""
    step = 10.0 ** (floor(log10(count)) - 2)
    return amount(ceil(count / step) * step, "B")
