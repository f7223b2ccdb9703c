"""What splitting a training over accelerators costs in memory, work and traffic."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from transforms.budget.facts.values import Dimension, Fact, ParameterBytes, Ratio, Record, Share, measured_in

ActivationBytes = Annotated[Fact, AfterValidator(measured_in("B", 0.5, 100))]
ActivationWork = Annotated[Fact, AfterValidator(measured_in("FLOP", 0.5, 100))]


class Parallelism(Record):
    """Rules of a parallel layout. Layers are those of a transformer, s its tokens, h its width, a its heads.

    Attributes:
        weight_bytes: weights in the format they are multiplied in.
        optimiser_bytes: master weights and moments.
        layer_bytes: activations of a layer, per token and unit of width, without attention scores.
        score_bytes: activations of attention, per layer, head and pair of tokens.
        checkpoint_bytes: input of a layer, per token and unit of width.
        head_size: h / a.
        gathered_layers: layers whose whole weights an accelerator holds under ZeRO 3.
        graph_checkpoints: share of a graph's activations that full recomputation keeps.
        memory_reserve: share of an accelerator's memory that a layout leaves free.
        forward_share: share of a step's FLOPs that is the forward pass.
        score_flops: FLOPs of recomputing attention, per layer, unit of width and pair of tokens.
        score_passes: times that kept attention scores move to or from memory.
        element_bytes: an activation that travels.
        tensor_reductions: all-reductions of s·h elements per layer under tensor parallelism.
        tensor_reductions_again: those added by full recomputation.
        expert_exchanges: all-to-all exchanges per layer of experts.
        experts_per_token: experts that work on a token.
        scale_up_one_way: share of a data sheet's link bandwidth that one direction has.
        scale_up_efficiency: share of that which collectives reach.
        scale_out_efficiency: share of the network's rate that collectives reach.
        gradient_overlap: share of the traffic of gradients that can hide behind work.
        update_passes: times that the optimiser moves its state to or from memory.
        tie: share by which steps may differ and still count as equally fast.
        worth_of_doubling: share of a step that twice as many accelerators must save to be used.
    """

    weight_bytes: ParameterBytes
    optimiser_bytes: ParameterBytes
    layer_bytes: ActivationBytes
    score_bytes: ActivationBytes
    checkpoint_bytes: ActivationBytes
    head_size: Dimension
    gathered_layers: Ratio
    graph_checkpoints: Share
    memory_reserve: Share
    forward_share: Share
    score_flops: ActivationWork
    score_passes: Ratio
    element_bytes: ActivationBytes
    tensor_reductions: Ratio
    tensor_reductions_again: Ratio
    expert_exchanges: Ratio
    experts_per_token: Ratio
    scale_up_one_way: Share
    scale_up_efficiency: Share
    scale_out_efficiency: Share
    gradient_overlap: Share
    update_passes: Ratio
    tie: Share
    worth_of_doubling: Share

    def rules(self) -> Iterator[tuple[str, Fact]]:
        """Every figure, by name."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Fact):
                yield name, value
