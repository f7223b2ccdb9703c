"""Lengths of a graph's inputs: those that the exporter left open, and those that a caller wants otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import onnx

from models.counting.values import Shape
from models.errors import ModelUsageError

_DeclaredShape = tuple[int | str | None, ...]
"""A number, a name, or None where the exporter said nothing."""

_MAX_LENGTH: Final = 1 << 31
_LENGTH_WORDS: Final = ("seq", "len", "token", "time", "frame", "height", "width")
"""Parts of names that say of a first axis that it is not the batch."""


@dataclass(frozen=True, slots=True)
class InputShapes:
    """What a graph's inputs were settled on.

    Attributes:
        shapes: name and shape of each tensor that goes in, in the graph's order.
        lengths: length of every symbolic axis, by its name.
        overrides: whether a length that the graph fixes was changed.
    """

    shapes: tuple[tuple[str, Shape], ...]
    lengths: Mapping[str, int]
    overrides: bool


def settle_inputs(
    graph: onnx.GraphProto, size: tuple[int, int] | None, dimensions: Mapping[str, int]
) -> InputShapes:
    """Gives every axis of every input a length.

    In this order: what `dimensions` says of the axis, `size` for the axes of pictures, what `dimensions` says of the
    axis' name, the graph's own length, and 1 for the batch. The batch is an axis whose name begins with "batch", and an
    open first axis, unless its name speaks of a length (sequence, time, height, ...).

    Args:
        graph: the graph; its inputs hold no initializers.
        size: height and width of the pictures that go in, in px; None = the graph's own.
        dimensions: lengths by the name of a symbolic axis, or by `input:axis` for any axis, fixed ones too.

    Raises:
        ModelUsageError: an axis stays open, or what was given goes with no axis; the message names them.
    """
    inputs = {
        value.name: _declared_shape(value) for value in graph.input if value.type.HasField("tensor_type")
    }
    chosen = _chosen(inputs, size, dimensions)
    symbols = {declared for *_, declared in _axes(inputs)}
    lengths = {name: length for name, length in dimensions.items() if name in symbols}
    for name, axis, declared in _axes(inputs):
        if isinstance(declared, str):
            if (name, axis) in chosen:
                lengths.setdefault(declared, chosen[name, axis])
            elif _is_batch(axis, declared):
                lengths.setdefault(declared, 1)
    for name, axis, declared in _axes(inputs):
        length = lengths.get(declared) if isinstance(declared, str) else declared
        if length is None and _is_batch(axis, declared):
            length = 1
        if length is not None:
            chosen.setdefault((name, axis), length)
    open_axes = [
        declared if isinstance(declared, str) else f"{name}:{axis}"
        for name, axis, declared in _axes(inputs)
        if (name, axis) not in chosen
    ]
    if open_axes:
        wanted = ", ".join(f"{axis}=N" for axis in dict.fromkeys(open_axes))
        raise ModelUsageError(
            f"the network leaves the lengths of its input open ({_describe(inputs)}): give {wanted}"
        )
    return InputShapes(
        tuple(
            (name, tuple(chosen[name, axis] for axis in range(len(shape)))) for name, shape in inputs.items()
        ),
        lengths,
        any(
            isinstance(declared, int) and chosen[name, axis] != declared
            for name, axis, declared in _axes(inputs)
        ),
    )


def _chosen(
    inputs: Mapping[str, _DeclaredShape], size: tuple[int, int] | None, dimensions: Mapping[str, int]
) -> dict[tuple[str, int], int]:
    """What the caller says of single axes."""
    for name, length in (*dimensions.items(), *zip(("height", "width"), size or (), strict=False)):
        if not 1 <= length <= _MAX_LENGTH:
            raise ModelUsageError(f"{name}={length}: a length is between 1 and {_MAX_LENGTH}")
    places = {f"{name}:{axis}": (name, axis) for name, axis, _ in _axes(inputs)}
    symbols = {declared for *_, declared in _axes(inputs)}
    strays = [name for name in dimensions if name not in places and name not in symbols]
    if strays:
        raise ModelUsageError(f"no input has an axis {', '.join(strays)}; the inputs are {_describe(inputs)}")
    chosen = {}
    if size is not None:
        pictures = _pictures(inputs)
        if not pictures:
            raise ModelUsageError(
                f"no input is a picture, for which a height and width could be given; the inputs are {_describe(inputs)}"
            )
        for name, first in pictures.items():
            chosen.update({(name, first): size[0], (name, first + 1): size[1]})
    return chosen | {places[name]: length for name, length in dimensions.items() if name in places}


def _pictures(inputs: Mapping[str, _DeclaredShape]) -> dict[str, int]:
    """The inputs that are pictures, and the axis of their height; that of the width follows it.

    Pictures have three colours; where nothing has, one or four; where nothing has those either, the only input with four
    axes is taken for one (raw sensors, stacked frames).
    """
    for colours in ({3}, {1, 4}):
        found = {name: _height_axis(shape, colours) for name, shape in inputs.items()}
        pictures = {name: axis for name, axis in found.items() if axis is not None}
        if pictures:
            return pictures
    stacks = [name for name, shape in inputs.items() if len(shape) == 4]  # noqa: PLR2004 - axes
    return {stacks[0]: 2} if len(stacks) == 1 else {}


def _height_axis(shape: _DeclaredShape, colours: set[int]) -> int | None:
    axes = len(shape)
    if axes in {4, 5}:
        if shape[-3] in colours:
            return axes - 2
        if shape[-1] in colours:
            return axes - 3
    # A single picture without a batch; one colour or four would be hard to tell from a sequence.
    return 1 if axes == 3 and shape[0] == 3 and 3 in colours else None  # noqa: PLR2004 - axes and colours


def _declared_shape(value: onnx.ValueInfoProto) -> _DeclaredShape:
    if not value.type.tensor_type.HasField("shape"):
        raise ModelUsageError(
            f"the network does not say how many axes its input {value.name} has: export it with a shape"
        )
    return tuple(
        # Some exporters write -1 for an open length, and 0 for an open batch.
        dim.dim_value
        if dim.dim_value > 0 or (dim.HasField("dim_value") and dim.dim_value == 0 < axis)
        else dim.dim_param or None
        for axis, dim in enumerate(value.type.tensor_type.shape.dim)
    )


def _is_batch(axis: int, declared: int | str | None) -> bool:
    if not isinstance(declared, str):
        return axis == 0
    name = declared.lower()
    return name.startswith("batch") or (axis == 0 and not any(word in name for word in _LENGTH_WORDS))


def _axes(inputs: Mapping[str, _DeclaredShape]) -> Iterator[tuple[str, int, int | str | None]]:
    for name, shape in inputs.items():
        yield from ((name, axis, declared) for axis, declared in enumerate(shape))


def _describe(inputs: Mapping[str, _DeclaredShape]) -> str:
    return ", ".join(
        f"{name} [{', '.join('?' if declared is None else str(declared) for declared in shape)}]"
        for name, shape in inputs.items()
    )
