"""Tiny ONNX networks, written down in a few lines."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def info(
    name: str, shape: Sequence[int | str | None] | None, kind: int = TensorProto.FLOAT
) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def node(op: str, inputs: str, outputs: str = "y", **attributes: Any) -> onnx.NodeProto:
    """An operator; names are parted by blanks, `_` leaves an optional input out, `domain:Op` names the domain."""
    domain, _, op_type = op.rpartition(":")
    names = [name if name != "_" else "" for name in inputs.split()]
    return helper.make_node(op_type, names, outputs.split(), domain=domain or None, **attributes)


def ones(*shape: int, kind: type = np.float32) -> np.ndarray:
    return np.ones(shape, kind)


def graph(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Any],
    outputs: Sequence[str] = ("y",),
    weights: Mapping[str, np.ndarray] | None = None,
    written: Sequence[onnx.ValueInfoProto] = (),
) -> onnx.GraphProto:
    """A graph; an input is given by its shape, or as a whole."""
    return helper.make_graph(
        nodes,
        "tiny",
        [
            value if isinstance(value, onnx.ValueInfoProto) else info(name, value)
            for name, value in inputs.items()
        ],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
        value_info=written,
    )


def network(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Any],
    outputs: Sequence[str] = ("y",),
    weights: Mapping[str, np.ndarray] | None = None,
    written: Sequence[onnx.ValueInfoProto] = (),
    *,
    opset: int = 17,
    functions: Sequence[onnx.FunctionProto] = (),
) -> onnx.ModelProto:
    domains = {step.domain for step in nodes} - {""}
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in sorted(domains))]
    whole = graph(nodes, inputs, outputs, weights, written)
    return helper.make_model(whole, opset_imports=opsets, functions=functions, ir_version=10)


def run(model: onnx.ModelProto, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every tensor that the runtime computes on the way, by name; nothing is fused or left out."""
    exposed = onnx.ModelProto()
    exposed.CopyFrom(model)
    del exposed.graph.output[:]
    names = [name for step in model.graph.node for name in step.output if name]
    exposed.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        exposed.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return dict(zip(names, session.run(names, dict(feeds)), strict=True))
