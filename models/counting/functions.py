"""Local functions of a model, put in place of their calls."""

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

import onnx
import onnx.inliner

from models.counting.values import bodies_of, domain_of
from models.errors import ModelUsageError


def inline_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with every call replaced by what the function does.

    Raises:
        ModelUsageError: the functions call each other in a circle, or cannot be inlined.
    """
    if not model.functions:
        return model
    calls = {(function.domain, function.name): set(_names(function.node)) for function in model.functions}
    try:
        # Older releases of ONNX die of endless recursion.
        TopologicalSorter(calls).prepare()
        return onnx.inliner.inline_local_functions(model)
    except CycleError as error:
        raise ModelUsageError("the network's functions call each other in a circle") from error
    except (RuntimeError, ValueError, onnx.checker.ValidationError) as error:
        first_line = str(error).strip().splitlines()[0]
        raise ModelUsageError(f"the network's functions cannot be inlined: {first_line}") from error


def _names(nodes: Iterable[onnx.NodeProto]) -> Iterator[tuple[str, str]]:
    """Domain and name of all operators, those inside others too."""
    for node in nodes:
        yield domain_of(node), node.op_type
        for body in bodies_of(node):
            yield from _names(body.node)
