import onnx
import pytest
from onnx import TensorProto, helper

from models.errors import ModelUsageError
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.onnx_networks import add_counted, counted_network, parse_size
from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import load_facts
from transforms.budget.facts.own import OwnFacts
from transforms.budget.request import BudgetRequest


def saved(folder, nodes, weights=(), shape=(1, 3, 8, 8)):
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        list(weights),
    )
    path = folder / "my net Ä.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return str(path)


@pytest.fixture
def convolution(tmp_path):
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [0.1] * 108)
    return saved(tmp_path, [helper.make_node("Conv", ["images", "w"], ["out"], pads=[1, 1, 1, 1])], [weight])


def test_a_graph_becomes_a_network(convolution):
    counted = counted_network(convolution)
    forward = 2 * 4 * 3 * 9 * 64
    assert (counted.name, counted.flops.forward, counted.flops.parameters) == ("my net Ä", forward, 108)
    own = OwnFacts()
    add_counted(counted, own, load_facts())
    network = own.facts().networks["my net Ä"]
    assert (network.forward.p50, network.parameters.p50, network.multiple.p50) == (forward, 108, 3)
    assert network.activations.p50 == counted.flops.activation_elements * 2
    assert "my net Ä" in network.forward.source


def test_its_training_is_three_passes_of_every_frame_seen(convolution):
    own = OwnFacts()
    counted = counted_network(convolution)
    add_counted(counted, own, load_facts())
    request = BudgetRequest.resolve(["autopilot"], ["cortex"], counted.name, own)
    answer = request.answer(DatasetFigures.of_hours(10.0))[0]
    # five frames a second, a hundred passes at the median
    flops = 3 * counted.flops.forward * 10 * 3600 * 5 * 100
    assert answer.detail.also["training_flops"].p50 == pytest.approx(flops, rel=0.03)
    assert answer.network == "my net Ä"


def test_what_was_not_counted_is_told(tmp_path):
    nodes = [
        helper.make_node("Relu", ["images"], ["r"]),
        helper.make_node("Magic", ["r"], ["m"], domain="my.own"),
        helper.make_node("MatMul", ["images", "images"], ["out"]),
    ]
    counted = counted_network(saved(tmp_path, nodes))
    data = counted.as_json()
    assert data == {"name": "my net Ä", **counted.flops.as_json()}
    operators = {(item["domain"], item["op_type"]): item["unknown"] for item in data["uncounted"]}
    assert operators == {("my.own", "Magic"): True, ("", "Relu"): False}


def test_a_network_without_counted_operators_cannot_be_trained(tmp_path):
    counted = counted_network(saved(tmp_path, [helper.make_node("Relu", ["images"], ["out"])]))
    with pytest.raises(BudgetUsageError, match=r"none of its operators is counted \(Relu\)"):
        add_counted(counted, OwnFacts(), load_facts())


def test_lengths_that_are_open_are_asked_for(tmp_path):
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [0.1] * 108)
    node = helper.make_node("Conv", ["images", "w"], ["out"], pads=[1, 1, 1, 1])
    path = saved(tmp_path, [node], [weight], ("batch", 3, "height", "width"))
    with pytest.raises(ModelUsageError, match="height"):
        counted_network(path)
    assert counted_network(path, (16, 32)).flops.forward == 2 * 4 * 3 * 9 * 16 * 32


def test_a_model_is_counted_at_its_cards_size():
    counted = counted_network("demo")
    assert [tuple(shape[2:]) for _, shape in counted.flops.inputs] == [(736, 1280)]
    assert counted_network("no such model") is None


@pytest.mark.parametrize("text", ["640", "640x", "0x3", "-1x3", "640X384", "999999x2", ""])
def test_what_is_no_size_is_told(text):
    with pytest.raises(BudgetUsageError, match="WIDTHxHEIGHT"):
        parse_size(text)
