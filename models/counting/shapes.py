"""Shapes of the tensors inside an ONNX graph, found without running it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import onnx
import onnx.shape_inference

from models.counting.folding import SMALL_CONSTANT, folded
from models.counting.functions import inline_functions
from models.counting.fused import fused_outputs
from models.counting.inputs import InputShapes, settle_inputs
from models.counting.repeats import body_inputs, loop_outputs
from models.counting.values import NOTHING_KNOWN, Shape, Typed, Values, bodies_of, domain_of, short_domain
from models.errors import ModelUsageError

_IR_WITH_FREE_INITIALIZERS: Final = 4
"""From this version of the file format on an initializer need not be an input too."""


@dataclass(frozen=True, slots=True)
class ShapedGraph:
    """A graph with every shape that could be found.

    Attributes:
        graph: its operators, those of local functions among them.
        found: the same after inference: `Values.within` reads the shapes. Large weights are inputs here, and
            what follows from constants alone is a constant.
        inputs: name and shape of each tensor that goes in, in the graph's order.
        weights: names of the initializers.
    """

    graph: onnx.GraphProto
    found: onnx.GraphProto
    inputs: tuple[tuple[str, Shape], ...]
    weights: frozenset[str]


def infer_shapes(
    network: onnx.ModelProto, size: tuple[int, int] | None, dimensions: Mapping[str, int]
) -> ShapedGraph:
    """Finds the shapes of a network's tensors at given lengths of its inputs.

    Args:
        network: stays as it is.
        size: height and width of the pictures that go in, in px; None = the graph's own.
        dimensions: lengths of axes, as in `settle_inputs`.

    Raises:
        ModelUsageError: a length is missing or goes with no axis, or the network does not work at these lengths.
    """
    model = _without_weights(network)
    original = onnx.GraphProto()
    original.CopyFrom(model.graph)
    versions = {entry.domain: entry.version for entry in model.opset_import}
    inputs = settle_inputs(model.graph, size, dimensions)
    written = {} if inputs.overrides else _written_shapes(network.graph, inputs.lengths)
    _normalise(model.graph)
    types = {value.name: value.type.tensor_type.elem_type for value in model.graph.input}
    for name, shape in inputs.shapes:
        _declare(model.graph, name, (shape, types[name]))
    model.graph.input.extend(
        onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in network.graph.initializer
        if not _is_small(tensor)
    )
    inferred = _infer(model)
    while _complete(model.graph, inferred.graph, NOTHING_KNOWN, written, versions):
        inferred = _infer(model)
    if size is not None or dimensions:
        _check_lengths(model, inputs)
    _check_reshapes(inferred.graph, inputs)
    weights = frozenset(tensor.name for tensor in network.graph.initializer)
    return ShapedGraph(original, inferred.graph, inputs.shapes, weights)


def _without_weights(network: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with functions inlined, and of the initializers only the small ones."""
    model = onnx.ModelProto(ir_version=max(network.ir_version, _IR_WITH_FREE_INITIALIZERS))
    versions = {short_domain(entry.domain): entry.version for entry in network.opset_import}
    for function in network.functions:
        copy = model.functions.add()
        copy.CopyFrom(function)
        del copy.value_info[:]
        for entry in copy.opset_import:
            # A function of another version is not inlined; the operators that are counted mean the same in all.
            entry.version = versions.setdefault(short_domain(entry.domain), entry.version)
    for node in network.graph.node:
        versions.setdefault(domain_of(node), 1)
    model.opset_import.extend(
        onnx.helper.make_opsetid(domain, version) for domain, version in versions.items()
    )
    graph, source = model.graph, network.graph
    initialised = {tensor.name for tensor in source.initializer}
    graph.name = source.name
    graph.node.extend(source.node)
    graph.input.extend(value for value in source.input if value.name not in initialised)
    graph.output.extend(source.output)
    graph.sparse_initializer.extend(source.sparse_initializer)
    graph.initializer.extend(tensor for tensor in source.initializer if _is_small(tensor))
    return inline_functions(model)


def _is_small(tensor: onnx.TensorProto) -> bool:
    return math.prod(tensor.dims) <= SMALL_CONSTANT and tensor.data_location != onnx.TensorProto.EXTERNAL


def _written_shapes(graph: onnx.GraphProto, lengths: Mapping[str, int]) -> dict[str, Typed]:
    """What the exporter wrote down of the tensors inside, where the lengths of the inputs settle it."""
    written: dict[str, Typed] = {}
    for value in (*graph.value_info, *graph.output):
        tensor = value.type.tensor_type
        axes = [
            dim.dim_value if dim.dim_value > 0 else lengths.get(dim.dim_param, 0) for dim in tensor.shape.dim
        ]
        if tensor.HasField("shape") and all(axes):
            written[value.name] = (tuple(axes), tensor.elem_type)
    return written


def _normalise(graph: onnx.GraphProto) -> None:
    """Drops the shapes that are written down, and gives the standard's domain the one name that inference knows.

    The shapes may be of other lengths of the input, and inference would trust them.
    """
    del graph.value_info[:]
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    for node in graph.node:
        node.domain = domain_of(node)
        for body in bodies_of(node):
            for value in body.input:
                value.type.tensor_type.ClearField("shape")
            _normalise(body)


def _declare(graph: onnx.GraphProto, name: str, typed: Typed) -> None:
    """Writes the shape of a tensor down."""
    shape, element_type = typed
    for value in (*graph.input, *graph.output):
        if value.name == name:
            break
    else:
        value = graph.value_info.add(name=name)
    value.type.CopyFrom(onnx.helper.make_tensor_type_proto(element_type, shape))


def _infer(model: onnx.ModelProto, *, strict: bool = False) -> onnx.ModelProto:
    try:
        return onnx.shape_inference.infer_shapes(model, strict_mode=strict, data_prop=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        raise ModelUsageError(f"the network's shapes cannot be inferred: {_first_line(error)}") from error


def _complete(
    graph: onnx.GraphProto,
    found: onnx.GraphProto,
    outer: Values,
    written: Mapping[str, Typed],
    versions: Mapping[str, int],
) -> bool:
    """Writes into a graph what inference cannot find: shapes of fused operators and of loops, computed constants.

    Args:
        graph: is written to.
        found: the same graph after inference.
        outer: what its surroundings know.
        written: what the exporter wrote down; the last resort.
        versions: version of each domain's operators.

    Returns:
        Whether there was any: then another inference may find more.
    """
    values = outer.within(found)
    changed = False
    for node, twin in zip(graph.node, found.node, strict=True):
        constant = folded(node, values, versions)
        if constant is not None:
            node.CopyFrom(onnx.helper.make_node("Constant", [], [node.output[0]], value=constant))
            values.constants[node.output[0]] = constant
            changed = True
            continue
        outputs = {name: written[name] for name in node.output if name in written} | fused_outputs(
            node, values
        )
        for body, inner in zip(bodies_of(node), bodies_of(twin), strict=True):
            inside = values.within(inner)
            for name, typed in body_inputs(node, body, values).items():
                if name not in inside.shapes and typed[1]:
                    _declare(body, name, typed)
                    changed = True
            changed |= _complete(body, inner, values, {}, versions)
            outputs |= loop_outputs(node, inner, values)
        for name, typed in outputs.items():
            if name and name not in values.shapes and typed[1]:
                _declare(graph, name, typed)
                values.shapes[name], values.element_types[name] = typed
                changed = True
    return changed


def _check_lengths(model: onnx.ModelProto, inputs: InputShapes) -> None:
    """Makes sure that a network works at lengths that its maker may never have tried.

    Raises:
        ModelUsageError: its operators contradict each other, two feature maps of different size for example.
    """
    # What follows an operator that inference does not know would be taken for a contradiction.
    if all(onnx.defs.has(node.op_type, domain=domain_of(node)) for node in model.graph.node):
        try:
            _infer(model, strict=True)
        except ModelUsageError as error:
            raise ModelUsageError(f"the network does not work at {_describe(inputs)}: {error}") from error


def _check_reshapes(graph: onnx.GraphProto, inputs: InputShapes) -> None:
    """Makes sure that no sizes are baked into the graph which are not those of its inputs.

    Raises:
        ModelUsageError: a Reshape gives another number of elements than it takes.
    """
    values = NOTHING_KNOWN.within(graph)
    for node in graph.node:
        if node.op_type == "Reshape" and node.input and node.output:
            before, after = values.shapes.get(node.input[0]), values.shapes.get(node.output[0])
            if before is not None and after is not None and math.prod(before) != math.prod(after):
                raise ModelUsageError(
                    f"the network does not work at {_describe(inputs)}: its Reshape {node.name or node.output[0]} makes "
                    f"{list(after)} of {list(before)}"
                )


def _describe(inputs: InputShapes) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in inputs.shapes)


def _first_line(error: Exception) -> str:
    text = str(error).partition("Inference error(s): ")[2] or str(error)
    return text.strip().splitlines()[0][:300]
