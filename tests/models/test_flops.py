"""FLOPs of whole graphs, and of real networks against two counters that know nothing of ours."""

import math

import numpy as np
import onnx
import onnxsim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper
from onnx_graphs import network, node, ones, run
from onnxsim.model_info import ModelInfo

from models.card import bundled_file, known_cards
from models.errors import ModelUsageError
from models.flops import OperatorCount, count_file, count_flops

WEIGHTS = {"w": ones(8, 3, 3, 3), "b": ones(8), "m": ones(8, 5)}
CLASSIFIER = [
    node("Conv", "x w b", "c", pads=[1] * 4),
    node("Relu", "c", "r"),
    node("GlobalAveragePool", "r", "p"),
    node("Flatten", "p", "f"),
    node("Gemm", "f m"),
]


def test_all_that_is_told():
    counted = count_flops(network(CLASSIFIER, {"x": ["batch", 3, 6, 10]}, weights=WEIGHTS))
    assert counted.inputs == (("x", (1, 3, 6, 10)),)
    assert counted.forward == 2 * 8 * 60 * 27 + 2 * 8 * 5
    assert counted.parameters == 8 * 27 + 8 + 8 * 5
    assert counted.activation_elements == 480 + 480 + 8 + 8 + 5
    assert counted.counted == (
        OperatorCount("Conv", "", 1, 2 * 8 * 60 * 27, 480, unknown=False),
        OperatorCount("Gemm", "", 1, 2 * 8 * 5, 5, unknown=False),
    )
    assert counted.uncounted == (
        OperatorCount("Relu", "", 1, None, 480, unknown=False),
        OperatorCount("Flatten", "", 1, None, 8, unknown=False),
        OperatorCount("GlobalAveragePool", "", 1, None, 8, unknown=False),
    )
    assert counted.uncounted_share == (480 + 8 + 8) / (480 + 480 + 8 + 8 + 5)


def test_open_lengths_must_be_given():
    model = network(CLASSIFIER, {"x": ["batch", 3, "height", "width"]}, weights=WEIGHTS)
    with pytest.raises(ModelUsageError, match=r"x \[batch, 3, height, width\]\): give height=N, width=N$"):
        count_flops(model)
    assert count_flops(model, size=(6, 10)) == count_flops(model, dimensions={"height": 6, "width": 10})


def test_unknown_operators_come_first():
    nodes = [
        node("Relu", "x", "r"),
        node("zoo:Whiten", "r", "h"),
        node("zoo:Whiten", "h", "i"),
        node("MatMul", "i m"),
    ]
    counted = count_flops(network(nodes, {"x": [4, 8]}, weights=WEIGHTS))
    assert counted.forward == 0
    assert counted.uncounted == (
        OperatorCount("MatMul", "", 1, None, 0, unknown=True),
        OperatorCount("Whiten", "zoo", 2, None, 0, unknown=True),
        OperatorCount("Relu", "", 1, None, 32, unknown=False),
    )
    assert counted.uncounted_share == 1


def test_the_same_operator_counted_and_not():
    nodes = [
        node("MatMul", "x m", "a"),
        node("zoo:Whiten", "x", "h"),
        node("MatMul", "h m", "b"),
        node("Relu", "a"),
    ]
    counted = count_flops(network(nodes, {"x": [4, 8]}, weights=WEIGHTS))
    assert [(row.op_type, row.flops) for row in counted.counted] == [("MatMul", 2 * 4 * 8 * 5)]
    assert ("MatMul", None, True) in [(row.op_type, row.flops, row.unknown) for row in counted.uncounted]


def test_what_does_not_depend_on_the_input_has_no_elements():
    nodes = [
        node("Transpose", "w2", "t"),
        node("MatMul", "x t", "h"),
        node("Shape", "h", "s"),
        node("ConstantOfShape", "s", "o"),
        node("Add", "h o"),
    ]
    counted = count_flops(network(nodes, {"x": [4, 8]}, weights={"w2": ones(5, 8)}))
    assert {row.op_type: row.output_elements for row in counted.uncounted} == {
        "Transpose": 0,
        "Shape": 0,
        "ConstantOfShape": 0,
        "Add": 20,
    }
    assert counted.activation_elements == 40


def test_activations_are_fractions():
    nodes = [node("MatMul", "x m", "h"), node("ArgMax", "h", "i"), node("Cast", "h", to=TensorProto.FLOAT16)]
    assert count_flops(network(nodes, {"x": [4, 8]}, weights=WEIGHTS)).activation_elements == 20 + 20


def test_the_standard_by_its_long_name():
    counted = count_flops(
        network([node("ai.onnx:MatMul", "x m", "h"), node("Relu", "h")], {"x": [4, 8]}, weights=WEIGHTS)
    )
    assert (counted.forward, [row.domain for row in (*counted.counted, *counted.uncounted)]) == (
        320,
        ["", ""],
    )


def test_a_network_of_nothing_but_views():
    counted = count_flops(network([node("Constant", "", "y", value=numpy_helper.from_array(ones(3)))], {}))
    assert (counted.forward, counted.uncounted_share, counted.inputs) == (0, 0.0, ())


def test_files_that_are_no_networks(tmp_path):
    with pytest.raises(ModelUsageError, match=r"none\.onnx: cannot read the network: No such file"):
        count_file(tmp_path / "none.onnx")
    path = tmp_path / "picture.onnx"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ModelUsageError, match=r"picture\.onnx: not an ONNX network$"):
        count_file(path)
    onnx.save_model(network(CLASSIFIER, {"x": [1, 3, "h", 4]}, weights=WEIGHTS), path)
    with pytest.raises(ModelUsageError, match=r"picture\.onnx: the network leaves .*: give h=N$"):
        count_file(str(path))
    assert count_file(path, dimensions={"h": 3}).forward == 2 * 8 * 12 * 27 + 80


# Real networks


REAL = {
    "FastestDet.onnx": 242_983_488,
    "face_detection_yunet_2023mar.onnx": 688_448_000,
    "object_detection_nanodet_2022nov.onnx": 1_156_714_416,
    "person-reidentification-retail-0288.onnx": 164_595_328,
    "picodet_s_416_coco.onnx": 1_186_920_496,
    "twinlitenetplus_nano_384x640.onnx": 983_576_576,
    "twinlitenetplus_small_384x640.onnx": 2_588_157_952,
    "yolox_nano_416.onnx": 1_045_106_816,
}


def of_onnxsim(model: onnx.ModelProto) -> int:
    """FLOPs by onnxsim: like ours without biases; it too counts products of matrices only.

    Its own simplification goes first. Without it, it passes over what follows a Tile with computed repeats (one MatMul of
    TwinLiteNet+), because no shape is inferred there.
    """
    simplified, _ = onnxsim.simplify(model)
    return int(ModelInfo(simplified).flops)


def of_a_run(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> tuple[int, int]:
    """FLOPs and elements of floating-point results by the shapes of what the runtime really computes."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    tensors |= feeds | run(model, feeds)
    varying = set(feeds)
    flops = elements = 0
    for step in model.graph.node:
        operands = [tensors[name] for name in step.input if name]
        result = tensors[step.output[0]]
        if varying.intersection(step.input) and step.op_type != "Shape":
            varying.update(step.output)
            elements += sum(tensors[name].size for name in step.output if tensors[name].dtype.kind == "f")
        if step.op_type == "Conv":
            flops += 2 * result.size * operands[1][0].size
        elif step.op_type == "ConvTranspose":
            flops += 2 * operands[0].size * operands[1][0].size
        elif step.op_type == "MatMul":
            flops += 2 * result.size * operands[0].shape[-1]
        elif step.op_type == "Gemm":
            # Of m k, k n and m n elements, whatever is transposed.
            flops += 2 * math.isqrt(operands[0].size * operands[1].size * result.size)
        else:
            assert step.op_type not in {"Einsum", "Attention", "LSTM", "GRU", "RNN", "Loop", "If"}
    return flops, elements


@pytest.mark.parametrize("name", REAL)
def test_real_networks(shared_model, name):
    path = shared_model(name)
    model = onnx.load(path)
    counted = count_file(path)
    assert counted.forward == REAL[name] == of_onnxsim(model)
    feeds = {given: np.zeros(shape, np.float32) for given, shape in counted.inputs}
    assert (counted.forward, counted.activation_elements) == of_a_run(model, feeds)
    assert not [row for row in counted.uncounted if row.unknown]


@pytest.mark.parametrize("size", [(64, 128), (384, 640)])
def test_the_bundled_detector(size):
    """Every length of its input but the colours is open."""
    path = bundled_file(known_cards()["demo"])
    counted = count_file(path, size=size)
    model = onnx.load(path)
    feeds = {"images": np.zeros((1, 3, *size), np.float32)}
    assert (counted.forward, counted.activation_elements) == of_a_run(model, feeds)
    for dim, length in zip(model.graph.input[0].type.tensor_type.shape.dim, (1, 3, *size), strict=True):
        dim.dim_value = length
    assert counted.forward == of_onnxsim(model)


@settings(deadline=None, max_examples=8)
@given(st.integers(1, 8), st.integers(1, 4), st.integers(1, 4))
def test_the_bundled_detector_grows_with_its_input(batch, rows, columns):
    """Fully convolutional: twice the batch is twice the work, twice both sides four times; its coarsest stride is 32."""
    path = bundled_file(known_cards()["demo"])

    def forward(batch, rows, columns):
        return count_file(path, size=(32 * rows, 32 * columns), dimensions={"batch": batch}).forward

    once = forward(batch, rows, columns)
    assert once > 0
    assert forward(2 * batch, rows, columns) == 2 * once
    assert forward(batch, 2 * rows, 2 * columns) == 4 * once


def test_a_network_made_for_one_size_at_others(shared_model):
    """YOLOX works at any multiple of 32, whatever its file says; NanoDet has its sizes baked in."""
    path = shared_model("yolox_nano_416.onnx")
    assert count_file(path, size=(832, 832)).forward == 4 * REAL[path.name]
    assert count_file(path, dimensions={"images:0": 2}).forward == 2 * REAL[path.name]
    counted = count_file(path, size=(256, 416))
    model = onnx.load(path)
    for axis, length in ((2, 256), (3, 416)):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = length
    del model.graph.value_info[:]
    model.graph.output[0].type.tensor_type.ClearField("shape")
    assert counted.forward == of_a_run(model, {"images": np.zeros((1, 3, 256, 416), np.float32)})[0]
    with pytest.raises(
        ModelUsageError, match=r"yolox_nano_416\.onnx: the network does not work at images \[1, 3, 400, 400\]"
    ):
        count_file(path, size=(400, 400))
    with pytest.raises(ModelUsageError, match=r"does not work at input\.1 \[1, 3, 640, 640\]: its Reshape"):
        count_file(shared_model("object_detection_nanodet_2022nov.onnx"), size=(640, 640))
