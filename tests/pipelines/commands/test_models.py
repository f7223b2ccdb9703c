import argparse
import hashlib
import io
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models import downloads, sessions
from models.card import known_cards
from models.errors import ModelFetchError, ModelMismatchError, ModelUsageError
from pipelines.commands import models as command
from pipelines.outcome import UsageError

_CARD = """
name = "mine"
family = "{family}"
licence = "MIT"
{place}
sha256 = "{digest}"
bytes = {size}
classes = ["auto", "walker"]
class_map = {{ auto = "car" }}
notes = "for tests"

[input]
width = 64
height = 64
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CLIPMILL_MODELS", str(tmp_path / "cache"))
    monkeypatch.setenv("CLIPMILL_OFFLINE", "0")
    sessions._detectors.clear()


@pytest.fixture
def network(tmp_path) -> Path:
    """A YOLOX of two classes that sees one auto, whatever the picture."""
    output = np.zeros((1, 84, 7), np.float32)
    output[0, 0] = [1, 1, 0, 0, 0.9, 0.9, 0]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["constant"], ["output"])],
        "fake",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, 3, 64, 64))],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, (1, 84, 7))],
        [numpy_helper.from_array(output, "constant")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path = tmp_path / "net.onnx"
    onnx.save_model(model, path)
    return path


@pytest.fixture
def write_card(network, tmp_path):
    def write(family: str = "yolox", place: str = 'bundled = "net.onnx"', digest: str = "") -> str:
        data = network.read_bytes()
        digest = digest or hashlib.sha256(data).hexdigest()
        path = tmp_path / "card.toml"
        path.write_text(_CARD.format(family=family, place=place, digest=digest, size=len(data)))
        return str(path)

    return write


def _run(*arguments: str):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--json", action="store_true")
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


def test_list_says_what_is_known_and_where_it_is(tmp_path):
    card = known_cards()["yolox-nano"]
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "yolox-nano-c789161e.onnx").write_bytes(b"damaged")
    outcome = _run("list", "--json")
    rows = {row["name"]: row for row in outcome.data["models"]}
    assert set(rows) == set(known_cards())
    assert rows["yolox-nano"]["file"] == "damaged"
    assert rows["yolox-s"]["file"] == "not here"
    assert (rows["yolox-nano"]["bytes"], rows["yolox-nano"]["dynamic"]) == (card.bytes, True)
    assert {row["file"] for name, row in rows.items() if known_cards()[name].bundled} <= {"bundled"}
    assert outcome.data["cache"] == str(tmp_path / "cache")
    assert len(outcome.human) == 2


def test_show_a_name_and_a_card(write_card):
    assert _run("show", "picodet-s").data["input"]["resize"] == "stretch"
    outcome = _run("show", write_card())
    assert outcome.data["categories"] == ("car",)
    assert "classes: auto, walker" in outcome.human
    assert "class_map: auto=car" in outcome.human
    assert outcome.data["network"]["inputs"] == {"picture": [1, 3, 64, 64]}
    assert outcome.data["notes"] == []


def test_show_a_card_without_its_file():
    outcome = _run("show", "picodet-s", "--json")
    assert outcome.data["network"] is None
    assert "picodet-s is not on this machine" in outcome.data["notes"][0]
    assert "picodet-s is not on this machine" in str(outcome.human[-1])


def test_show_a_network_without_a_card(network):
    """It has figures all the same, and the message that holds a card to fill in."""
    outcome = _run("show", str(network))
    assert outcome.exit_code == 0
    assert "name" not in outcome.data
    assert outcome.data["network"]["forward_flops"] == 0
    assert "Fill in this card" in outcome.data["notes"][0]
    with pytest.raises(ModelUsageError, match=r"none\.onnx: cannot read the network"):
        _run("show", str(network.with_name("none.onnx")))


@pytest.fixture
def open_network(tmp_path) -> str:
    """A convolution and an operator that nobody knows, on pictures of any size."""
    nodes = [
        helper.make_node("Conv", ["picture", "w"], ["c"]),
        helper.make_node("Blur", ["c"], ["output"], domain="custom"),
        helper.make_node("Relu", ["c"], ["r"]),
    ]
    graph = helper.make_graph(
        nodes,
        "open",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ("batch", 3, "height", "width"))],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.zeros((4, 3, 1, 1), np.float32), "w")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("custom", 1)]
    path = tmp_path / "open.onnx"
    onnx.save_model(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return str(path)


def test_show_the_work_of_a_forward_pass(open_network):
    with pytest.raises(ModelUsageError, match=r"open\.onnx: .*: give height=N, width=N$"):
        _run("show", open_network)
    outcome = _run("show", open_network, "--dimension", "height=500", "--dimension", "width=1000")
    assert outcome.data["network"] == {
        "forward_flops": 12_000_000,
        "parameters": 12,
        "activation_elements": 4_000_000,
        "inputs": {"picture": [1, 3, 500, 1000]},
        "counted": [
            {
                "op_type": "Conv",
                "domain": "",
                "nodes": 1,
                "flops": 12_000_000,
                "output_elements": 2_000_000,
                "unknown": False,
            }
        ],
        "uncounted": [
            {
                "op_type": "Blur",
                "domain": "custom",
                "nodes": 1,
                "flops": None,
                "output_elements": 0,
                "unknown": True,
            },
            {
                "op_type": "Relu",
                "domain": "",
                "nodes": 1,
                "flops": None,
                "output_elements": 2_000_000,
                "unknown": False,
            },
        ],
        "uncounted_share": 0.5,
    }
    assert outcome.human[:6] == (
        "forward: 12 MFLOP for picture 1 x 3 x 500 x 1000; a multiply-add is two",
        "parameters: 12",
        "activations: 4,000,000 elements",
        "counted: 1 Conv (12 MFLOP)",
        "not counted: 1 Relu; 50.0% of the elements of all results",
        "NOT COUNTED, and may be much: 1 custom.Blur",
    )


@pytest.mark.parametrize("given", ["height", "=3", "height=x", "height=-3"])
def test_show_wants_an_axis_and_its_length(open_network, given):
    with pytest.raises(UsageError, match="expected AXIS=N"):
        _run("show", open_network, "--dimension", given)


def test_show_the_bundled_detector_at_its_own_size():
    outcome = _run("show", "demo")
    card = known_cards()["demo"].input
    assert outcome.data["network"]["inputs"] == {"images": [1, 3, card.height, card.width]}
    twice = _run("show", "demo", "--dimension", "images:0=2")
    assert twice.data["network"]["forward_flops"] == 2 * outcome.data["network"]["forward_flops"]


def test_fetch_downloads_once(write_card, network, monkeypatch, tmp_path):
    opened = []

    def open_url(url: str) -> io.BytesIO:
        opened.append(url)
        return io.BytesIO(network.read_bytes())

    monkeypatch.setattr(downloads, "open_https", open_url)
    card = write_card(place='url = "https://example.org/net.onnx"')
    with pytest.raises(ModelFetchError, match="downloads are switched off"):
        _run("fetch", card, "--offline")
    outcome = _run("fetch", card)
    row = outcome.data["models"][0]
    assert Path(row["path"]).read_bytes() == network.read_bytes()
    assert Path(row["path"]).parent == tmp_path / "cache"
    assert _run("fetch", card, "--offline").data == outcome.data
    assert opened == ["https://example.org/net.onnx"]
    assert _run("list").data["models"]


def test_check_tells_shapes_and_milliseconds(write_card):
    outcome = _run("check", write_card(), "--json")
    assert outcome.exit_code == 0
    assert outcome.data["sha256_is_the_cards"] is True
    assert outcome.data["outputs"] == {"output": [1, 84, 7]}
    assert (outcome.data["input_width"], outcome.data["input_height"]) == (64, 64)
    assert outcome.data["milliseconds"] >= 0
    assert outcome.data["boxes_in_noise"] == 1


def test_check_another_file_against_a_card(write_card, network):
    card = write_card(digest="0" * 64)
    with pytest.raises(ModelFetchError, match="but its card mine names"):
        _run("check", card)
    outcome = _run("check", card, "--file", str(network))
    assert outcome.exit_code == 1
    assert outcome.data["sha256_is_the_cards"] is False
    assert "NOT the card's" in outcome.human[1]


def test_check_fails_where_outputs_do_not_fit(write_card):
    with pytest.raises(ModelMismatchError, match=r"it gives output \[1, 84, 7\]; expected \[1, 64, 2\]"):
        _run("check", write_card(family="picodet"))
    with pytest.raises(ModelUsageError, match="fixed size"):
        _run("check", write_card(), "--size", "640")
