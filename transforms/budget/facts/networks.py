"""Networks that are trained, the workloads that train them, and what holds for any training."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from transforms.budget.facts.values import (
    Dimension,
    Exponent,
    Fact,
    FrameBytes,
    FrameWork,
    Frequency,
    ParameterBytes,
    Parameters,
    PixelBytes,
    Pixels,
    PixelWork,
    Ratio,
    Record,
    Runs,
    Share,
    Tokens,
)


def _batch(fact: Fact) -> Fact:
    """A batch is counted in what a network sees."""
    if fact.unit not in {"tokens", "frames"}:
        raise ValueError(f"the unit is {fact.unit!r}, neither 'tokens' nor 'frames'")
    return fact


Batch = Annotated[Fact, AfterValidator(_batch)]
Precision = Literal["bf16", "fp8"]


class TransformerNetwork(Record):
    """A transformer.

    Attributes:
        formula: tells it from a graph.
        title: its name for people.
        stands_in: what it stands in for, in words; empty where it is itself.
        utilisation: the kind of utilisation that holds for it.
        parameters: all of them: what memory must hold.
        active_parameters: those that work on a token.
        layers: of the network at the median of its parameters.
        width: of the residual stream there.
        attention: 12 where every token sees all others, 6 causal.
    """

    formula: Literal["transformer"]
    title: str
    stands_in: str = ""
    utilisation: str
    parameters: Parameters
    active_parameters: Parameters
    layers: Dimension
    width: Dimension
    attention: Ratio


class GraphNetwork(Record):
    """A network of fixed work a frame: convolutions, or any ONNX graph.

    Attributes:
        formula: tells it from a transformer.
        title: its name for people.
        stands_in: what it stands in for, in words; empty where it is itself.
        utilisation: the kind of utilisation that holds for it.
        parameters: all of them.
        forward_per_pixel: work forward per pixel of a frame at its full resolution, or
        forward: work forward per frame, scaled to the network's own size.
        activations_per_pixel: what a training step keeps per pixel of a frame, or
        activations: what it keeps per frame.
        multiple: forward passes that a training step is worth.
    """

    formula: Literal["graph"]
    title: str
    stands_in: str = ""
    utilisation: str
    parameters: Parameters
    forward_per_pixel: PixelWork | None = None
    forward: FrameWork | None = None
    activations_per_pixel: PixelBytes | None = None
    activations: FrameBytes | None = None
    multiple: Ratio

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        """Work and activations are told per pixel or per frame."""
        for what in ("forward", "activations"):
            if (getattr(self, what) is None) == (getattr(self, f"{what}_per_pixel") is None):
                raise ValueError(f"give one of {what} and {what}_per_pixel")
        return self


Network = Annotated[TransformerNetwork | GraphNetwork, Field(discriminator="formula")]


class VideoInput(Record):
    """How video becomes frames and tokens.

    Attributes:
        labelled_only: whether labelled frames alone are taken, where the data set has some.
        rate: frames taken a second, at most the camera's own.
        long_side: longer side of a frame after scaling, for tokens.
        patch: side of a square patch.
        frames_per_token: frames a patch spans in time.
        passes: how often the data set is seen.
    """

    labelled_only: bool = False
    rate: Frequency
    long_side: Pixels
    patch: Pixels
    frames_per_token: Ratio
    passes: Ratio


class Workload(Record):
    """What a network is trained on, and how.

    Attributes:
        title: the programme's name for people.
        network: the network's name.
        stands_in: what its data and recipe stand in for, in words.
        precision: number format of the multiplications.
        context: tokens of a sequence.
        batch: critical batch: beyond it, more data parallelism brings no faster learning.
        text: tokens of text, repetitions counted.
        video: how the data set's video is read.
    """

    title: str
    network: str
    stands_in: str
    precision: Precision
    context: Tokens
    batch: Batch
    text: Tokens | None = None
    video: VideoInput


class TrainingRules(Record):
    """What holds for any training.

    Attributes:
        state_bytes: memory a parameter in training needs (weights, gradients, optimiser).
        graph_multiple: forward passes that a training step of a counted graph is worth.
        fp8_speed_up: over BF16.
        kernel_utilisation: share of the peak that large matrix multiplications alone reach.
        work_for_speed: accelerator-hours that speed may cost, over those of the cheapest layout, where nobody
            said how many accelerators to use.
        width_per_layer: width over depth of a transformer of which only the size is known.
        context: tokens of a sequence, where only FLOPs are known.
        batch: critical batch, where only FLOPs are known.
    """

    state_bytes: ParameterBytes
    graph_multiple: Ratio
    fp8_speed_up: Ratio
    kernel_utilisation: Share
    work_for_speed: Ratio
    width_per_layer: Dimension
    context: Tokens
    batch: Batch


class Programme(Record):
    """What a year of work on a network computes beside one run, in units of that run.

    Attributes:
        development: experiments and ablations, and the failed runs among them.
        failed: part of the final run that is thrown away.
        retrains: further releases.
        evaluation: of checkpoints.
        simulation: closed loop and replay.
    """

    development: Runs
    failed: Runs
    retrains: Runs
    evaluation: Runs
    simulation: Runs


class Scaling(Record):
    """How the best sizes grow with compute.

    Attributes:
        parameters_exponent: parameters go with compute to this power.
        data_exponent: data goes with compute to this power.
    """

    parameters_exponent: Exponent
    data_exponent: Exponent
