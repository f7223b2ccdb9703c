"""Graphs whose shapes are not simply what they say."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx_graphs import info, network, node, ones

from models.counting.shapes import infer_shapes
from models.counting.values import NOTHING_KNOWN
from models.errors import ModelUsageError
from models.flops import count_flops


def shapes(model, size=None, **dimensions):
    return NOTHING_KNOWN.within(infer_shapes(model, size, dimensions).found).shapes


def test_stale_shapes_are_dropped():
    """The exporter's note on the convolution is of another size than its input."""
    stale = [info("c", [1, 4, 999, 999])]
    nodes = [node("Conv", "x w", "c"), node("Relu", "c")]
    model = network(nodes, {"x": [1, 3, 8, 8]}, weights={"w": ones(4, 3, 1, 1)}, written=stale)
    assert shapes(model)["c"] == (1, 4, 8, 8)
    assert shapes(model, size=(16, 24))["y"] == (1, 4, 16, 24)
    model.graph.output[0].CopyFrom(info("y", [1, 4, 8, 8]))
    assert shapes(model, size=(16, 24))["y"] == (1, 4, 16, 24)


def test_what_the_exporter_wrote_is_the_last_resort():
    """Of an operator that nobody knows, and only where it goes with the lengths of the inputs."""
    written = [info("h", ["batch", 3, "height", 8])]
    nodes = [node("custom:Blur", "x", "h"), node("Conv", "h w")]
    model = network(nodes, {"x": ["batch", 3, "height", 8]}, weights={"w": ones(4, 3, 1, 1)}, written=written)
    assert shapes(model, height=6)["y"] == (1, 4, 6, 8)
    assert "y" not in shapes(model, height=6, **{"x:3": 10})
    counted = count_flops(model, dimensions={"height": 6})
    assert counted.forward == 2 * (4 * 6 * 8) * 3
    assert [row.op_type for row in counted.uncounted if row.unknown] == ["Blur"]


def test_initializers_that_are_inputs_too_and_an_old_file():
    model = network([node("MatMul", "x w")], {"x": [4, 8], "w": [8, 5]}, weights={"w": ones(8, 5)})
    model.ir_version = 3
    found = infer_shapes(model, None, {})
    assert found.inputs == (("x", (4, 8)),)
    assert shapes(model)["y"] == (4, 5)


def test_weights_in_other_files():
    model = network([node("MatMul", "x w")], {"x": [4, 8]}, weights={"w": ones(8, 5)})
    tensor = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, "weights.bin")
    tensor.ClearField("raw_data")
    counted = count_flops(model)
    assert (counted.forward, counted.parameters) == (2 * 4 * 8 * 5, 40)


def test_shapes_through_fused_operators():
    nodes = [
        node("MatMul", "x w", "m"),
        node("com.microsoft:BiasGelu", "m b", "g"),
        node("MatMul", "g v", "n"),
        node("com.microsoft:SkipLayerNormalization", "n x scale", "s"),
        node("SimplifiedLayerNormalization", "s scale", "t"),
        node("MatMul", "t w"),
    ]
    weights = {"w": ones(8, 32), "b": ones(32), "v": ones(32, 8), "scale": ones(8)}
    counted = count_flops(network(nodes, {"x": [2, 5, 8]}, weights=weights))
    assert counted.forward == 3 * 2 * 10 * 8 * 32
    assert not [row for row in counted.uncounted if row.unknown]


def test_arithmetic_that_inference_does_not_know():
    """ConstantOfShape makes the repeats of a Tile."""
    one = numpy_helper.from_array(np.array([2]))
    nodes = [
        node("ConstantOfShape", "three", "repeats", value=one),
        node("Tile", "x repeats", "t"),
        node("MatMul", "t w"),
    ]
    counted = count_flops(network(nodes, {"x": [1, 4, 4]}, weights={"three": np.array([3]), "w": ones(8, 5)}))
    assert counted.forward == 2 * 2 * 8 * 8 * 5
    assert [row.op_type for row in counted.uncounted] == ["Tile", "ConstantOfShape"]


def test_a_reshape_with_a_baked_in_size():
    weights = {"w": ones(4, 3, 1, 1), "flat": np.array([1, 4, 64])}
    model = network(
        [node("Conv", "x w", "c"), node("Reshape", "c flat", name="cells")],
        {"x": [1, 3, 8, 8]},
        weights=weights,
    )
    assert shapes(model)["y"] == (1, 4, 64)
    with pytest.raises(
        ModelUsageError, match=r"does not work at x \[1, 3, 16, 8\]: its Reshape cells makes \[1, 4, 64\] of"
    ):
        shapes(model, size=(16, 8))


def test_lengths_at_which_feature_maps_do_not_meet():
    """Halved and doubled again, an odd length is another one."""
    nodes = [
        node("MaxPool", "x", "half", kernel_shape=[2, 2], strides=[2, 2]),
        node("Resize", "half _ up", "again"),
        node("Add", "again x"),
    ]
    model = network(nodes, {"x": ["n", 3, "h", "w"]}, weights={"up": np.array([1, 1, 2, 2], np.float32)})
    assert shapes(model, h=8, w=10)["y"] == (1, 3, 8, 10)
    with pytest.raises(ModelUsageError, match=r"does not work at x \[1, 3, 9, 10\]: .*Add"):
        shapes(model, size=(9, 10))


def test_a_graph_without_a_domain_for_its_operators():
    model = network([node("custom:Blur", "x", "h"), node("Relu", "x")], {"x": [3]})
    del model.opset_import[1:]
    assert shapes(model)["y"] == (3,)


def test_the_network_stays_as_it_is():
    model = network(
        [node("Shape", "x", "s"), node("Reshape", "x s")], {"x": ["batch", 3]}, written=[info("s", [2], 7)]
    )
    before = model.SerializeToString(deterministic=True)
    assert shapes(model, batch=5)["y"] == (5, 3)
    assert model.SerializeToString(deterministic=True) == before
