"""Output shapes of fused operators, which ONNX's own inference does not know.

What they are is told by onnxruntime's list of contributed operators,
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import onnx

from models.counting.values import (
    CONTRADICTIONS,
    CONTRIBUTED,
    Operator,
    Shape,
    Typed,
    UnknownShapeError,
    Values,
    domain_of,
)

UNIFORM: Final = frozenset(
    {
        *("BiasGelu", "FastGelu", "Gelu", "QuickGelu", "RotaryEmbedding", "GroupNorm"),
        *("SkipGroupNorm", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"),
        *("SimplifiedLayerNormalization", "QuantizeLinear", "DequantizeLinear"),
        *("QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax"),
    }
)
"""Operators without a product of matrices, whose first output has the shape of their first input."""

COMBINING: Final = frozenset({"QLinearAdd", "QLinearMul"})
"""Operators without a product of matrices, whose output has the shape of two broadcast inputs."""

_SKIP_SUM: Final = 3
"""Output of the skip normalisations that holds their input's sum with the skipped tensor."""


def is_contributed(node: onnx.NodeProto) -> bool:
    """Whether an operator is one of onnxruntime's; one of them goes by the standard's name."""
    return domain_of(node) == CONTRIBUTED or node.op_type == "SimplifiedLayerNormalization"


def fused_outputs(node: onnx.NodeProto, values: Values) -> dict[str, Typed]:
    """Shape and element type of an operator's outputs, as far as this module knows the operator."""
    if not is_contributed(node):
        return {}
    name = node.op_type
    operator = Operator.of(node, values)
    try:
        if name in UNIFORM:
            shapes = {0: operator.input(0)}
            if name.startswith("Skip"):
                shapes[_SKIP_SUM] = shapes[0]
        elif name in COMBINING:
            shapes = {0: np.broadcast_shapes(operator.input(0), operator.input(3))}
        elif name in _ATTENTIONS:
            shapes = {0: _ATTENTIONS[name](operator)}
        else:
            return {}
    except (UnknownShapeError, *CONTRADICTIONS):
        return {}
    element_type = _element_type(node, values)
    return {
        node.output[index]: (shape, element_type)
        for index, shape in shapes.items()
        if index < len(node.output)
    }


def _element_type(node: onnx.NodeProto, values: Values) -> int:
    source = {"DequantizeLinear": 1, "QuantizeLinear": 2}.get(node.op_type, 0)
    if source < len(node.input):
        return values.type_of(node.input[source])
    return onnx.TensorProto.UINT8


def _attention(operator: Operator) -> Shape:
    batch, length, _ = operator.input(0)
    sizes = operator.attributes.get("qkv_hidden_sizes")
    return batch, length, sizes[2] if sizes else operator.input(1)[1] // 3


def _multi_head(operator: Operator) -> Shape:
    query = operator.input(0)
    if len(query) == 5:  # noqa: PLR2004 - batch, length, heads, (query, key, value), features
        batch, length, heads, _, features = query
        return batch, length, heads * features
    if not operator.has(2):
        return query
    value = operator.input(2)
    return *query[:2], value[2] if len(value) == 3 else value[1] * value[3]  # noqa: PLR2004 - axes


def _grouped_query(operator: Operator) -> Shape:
    batch, length, width = operator.input(0)
    if operator.has(1):
        return batch, length, width
    heads, pairs = operator.attributes["num_heads"], operator.attributes["kv_num_heads"]
    return batch, length, width * heads // (heads + 2 * pairs)


_ATTENTIONS: Final[dict[str, Callable[[Operator], Shape]]] = {
    "Attention": _attention,
    "MultiHeadAttention": _multi_head,
    "GroupQueryAttention": _grouped_query,
}
