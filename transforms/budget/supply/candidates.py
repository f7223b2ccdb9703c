"""Ways to split a training over accelerators, side by side as columns of numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, isqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from transforms.budget.arrays import FloatArray
from transforms.budget.demand.shape import TrainingShape

RECOMPUTATIONS: Final = ("none", "selective", "full")
"""What the backward pass computes again: nothing, attention alone, or every layer from its input."""

FULL: Final = RECOMPUTATIONS.index("full")
SELECTIVE: Final = RECOMPUTATIONS.index("selective")

OPTIMISER_SHARED: Final = 1
GRADIENTS_SHARED: Final = 2
WEIGHTS_SHARED: Final = 3
"""ZeRO stages from which replicas share out each of the three."""

# Bounds of the search. Beyond them bubbles, traffic or memory have long decided.
_DEEPEST_INTERLEAVE: Final = 8
_MOST_TOKENS: Final = 2**15
"""Of a micro-batch of more than one sample."""
_DEEPER_ACCUMULATIONS: Final = 2

_ZERO_STAGES: Final = np.arange(4.0)[None, :, None]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Layouts side by side: columns of whole numbers, float64, that broadcast to one shape.

    Attributes:
        tensor: accelerators that share every layer.
        pipeline: stages, each with layers of its own.
        interleave: separate runs of layers that a stage holds; 1 = one.
        data: replicas, each with samples of its own.
        micro_batch: samples that pass a stage at once.
        micro_batches: of a step and replica.
        zero_stage: what replicas share out: 0 nothing, 1 the optimiser, 2 gradients too, 3 weights too.
        recomputation: index into `RECOMPUTATIONS`.
    """

    tensor: FloatArray
    pipeline: FloatArray
    interleave: FloatArray
    data: FloatArray
    micro_batch: FloatArray
    micro_batches: FloatArray
    zero_stage: FloatArray
    recomputation: FloatArray

    @property
    def columns(self) -> tuple[FloatArray, ...]:
        """The columns, in the order of the attributes."""
        return (
            self.tensor,
            self.pipeline,
            self.interleave,
            self.data,
            self.micro_batch,
            self.micro_batches,
            self.zero_stage,
            self.recomputation,
        )

    @property
    def accelerators(self) -> FloatArray:
        """Accelerators that each uses."""
        return self.tensor * self.pipeline * self.data

    @property
    def makes_sense(self) -> NDArray[np.bool_]:
        """Where replicas that share something out are more than one."""
        return np.asarray((self.zero_stage == 0) | (self.data > 1))

    def rows(self, chosen: NDArray[np.bool_]) -> "Candidates":
        """Some along the first axis, where columns have more than one number there."""
        return Candidates(
            *(column[chosen] if len(column) == len(chosen) else column for column in self.columns)
        )

    def where(self, chosen: NDArray[np.bool_]) -> "Candidates":
        """Those for which a mask of the common shape holds, as flat columns."""
        return Candidates(*(np.broadcast_to(column, chosen.shape)[chosen] for column in self.columns))


def enumerate_candidates(
    training: TrainingShape, accelerators: int, tensors: list[int], linked: int
) -> Candidates:
    """All layouts worth a look.

    Pipelines have stages of equal depth, the last one at most shallower; micro-batches are powers of four.
    A step has data · micro_batch · micro_batches samples: the batch, rounded down to what replicas divide.
    Replicas are as many as accelerators and batch allow; or those whose parts of a layer, or all of whose parts, are
    on fast links; or the most that take some round number of micro-batches, or one or two more than the fewest.

    Args:
        training: what is laid out.
        accelerators: as many, or fewer, are used.
        tensors: widths of tensor parallelism to try.
        linked: accelerators that fast links join.

    Returns:
        Columns of shape [N, 1, 1], but for ZeRO stage [1, 4, 1] and recomputation [1, 1, R].
    """
    shapes = [
        (tensor, stages, interleave)
        for tensor in tensors
        for stages, depth in pipelines(training.layers)
        if tensor * stages <= accelerators
        for interleave in _interleaves(stages, depth)
    ]
    tensor, pipeline, interleave = np.array(shapes, dtype=np.float64).reshape(-1, 3).T[:, :, None, None]
    micro_batch = np.array(_micro_batches(training), dtype=np.float64)[None, :, None]
    per_micro_batch = training.samples // micro_batch
    widest = np.minimum(accelerators // (tensor * pipeline), per_micro_batch)
    accumulated = (
        per_micro_batch // widest + np.arange(1, 1 + _DEEPER_ACCUMULATIONS),
        pipeline,
        2.0 ** np.arange(training.samples.bit_length())[None, None, :],
    )
    replicas = [widest, linked // tensor, linked // (tensor * pipeline)]
    replicas += [per_micro_batch // micro_batches for micro_batches in accumulated]
    data = np.concatenate(
        [np.broadcast_to(number, (*widest.shape[:2], number.shape[2])) for number in replicas], axis=2
    )
    data = np.sort(np.where(data <= widest, data, 0), axis=2)
    micro_batches = per_micro_batch // np.maximum(data, 1)
    # interleaved schedules go round all stages before a micro-batch comes back to the first one
    valid = (data >= 1) & ((interleave == 1) | (micro_batches >= pipeline))
    valid[..., 1:] &= data[..., 1:] > data[..., :-1]
    columns = (tensor, pipeline, interleave, data, micro_batch, micro_batches)
    flat = [np.broadcast_to(column, valid.shape)[valid][:, None, None] for column in columns]
    return Candidates(*[*flat, _ZERO_STAGES, _recomputations(training)])


def with_all_replicas(training: TrainingShape, one: Candidates, accelerators: int) -> Candidates:
    """One layout with every number of replicas that makes a difference.

    Args:
        training: what is laid out.
        one: columns of one number each.
        accelerators: as many, or fewer, are used.

    Returns:
        Columns that broadcast to [N].
    """
    per_micro_batch = training.samples // one.micro_batch
    widest = np.minimum(accelerators // (one.tensor * one.pipeline), per_micro_batch)
    # for each number of micro-batches the most replicas that take so many: n // m takes all its values here
    few = np.arange(1.0, isqrt(int(per_micro_batch.item())) + 1)
    most = np.union1d(few, per_micro_batch // few)
    data = np.concatenate([most[most < widest], one.data, widest])
    micro_batches = per_micro_batch // data
    return replace(one, data=data, micro_batches=micro_batches).where(
        (one.interleave == 1) | (micro_batches >= one.pipeline)
    )


def leanest_candidates(
    tensors: list[int], training: TrainingShape, data: FloatArray | None = None
) -> Candidates:
    """What holds least on an accelerator, for every number of replicas: micro-batches of one sample, not interleaved.

    Args:
        tensors: widths of tensor parallelism.
        training: what is laid out.
        data: replicas, of the common shape [N, 4, R] or what broadcasts to it; None = one.

    Returns:
        Columns like those of `enumerate_candidates`.
    """
    shapes = [(tensor, stages) for tensor in tensors for stages, _ in pipelines(training.layers)]
    tensor, pipeline = np.array(shapes, dtype=np.float64).T[:, :, None, None]
    ones = np.ones((1, 1, 1))
    replicas = ones if data is None else data
    return Candidates(
        tensor=tensor,
        pipeline=pipeline,
        interleave=ones,
        data=replicas,
        micro_batch=ones,
        micro_batches=training.samples // replicas,
        zero_stage=_ZERO_STAGES,
        recomputation=_recomputations(training),
    )


def pipelines(layers: int) -> Iterator[tuple[int, int]]:
    """Numbers of stages of equal depth, the last at most shallower, with that depth.

    >>> list(pipelines(6))
    [(1, 6), (2, 3), (3, 2), (6, 1)]
    """
    for depth in range(layers, 0, -1):
        stages = ceil(layers / depth)
        if ceil(layers / stages) == depth:
            yield stages, depth


def tensor_widths(training: TrainingShape, head_size: float) -> list[int]:
    """Widths of tensor parallelism: powers of two up to the number of attention heads; 1 for a graph."""
    heads = 1 if training.is_graph else max(1, int(training.width / head_size))
    return [2**power for power in range(heads.bit_length())]


def _recomputations(training: TrainingShape) -> FloatArray:
    """A graph's attention is not known apart."""
    kinds = [0, FULL] if training.is_graph else [0, SELECTIVE, FULL]
    return np.array(kinds, dtype=np.float64)[None, None, :]


def _interleaves(stages: int, depth: int) -> list[int]:
    if stages == 1:
        return [1]
    parts = [parts for parts in range(2, min(depth, _DEEPEST_INTERLEAVE) + 1) if depth % parts == 0]
    return [1, *sorted({min(parts), max(parts)})] if parts else [1]


def _micro_batches(training: TrainingShape) -> list[int]:
    largest = min(max(1, _MOST_TOKENS // training.context), training.samples)
    return [4**power for power in range((largest.bit_length() + 1) // 2)]
