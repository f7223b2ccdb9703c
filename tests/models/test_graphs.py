from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.errors import ModelMismatchError, ModelUsageError
from models.graphs import prepare, read_network


def test_only_plain_files_of_bearable_size_are_read(tmp_path: Path):
    with pytest.raises(ModelUsageError, match="cannot read the network: No such file"):
        read_network(tmp_path / "absent.onnx")
    with pytest.raises(ModelUsageError, match="not a file"):
        read_network(tmp_path)
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(ModelUsageError, match="0 bytes"):
        read_network(tmp_path / "empty.onnx")
    with (tmp_path / "huge.onnx").open("wb") as stream:
        stream.truncate((1 << 30) + 1)
    with pytest.raises(ModelUsageError, match="a network has between"):
        read_network(tmp_path / "huge.onnx")
    (tmp_path / "net.onnx").write_bytes(b"net")
    assert read_network(tmp_path / "net.onnx") == b"net"


@pytest.mark.parametrize("data", [b"GIF89a not a network", b"", b"\x08\x07"])
def test_what_is_no_network_is_refused(data):
    with pytest.raises(ModelUsageError, match=r"x\.onnx: not an ONNX network"):
        prepare(data, None, "x.onnx")


def test_initializers_are_taken_out_of_the_inputs(brightness_network):
    model = brightness_network()
    plain = model.SerializeToString()
    assert prepare(plain, None, "x") is plain
    for tensor in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    prepared = onnx.load_from_string(prepare(model.SerializeToString(), None, "x"))
    assert [value.name for value in prepared.graph.input] == ["picture"]


def test_a_dynamic_input_clears_the_sizes_that_the_exporter_wrote(brightness_network, make_card):
    model = brightness_network()
    model.graph.value_info.append(helper.make_tensor_value_info("mean8", TensorProto.FLOAT, (1, 3, 8, 12)))
    prepared = onnx.load_from_string(
        prepare(model.SerializeToString(), make_card(input={"dynamic": True}).input, "x")
    )
    sizes = prepared.graph.input[0].type.tensor_type.shape.dim
    assert [size.dim_value or size.dim_param for size in sizes] == [1, 3, "input_height", "input_width"]
    assert not prepared.graph.value_info
    assert not prepared.graph.output[0].type.tensor_type.HasField("shape")


def test_a_dynamic_input_must_be_one_picture(constant_network, make_card):
    model = constant_network({"output": np.zeros((1, 2), np.float32)}, input_shape=(1, 3))
    with pytest.raises(ModelMismatchError, match="0 inputs have four axes"):
        prepare(model.SerializeToString(), make_card(input={"dynamic": True}).input, "x")


def _external(tensor: TensorProto) -> TensorProto:
    onnx.external_data_helper.set_external_data(tensor, "../../secret")
    tensor.ClearField("raw_data")
    return tensor


def test_weights_in_other_files_are_refused_wherever_they_stand(brightness_network):
    tensor = numpy_helper.from_array(np.zeros(2, np.float32), "w")
    branch = helper.make_graph(
        [], "branch", [], [helper.make_tensor_value_info("w", 1, (2,))], [_external(tensor)]
    )

    def refused(change) -> None:
        model = brightness_network()
        change(model.graph)
        with pytest.raises(ModelUsageError, match="weights lie in other files"):
            prepare(model.SerializeToString(), None, "x")

    refused(lambda graph: graph.initializer.append(tensor))
    refused(lambda graph: graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor)))
    refused(lambda graph: graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=branch)))
    refused(lambda graph: graph.node.append(helper.make_node("Many", ["c"], ["d"], branches=[branch])))
    refused(
        lambda graph: graph.sparse_initializer.append(
            helper.make_sparse_tensor(tensor, numpy_helper.from_array(np.zeros(2, np.int64), "i"), [4])
        )
    )
