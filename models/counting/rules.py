"""FLOPs of single operators that are a product of matrices, or one in other clothes. A multiply-add is two.

Counted is what a straightforward evaluation multiplies: padding like any other value, all pairs of a causal or windowed
attention. Biases, softmax and activations are not.
"""

import math
from collections.abc import Callable
from typing import Final

import onnx
import onnx.defs

from models.counting.einsum import einsum_flops
from models.counting.fused import COMBINING, UNIFORM, is_contributed
from models.counting.values import CONTRADICTIONS, CONTRIBUTED, Operator, UnknownShapeError, Values, domain_of

_REVIEWED_OPSET: Final = 28
"""Newest version of ONNX's standard whose operators were looked through; one that is added later may hold anything."""

_LABORIOUS: Final = frozenset(
    {
        *("AffineGrid", "CausalConvWithState", "DFT", "Det", "ImageDecoder", "LinearAttention", "STFT"),
        *("Loop", "Scan", "SequenceMap"),
    }
)
"""Operators of the standard that do far more than a FLOP per element, and have no rule here."""

_LIGHT_CONTRIBUTED: Final = UNIFORM | COMBINING | {"EmbedLayerNormalization"}


class UnknownWorkError(Exception):
    """It cannot be told how much an operator computes."""


def operator_flops(node: onnx.NodeProto, values: Values) -> int | None:
    """FLOPs of one operator, those inside its bodies left out.

    Args:
        node: the operator.
        values: what it sees.

    Returns:
        None where the operator is known to hold no product of matrices.

    Raises:
        UnknownWorkError: the operator is not known, or a shape of its operands or results is not.
    """
    name = (domain_of(node), node.op_type)
    rule = _RULES.get(name)
    if rule is not None:
        try:
            return rule(Operator.of(node, values))
        except (UnknownShapeError, *CONTRADICTIONS) as error:
            raise UnknownWorkError from error
    if not _is_light(node) or any(result and result not in values.shapes for result in node.output):
        raise UnknownWorkError
    return None


def _is_light(node: onnx.NodeProto) -> bool:
    """Whether an operator is known to do no more than a few FLOPs per element."""
    if is_contributed(node):
        return node.op_type in _LIGHT_CONTRIBUTED
    standard = domain_of(node) == "" and onnx.defs.has(node.op_type, _REVIEWED_OPSET)
    return standard and node.op_type not in _LABORIOUS


def _convolution(weight: int) -> Callable[[Operator], int]:
    """Every element of the result is a sum over the kernel and the channels of its group."""

    def flops(operator: Operator) -> int:
        _, *taps = operator.input(weight)
        return 2 * math.prod(operator.output(0)) * math.prod(taps)

    return flops


def _transposed_convolution(operator: Operator) -> int:
    """Every element of the input is spread over the kernel and the result's channels of its group."""
    _, *taps = operator.input(1)
    return 2 * math.prod(operator.input(0)) * math.prod(taps)


def _matrix_product(operator: Operator) -> int:
    return 2 * math.prod(operator.output(0)) * operator.input(0)[-1]


def _gemm(operator: Operator) -> int:
    rows, columns = operator.input(0)
    return 2 * math.prod(operator.output(0)) * (rows if operator.attributes.get("transA") else columns)


def _einsum(operator: Operator) -> int | None:
    operands = [operator.input(index) for index in range(len(operator.inputs))]
    return einsum_flops(operator.attributes["equation"].decode(), operands)


def _recurrence(operator: Operator) -> int:
    """Each step multiplies its input and the last state by the weights of all gates and directions."""
    steps_and_batch = operator.input(0)[:2]
    return 2 * math.prod(steps_and_batch) * (math.prod(operator.input(1)) + math.prod(operator.input(2)))


def _attention(operator: Operator) -> int:
    """The standard's own: heads along an axis, or packed into the features."""
    query, key, value = (operator.input(index) for index in range(3))
    if len(query) == 4:  # noqa: PLR2004 - batch, heads, length, features
        batch, heads, queries, features = query
        keys, value_features = key[2], value[3]
    else:
        batch, queries, packed = query
        heads = operator.attributes["q_num_heads"]
        features = packed // heads
        keys, value_features = key[1], value[2] // operator.attributes["kv_num_heads"]
    return _pairs(batch * heads, queries, _past(operator, 4) + keys, features + value_features)


def _attention_with_projection(operator: Operator) -> int:
    """The one of onnxruntime: makes queries, keys and values of its input itself."""
    batch, length, _ = operator.input(0)
    inputs, outputs = operator.input(1)
    sizes = operator.attributes.get("qkv_hidden_sizes") or [outputs // 3] * 3
    projection = 2 * batch * length * inputs * outputs
    return projection + _pairs(batch, length, _past(operator, 4, axis=3) + length, sizes[0] + sizes[2])


def _multi_head_attention(operator: Operator) -> int:
    query = operator.input(0)
    if len(query) == 5:  # noqa: PLR2004 - batch, length, heads, (query, key, value), features
        batch, length, heads, _, features = query
        return _pairs(batch * heads, length, _past(operator, 6) + length, 2 * features)
    batch, queries, width = query
    key = operator.input(1)
    if len(key) == 5:  # noqa: PLR2004 - batch, length, heads, (key, value), features
        return _pairs(batch, queries, _past(operator, 6) + key[1], 2 * width)
    value = operator.input(2)
    if len(key) == 4:  # noqa: PLR2004 - batch, heads, length, features
        return _pairs(batch, queries, key[2], width + value[1] * value[3])
    return _pairs(batch, queries, _past(operator, 6) + key[1], width + value[2])


def _grouped_query_attention(operator: Operator) -> int:
    """With a cache of fixed length all of it counts: how full it is, only a run can tell."""
    batch, queries, width = operator.input(0)
    heads, pairs = operator.attributes["num_heads"], operator.attributes["kv_num_heads"]
    if operator.has(1):
        keys, features = operator.input(1)[1], width // heads
    else:
        keys, features = queries, width // (heads + 2 * pairs)
    return _pairs(batch * heads, queries, _past(operator, 3) + keys, 2 * features)


def _past(operator: Operator, index: int, axis: int = 2) -> int:
    """Keys from earlier steps."""
    return operator.input(index)[axis] if operator.has(index) else 0


def _pairs(heads: int, queries: int, keys: int, features: int) -> int:
    """Every query with every key, then every key's value for every query; `features` is the sum of both widths."""
    return 2 * heads * queries * keys * features


_RULES: Final[dict[tuple[str, str], Callable[[Operator], int | None]]] = {
    ("", "Conv"): _convolution(1),
    ("", "ConvInteger"): _convolution(1),
    ("", "DeformConv"): _convolution(1),
    ("", "QLinearConv"): _convolution(3),
    ("", "ConvTranspose"): _transposed_convolution,
    ("", "Gemm"): _gemm,
    ("", "MatMul"): _matrix_product,
    ("", "MatMulInteger"): _matrix_product,
    ("", "QLinearMatMul"): _matrix_product,
    ("", "Einsum"): _einsum,
    ("", "RNN"): _recurrence,
    ("", "GRU"): _recurrence,
    ("", "LSTM"): _recurrence,
    ("", "Attention"): _attention,
    (CONTRIBUTED, "Attention"): _attention_with_projection,
    (CONTRIBUTED, "MultiHeadAttention"): _multi_head_attention,
    (CONTRIBUTED, "GroupQueryAttention"): _grouped_query_attention,
}
