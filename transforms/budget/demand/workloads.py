"""What training a workload's network on a data set must compute."""

from dataclasses import dataclass

import numpy as np

from transforms.budget.arrays import FloatArray
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.flops import (
    SECONDS_PER_HOUR,
    frame_tokens,
    graph_flops,
    transformer_flops,
    video_tokens,
)
from transforms.budget.demand.footage import Footage, footage_of, pictures_of
from transforms.budget.demand.shape import TrainingShape
from transforms.budget.draws import Inputs
from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import Facts
from transforms.budget.facts.networks import GraphNetwork, Precision, TransformerNetwork, VideoInput, Workload
from transforms.budget.facts.values import InputKind


@dataclass(frozen=True, slots=True)
class Demand:
    """What a training must compute, whatever it came from.

    Attributes:
        flops: of the training, float64[draws].
        data_flops: the part of them that grows with the data set, float64[draws].
        kind: kind of network, for its utilisation.
        parameters: all of the network's, at the median; None where unknown.
        passes: how often the data set is seen, float64[draws]; None where no data set is.
        footage: the data set's video as it is stored; None where none is read.
        tokens: trained tokens, float64[draws]; None where the network sees frames, or unknown.
        shape: what a layout must hold; None where the network's shape is unknown.
        batch_ratio: the critical batch over its median, float64[draws]; None where shape and batch are guesses.
        precision: number format of the multiplications.
    """

    flops: FloatArray
    data_flops: FloatArray
    kind: str
    parameters: float | None
    passes: FloatArray | None
    footage: Footage | None
    tokens: FloatArray | None
    shape: TrainingShape | None
    batch_ratio: FloatArray | None
    precision: str

    @property
    def supposed(self) -> bool:
        """Whether shape and batch are guesses: then a layout bounds the accelerators used, not the utilisation."""
        return self.batch_ratio is None

    @property
    def fed_hours(self) -> FloatArray | None:
        """Camera-hours that are read over the training, float64[draws]; None where none are."""
        if self.footage is None or self.passes is None:
            return None
        return self.footage.hours * self.passes


def demand_of(
    facts: Facts,
    workload_name: str,
    network_name: str,
    figures: DatasetFigures,
    inputs: Inputs,
    *,
    precision: Precision | None = None,
) -> Demand:
    """What training a network as a workload does must compute.

    Args:
        facts: the facts.
        workload_name: what it is trained on, and how.
        network_name: the network; uncertainties of its own go by this name.
        figures: the data set.
        inputs: where draws come from and are noted.
        precision: number format; None = the workload's own.

    Returns:
        The demand; its FLOPs are 0 where the data set leaves nothing to train on.

    Raises:
        BudgetUsageError: the network cannot be trained on what the workload has.
    """
    workload, network = facts.workloads[workload_name], facts.networks[network_name]
    if precision is not None:
        workload = workload.model_copy(update={"precision": precision})
    streams = _Streams(f"{workload_name}/", f"{network_name}/")
    if isinstance(network, TransformerNetwork):
        return _transformer(facts, workload, network, figures, inputs, streams)
    if workload.text is not None:
        raise BudgetUsageError(
            f"workload {workload_name} trains on text: network {network_name} takes frames alone"
        )
    return _graph(facts, workload, network, figures, inputs, streams)


@dataclass(frozen=True, slots=True)
class _Streams:
    """Prefixes of the names of uncertainties that estimates of other clusters share."""

    workload: str
    network: str


def _transformer(
    facts: Facts,
    workload: Workload,
    network: TransformerNetwork,
    figures: DatasetFigures,
    inputs: Inputs,
    streams: _Streams,
) -> Demand:
    parameters = inputs.draw("active_parameters", network.active_parameters, f"{streams.network}parameters")
    # depth and width each grow with the cube root of the size: N is about 12 L d²
    growth = (parameters / network.active_parameters.p50) ** (1 / 3)
    passes = inputs.draw("passes", workload.video.passes, f"{streams.workload}passes")
    video = _video_tokens(workload.video, figures, inputs) * passes
    text = parameters * 0
    if workload.text is not None:
        text = inputs.draw("text_tokens", workload.text, f"{streams.workload}text")
    layers, width = inputs.note("layers", network.layers), inputs.note("width", network.width)
    attention = inputs.note("attention_factor", network.attention)
    context = _context(workload, figures, inputs)
    per_token = transformer_flops(
        parameters, np.ones_like(parameters), layers * growth, width * growth, context, attention
    )
    return Demand(
        flops=per_token * (video + text),
        data_flops=per_token * video,
        kind=network.utilisation,
        parameters=inputs.note("parameters", network.parameters),
        passes=passes,
        footage=_footage(facts, workload.video, figures, inputs),
        tokens=video + text,
        shape=TrainingShape(
            parameters=network.parameters.p50,
            active_parameters=network.active_parameters.p50,
            layers=round(layers),
            width=round(width),
            context=round(context),
            batch=max(1.0, workload.batch.p50 / _per_sample(workload, context)),
            flops=transformer_flops(
                network.active_parameters.p50, context, layers, width, context, attention
            ),
            state_bytes=inputs.note("state_bytes", facts.training.state_bytes),
        ),
        batch_ratio=_batch_ratio(workload, inputs, streams),
        precision=workload.precision,
    )


def _graph(
    facts: Facts,
    workload: Workload,
    network: GraphNetwork,
    figures: DatasetFigures,
    inputs: Inputs,
    streams: _Streams,
) -> Demand:
    pixels = _frame_pixels(figures, inputs)
    if network.forward_per_pixel is not None:
        usual = pixels * network.forward_per_pixel.p50
        forward = pixels * inputs.draw(
            "forward_flops_per_pixel", network.forward_per_pixel, f"{streams.network}forward"
        )
    else:
        assert network.forward is not None
        usual = network.forward.p50
        forward = inputs.draw("forward_flops", network.forward, f"{streams.network}forward")
    if network.activations_per_pixel is not None:
        activations = pixels * inputs.note("activations_per_pixel", network.activations_per_pixel)
    else:
        assert network.activations is not None
        activations = inputs.note("activations", network.activations)
    passes = inputs.draw("passes", workload.video.passes, f"{streams.workload}passes")
    multiple = inputs.note("training_multiple", network.multiple)
    frames = _frames(workload.video, figures, inputs)
    flops = graph_flops(forward, frames * passes, passes * 0 + multiple)
    batch = workload.batch.p50
    if workload.batch.unit == "tokens":
        batch /= _tokens_per_frame(workload.video, figures) or 1.0
    return Demand(
        flops=flops,
        data_flops=flops,
        kind=network.utilisation,
        parameters=inputs.note("parameters", network.parameters),
        passes=passes,
        footage=_footage(facts, workload.video, figures, inputs),
        tokens=None,
        shape=TrainingShape(
            parameters=network.parameters.p50,
            active_parameters=network.parameters.p50,
            layers=1,
            width=1,
            context=1,
            batch=max(1.0, batch),
            flops=usual * multiple,
            state_bytes=inputs.note("state_bytes", facts.training.state_bytes),
            activation_bytes=activations,
        ),
        batch_ratio=_batch_ratio(workload, inputs, streams),
        precision=workload.precision,
    )


def _video_tokens(video: VideoInput, figures: DatasetFigures, inputs: Inputs) -> float:
    """Tokens of the data set's own cameras, each seen once."""
    long_side = inputs.note("long_side", video.long_side)
    patch = inputs.note("patch", video.patch)
    frames_per_token = inputs.note("frames_per_token", video.frames_per_token)
    if video.labelled_only and figures.frames:
        frames = _frames(video, figures, inputs)
        tokens = frames * _tokens_per_frame(video, figures) / frames_per_token
    else:
        rate = inputs.note("frames_per_second", video.rate)
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
        "video_tokens", tokens, "tokens", "estimate", f"hours and frame sizes of {figures.source}"
    )


def _tokens_per_frame(video: VideoInput, figures: DatasetFigures) -> float:
    """Mean over the data set's camera-hours; 0 without any."""
    tokens = sum(
        camera.hours * frame_tokens(camera.width, camera.height, video.long_side.p50, video.patch.p50)
        for camera in figures.cameras
    )
    return tokens / figures.camera_hours if figures.camera_hours else 0.0


def _context(workload: Workload, figures: DatasetFigures, inputs: Inputs) -> float:
    """Tokens of a sequence: a frame at least."""
    context = inputs.note("context", workload.context)
    return max(context, _tokens_per_frame(workload.video, figures))


def _batch_ratio(workload: Workload, inputs: Inputs, streams: _Streams) -> FloatArray:
    batch = workload.batch
    drawn = inputs.draw("critical_batch", batch, f"{streams.workload}batch")
    # a layout at the median says little of one at many times the batch
    return np.clip(drawn, batch.p10, batch.p90) / batch.p50


def _per_sample(workload: Workload, context: float) -> float:
    """What the batch is counted in, a sequence."""
    return context if workload.batch.unit == "tokens" else 1.0


def _frames(video: VideoInput, figures: DatasetFigures, inputs: Inputs) -> float:
    """Frames of the data set, each once: those that are labelled, or so many a second."""
    if video.labelled_only and figures.frames:
        kind: InputKind = "measured" if figures.origin == "measured" else "estimate"
        return inputs.given("labelled_frames", figures.frames, "frames", kind, f"frames of {figures.source}")
    rate = inputs.note("frames_per_second", video.rate)
    return sum(camera.hours * SECONDS_PER_HOUR * min(rate, camera.fps_mean) for camera in figures.cameras)


def _footage(facts: Facts, video: VideoInput, figures: DatasetFigures, inputs: Inputs) -> Footage | None:
    """What is read: frames to be labelled are cut out once, video that is taken at a rate is decoded whole."""
    pictures = None
    if video.labelled_only:
        pictures = pictures_of(facts, figures, _frames(video, figures, inputs), inputs)
    return pictures or footage_of(facts, figures, inputs)


def _frame_pixels(figures: DatasetFigures, inputs: Inputs) -> float:
    # labelled frames fall on the cameras as their hours do
    area = sum(camera.hours * camera.width * camera.height for camera in figures.cameras)
    mean = area / figures.camera_hours if figures.camera_hours else 0.0
    return inputs.given("frame_pixels", mean, "px", "estimate", f"mean over the hours of {figures.source}")
