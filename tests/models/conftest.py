import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models import sessions
from models.card import ModelCard

SHARED = Path(os.environ.get("CLIPMILL_SHARED", Path(__file__).resolve().parents[3] / "shared"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CLIPMILL_MODELS", str(tmp_path / "cache"))
    monkeypatch.setenv("CLIPMILL_OFFLINE", "1")
    sessions._detectors.clear()
    yield
    sessions._detectors.clear()


@pytest.fixture
def shared_model() -> Callable[[str], Path]:
    def find(name: str) -> Path:
        path = SHARED / "models" / name
        if not path.exists():
            pytest.skip(f"{path} is not there")
        return path

    return find


@pytest.fixture
def shared_frame() -> Callable[[str, int], np.ndarray]:
    def decode(name: str, number: int) -> np.ndarray:
        path = SHARED / "clips" / name
        if not path.exists():
            pytest.skip(f"{path} is not there")
        import av

        with av.open(str(path)) as container:
            frames = container.decode(video=0)
            for _ in range(number):
                next(frames)
            return next(frames).to_ndarray(format="bgr24")

    return decode


def _model(nodes, inputs, outputs, initializers) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "fake", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


@pytest.fixture
def constant_network() -> Callable[..., onnx.ModelProto]:
    """A network whose outputs are given, whatever the picture."""

    def make(outputs: dict[str, np.ndarray], input_shape=(1, 3, 64, 64)) -> onnx.ModelProto:
        initializers = [numpy_helper.from_array(value, f"{name}_is") for name, value in outputs.items()]
        nodes = [helper.make_node("Identity", [f"{name}_is"], [name]) for name in outputs]
        infos = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in outputs.items()
        ]
        picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, input_shape)
        return _model(nodes, [picture], infos, initializers)

    return make


@pytest.fixture
def brightness_network() -> Callable[..., onnx.ModelProto]:
    """A YOLOX that finds bright cells: objectness = green / 255, class 0 = blue / 255, class 1 = red / 255.

    The box of a cell is the cell itself. It works at any size, whatever size it declares.
    """

    def make(input_shape=(1, 3, 64, 96), classes: int = 2) -> onnx.ModelProto:
        weights = np.zeros((5 + classes, 3, 1, 1), np.float32)
        bias = np.array([0.5, 0.5, *[0.0] * (3 + classes)], np.float32)
        weights[4, 1] = weights[5, 0] = weights[6, 2] = 1 / 255
        initializers = [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(bias, "bias"),
            numpy_helper.from_array(np.array([0, 5 + classes, -1], np.int64), "flat"),
        ]
        nodes = []
        for stride in (8, 16, 32):
            sides = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
            nodes += [
                helper.make_node("AveragePool", ["picture"], [f"mean{stride}"], **sides),
                helper.make_node("Conv", [f"mean{stride}", "weights", "bias"], [f"map{stride}"]),
                helper.make_node("Reshape", [f"map{stride}", "flat"], [f"cells{stride}"]),
            ]
        nodes += [
            helper.make_node("Concat", ["cells8", "cells16", "cells32"], ["all"], axis=2),
            helper.make_node("Transpose", ["all"], ["output"], perm=[0, 2, 1]),
        ]
        batch, _, height, width = input_shape
        count = None
        if isinstance(height, int):
            count = sum((height // stride) * (width // stride) for stride in (8, 16, 32))
        output = helper.make_tensor_value_info("output", TensorProto.FLOAT, (batch, count, 5 + classes))
        picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, input_shape)
        return _model(nodes, [picture], [output], initializers)

    return make


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def write(model: onnx.ModelProto, name: str = "net.onnx") -> Path:
        path = tmp_path / name
        path.write_bytes(model.SerializeToString())
        return path

    return write


@pytest.fixture
def make_card() -> Callable[..., ModelCard]:
    """A card of two classes; keyword arguments replace its fields, `input` those of its input."""

    def make(data: bytes = b"x", **fields: object) -> ModelCard:
        values: dict[str, object] = {
            "name": "fake",
            "family": "yolox",
            "licence": "Apache-2.0",
            "bundled": "net.onnx",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": max(len(data), 1),
            "classes": ["auto", "walker"],
            "class_map": {"auto": "car", "walker": "person"},
            "min_score": 0.3,
            "nms_iou": 0.5,
            **fields,
        }
        values["input"] = {"width": 96, "height": 64, **dict(fields.get("input", {}))}
        return ModelCard.model_validate(values)

    return make
