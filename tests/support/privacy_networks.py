"""A network of the task privacy whose faces and plates are a known function of the crop that it looks in."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 32
FACE, PLATE = (14.0, 6.0, 18.0, 10.0), (12.0, 20.0, 20.0, 24.0)
"""Places that it finds in its input of `SIDE` x `SIDE` px, whatever is to be seen there."""


def write_fixed_finder(folder: Path) -> Path:
    """Writes the network, and its card, which is returned."""
    constants = {
        "box": np.array([[FACE, PLATE]], np.float32),
        "score": np.array([[0.9, 0.8]], np.float32),
        "label": np.array([[0, 1]], np.int64),
        "nothing": np.float32(0),
    }
    nodes = [
        # nothing of the picture, but an output must come from it
        helper.make_node("ReduceMean", ["picture"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["none"]),
        helper.make_node("Add", ["score", "none"], ["scores"]),
        helper.make_node("Identity", ["box"], ["boxes"]),
        helper.make_node("Identity", ["label"], ["labels"]),
    ]
    graph = helper.make_graph(
        nodes,
        "fixed",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 2, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2]),
            helper.make_tensor_value_info("labels", TensorProto.INT64, [1, 2]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    (folder / "fixed.onnx").write_bytes(data)
    card = folder / "fixed.toml"
    card.write_text(
        f"""name = "fixed"
task = "privacy"
family = "boxes"
licence = "none"
bundled = "fixed.onnx"
sha256 = "{hashlib.sha256(data).hexdigest()}"
bytes = {len(data)}
classes = ["face", "plate"]
class_map = {{ face = "face", plate = "plate" }}
min_score = 0.5

[input]
width = {SIDE}
height = {SIDE}
resize = "stretch"

[outputs]
""",
        encoding="utf-8",
    )
    return card
