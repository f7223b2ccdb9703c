"""What published runs computed, and which share of their accelerators' peak that was."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log
from typing import Final

from transforms.budget.costs import accelerator_hours
from transforms.budget.demand.flops import CAUSAL_ATTENTION, FULL_ATTENTION, graph_flops, transformer_flops
from transforms.budget.facts.catalogue import Utilisation
from transforms.budget.facts.library import Facts
from transforms.budget.facts.runs import Run

PASSES_PER_STEP: Final = 3.0
"""Forward passes that a training step is worth: one forward, and two for the gradients of inputs and weights."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A published run whose utilisation is known.

    Attributes:
        run: the run.
        flops: what it computed, attention counted as causal.
        utilisation: share of the dense BF16 peak over the accelerator-hours as published.
        is_step: whether those hours are of steps alone.
    """

    run: Run
    flops: float
    utilisation: float
    is_step: bool


def run_flops(run: Run, attention: float = CAUSAL_ATTENTION) -> float | None:
    """Training FLOPs of a run, without recomputation.

    Worked out from the network and its samples; attention is left out where the network's shape is not
    told. Only a run without either falls back on the FLOPs it publishes.

    Args:
        run: the run.
        attention: convention for transformers, `CAUSAL_ATTENTION` or `FULL_ATTENTION`.

    Returns:
        FLOPs; None where they cannot be told.
    """
    if run.samples is None:
        return None if run.train_flops is None else run.train_flops.p50
    if run.forward_flops is not None:
        return graph_flops(run.forward_flops.p50, run.samples.p50, PASSES_PER_STEP)
    parameters = (run.active_parameters or run.parameters).p50
    if run.layers is None or run.width is None or run.sequence is None:
        return transformer_flops(parameters, run.samples.p50, 0.0, 0.0, 0.0, attention)
    shape = (run.layers.p50, run.width.p50, run.sequence.p50)
    return transformer_flops(parameters, run.samples.p50, *shape, attention)


def reached(run: Run, flops: float, facts: Facts) -> float:
    """Share of the dense BF16 peak that FLOPs are, over a run's accelerator-hours."""
    peak = facts.accelerators[run.accelerator].bf16_dense.p50
    return accelerator_hours(flops, peak, 1.0) / run.accelerator_hours.p50


def measured(runs: Iterable[Run], kind: Utilisation, facts: Facts) -> tuple[Measured, ...]:
    """The runs of a kind whose utilisation can be worked out.

    A run above its accelerators' peak is left out: something published about it is wrong.

    Args:
        runs: published runs.
        kind: whose strata count.
        facts: the accelerators' peaks.
    """
    found = []
    for run in runs:
        if run.stratum not in kind.strata and run.stratum not in kind.step_strata:
            continue
        flops = run_flops(run)
        if flops is not None and (share := reached(run, flops, facts)) <= 1:
            found.append(Measured(run, flops, share, run.stratum in kind.step_strata))
    return tuple(found)


def whole_over_step(trainings: Iterable[Measured], facts: Facts) -> float:
    """Utilisation of a whole training over that of its steps: what downtime and repeated work leave.

    From the trainings that publish both their hours and the MFU of their steps. Published MFUs count
    attention in full (Chowdhery et al., 2204.02311, appendix B), and so do both sides here.

    Args:
        trainings: runs of a kind; steps among them do not count.
        facts: the accelerators' peaks.

    Returns:
        Geometric mean over families; 1 where no training publishes both.
    """
    by_family: dict[str, list[float]] = {}
    for training in trainings:
        run = training.run
        flops = run_flops(run, FULL_ATTENTION)
        if training.is_step or run.mfu is None or flops is None:
            continue
        by_family.setdefault(run.family, []).append(log(reached(run, flops, facts) / run.mfu.p50))
    if not by_family:
        return 1.0
    means = [sum(logs) / len(logs) for logs in by_family.values()]
    return exp(sum(means) / len(means))
