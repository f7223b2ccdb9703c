"""Every rule by hand, and where arithmetic allows by the runtime: a product of ones sums up to its multiplications."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto
from onnx_graphs import info, network, node, ones, run

from models.flops import count_flops

MS = "com.microsoft"


def forward(nodes, inputs, weights=None, outputs=("y",), opset=17) -> int:
    counted = count_flops(network(nodes, inputs, outputs, weights, opset=opset))
    assert not any(operator.unknown for operator in counted.uncounted), counted.uncounted
    return counted.forward


@pytest.mark.parametrize(
    ("picture", "kernel", "attributes", "expected"),
    [
        pytest.param([1, 3, 8, 10], [16, 3, 3, 3], {}, 2 * (16 * 6 * 8) * 3 * 9, id="plain"),
        pytest.param([1, 3, 8, 10], [16, 3, 3, 3], {"pads": [1] * 4}, 2 * (16 * 8 * 10) * 27, id="padded"),
        pytest.param(
            [2, 3, 8, 10], [16, 3, 3, 3], {"strides": [2, 2]}, 2 * (2 * 16 * 3 * 4) * 27, id="strided"
        ),
        pytest.param([1, 3, 8, 10], [4, 3, 3, 3], {"dilations": [2, 3]}, 2 * (4 * 4 * 4) * 27, id="dilated"),
        pytest.param([1, 8, 8, 8], [8, 1, 3, 3], {"group": 8}, 2 * (8 * 6 * 6) * 9, id="depthwise"),
        pytest.param([1, 8, 8, 8], [16, 2, 3, 3], {"group": 4}, 2 * (16 * 6 * 6) * 2 * 9, id="grouped"),
        pytest.param([1, 8, 8, 8], [16, 8, 1, 1], {}, 2 * (16 * 8 * 8) * 8, id="pointwise"),
        pytest.param(
            [1, 3, 9, 9],
            [4, 3, 3, 3],
            {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
            2 * (4 * 25) * 27,
            id="auto_pad",
        ),
        pytest.param([2, 4, 16], [6, 4, 5], {}, 2 * (2 * 6 * 12) * 4 * 5, id="1d"),
        pytest.param([1, 2, 4, 6, 8], [5, 2, 2, 3, 3], {}, 2 * (5 * 3 * 4 * 6) * 2 * 18, id="3d"),
    ],
)
def test_convolution(picture, kernel, attributes, expected):
    weights = {"w": ones(*kernel), "b": ones(kernel[0])}
    assert forward([node("Conv", "x w b", **attributes)], {"x": picture}, weights) == expected


@pytest.mark.parametrize(
    ("picture", "kernel", "attributes", "expected"),
    [
        pytest.param([1, 4, 5, 7], [4, 6, 2, 2], {"strides": [2, 2]}, 2 * (4 * 5 * 7) * 6 * 4, id="stride 2"),
        pytest.param(
            [1, 4, 5, 7],
            [4, 6, 4, 4],
            {"strides": [2, 2], "pads": [1] * 4},
            2 * (4 * 35) * 6 * 16,
            id="cropped",
        ),
        pytest.param([2, 4, 5, 7], [4, 3, 3, 3], {"group": 2}, 2 * (2 * 4 * 35) * 3 * 9, id="grouped"),
        pytest.param([1, 2, 3, 4, 5], [2, 3, 2, 2, 2], {}, 2 * (2 * 60) * 3 * 8, id="3d"),
    ],
)
def test_transposed_convolution_is_counted_from_its_input(picture, kernel, attributes, expected):
    assert (
        forward([node("ConvTranspose", "x w", **attributes)], {"x": picture}, {"w": ones(*kernel)})
        == expected
    )


def test_deformable_convolution():
    weights = {"w": ones(5, 4, 3, 3)}
    inputs = {"x": [1, 4, 6, 6], "offset": [1, 18, 4, 4]}
    assert (
        forward([node("DeformConv", "x w offset", kernel_shape=[3, 3])], inputs, weights, opset=19)
        == 2 * (5 * 16) * 36
    )


@pytest.mark.parametrize(
    ("a", "b", "attributes", "expected"),
    [
        ((3, 4), (4, 5), {}, 2 * 3 * 4 * 5),
        ((4, 3), (4, 5), {"transA": 1}, 2 * 3 * 4 * 5),
        ((3, 4), (5, 4), {"transB": 1}, 2 * 3 * 4 * 5),
        ((4, 3), (5, 4), {"transA": 1, "transB": 1}, 2 * 3 * 4 * 5),
    ],
)
def test_gemm(a, b, attributes, expected):
    weights = {"b": ones(*b), "c": ones(5)}
    assert forward([node("Gemm", "a b c", **attributes)], {"a": a}, weights) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((3, 4), (4, 5), 2 * 60),
        ((2, 6, 3, 4), (2, 6, 4, 5), 2 * 12 * 60),
        ((2, 1, 3, 4), (6, 4, 5), 2 * 12 * 60),
        ((7, 3, 4), (4, 5), 2 * 7 * 60),
        ((4,), (4,), 2 * 4),
        ((4,), (2, 4, 5), 2 * 2 * 4 * 5),
        ((2, 3, 4), (4,), 2 * 2 * 3 * 4),
    ],
)
def test_matrix_product(a, b, expected):
    assert forward([node("MatMul", "a b")], {"a": a, "b": b}) == expected


def test_whole_numbers():
    byte = TensorProto.UINT8
    scale, zero = {"s": ones()}, {"z": ones(kind=np.uint8)}
    weights = {"w": ones(4, 3, 3, 3, kind=np.uint8), "m": ones(4, 5, kind=np.uint8), **scale, **zero}
    picture, matrix = {"x": info("x", [1, 3, 6, 6], byte)}, {"x": info("x", [3, 4], byte)}
    assert forward([node("ConvInteger", "x w")], picture, weights) == 2 * (4 * 16) * 27
    assert forward([node("QLinearConv", "x s z w s z s z")], picture, weights) == 2 * (4 * 16) * 27
    assert forward([node("MatMulInteger", "x m")], matrix, weights) == 2 * 60
    assert forward([node("QLinearMatMul", "x s z m s z s z")], matrix, weights) == 2 * 60


def test_quantised_and_dequantised():
    """Shapes go through QuantizeLinear and DequantizeLinear, of weights too."""
    weights = {
        "w": ones(8, 3, 3, 3, kind=np.int8),
        "m": ones(8, 5, kind=np.int8),
        "s": ones(),
        "z": ones(kind=np.int8),
        "ws": ones(8),
        "wz": ones(8, kind=np.int8),
    }
    nodes = [
        node("QuantizeLinear", "x s z", "xq"),
        node("DequantizeLinear", "xq s z", "xd"),
        node("DequantizeLinear", "w ws wz", "wd", axis=0),
        node("Conv", "xd wd", "c"),
        node("QuantizeLinear", "c s z", "cq"),
        node("DequantizeLinear", "cq s z", "cd"),
        node("GlobalAveragePool", "cd", "p"),
        node("Flatten", "p", "f"),
        node("DequantizeLinear", "m s z", "md"),
        node("MatMul", "f md"),
    ]
    assert forward(nodes, {"x": [1, 3, 6, 6]}, weights) == 2 * (8 * 16) * 27 + 2 * 8 * 5


def test_einsum_attention():
    inputs = {"q": [2, 3, 5, 7], "k": [2, 3, 11, 7], "v": [2, 3, 11, 13]}
    nodes = [
        node("Einsum", "q k", "s", equation="bhid,bhjd->bhij"),
        node("Softmax", "s", "p"),
        node("Einsum", "p v", equation="bhij,bhjd->bhid"),
    ]
    assert forward(nodes, inputs) == 2 * 2 * 3 * 5 * 11 * 7 + 2 * 2 * 3 * 5 * 11 * 13


def test_an_einsum_without_a_product_is_listed():
    counted = count_flops(network([node("Einsum", "x", equation="ij->ji")], {"x": [3, 4]}))
    (row,) = counted.uncounted
    assert (row.op_type, row.flops, row.output_elements, row.unknown) == ("Einsum", None, 12, False)
    assert counted.forward == 0


def test_an_einsum_that_does_not_fit_is_unknown():
    counted = count_flops(network([node("Einsum", "x z", equation="ij,jk->ik")], {"x": [3, 4], "z": [5, 6]}))
    assert [row.unknown for row in counted.uncounted] == [True]


@pytest.mark.parametrize(("op", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
@pytest.mark.parametrize("directions", [1, 2])
def test_recurrence(op, gates, directions):
    steps, batch, features, hidden = 9, 2, 5, 7
    weights = {"w": ones(directions, gates * hidden, features), "r": ones(directions, gates * hidden, hidden)}
    attributes = {"hidden_size": hidden, "direction": "bidirectional" if directions == 2 else "forward"}
    expected = 2 * steps * batch * directions * gates * hidden * (features + hidden)
    assert forward([node(op, "x w r", **attributes)], {"x": [steps, batch, features]}, weights) == expected


@pytest.mark.parametrize("causal", [0, 1])
def test_attention_of_the_standard(causal):
    """Batch 2, 6 heads, 5 queries, 11 keys, 8 features, 10 of a value; causal counts all pairs too."""
    expected = 2 * 2 * 6 * 5 * 11 * (8 + 10)
    heads_apart = {"q": [2, 6, 5, 8], "k": [2, 6, 11, 8], "v": [2, 6, 11, 10]}
    assert forward([node("Attention", "q k v", is_causal=causal)], heads_apart, opset=23) == expected
    packed = {"q": [2, 5, 48], "k": [2, 11, 48], "v": [2, 11, 60]}
    attributes = {"q_num_heads": 6, "kv_num_heads": 6, "is_causal": causal}
    assert forward([node("Attention", "q k v", **attributes)], packed, opset=23) == expected


def test_attention_of_the_standard_with_shared_keys_and_a_past():
    shared = {"q": [2, 5, 48], "k": [2, 11, 16], "v": [2, 11, 20]}
    attributes = {"q_num_heads": 6, "kv_num_heads": 2}
    assert forward([node("Attention", "q k v", **attributes)], shared, opset=23) == 2 * 2 * 6 * 5 * 11 * 18
    cached = {**shared, "pk": [2, 2, 100, 8], "pv": [2, 2, 100, 10]}
    nodes = [node("Attention", "q k v _ pk pv", "y nk nv", **attributes)]
    assert forward(nodes, cached, outputs=("y", "nk", "nv"), opset=23) == 2 * 2 * 6 * 5 * 111 * 18


def test_fused_attention_with_its_projection():
    """24 features in, queries and keys 32, values 16 wide."""
    weights = {"w": ones(24, 80), "b": ones(80)}
    attributes = {"num_heads": 4, "qkv_hidden_sizes": [32, 32, 16]}
    nodes = [node(f"{MS}:Attention", "x w b", **attributes)]
    projection = 2 * 2 * 5 * 24 * 80
    assert forward(nodes, {"x": [2, 5, 24]}, weights) == projection + 2 * 2 * 5 * 5 * (32 + 16)
    equal = {"w": ones(24, 96), "b": ones(96)}
    nodes = [node(f"{MS}:Attention", "x w b _ past", "y", num_heads=4, unidirectional=1)]
    inputs = {"x": [2, 5, 24], "past": [2, 2, 4, 7, 8]}
    assert forward(nodes, inputs, equal) == 2 * 2 * 5 * 24 * 96 + 2 * 2 * 5 * (5 + 7) * (32 + 32)


@pytest.mark.parametrize(
    ("names", "inputs", "expected"),
    [
        ("q k v", {"q": [2, 5, 32], "k": [2, 11, 32], "v": [2, 11, 48]}, 2 * 2 * 5 * 11 * (32 + 48)),
        ("qkv", {"qkv": [2, 5, 4, 3, 8]}, 2 * 2 * 5 * 5 * 64),
        ("q kv", {"q": [2, 5, 32], "kv": [2, 11, 4, 2, 8]}, 2 * 2 * 5 * 11 * 64),
        ("q k v", {"q": [2, 5, 32], "k": [2, 4, 11, 8], "v": [2, 4, 11, 8]}, 2 * 2 * 5 * 11 * 64),
        (
            "q k v _ _ _ pk pv",
            {"q": [2, 1, 32], "k": [2, 1, 32], "v": [2, 1, 32], "pk": [2, 4, 7, 8], "pv": [2, 4, 7, 8]},
            2 * 2 * 1 * (7 + 1) * 64,
        ),
    ],
)
def test_fused_multi_head_attention(names, inputs, expected):
    assert forward([node(f"{MS}:MultiHeadAttention", names, num_heads=4)], inputs) == expected


def test_fused_grouped_query_attention():
    """8 heads and 2 pairs of keys and values, 16 features each."""
    lengths = {"n": info("n", [1], TensorProto.INT32), "t": info("t", [], TensorProto.INT32)}
    attributes = {"num_heads": 8, "kv_num_heads": 2}
    inputs = {"q": [1, 5, 128], "k": [1, 5, 32], "v": [1, 5, 32], **lengths}
    nodes = [node(f"{MS}:GroupQueryAttention", "q k v _ _ n t", **attributes)]
    assert forward(nodes, inputs) == 2 * 8 * 5 * 5 * 32
    packed = {"q": [1, 5, 192], **lengths}
    nodes = [node(f"{MS}:GroupQueryAttention", "q _ _ _ _ n t", **attributes)]
    assert forward(nodes, packed) == 2 * 8 * 5 * 5 * 32
    past = {**inputs, "pk": [1, 2, 100, 16], "pv": [1, 2, 100, 16]}
    nodes = [node(f"{MS}:GroupQueryAttention", "q k v pk pv n t", **attributes)]
    assert forward(nodes, past) == 2 * 8 * 5 * 105 * 32


@pytest.mark.parametrize(
    "step",
    [
        node("custom.ops:VoxelPool", "x"),
        node(f"{MS}:FusedMatMul", "x x"),
        node(f"{MS}:MultiHeadAttention", "x", num_heads=4),
        node(f"{MS}:Attention", "x", num_heads=4),
        node("ai.onnx.ml:LinearRegressor", "x"),
        node("NotYetInvented", "x"),
    ],
)
def test_operators_that_are_not_known(step):
    counted = count_flops(network([step], {"x": [4, 4]}))
    (row,) = counted.uncounted
    assert (row.op_type, row.domain, row.nodes, row.flops) == (step.op_type, step.domain, 1, None)
    assert row.unknown
    assert counted.forward == 0


def test_heavy_operators_of_the_standard_are_not_taken_for_light_ones():
    counted = count_flops(network([node("DFT", "x")], {"x": [1, 64, 1]}))
    (row,) = counted.uncounted
    assert (row.op_type, row.unknown, row.output_elements) == ("DFT", True, 64 * 2)
    assert not count_flops(network([node("Relu", "x")], {"x": [4]})).uncounted[0].unknown


small = st.integers(1, 4)


def multiplications(step, inputs, weights) -> int:
    """What the runtime multiplies where everything is one and nothing is padded."""
    feeds = {name: ones(*shape) for name, shape in inputs.items()}
    total = run(network([step], inputs, ("y",), weights), feeds)["y"].sum(dtype=np.float64)
    assert total == round(total)
    return round(total)


@settings(deadline=None, max_examples=40)
@given(st.tuples(small, small, small), st.lists(st.integers(1, 3), min_size=1, max_size=3), st.data())
def test_convolutions_of_ones(channels, kernel, data):
    batch, per_group, out_per_group = channels
    group = data.draw(small)
    axes = len(kernel)
    strides, dilations = (data.draw(st.lists(st.integers(1, 2), min_size=axes, max_size=axes)) for _ in "sd")
    extents = [
        (taps - 1) * gap + 1 + data.draw(st.integers(0, 3))
        for taps, gap in zip(kernel, dilations, strict=True)
    ]
    inputs = {"x": [batch, per_group * group, *extents]}
    attributes = {"group": group, "strides": strides, "dilations": dilations}
    weights = {"w": ones(out_per_group * group, per_group, *kernel)}
    step = node("Conv", "x w", **attributes)
    assert forward([step], inputs, weights) == 2 * multiplications(step, inputs, weights)
    weights = {"w": ones(per_group * group, out_per_group, *kernel)}
    step = node("ConvTranspose", "x w", **attributes)
    assert forward([step], inputs, weights) == 2 * multiplications(step, inputs, weights)


@settings(deadline=None, max_examples=30)
@given(st.lists(small, max_size=2), st.lists(small, max_size=2), small, small, small, st.data())
def test_matrix_products_of_ones(left, right, rows, inner, columns, data):
    axes = min(len(left), len(right))
    for axis in range(1, axes + 1):
        length = data.draw(st.sampled_from([left[-axis], 1]))
        right[-axis] = length
    inputs = {"a": [*left, rows, inner], "b": [*right, inner, columns]}
    step = node("MatMul", "a b")
    expected = math.prod(np.broadcast_shapes(tuple(left), tuple(right))) * rows * inner * columns
    assert forward([step], inputs) == 2 * multiplications(step, inputs, {}) == 2 * expected


@pytest.mark.parametrize(
    "step",
    [
        node("Einsum", "x x", equation=3),
        node("Einsum", "x x"),
        node("Gemm", "x"),
        node("Conv", "x"),
        node("MatMul", "scalar scalar"),
        node("LSTM", "x x"),
        node("Attention", "x x x", q_num_heads=0),
        node(f"{MS}:MultiHeadAttention", "x x x", num_heads=4),
    ],
)
def test_operators_that_contradict_their_definition(step):
    counted = count_flops(network([step], {"x": [4, 4], "scalar": []}, opset=23))
    assert [(row.op_type, row.flops, row.unknown) for row in counted.uncounted] == [
        (step.op_type, None, True)
    ]
