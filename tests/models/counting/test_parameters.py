import numpy as np
import pytest
from onnx import TensorProto, numpy_helper
from onnx_graphs import graph, info, network, node, ones

from models.flops import count_flops


def parameters(nodes, inputs, weights, outputs=("y",), **options) -> int:
    return count_flops(network(nodes, inputs, outputs, weights, **options)).parameters


def test_weights_biases_and_norms():
    weights = {
        "w": ones(16, 3, 3, 3),
        "b": ones(16),
        **{name: ones(16) for name in ("scale", "shift", "mean", "var")},
    }
    nodes = [node("Conv", "x w b", "c"), node("BatchNormalization", "c scale shift mean var")]
    assert parameters(nodes, {"x": [1, 3, 8, 8]}, weights) == 16 * 27 + 16 + 4 * 16


def test_a_weight_counts_once_and_an_unused_one_not_at_all():
    weights = {"w": ones(8, 8), "unused": ones(100)}
    assert parameters([node("MatMul", "x w", "h"), node("MatMul", "h w")], {"x": [4, 8]}, weights) == 64


def test_large_weights_and_tables():
    weights = {"table": ones(500, 8), "w": ones(8, 500)}
    nodes = [node("Gather", "table x", "h"), node("MatMul", "h w")]
    assert parameters(nodes, {"x": info("x", [4], TensorProto.INT64)}, weights) == 8000


def test_numbers_without_axes_and_settings_are_none():
    weights = {
        "eps": ones(),
        "two": np.array([2], np.int64),
        "up": np.array([1, 1, 2, 2], np.float32),
        "h0": ones(1, 1, 7),
        "g": ones(1, 21, 5),
        "r": ones(1, 21, 7),
    }
    nodes = [node("Add", "x eps", "a"), node("Resize", "a _ up")]
    assert parameters(nodes, {"x": [1, 3, 4, 4]}, weights) == 0
    assert parameters([node("GRU", "x g r _ _ h0", hidden_size=7)], {"x": [2, 1, 5]}, weights) == 21 * 12


def test_a_bias_of_one_element_is_a_parameter():
    weights = {"w": ones(1, 3, 1, 1), "b": ones(1)}
    assert parameters([node("Conv", "x w b")], {"x": [1, 3, 8, 8]}, weights) == 4


def test_constants_among_the_operators():
    tensor = numpy_helper.from_array(ones(8, 5))
    nodes = [node("Constant", "", "w", value=tensor), node("MatMul", "x w")]
    assert parameters(nodes, {"x": [4, 8]}, {}) == 40


@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_quantised_weights(kind):
    weights = {
        "w": ones(16, 3, 3, 3, kind=kind),
        "b": ones(16, kind=np.int32),
        "ws": ones(16),
        "wz": ones(16, kind=kind),
        "bs": ones(16),
        "bz": ones(16, kind=np.int32),
    }
    nodes = [
        node("DequantizeLinear", "w ws wz", "wd", axis=0),
        node("DequantizeLinear", "b bs bz", "bd", axis=0),
        node("Conv", "x wd bd"),
    ]
    assert parameters(nodes, {"x": [1, 3, 8, 8]}, weights) == 16 * 27 + 16


def test_weights_of_whole_numbers():
    byte = TensorProto.UINT8
    weights = {
        "w": ones(4, 3, 3, 3, kind=np.uint8),
        "b": ones(4, kind=np.int32),
        "m": ones(4, 5, kind=np.uint8),
        "s": ones(4),
        "z": ones(kind=np.uint8),
        "one": ones(),
    }
    picture, matrix = {"x": info("x", [1, 3, 6, 6], byte)}, {"x": info("x", [3, 4], byte)}
    assert parameters([node("QLinearConv", "x one z w s z one z b")], picture, weights) == 4 * 27 + 4
    assert parameters([node("ConvInteger", "x w")], picture, weights) == 4 * 27
    assert parameters([node("MatMulInteger", "x m")], matrix, weights) == 20
    assert parameters([node("QLinearMatMul", "x one z m s z one z")], matrix, weights) == 20


def test_weights_inside_branches_and_of_their_surroundings():
    """Two weights of the same name in two branches are two; the outer one is one."""
    branches = [
        graph([node("MatMul", "x w", "h"), node("MatMul", "h outer", "t")], {}, ("t",), {"w": ones(8, 8)})
        for _ in range(2)
    ]
    step = node("If", "c", then_branch=branches[0], else_branch=branches[1])
    inputs = {"x": [4, 8], "c": info("c", [], TensorProto.BOOL)}
    assert parameters([step], inputs, {"outer": ones(8, 8)}) == 3 * 64
