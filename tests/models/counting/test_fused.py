"""Shapes of fused operators: those that the runtime gives."""

import numpy as np
import pytest
from onnx import helper
from onnx_graphs import network, node, ones, run

from models.counting.fused import fused_outputs
from models.counting.values import NOTHING_KNOWN

MS = "com.microsoft"
BYTE = np.uint8

CASES = {
    "BiasGelu": ("x b", {"x": ones(2, 5, 8)}, {"b": ones(8)}, {}),
    "FastGelu": ("x", {"x": ones(2, 5, 8)}, {}, {}),
    "Gelu": ("x", {"x": ones(2, 5, 8)}, {}, {}),
    "QuickGelu": ("x", {"x": ones(2, 5, 8)}, {}, {}),
    "SkipLayerNormalization": ("x s g", {"x": ones(2, 5, 8), "s": ones(2, 5, 8)}, {"g": ones(8)}, {}),
    "SkipSimplifiedLayerNormalization": (
        "x s g",
        {"x": ones(2, 5, 8), "s": ones(2, 5, 8)},
        {"g": ones(8)},
        {},
    ),
    "RotaryEmbedding": (
        "x p c s",
        {"x": ones(2, 5, 8)},
        {"p": np.zeros((2, 5), np.int64), "c": ones(9, 4), "s": ones(9, 4)},
        {},
    ),
    "QuantizeLinear": ("x s z", {"x": ones(2, 5)}, {"s": ones(), "z": ones(kind=BYTE)}, {}),
    "DequantizeLinear": ("x s z", {"x": ones(2, 5, kind=BYTE)}, {"s": ones(), "z": ones(kind=BYTE)}, {}),
    "QLinearSigmoid": ("x s z s z", {"x": ones(2, 5, kind=BYTE)}, {"s": ones(), "z": ones(kind=BYTE)}, {}),
    "QLinearAdd": (
        "x s z o s z s z",
        {"x": ones(2, 1, 5, kind=BYTE), "o": ones(4, 1, kind=BYTE)},
        {"s": ones(), "z": ones(kind=BYTE)},
        {},
    ),
    "Attention": (
        "x w b",
        {"x": ones(2, 5, 24)},
        {"w": ones(24, 80), "b": ones(80)},
        {"num_heads": 4, "qkv_hidden_sizes": [32, 32, 16]},
    ),
    "Attention, equal": (
        "x w b",
        {"x": ones(2, 5, 24)},
        {"w": ones(24, 96), "b": ones(96)},
        {"num_heads": 4},
    ),
    "MultiHeadAttention": (
        "q k v",
        {"q": ones(2, 5, 32), "k": ones(2, 7, 32), "v": ones(2, 7, 48)},
        {},
        {"num_heads": 4},
    ),
    "MultiHeadAttention, heads apart": (
        "q k v",
        {"q": ones(2, 5, 32), "k": ones(2, 4, 7, 8), "v": ones(2, 4, 7, 8)},
        {},
        {"num_heads": 4},
    ),
    "GroupQueryAttention": (
        "q k v pk pv n t",
        {"q": ones(1, 5, 64), "k": ones(1, 5, 16), "v": ones(1, 5, 16)},
        {
            **{name: np.zeros((1, 2, 0, 8), np.float32) for name in ("pk", "pv")},
            "n": np.full((1,), 4, np.int32),
            "t": np.array(5, np.int32),
        },
        {"num_heads": 8, "kv_num_heads": 2},
    ),
    "GroupQueryAttention, packed": (
        "q _ _ pk pv n t",
        {"q": ones(1, 5, 96)},
        {
            **{name: np.zeros((1, 2, 0, 8), np.float32) for name in ("pk", "pv")},
            "n": np.full((1,), 4, np.int32),
            "t": np.array(5, np.int32),
        },
        {"num_heads": 8, "kv_num_heads": 2},
    ),
}


def values_of(tensors):
    return NOTHING_KNOWN.within(
        network([node("Relu", "x")], {}, weights=tensors).graph,
    )


@pytest.mark.parametrize("case", CASES)
def test_shapes_are_those_of_the_runtime(case):
    names, feeds, weights, attributes = CASES[case]
    outputs = "y nk nv" if case.startswith("Group") else "y"
    step = node(f"{MS}:{case.partition(',')[0]}", names, outputs, **attributes)
    inputs = {
        name: helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in feeds.items()
    }
    real = run(network([step], inputs, ("y",), weights), feeds)["y"]
    found = fused_outputs(step, values_of({**feeds, **weights}))
    assert found["y"] == (real.shape, helper.np_dtype_to_tensor_dtype(real.dtype))


@pytest.mark.parametrize(
    ("names", "tensors"), [("x", {"x": ones(2, 5, 4, 3, 8)}), ("q kv", {"q": ones(2, 5, 32)})]
)
def test_packed_attention_which_the_runtime_has_on_other_devices_only(names, tensors):
    step = node(f"{MS}:MultiHeadAttention", names, num_heads=4)
    assert fused_outputs(step, values_of(tensors)) == {"y": ((2, 5, 32), 1)}


def test_the_sum_of_a_skip_normalisation_has_a_shape_too():
    step = node(f"{MS}:SkipLayerNormalization", "x s g", "y _ _ sum")
    step.output[1] = step.output[2] = ""
    found = fused_outputs(step, values_of({"x": ones(2, 5, 8), "s": ones(2, 5, 8), "g": ones(8)}))
    assert found == {"y": ((2, 5, 8), 1), "sum": ((2, 5, 8), 1)}


def test_what_is_not_known_stays_so():
    known = values_of({"x": ones(2, 5, 24)})
    assert fused_outputs(node(f"{MS}:Gelu", "z"), known) == {}
    assert fused_outputs(node(f"{MS}:Attention", "x w b", num_heads=4), known) == {}
    assert fused_outputs(node(f"{MS}:GroupQueryAttention", "x", num_heads=4), known) == {}
    assert fused_outputs(node(f"{MS}:QLinearAdd", "x _ _"), known) == {}
    assert fused_outputs(node("Relu", "x"), known) == {}
    assert fused_outputs(node("other:Gelu", "x"), known) == {}


def test_a_quantised_result_is_of_bytes_where_nothing_else_is_said():
    found = fused_outputs(node(f"{MS}:QuantizeLinear", "x s"), values_of({"x": ones(2, 5), "s": ones()}))
    assert found == {"y": ((2, 5), 2)}
