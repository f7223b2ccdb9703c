"""How long a step of a layout takes, and what becomes of that time."""

from dataclasses import asdict, dataclass

import numpy as np

from transforms.budget.arrays import FloatArray
from transforms.budget.demand.shape import TrainingShape
from transforms.budget.facts.parallelism import Parallelism
from transforms.budget.supply.candidates import (
    FULL,
    GRADIENTS_SHARED,
    RECOMPUTATIONS,
    SELECTIVE,
    WEIGHTS_SHARED,
    Candidates,
)
from transforms.budget.supply.communication import (
    Links,
    Machine,
    expert_seconds,
    gradient_seconds,
    pipeline_seconds,
    tensor_seconds,
)
from transforms.budget.supply.memory import (
    expert_groups,
    held_share,
    memory_bytes,
    score_bytes,
    stage_depth,
    state_bytes,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way to split a training; memory is that of the fullest accelerator.

    `efficiency`, `bubble` and the other shares are of a step's time and add up to 1. Traffic that hides behind work
    is in none of them.

    Attributes:
        tensor: accelerators that share every layer.
        pipeline: stages, each with layers of its own.
        data: replicas, each with samples of its own.
        zero_stage: what replicas share out: 0 nothing, 1 the optimiser, 2 gradients too, 3 weights too.
        recomputation: what the backward pass computes again: none, selective (attention), full.
        micro_batch: samples that pass a stage at once.
        micro_batches: of a step and replica.
        interleave: separate runs of layers that a stage holds.
        memory_bytes: what an accelerator holds, without reserve.
        state_bytes: the part of it that is weights, gradients and optimiser.
        step_seconds: time in which a whole batch is seen.
        efficiency: useful work at the assumed utilisation.
        bubble: stages waiting for one another.
        recomputation_share: computing again; or, where attention scores are kept, their way to memory and back.
        tensor_share: traffic of tensor parallelism.
        pipeline_share: traffic between stages.
        expert_share: traffic of tokens to experts.
        gradient_share: traffic of gradients, and of weights under ZeRO.
        update_share: the optimiser.
    """

    tensor: int
    pipeline: int
    data: int
    zero_stage: int
    recomputation: str
    micro_batch: int
    micro_batches: int
    interleave: int
    memory_bytes: float
    state_bytes: float
    step_seconds: float
    efficiency: float
    bubble: float
    recomputation_share: float
    tensor_share: float
    pipeline_share: float
    expert_share: float
    gradient_share: float
    update_share: float

    @property
    def accelerators(self) -> int:
        """Accelerators that it uses."""
        return self.tensor * self.pipeline * self.data

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return {"accelerators": self.accelerators, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of layouts side by side: columns that broadcast to their shape, in seconds.

    Attributes:
        batch: time in which a whole batch is seen. A step whose samples are fewer, because replicas do not divide the
            batch, counts for its part of it.
        step: one step.
        useful: the part of it that is useful work at the assumed utilisation.
        lost: the other parts, by the names that their shares have in `Layout`.
    """

    batch: FloatArray
    step: FloatArray
    useful: FloatArray
    lost: dict[str, FloatArray]


def layout_of(
    training: TrainingShape, machine: Machine, one: Candidates, rules: Parallelism, utilisation: float
) -> Layout:
    """A single candidate as a layout.

    Args:
        training: what is laid out.
        machine: on what.
        one: columns of one number each.
        rules: the formulae's figures.
        utilisation: share of the peak at which accelerators compute.
    """
    steps = time_steps(training, machine, one, rules, utilisation)
    return Layout(
        tensor=int(one.tensor.item()),
        pipeline=int(one.pipeline.item()),
        data=int(one.data.item()),
        zero_stage=int(one.zero_stage.item()),
        recomputation=RECOMPUTATIONS[int(one.recomputation.item())],
        micro_batch=int(one.micro_batch.item()),
        micro_batches=int(one.micro_batches.item()),
        interleave=int(one.interleave.item()),
        memory_bytes=memory_bytes(training, one, rules).item(),
        state_bytes=state_bytes(training, one, rules).item(),
        step_seconds=steps.batch.item(),
        efficiency=(steps.useful / steps.step).item(),
        **{name: (lost / steps.step).item() for name, lost in steps.lost.items()},
    )


def time_steps(
    training: TrainingShape, machine: Machine, candidates: Candidates, rules: Parallelism, utilisation: float
) -> Steps:
    """Times layouts.

    A step is m micro-batches through the slowest stage, and a bubble of (p - 1)/v more of them (2104.04473), in which
    tensor, pipeline and expert traffic all count in full; then gradients, as far as they could not hide behind
    the backward pass, and the optimiser, which moves its state through memory.

    Args:
        training: what is laid out.
        machine: on what.
        candidates: its layouts.
        rules: the formulae's figures.
        utilisation: share of the peak at which accelerators compute.
    """
    links = Links.of(machine, rules)
    rounds = candidates.micro_batches
    parts = candidates.tensor * candidates.pipeline
    useful = training.flops * candidates.micro_batch / (parts * machine.peak_flops * utilisation)
    again = useful * _work_done_twice(training, candidates, rules)
    again = again + _score_seconds(training, machine, candidates, rules)
    uneven = stage_depth(training, candidates) * candidates.pipeline / training.layers
    compute = (useful + again) * uneven
    idle = (useful + again) * (uneven - 1)
    tensor = tensor_seconds(training, candidates, links, rules)
    pipeline = pipeline_seconds(training, candidates, links, rules)
    experts = expert_seconds(training, candidates, links, rules)
    waits = (candidates.pipeline - 1) / candidates.interleave * (compute + tensor + pipeline + experts)
    gradients = _exposed(gradient_seconds(training, candidates, links, rules), compute, candidates, rules)
    update = _update_seconds(training, machine, candidates, rules)
    step = rounds * (compute + tensor + pipeline + experts) + waits + gradients + update
    samples = candidates.data * candidates.micro_batch * rounds
    return Steps(
        batch=step * max(training.batch, 1.0) / samples,
        step=step,
        useful=rounds * useful,
        lost={
            # stages of unequal depth wait for the deepest
            "bubble": waits + rounds * idle,
            "recomputation_share": rounds * again,
            "tensor_share": rounds * tensor,
            "pipeline_share": rounds * pipeline,
            "expert_share": rounds * experts,
            "gradient_share": gradients,
            "update_share": update,
        },
    )


def _work_done_twice(training: TrainingShape, candidates: Candidates, rules: Parallelism) -> FloatArray:
    """FLOPs of recomputation over those of the training."""
    attention = (
        rules.score_flops.p50 * training.layers * training.width * training.context**2 / training.flops
    )
    selective = np.where(candidates.recomputation == SELECTIVE, attention, 0)
    return np.where(candidates.recomputation == FULL, rules.forward_share.p50, selective)


def _score_seconds(
    training: TrainingShape, machine: Machine, candidates: Candidates, rules: Parallelism
) -> FloatArray:
    """Kept attention scores on their way to memory and back, for a micro-batch on a stage (2205.14135)."""
    if machine.memory_bytes_per_s is None or training.is_graph:
        return np.zeros_like(candidates.tensor)
    # of a stage of mean depth: the deepest one's time is reckoned from that
    mean = training.layers / candidates.pipeline / stage_depth(training, candidates)
    moved = rules.score_passes.p50 * score_bytes(training, candidates, rules) * mean
    return np.asarray(moved / machine.memory_bytes_per_s)


def _exposed(
    seconds: FloatArray, compute: FloatArray, candidates: Candidates, rules: Parallelism
) -> FloatArray:
    """What remains of the traffic of gradients after that which hides behind work.

    Gradients that are added up over micro-batches can only leave during the last one's backward pass; those that
    ZeRO 2 reduces one by one during all backward passes, and the weights of ZeRO 3 during all work.
    """
    backward = 1 - rules.forward_share.p50
    once = np.where(candidates.zero_stage == WEIGHTS_SHARED, compute, backward * compute)
    behind = once * np.where(candidates.zero_stage >= GRADIENTS_SHARED, candidates.micro_batches, 1)
    return np.asarray(seconds - np.minimum(rules.gradient_overlap.p50 * seconds, behind))


def _update_seconds(
    training: TrainingShape, machine: Machine, candidates: Candidates, rules: Parallelism
) -> FloatArray:
    """The optimiser's step: it reads its state and writes it."""
    if machine.memory_bytes_per_s is None:
        return np.zeros_like(candidates.data)
    copies = np.where(candidates.zero_stage > 0, candidates.data, 1)
    resting = training.resting_parameters / np.maximum(
        copies, expert_groups(training, rules, candidates.data)
    )
    updated = held_share(training, candidates) * (training.active_parameters / copies + resting)
    moved = rules.update_passes.p50 * updated * training.state_bytes
    return np.asarray(moved / machine.memory_bytes_per_s)
