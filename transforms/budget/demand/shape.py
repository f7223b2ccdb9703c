"""The shape of a training: what a layout must hold and compute."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrainingShape:
    """What a layout must hold and compute, at the medians.

    Attributes:
        parameters: all weights.
        active_parameters: those that work on a token; fewer than all in a mixture of experts.
        layers: of the transformer; 1 for a network given as a graph.
        width: of its residual stream; 1 for a graph.
        context: tokens of a sample; 1 for a graph.
        batch: samples of a step: the critical batch, beyond which more of them teach little. A step has
            one sample at least.
        flops: training FLOPs of a sample, forward and backward, nothing computed twice.
        state_bytes: weights, gradients and optimiser, in bytes a parameter.
        activation_bytes: activations of a graph, in bytes a sample; None = those of a transformer.
    """

    parameters: float
    active_parameters: float
    layers: int
    width: int
    context: int
    batch: float
    flops: float
    state_bytes: float
    activation_bytes: float | None = None

    @property
    def is_graph(self) -> bool:
        """Whether the network is known as a whole only, and cannot be cut into layers or heads."""
        return self.activation_bytes is not None

    @property
    def resting_parameters(self) -> float:
        """Weights that do not work on a token: those of the other experts."""
        return max(self.parameters - self.active_parameters, 0.0)

    @property
    def samples(self) -> int:
        """Whole samples of a step, at most."""
        return max(int(self.batch), 1)
