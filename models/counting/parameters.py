"""Parameters of a network: the constants in its graph that a training learns."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import onnx

from models.counting.shapes import ShapedGraph
from models.counting.values import NOTHING_KNOWN, Shape, bodies_of, constants_of

FLOATING: Final = frozenset(
    {
        *(
            onnx.TensorProto.FLOAT,
            onnx.TensorProto.FLOAT16,
            onnx.TensorProto.BFLOAT16,
            onnx.TensorProto.DOUBLE,
        ),
        *(onnx.TensorProto.FLOAT8E4M3FN, onnx.TensorProto.FLOAT8E4M3FNUZ),
        *(onnx.TensorProto.FLOAT8E5M2, onnx.TensorProto.FLOAT8E5M2FNUZ),
    }
)
"""ONNX's numbers of the floating-point element types."""

_QUANTISED_WEIGHTS: Final[Mapping[str, frozenset[int]]] = {
    "DequantizeLinear": frozenset({0}),
    "ConvInteger": frozenset({1}),
    "MatMulInteger": frozenset({0, 1}),
    "QLinearConv": frozenset({3, 8}),
    "QLinearMatMul": frozenset({0, 3}),
}
"""Inputs, by their place, at which whole numbers are weights or biases."""

_SETTINGS: Final[Mapping[str, frozenset[int]]] = {
    "QuantizeLinear": frozenset({1}),
    "DequantizeLinear": frozenset({1}),
    "QLinearConv": frozenset({1, 4, 6}),
    "QLinearMatMul": frozenset({1, 4, 6}),
    "Resize": frozenset({1, 2}),
    "Upsample": frozenset({1}),
    "RNN": frozenset({5}),
    "GRU": frozenset({5}),
    "LSTM": frozenset({5, 6}),
}
"""Inputs, by their place, at which fractions are scales or first states and not learnt."""


@dataclass(frozen=True, slots=True, eq=False)
class _Constant:
    shape: Shape
    element_type: int

    def is_learnt(self, op_type: str, place: int) -> bool:
        """Whether an operator that takes it at this place would have learnt it."""
        if self.element_type in FLOATING:
            return bool(self.shape) and place not in _SETTINGS.get(op_type, ())
        return place in _QUANTISED_WEIGHTS.get(op_type, ())


def count_parameters(shaped: ShapedGraph) -> int:
    """Elements of all constants that a training would have learnt.

    These are the floating-point constants with at least one axis that an operator reads (weights, biases, scales of
    normalisations, embedding tables), and the whole numbers that are dequantised or multiplied as weights; each once, however
    often it is used. A quantisation's own scales, sizes and first states are not among them; what an exporter folded into
    a constant, like a grid or a mean, cannot be told apart and is.
    """
    values = NOTHING_KNOWN.within(shaped.found)
    weights = {
        name: _Constant(values.shapes[name], values.type_of(name))
        for name in shaped.weights & values.shapes.keys()
    }
    return sum(math.prod(constant.shape) for constant in set(_learnt(shaped.graph, weights)))


def _learnt(graph: onnx.GraphProto, outer: Mapping[str, _Constant]) -> Iterator[_Constant]:
    own = {name: _Constant(tuple(tensor.dims), tensor.data_type) for name, tensor in constants_of(graph)}
    constants = {**own, **outer}
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name in constants and constants[name].is_learnt(node.op_type, place):
                yield constants[name]
        for body in bodies_of(node):
            yield from _learnt(body, constants)
