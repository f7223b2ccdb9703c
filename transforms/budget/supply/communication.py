"""Time that accelerators spend telling one another weights, gradients and activations."""

from dataclasses import dataclass
from math import inf

import numpy as np

from transforms.budget.arrays import FloatArray
from transforms.budget.demand.shape import TrainingShape
from transforms.budget.facts.parallelism import Parallelism
from transforms.budget.supply.candidates import FULL, GRADIENTS_SHARED, WEIGHTS_SHARED, Candidates
from transforms.budget.supply.memory import expert_groups, held_share, stage_depth, state_parts


@dataclass(frozen=True, slots=True)
class Machine:
    """One accelerator and its links, at the medians.

    Attributes:
        peak_flops: FLOP/s that utilisation is a share of.
        memory_bytes: its memory.
        scale_up_bytes_per_s: link to the others of its server or rack, both directions together as data sheets
            tell it; None = there is none.
        scale_up_size: accelerators that such links join.
        scale_out_bytes_per_s: its share of the network, one direction; None = unknown, and not counted.
        memory_bytes_per_s: bandwidth of its memory; None = unknown, and not counted.
    """

    peak_flops: float
    memory_bytes: float
    scale_up_bytes_per_s: float | None
    scale_up_size: int
    scale_out_bytes_per_s: float | None
    memory_bytes_per_s: float | None

    @property
    def linked(self) -> int:
        """Accelerators that fast links join: itself alone where there are none."""
        return self.scale_up_size if self.scale_up_bytes_per_s is not None else 1


@dataclass(frozen=True, slots=True)
class Links:
    """Rates that traffic reaches, in bytes a second and direction.

    Attributes:
        fast: between the `linked` accelerators of a server or rack.
        slow: over the network, for one accelerator.
        linked: how many the fast links join.
    """

    fast: float
    slow: float
    linked: int

    @classmethod
    def of(cls, machine: Machine, rules: Parallelism) -> "Links":
        """The links of a machine."""
        fast = machine.scale_up_bytes_per_s or inf
        slow = machine.scale_out_bytes_per_s or inf
        return cls(
            fast=fast * rules.scale_up_one_way.p50 * rules.scale_up_efficiency.p50,
            slow=slow * rules.scale_out_efficiency.p50,
            linked=machine.linked,
        )

    def ring(self, ranks: FloatArray, together: FloatArray, volume: FloatArray) -> FloatArray:
        """Seconds to gather or to scatter a volume once; an all-reduction takes twice that.

        (n - 1)/n of the volume passes every link of a ring. Ranks of one server do it among themselves and
        leave 1 / together of the volume to each one's share of the network.

        Args:
            ranks: how many take part, float64[...].
            together: ranks that share a server; at most `ranks` count.
            volume: bytes that each has in the end, or had.
        """
        inside = np.minimum(ranks, together)
        servers = ranks / inside
        near = (inside - 1) / inside * volume / self.fast
        return near + (servers - 1) / servers * volume / inside / self.slow


def tensor_seconds(
    training: TrainingShape, candidates: Candidates, links: Links, rules: Parallelism
) -> FloatArray:
    """Tensor parallelism, for a micro-batch on a stage.

    Four all-reductions of s·b·h elements a layer (1909.08053), or as many gathers and scatters where the sequence
    is split; two more where layers are recomputed. Wider than a server it goes at the network's rate.

    Args:
        training: what is laid out.
        candidates: its layouts.
        links: what carries it.
        rules: how often, and bytes of an element.
    """
    again = np.where(candidates.recomputation == FULL, rules.tensor_reductions_again.p50, 0)
    times = stage_depth(training, candidates) * (rules.tensor_reductions.p50 + again)
    together = np.where(candidates.tensor <= links.linked, candidates.tensor, 1)
    return 2 * times * links.ring(candidates.tensor, together, _layer_volume(training, candidates, rules))


def pipeline_seconds(
    training: TrainingShape, candidates: Candidates, links: Links, rules: Parallelism
) -> FloatArray:
    """Sending activations to the next stage and gradients back, for a micro-batch on a stage.

    s·b·h elements each way, as often as a stage is interleaved; the accelerators of a tensor-parallel group send
    a part each. Over the network, unless the whole layout is on fast links.

    Args:
        training: what is laid out.
        candidates: its layouts.
        links: what carries it.
        rules: bytes of an element.
    """
    rate = np.where(candidates.accelerators <= links.linked, links.fast, links.slow)
    volume = _layer_volume(training, candidates, rules) / candidates.tensor
    return np.where(candidates.pipeline > 1, 2 * candidates.interleave * volume / rate, 0)


def expert_seconds(
    training: TrainingShape, candidates: Candidates, links: Links, rules: Parallelism
) -> FloatArray:
    """Sending tokens to their experts and back, for a micro-batch on a stage; 0 without experts.

    Args:
        training: what is laid out.
        candidates: its layouts.
        links: what carries it.
        rules: how often, experts of a token, and bytes of an element.
    """
    groups = expert_groups(training, rules, candidates.data)
    rate = np.where(groups <= _replicas_together(candidates, links), links.fast, links.slow)
    volume = _layer_volume(training, candidates, rules) / candidates.tensor * rules.experts_per_token.p50
    times = stage_depth(training, candidates) * rules.expert_exchanges.p50
    return times * (groups - 1) / groups * volume / rate


def gradient_seconds(
    training: TrainingShape, candidates: Candidates, links: Links, rules: Parallelism
) -> FloatArray:
    """Reducing gradients and gathering weights over the replicas, for a step; none of it hidden yet.

    Gradients are reduced and come back as a sum (all-reduce), or, shared out, as new weights (ZeRO 1). ZeRO 2 has
    no room to add up gradients and reduces them for every micro-batch; ZeRO 3 also gathers the weights for each,
    forward and backward: 1.5 times the traffic where a step has one micro-batch (1910.02054).

    Args:
        training: what is laid out.
        candidates: its layouts.
        links: what carries it.
        rules: bytes a parameter.
    """
    weights, gradients, _ = state_parts(training, rules)
    stage, rounds = candidates.zero_stage, candidates.micro_batches
    gathers = np.where(stage == WEIGHTS_SHARED, 2 * rounds, np.minimum(stage, 1))
    # without ZeRO the sum of gradients comes back, not the weights
    moved = gradients * np.where(stage >= GRADIENTS_SHARED, rounds, 1) + weights * gathers
    moved = moved + np.where(stage == 0, gradients, 0)
    share = held_share(training, candidates)
    together = _replicas_together(candidates, links)
    seconds = links.ring(candidates.data, together, moved * share * training.active_parameters)
    groups = expert_groups(training, rules, candidates.data)
    copies = candidates.data / groups
    volume = moved * share * training.resting_parameters / groups
    return seconds + links.ring(copies, np.maximum(together / groups, 1), volume)


def _replicas_together(candidates: Candidates, links: Links) -> FloatArray:
    """Replicas whose parts of the same layers stand in one server."""
    return np.maximum(links.linked // candidates.tensor, 1)


def _layer_volume(training: TrainingShape, candidates: Candidates, rules: Parallelism) -> FloatArray:
    """Bytes of the activations between two layers of a micro-batch."""
    elements: FloatArray = training.context * training.width * candidates.micro_batch
    return elements * rules.element_bytes.p50
