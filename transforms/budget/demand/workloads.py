"""Workloads: networks whose training is estimated, and the FLOPs a data set makes of them."""

from typing import Annotated, Literal

from pydantic import Field

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.flops import (
    SECONDS_PER_HOUR,
    FloatArray,
    frame_tokens,
    graph_flops,
    transformer_flops,
    video_tokens,
)
from transforms.budget.draws import Inputs
from transforms.budget.facts.values import (
    Dimension,
    Frequency,
    Parameters,
    Pixels,
    PixelWork,
    Ratio,
    Record,
    Tokens,
)


class VideoInput(Record):
    """How video becomes tokens.

    Attributes:
        rate: frames taken a second, at most the camera's own.
        long_side: longer side of a frame after scaling.
        patch: side of a square patch.
        frames_per_token: frames a patch spans in time.
        passes: how often the data set is seen.
    """

    rate: Frequency
    long_side: Pixels
    patch: Pixels
    frames_per_token: Ratio
    passes: Ratio


class Transformer(Record):
    """A transformer that is trained on tokens: of the data set's video, of text, or of both.

    Attributes:
        formula: tells it from a graph.
        active_parameters: parameters that work on a token.
        layers: of the network at the median of its parameters.
        width: of the residual stream there.
        sequence: tokens of a sequence.
        attention: 12 where every token sees all others, 6 causal.
        text: tokens of text, repetitions counted.
        video: how the data set's video is read.
    """

    formula: Literal["transformer"]
    active_parameters: Parameters
    layers: Dimension
    width: Dimension
    sequence: Tokens
    attention: Ratio
    text: Tokens | None = None
    video: VideoInput | None = None


class Graph(Record):
    """A network of fixed work a frame that is trained on labelled frames.

    Attributes:
        formula: tells it from a transformer.
        forward: work forward per pixel of a frame at its full resolution.
        multiple: forward passes that a training step is worth.
        rate: labelled frames a second, where the data set holds none yet.
        passes: how often each frame is seen.
    """

    formula: Literal["graph"]
    forward: PixelWork
    multiple: Ratio
    rate: Frequency
    passes: Ratio


class Workload(Record):
    """A network that is trained.

    Attributes:
        title: the network's name for people.
        utilisation: the kind of utilisation that holds for it.
        parameters: all of them, at work on a token or not: what memory must hold.
        compute: how its FLOPs follow from the data set.
    """

    title: str
    utilisation: str
    parameters: Parameters
    compute: Annotated[Transformer | Graph, Field(discriminator="formula")]


def training_flops(workload: Workload, figures: DatasetFigures, inputs: Inputs, name: str) -> FloatArray:
    """FLOPs of training a workload on a data set.

    Args:
        workload: the network.
        figures: the data set.
        inputs: where draws come from and are noted.
        name: the workload's name, for uncertainties of its own.

    Returns:
        FLOPs by draw, float64[draws]; all 0 where the data set leaves nothing to train on.
    """
    if isinstance(workload.compute, Graph):
        return _graph(workload.compute, figures, inputs, name)
    return _transformer(workload.compute, figures, inputs, name)


def _transformer(network: Transformer, figures: DatasetFigures, inputs: Inputs, name: str) -> FloatArray:
    parameters = inputs.draw("active_parameters", network.active_parameters, f"{name}/parameters")
    # depth and width each grow with the cube root of the size: N is about 12 L d²
    growth = (parameters / network.active_parameters.p50) ** (1 / 3)
    tokens = parameters * 0
    if network.text is not None:
        tokens = tokens + inputs.draw("text_tokens", network.text, f"{name}/text")
    if network.video is not None:
        seen = _tokens_of(network.video, figures, inputs)
        tokens = tokens + seen * inputs.draw("passes", network.video.passes, f"{name}/passes")
    return transformer_flops(
        parameters,
        tokens,
        inputs.note("layers", network.layers) * growth,
        inputs.note("width", network.width) * growth,
        inputs.note("sequence", network.sequence),
        inputs.note("attention_factor", network.attention),
    )


def _tokens_of(video: VideoInput, figures: DatasetFigures, inputs: Inputs) -> float:
    """Tokens of the data set's own cameras, each seen once."""
    rate = inputs.note("frames_per_second", video.rate)
    long_side = inputs.note("long_side", video.long_side)
    patch = inputs.note("patch", video.patch)
    frames_per_token = inputs.note("frames_per_token", video.frames_per_token)
    tokens = sum(
        video_tokens(
            camera.hours,
            min(rate, camera.fps_mean),
            frame_tokens(camera.width, camera.height, long_side, patch),
            frames_per_token,
        )
        for camera in figures.cameras
    )
    return inputs.given(
        "video_tokens", tokens, "tokens", "estimate", "cameras, hours and frame sizes of the data set"
    )


def _graph(network: Graph, figures: DatasetFigures, inputs: Inputs, name: str) -> FloatArray:
    per_pixel = inputs.draw("forward_flops_per_pixel", network.forward, f"{name}/forward")
    passes = inputs.draw("passes", network.passes, f"{name}/passes")
    multiple = inputs.note("training_multiple", network.multiple)
    if figures.frames:
        frames = inputs.given(
            "labelled_frames", figures.frames, "frames", "measured", "table frames of the data set"
        )
    else:
        rate = inputs.note("frames_per_second", network.rate)
        frames = sum(
            camera.hours * SECONDS_PER_HOUR * min(rate, camera.fps_mean) for camera in figures.cameras
        )
    # labelled frames fall on the cameras as their hours do
    area = sum(camera.hours * camera.width * camera.height for camera in figures.cameras)
    pixels = inputs.given(
        "frame_pixels",
        area / figures.camera_hours if figures.camera_hours else 0.0,
        "px",
        "estimate",
        "mean over the data set's camera-hours",
    )
    return graph_flops(per_pixel * pixels, frames * passes, passes * 0 + multiple)
