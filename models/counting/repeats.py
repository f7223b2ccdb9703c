"""Operators that repeat a body: what goes into it, what comes out, and how often it runs."""

import onnx

from models.counting.values import Typed, Values, attributes_of, scalar

_LOOP_CONTROLS = 2
"""A Loop's first two inputs are its trip count and its condition; its body's are the pass and the condition."""


def count_passes(node: onnx.NodeProto, body: onnx.GraphProto, values: Values) -> int | None:
    """How often the body of a Loop or Scan runs.

    Args:
        node: the Loop or Scan.
        body: its body.
        values: what the node sees.

    Returns:
        None where only a run can tell, or where what is carried changes its shape, so that no two passes cost the same.
    """
    return _trip_count(node, body, values) if _keeps_shapes(node, body, values) else None


def body_inputs(node: onnx.NodeProto, body: onnx.GraphProto, values: Values) -> dict[str, Typed]:
    """What goes into the body of a Loop or Scan in its first pass, as far as it is known."""
    inputs: dict[str, Typed] = {}
    if not _fits(node, body):
        return inputs
    if node.op_type == "Loop":
        inputs[body.input[0].name] = ((), onnx.TensorProto.INT64)
        inputs[body.input[1].name] = ((), onnx.TensorProto.BOOL)
    for outer, taken, _ in _carried(node, body):
        if outer in values.shapes:
            inputs[taken] = (values.shapes[outer], values.type_of(outer))
    scanned = _scanned(node)
    for (outer, axis), slot in zip(scanned, body.input[len(body.input) - len(scanned) :], strict=True):
        shape = list(values.shapes.get(outer, ()))
        if -len(shape) <= axis < len(shape):
            del shape[axis]
            inputs[slot.name] = (tuple(shape), values.type_of(outer))
    return inputs


def loop_outputs(node: onnx.NodeProto, body: onnx.GraphProto, values: Values) -> dict[str, Typed]:
    """What comes out of a Loop whose passes are alike: inference itself supposes that no two are."""
    if node.op_type != "Loop" or not _keeps_shapes(node, body, values):
        return {}
    inner = values.within(body)
    trips = _trip_count(node, body, values)
    carried = len(node.input) - _LOOP_CONTROLS
    outputs: dict[str, Typed] = {}
    for index, (name, given) in enumerate(zip(node.output, body.output[1:], strict=False)):
        shape = inner.shapes.get(given.name)
        if shape is not None and (index < carried or trips is not None):
            stacked = () if index < carried or trips is None else (trips,)
            outputs[name] = ((*stacked, *shape), inner.type_of(given.name))
    return outputs


def _trip_count(node: onnx.NodeProto, body: onnx.GraphProto, values: Values) -> int | None:
    if node.op_type == "Scan":
        lengths = {
            values.shapes[name][axis]
            for name, axis in _scanned(node)
            if -len(values.shapes.get(name, ())) <= axis < len(values.shapes.get(name, ()))
        }
        return lengths.pop() if len(lengths) == 1 else None
    count = scalar(values.constants.get(node.input[0]))
    inner = values.within(body)
    goes_on = body.output[0].name
    for step in reversed(body.node):
        if step.op_type == "Identity" and step.input and goes_on in step.output:
            goes_on = step.input[0]
    starts = not node.input[1] or scalar(values.constants.get(node.input[1])) == 1
    stays = goes_on == body.input[1].name or scalar(inner.constants.get(goes_on)) == 1
    return max(count, 0) if count is not None and starts and stays else None


def _keeps_shapes(node: onnx.NodeProto, body: onnx.GraphProto, values: Values) -> bool:
    inner = values.within(body)
    return _fits(node, body) and all(
        outer in values.shapes and values.shapes[outer] == inner.shapes.get(given)
        for outer, _, given in _carried(node, body)
    )


def _carried(node: onnx.NodeProto, body: onnx.GraphProto) -> list[tuple[str, str, str]]:
    """Of each tensor that goes from pass to pass: its name outside, in the body before and in the body after."""
    first, last = (
        (_LOOP_CONTROLS, len(node.input))
        if node.op_type == "Loop"
        else (0, len(node.input) - len(_scanned(node)))
    )
    outputs = body.output[1:] if node.op_type == "Loop" else body.output
    return [
        (outer, taken.name, given.name)
        for outer, taken, given in zip(node.input[first:last], body.input[first:last], outputs, strict=False)
    ]


def _scanned(node: onnx.NodeProto) -> list[tuple[str, int]]:
    """Names of the tensors that a Scan takes apart, and the axis along which."""
    attributes = attributes_of(node)
    count = attributes.get("num_scan_inputs")
    if node.op_type != "Scan" or not isinstance(count, int):
        return []
    axes = attributes.get("scan_input_axes") or [0] * count
    return list(zip(node.input[len(node.input) - count :], axes, strict=False))


def _fits(node: onnx.NodeProto, body: onnx.GraphProto) -> bool:
    """Whether node and body belong together as this module understands it; the first Scan (opset 8) did not."""
    return (
        node.op_type in {"Loop", "Scan"}
        and len(node.input) == len(body.input)
        and (node.op_type == "Scan" or (len(node.input) >= _LOOP_CONTROLS and len(body.output) >= 1))
    )
