"""Network files as graphs: read with care, made fit for the runtime."""

import stat
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from models.card import MAX_NETWORK_BYTES, InputSpec
from models.errors import ModelMismatchError, ModelUsageError


def read_network(path: Path) -> bytes:
    """The bytes of a network's file.

    Raises:
        ModelUsageError: there is no such file, or it is no plain file, empty or too large.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise ModelUsageError(f"{path}: not a file")
        if not 0 < facts.st_size <= MAX_NETWORK_BYTES:
            raise ModelUsageError(
                f"{path}: {facts.st_size:,} bytes; a network has between 1 and {MAX_NETWORK_BYTES:,}"
            )
        return path.read_bytes()
    except OSError as error:
        raise ModelUsageError(f"{path}: cannot read the network: {error.strerror}") from error


def parse_network(data: bytes, name: str) -> onnx.ModelProto:
    """The network in a file's bytes.

    Args:
        data: the file.
        name: how messages call the network.

    Raises:
        ModelUsageError: not an ONNX network.
    """
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise ModelUsageError(f"{name}: not an ONNX network") from error
    if not model.graph.node or not model.graph.output:
        raise ModelUsageError(f"{name}: not an ONNX network")
    return model


def prepare(data: bytes, spec: InputSpec | None, name: str) -> bytes:
    """Makes a network's bytes fit for the runtime.

    Initializers that are also graph inputs are taken out of the inputs: else nothing that depends on them can be
    computed in advance. For a dynamic input the sizes that the exporter wrote into the graph are cleared.

    Args:
        data: the file.
        spec: the card's input; None leaves the sizes alone.
        name: how messages call the network.

    Raises:
        ModelUsageError: not an ONNX network, or its weights lie in other files.
        ModelMismatchError: it has no picture as an input.
    """
    model = parse_network(data, name)
    graph = model.graph
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(graph)):
        raise ModelUsageError(
            f"{name}: its weights lie in other files, which no digest of this file covers; save it as one file "
            "(onnx.save_model(..., save_as_external_data=False))"
        )
    initialised = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in initialised]
    changed = len(inputs) < len(graph.input)
    if changed:
        del graph.input[:]
        graph.input.extend(inputs)
    if spec is not None and spec.dynamic:
        _clear_sizes(graph, spec, name)
        changed = True
    return model.SerializeToString() if changed else data


def _clear_sizes(graph: onnx.GraphProto, spec: InputSpec, name: str) -> None:
    pictures = [value for value in graph.input if len(value.type.tensor_type.shape.dim) == 4]  # noqa: PLR2004 - axes
    if len(pictures) != 1:
        raise ModelMismatchError(f"{name}: {len(pictures)} inputs have four axes; expected one, the picture")
    sizes = pictures[0].type.tensor_type.shape.dim
    first = 2 if spec.layout == "NCHW" else 1
    sizes[first].dim_param = "input_height"
    sizes[first + 1].dim_param = "input_width"
    del graph.value_info[:]
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every constant of a graph, those of its branches and loops too."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)
            for branch in attribute.graphs:
                yield from _tensors(branch)
