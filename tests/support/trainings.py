"""Trainings, machines and layouts that budget tests lay out."""

import numpy as np

from transforms.budget.demand.flops import CAUSAL_ATTENTION, FULL_ATTENTION, transformer_flops
from transforms.budget.demand.shape import TrainingShape
from transforms.budget.facts.library import load_facts
from transforms.budget.supply.candidates import RECOMPUTATIONS, Candidates
from transforms.budget.supply.communication import Machine

RULES = load_facts().parallelism


def machine(name: str) -> Machine:
    """An accelerator of the facts."""
    known = load_facts().accelerators[name]
    return Machine(
        peak_flops=known.bf16_dense.p50,
        memory_bytes=known.memory.p50,
        scale_up_bytes_per_s=known.scale_up.p50 if known.scale_up else None,
        scale_up_size=int(known.scale_up_size.p50),
        scale_out_bytes_per_s=known.scale_out.p50 / 8 if known.scale_out else None,
        memory_bytes_per_s=known.memory_bandwidth.p50 if known.memory_bandwidth else None,
    )


def transformer(
    parameters: float,
    layers: int,
    width: int,
    context: int,
    batch: float,
    *,
    active: float | None = None,
    state_bytes: float = 17.0,
    attention: float = CAUSAL_ATTENTION,
) -> TrainingShape:
    """A training of a transformer; `active` makes it a mixture of experts."""
    work = transformer_flops(active or parameters, context, layers, width, context, attention)
    return TrainingShape(parameters, active or parameters, layers, width, context, batch, work, state_bytes)


def graph(parameters: float, activation_bytes: float, batch: float, flops: float = 1e12) -> TrainingShape:
    """A training of a network given as a graph."""
    return TrainingShape(parameters, parameters, 1, 1, 1, batch, flops, 17.0, activation_bytes)


def split(
    *,
    tensor: int = 1,
    pipeline: int = 1,
    interleave: int = 1,
    data: int = 1,
    micro_batch: int = 1,
    micro_batches: int = 1,
    zero_stage: int = 0,
    recomputation: str = "selective",
) -> Candidates:
    """One way to split a training."""
    numbers = (tensor, pipeline, interleave, data, micro_batch, micro_batches, zero_stage)
    return Candidates(
        *(np.array([float(number)]) for number in (*numbers, RECOMPUTATIONS.index(recomputation)))
    )


GPT_3 = transformer(175e9, 96, 12_288, 2048, 1536)
LLAMA_3 = transformer(405e9, 126, 16_384, 8192, 2048)
GROK_1 = transformer(314e9, 64, 6144, 8192, 976, active=82e9)
SEVEN_BILLION = transformer(7e9, 32, 4096, 4096, 1024)
DRIVING = transformer(1e9, 24, 1856, 16_384, 244)
DETECTOR = graph(25e6, 2.5e9, 512)

# Korthikanti et al., arXiv:2205.05198, Tables 3 and 5: the parallel layout of each measured step.
MEASURED = {
    "Korthikanti-22B-seqsel": split(tensor=8, micro_batch=4),
    "Korthikanti-175B-seqsel": split(tensor=8, pipeline=8, interleave=3, micro_batches=64),
    "Korthikanti-530B-seqsel": split(tensor=8, pipeline=35, interleave=3, micro_batches=280),
    "Korthikanti-1T-seqsel": split(tensor=8, pipeline=64, micro_batches=512),
}


def measured(name: str) -> tuple[TrainingShape, Candidates, float]:
    """A measured step: what was trained, how it was laid out, and its seconds."""
    (run,) = [run for run in load_facts().runs if run.name == name]
    one = MEASURED[name]
    training = transformer(
        run.parameters.p50,
        int(run.layers.p50),
        int(run.width.p50),
        int(run.sequence.p50),
        run.samples.p50 / run.sequence.p50,
        attention=FULL_ATTENTION,
    )
    return training, one, run.accelerator_hours.p50 * 3600 / one.accelerators.item()
