"""What is known of the tensors in a graph, and of an operator's parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import onnx
import onnx.numpy_helper

Shape = tuple[int, ...]
"""Lengths of a tensor's axes, none of them open."""

Typed = tuple[Shape, int]
"""Shape and ONNX's number of the element type."""

CONTRIBUTED: Final = "com.microsoft"
"""Domain of onnxruntime's own operators, most of them fused from several of the standard's."""


CONTRADICTIONS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What arithmetic raises at an operator that contradicts its own definition: too few axes, attributes of another type."""


@dataclass(frozen=True, slots=True)
class Values:
    """What is known of the tensors that a graph's operators can see.

    Attributes:
        shapes: shape by name; only of tensors every axis of which is known.
        element_types: ONNX's number of the element type, by name.
        constants: constants that were kept, by name.
    """

    shapes: dict[str, Shape]
    element_types: dict[str, int]
    constants: dict[str, onnx.TensorProto]

    def within(self, graph: onnx.GraphProto) -> Self:
        """The same for a graph inside, which also sees all that its surroundings see."""
        inner = type(self)(dict(self.shapes), dict(self.element_types), dict(self.constants))
        for value in (*graph.input, *graph.value_info, *graph.output):
            tensor = value.type.tensor_type
            if tensor.elem_type:
                inner.element_types[value.name] = tensor.elem_type
            lengths = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim)
            if tensor.HasField("shape") and min(lengths, default=0) >= 0:
                inner.shapes[value.name] = lengths
        for name, constant in constants_of(graph):
            if min(constant.dims, default=0) >= 0:
                inner.constants[name] = constant
                inner.shapes[name] = tuple(constant.dims)
                inner.element_types[name] = constant.data_type
        return inner

    def type_of(self, name: str) -> int:
        """ONNX's number of a tensor's element type."""
        return self.element_types.get(name, onnx.TensorProto.UNDEFINED)


def constants_of(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    """Name and value of a graph's own constants: its initializers and the tensors of its Constant operators."""
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            for attribute in node.attribute:
                if attribute.name == "value":
                    yield node.output[0], attribute.t


def scalar(tensor: onnx.TensorProto | None) -> int | None:
    """The only element of a constant, as a whole number; None where there is none or more than one."""
    if tensor is None:
        return None
    try:
        return int(onnx.numpy_helper.to_array(tensor).item())
    except ValueError:
        return None


def bodies_of(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs inside an operator: branches of an If, body of a Loop or Scan."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """The values of an operator's attributes by name, without its bodies."""
    return {
        attribute.name: onnx.helper.get_attribute_value(attribute)
        for attribute in node.attribute
        if not (attribute.HasField("g") or attribute.graphs or attribute.ref_attr_name)
    }


def domain_of(node: onnx.NodeProto) -> str:
    """The domain of an operator; empty for ONNX's own."""
    return short_domain(node.domain)


def short_domain(domain: str) -> str:
    """A domain's name; that of ONNX's own operators has a long form too."""
    return "" if domain == "ai.onnx" else domain


NOTHING_KNOWN: Final = Values({}, {}, {})


class UnknownShapeError(Exception):
    """A shape that is needed is not known, or there is no such tensor."""


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator as far as arithmetic needs it.

    Attributes:
        attributes: by name.
        inputs: shape of each input; None where it is not known or the input is left out.
        outputs: the same of each output.
        names: names of the inputs; empty where an optional one is left out.
    """

    attributes: dict[str, Any]
    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape | None, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, node: onnx.NodeProto, values: Values) -> Self:
        """The operator of a node that sees these values."""
        return cls(
            attributes_of(node),
            tuple(values.shapes.get(name) for name in node.input),
            tuple(values.shapes.get(name) for name in node.output),
            tuple(node.input),
        )

    def has(self, index: int) -> bool:
        """Whether an optional input is there."""
        return index < len(self.names) and bool(self.names[index])

    def input(self, index: int) -> Shape:
        """Shape of an input."""
        return _known(self.inputs, index)

    def output(self, index: int) -> Shape:
        """Shape of an output."""
        return _known(self.outputs, index)


def _known(shapes: tuple[Shape | None, ...], index: int) -> Shape:
    shape = shapes[index] if index < len(shapes) else None
    if shape is None:
        raise UnknownShapeError
    return shape
