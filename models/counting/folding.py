"""Arithmetic on shapes inside a graph: what follows from constants alone is computed, so that inference goes on."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx
import onnx.numpy_helper
import onnx.reference

from models.counting.values import CONTRADICTIONS, Values, attributes_of, domain_of

SMALL_CONSTANT: Final = 1024
"""Elements up to which a constant is kept and computed with: those that shapes depend on are far smaller."""

_ARITHMETIC: Final = frozenset(
    {
        *("Abs", "Add", "And", "Cast", "Ceil", "Concat", "ConstantOfShape", "Div", "Equal"),
        *("Expand", "Flatten", "Floor", "Gather", "GatherND", "Greater", "GreaterOrEqual"),
        *("Identity", "Less", "LessOrEqual", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow"),
        *("Range", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum", "Reshape", "Round"),
        *("ScatterND", "Slice", "Sqrt", "Squeeze", "Sub", "Tile", "Transpose", "Unsqueeze"),
        "Where",
    }
)
"""What exporters write between a Shape and a Reshape, Expand, Resize or Loop."""


def folded(node: onnx.NodeProto, values: Values, versions: Mapping[str, int]) -> onnx.TensorProto | None:
    """The result of an operator that depends on constants and shapes alone; None where it does not, or is large.

    Args:
        node: the operator.
        values: what it sees.
        versions: version of each domain's operators.
    """
    if len(node.output) != 1 or not node.input or domain_of(node):
        return None
    if node.op_type in {"Shape", "Size"}:
        shape = values.shapes.get(node.input[0])
        if shape is None:
            return None
        attributes = attributes_of(node)
        lengths = shape[attributes.get("start", 0) : attributes.get("end")]
        whole = np.array(lengths if node.op_type == "Shape" else math.prod(shape), dtype=np.int64)
        return onnx.numpy_helper.from_array(whole, node.output[0])
    # The length is looked at beforehand: a few bytes may ask for gigabytes.
    size = math.prod(values.shapes.get(node.output[0], (SMALL_CONSTANT + 1,)))
    operands = {name for name in node.input if name}
    if node.op_type not in _ARITHMETIC or size > SMALL_CONSTANT or not operands <= values.constants.keys():
        return None
    try:
        feeds = {name: onnx.numpy_helper.to_array(values.constants[name]) for name in operands}
        inputs = [onnx.ValueInfoProto(name=name) for name in feeds]
        graph = onnx.helper.make_graph([node], "fold", inputs, [onnx.ValueInfoProto(name=node.output[0])])
        opsets = [onnx.helper.make_opsetid(domain, version) for domain, version in versions.items()]
        model = onnx.helper.make_model(graph, opset_imports=opsets)
        (result,) = onnx.reference.ReferenceEvaluator(model).run(None, feeds)
        return onnx.numpy_helper.from_array(np.asarray(result), node.output[0])
    except (RuntimeError, *CONTRADICTIONS):
        return None
