"""How large a frame's picture is inside a network's input, and where it lies there."""

import math
from dataclasses import dataclass

from models.card import MAX_INPUT_SIDE_PX, InputSpec, ModelCard
from models.errors import ModelUsageError


@dataclass(frozen=True, slots=True)
class ResizePlan:
    """The way of one frame size into a network's input; all values in px.

    Attributes:
        image_width: width to which the frame is scaled.
        image_height: height to which the frame is scaled.
        input_width: width of the network's input.
        input_height: height of the network's input.
        pad_left: columns of padding left of the picture.
        pad_top: rows of padding above the picture.
    """

    image_width: int
    image_height: int
    input_width: int
    input_height: int
    pad_left: int
    pad_top: int


def plan_resize(spec: InputSpec, size: int, frame_width: int, frame_height: int) -> ResizePlan:
    """Plans the input for frames of one size.

    A dynamic input takes the frame's shape: its long side is `size`, the other is padded only up to the stride,
    so that no computation is spent on a grey border.

    Args:
        spec: the network's input.
        size: long side of a dynamic input, in px; a multiple of its stride.
        frame_width: width of the frame as displayed, in px.
        frame_height: height of the frame as displayed, in px.

    >>> spec = InputSpec(width=416, height=416, dynamic=True)
    >>> plan_resize(spec, 416, 960, 540)
    ResizePlan(image_width=416, image_height=234, input_width=416, input_height=256, pad_left=0, pad_top=0)
    """
    if min(frame_width, frame_height) < 1:
        raise ValueError(f"a frame of {frame_width} x {frame_height} px has no picture")
    if spec.resize == "stretch":
        return ResizePlan(spec.width, spec.height, spec.width, spec.height, 0, 0)
    if spec.dynamic:
        ratio = size / max(frame_width, frame_height)
    else:
        ratio = min(spec.width / frame_width, spec.height / frame_height)
    image_width = max(1, round(frame_width * ratio))
    image_height = max(1, round(frame_height * ratio))
    input_width, input_height = spec.width, spec.height
    if spec.dynamic:
        input_width = math.ceil(image_width / spec.stride) * spec.stride
        input_height = math.ceil(image_height / spec.stride) * spec.stride
    centred = spec.resize == "letterbox_centered"
    return ResizePlan(
        image_width=image_width,
        image_height=image_height,
        input_width=input_width,
        input_height=input_height,
        pad_left=(input_width - image_width) // 2 if centred else 0,
        pad_top=(input_height - image_height) // 2 if centred else 0,
    )


def check_size(card: ModelCard, size: int | None) -> int:
    """The long side of the network's input in px, given the one that was asked for, if any.

    Raises:
        ModelUsageError: the network does not work at this size.
    """
    if size is None or size == card.long_side:
        return card.long_side
    if not card.input.dynamic:
        raise ModelUsageError(
            f"{card.name} has an input of fixed size ({card.input.width} x {card.input.height}): "
            f"leave --size {size} out, or take a network with a dynamic input"
        )
    stride = card.input.stride
    if size < stride or size > MAX_INPUT_SIDE_PX or size % stride:
        nearest = min(max(round(size / stride), 1), MAX_INPUT_SIDE_PX // stride) * stride
        raise ModelUsageError(
            f"--size {size}: the input of {card.name} is a multiple of {stride} up to {MAX_INPUT_SIDE_PX}; "
            f"the nearest is {nearest}"
        )
    return size
