"""Memory that a layout needs on its fullest accelerator."""

from typing import Final

import numpy as np

from transforms.budget.arrays import FloatArray
from transforms.budget.demand.shape import TrainingShape
from transforms.budget.facts.parallelism import Parallelism
from transforms.budget.supply.candidates import (
    FULL,
    GRADIENTS_SHARED,
    OPTIMISER_SHARED,
    WEIGHTS_SHARED,
    Candidates,
)

_SHARED_FROM: Final = (WEIGHTS_SHARED, GRADIENTS_SHARED, OPTIMISER_SHARED)
"""ZeRO stages from which replicas share out the parts of `state_parts`."""


def state_parts(training: TrainingShape, rules: Parallelism) -> tuple[float, float, float]:
    """Bytes a parameter of weights, gradients and optimiser, which together are the training's.

    Gradients take what the other two leave, two or four bytes as a rule, and never less than the weights;
    an optimiser that has less room than usual (eight-bit moments) keeps what remains.

    Args:
        training: what is laid out.
        rules: bytes of weights and of the optimiser.
    """
    weights = min(rules.weight_bytes.p50, training.state_bytes)
    gradients = min(
        max(training.state_bytes - weights - rules.optimiser_bytes.p50, weights),
        training.state_bytes - weights,
    )
    return weights, gradients, training.state_bytes - weights - gradients


def expert_groups(training: TrainingShape, rules: Parallelism, data: FloatArray) -> FloatArray:
    """Replicas over which a mixture of experts spreads the weights that rest (expert parallelism).

    As many as there are experts, at most: all weights over active ones, times the experts of a token, is
    about their number (Grok-1: 314 / 82 · 2 = 7.6 of 8).

    Args:
        training: what is laid out.
        rules: experts of a token.
        data: replicas, float64[...].
    """
    if training.resting_parameters == 0:
        return np.ones_like(data)
    experts = training.parameters / training.active_parameters * rules.experts_per_token.p50
    return np.minimum(data, max(1.0, round(experts)))


def held_share(training: TrainingShape, candidates: Candidates) -> FloatArray:
    """Share of a replica's weights that an accelerator of its deepest stage holds; they count as evenly spread.

    Args:
        training: what is laid out.
        candidates: its layouts.
    """
    return stage_depth(training, candidates) / training.layers / candidates.tensor


def stage_depth(training: TrainingShape, candidates: Candidates) -> FloatArray:
    """Layers of the deepest stage."""
    return np.ceil(training.layers / candidates.pipeline)


def state_bytes(training: TrainingShape, candidates: Candidates, rules: Parallelism) -> FloatArray:
    """Weights, gradients and optimiser on an accelerator, in bytes.

    ZeRO 1, 2 and 3 share the optimiser, gradients and weights out over replicas (1910.02054); under ZeRO 3
    an accelerator also holds the whole weights of a layer or two. The weights of a mixture of experts that
    rest on a token are spread over replicas at every stage, as `expert_groups` says.

    Args:
        training: what is laid out.
        candidates: its layouts.
        rules: bytes of each part.
    """
    share = held_share(training, candidates)
    groups = expert_groups(training, rules, candidates.data)
    parts = state_parts(training, rules)
    held = np.zeros(())
    for part, from_stage in zip(parts, _SHARED_FROM, strict=True):
        shared_out = candidates.zero_stage >= from_stage
        active = training.active_parameters / np.where(shared_out, candidates.data, 1)
        resting = training.resting_parameters / np.where(shared_out, candidates.data, groups)
        held = held + part * (active + resting)
    depth = stage_depth(training, candidates)
    gathered = np.minimum(rules.gathered_layers.p50, depth) / depth * parts[0] * training.active_parameters
    return share * (held + np.where(candidates.zero_stage == WEIGHTS_SHARED, gathered, 0))


def activation_bytes(training: TrainingShape, candidates: Candidates, rules: Parallelism) -> FloatArray:
    """Activations kept for the backward pass on an accelerator of the first stage, in bytes.

    s·b·h·(34 + 5·a·s/h) bytes a layer; 34 alone where attention is recomputed, or fused; 2 where the whole
    layer is recomputed, and then one layer's 34 while that happens. Tensor parallelism, with the sequence
    split between its accelerators, divides all of it. The first stage holds as many micro-batches as there are
    stages (1F1B), or 1 + (p - 1)/(p·v) times as many when interleaved (Korthikanti et al., 2205.05198).

    Args:
        training: what is laid out.
        candidates: its layouts.
        rules: bytes of an activation.
    """
    recomputed = candidates.recomputation == FULL
    if training.activation_bytes is not None:
        kept = np.where(recomputed, rules.graph_checkpoints.p50, 1)
        return training.activation_bytes * candidates.micro_batch * kept
    stages = candidates.pipeline
    ahead = np.where(candidates.interleave > 1, (stages - 1) / candidates.interleave, 0)
    in_flight = np.minimum(stages + ahead, candidates.micro_batches)
    layer, checkpoint = rules.layer_bytes.p50, rules.checkpoint_bytes.p50
    kept = np.where(recomputed, checkpoint, layer) * stage_depth(training, candidates)
    elements = training.context * training.width * candidates.micro_batch / candidates.tensor
    at_work = np.where(recomputed, layer, 0)
    scores = in_flight * score_bytes(training, candidates, rules)
    return np.asarray(elements * (in_flight * kept + at_work) + scores)


def score_bytes(training: TrainingShape, candidates: Candidates, rules: Parallelism) -> FloatArray:
    """Attention scores that a micro-batch leaves on a stage, in bytes: 5·a·b·s² a layer, where none is recomputed.

    Args:
        training: what is laid out.
        candidates: its layouts.
        rules: bytes of a score.
    """
    heads = training.width / rules.head_size.p50
    pairs = training.context**2 * candidates.micro_batch / candidates.tensor
    scores: FloatArray = heads * pairs * stage_depth(training, candidates)
    return scores * np.where(candidates.recomputation == 0, rules.score_bytes.p50, 0)


def memory_bytes(training: TrainingShape, candidates: Candidates, rules: Parallelism) -> FloatArray:
    """All that a layout needs on its fullest accelerator, in bytes; the reserve is not part of it.

    Args:
        training: what is laid out.
        candidates: its layouts.
        rules: the formulae's figures.
    """
    return state_bytes(training, candidates, rules) + activation_bytes(training, candidates, rules)


def usable_bytes(memory_bytes_per_accelerator: float, rules: Parallelism) -> float:
    """Memory that a layout may fill.

    Args:
        memory_bytes_per_accelerator: all of it.
        rules: the share that is kept free.
    """
    return memory_bytes_per_accelerator * (1 - rules.memory_reserve.p50)
