"""FLOPs of one forward pass of an ONNX network, from its graph alone.

Counted are the products of matrices in every form (`models.counting.rules`), a multiply-add being two FLOPs. All other
operators are listed, so that nothing is silently taken for nothing.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import onnx

from models.counting.parameters import FLOATING, count_parameters
from models.counting.repeats import count_passes
from models.counting.rules import UnknownWorkError, operator_flops
from models.counting.shapes import infer_shapes
from models.counting.values import NOTHING_KNOWN, Shape, Values, bodies_of, domain_of
from models.errors import ModelUsageError
from models.graphs import parse_network, read_network

__all__ = ["GraphFlops", "OperatorCount", "count_file", "count_flops"]

_NO_DIMENSIONS: Final[Mapping[str, int]] = MappingProxyType({})
_KNOWN_FROM_SHAPES: Final = frozenset({"Shape", "Size"})
"""Operators whose results are constants once the lengths of the inputs are."""


@dataclass(frozen=True, slots=True)
class OperatorCount:
    """All operators of one kind.

    Attributes:
        op_type: the operator's name.
        domain: its domain; empty for ONNX's own.
        nodes: how many stand in the graph.
        flops: FLOPs of all of them. None where they hold no product of matrices or cannot be counted; for a Loop or Scan
            whose number of passes only a run can tell, those of a single pass.
        output_elements: elements of the results that depend on what goes into the network, as far as shapes are known.
        unknown: whether they may hold more work than a few FLOPs per element: the operator is not known, or its
            shapes or its number of passes are not.
    """

    op_type: str
    domain: str
    nodes: int
    flops: int | None
    output_elements: int
    unknown: bool


@dataclass(frozen=True, slots=True)
class GraphFlops:
    """The work of one forward pass.

    Attributes:
        forward: FLOPs of the counted operators at `inputs`, a multiply-add being two.
        parameters: elements of the constants that a training would have learnt (`count_parameters`).
        activation_elements: elements of all floating-point results that depend on the input, views like those of Reshape
            among them: what a training step keeps is a part of it.
        counted: the operators that `forward` is the sum of, dearest first. Of an If the dearest branch counts.
        uncounted: all others: unknown ones first, then those with most elements.
        inputs: name and shape of each tensor that goes in.
    """

    forward: int
    parameters: int
    activation_elements: int
    counted: tuple[OperatorCount, ...]
    uncounted: tuple[OperatorCount, ...]
    inputs: tuple[tuple[str, Shape], ...]

    @property
    def uncounted_share(self) -> float:
        """Share of all result elements that come from operators which are not counted.

        It is a share of elements, not of FLOPs: an activation does about one FLOP per element, a softmax or a
        normalisation several, a pooling one for each element of its window, a Reshape none; a convolution hundreds. The
        elements of results of unknown shape are missing in it.
        """
        uncounted = sum(operator.output_elements for operator in self.uncounted)
        total = uncounted + sum(operator.output_elements for operator in self.counted)
        return uncounted / total if total else 0.0

    def as_json(self) -> dict[str, object]:
        """The form of `models show --json`; FLOPs count a multiply-add as two."""
        return {
            "forward_flops": self.forward,
            "parameters": self.parameters,
            "activation_elements": self.activation_elements,
            "inputs": {name: list(shape) for name, shape in self.inputs},
            "counted": [asdict(operator) for operator in self.counted],
            "uncounted": [asdict(operator) for operator in self.uncounted],
            "uncounted_share": self.uncounted_share,
        }


def count_flops(
    network: onnx.ModelProto,
    *,
    size: tuple[int, int] | None = None,
    dimensions: Mapping[str, int] = _NO_DIMENSIONS,
) -> GraphFlops:
    """Counts the FLOPs of one forward pass.

    An open batch is 1. Every other open length must be given.

    Args:
        network: the graph; its weights may lie in other files.
        size: height and width of the pictures that go in, in px; None = the graph's own.
        dimensions: lengths of other axes, by the name of an open axis or by `input:axis` for any ("images:0" = 8).

    Raises:
        ModelUsageError: a length is missing or goes with no axis, or the network does not work at these lengths.
    """
    shaped = infer_shapes(network, size, dimensions)
    given = frozenset(name for name, _ in shaped.inputs)
    lines = list(_lines(shaped.graph, shaped.found, NOTHING_KNOWN, given))
    counted = _summed(line.operator for line in lines if line.counts)
    return GraphFlops(
        forward=_flops(lines),
        parameters=count_parameters(shaped),
        activation_elements=sum(line.activations for line in lines),
        counted=tuple(sorted(counted, key=lambda row: (-(row.flops or 0), row.domain, row.op_type))),
        uncounted=tuple(
            sorted(
                _summed(line.operator for line in lines if not line.counts),
                key=lambda row: (not row.unknown, -row.output_elements, row.domain, row.op_type),
            )
        ),
        inputs=shaped.inputs,
    )


def count_file(
    path: str | Path,
    *,
    size: tuple[int, int] | None = None,
    dimensions: Mapping[str, int] = _NO_DIMENSIONS,
) -> GraphFlops:
    """Counts the FLOPs of one forward pass of a network's file.

    Args:
        path: the ONNX file.
        size: as in `count_flops`.
        dimensions: as in `count_flops`.

    Raises:
        ModelUsageError: there is no such file, it is no ONNX network, or what `count_flops` says.
    """
    path = Path(path)
    network = parse_network(read_network(path), str(path))
    try:
        return count_flops(network, size=size, dimensions=dimensions)
    except ModelUsageError as error:
        raise ModelUsageError(f"{path}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Line:
    """One operator of the graph.

    Attributes:
        operator: what is told of it.
        activations: elements of its floating-point results.
        counts: whether its FLOPs are part of the network's.
    """

    operator: OperatorCount
    activations: int
    counts: bool

    def times(self, passes: int) -> "_Line":
        """The same in a body that runs more than once."""
        operator = self.operator
        flops = None if operator.flops is None else operator.flops * passes
        elements = operator.output_elements * passes
        return replace(
            self,
            operator=replace(operator, flops=flops, output_elements=elements),
            activations=self.activations * passes,
        )


def _lines(
    graph: onnx.GraphProto, found: onnx.GraphProto, outer: Values, varying: frozenset[str]
) -> Iterator[_Line]:
    """All operators of a graph and of the bodies inside.

    Args:
        graph: its operators.
        found: the same graph with shapes.
        outer: what its surroundings know.
        varying: names of the tensors that depend on what goes into the network.
    """
    values = outer.within(found)
    for node, twin in zip(graph.node, found.node, strict=True):
        results = [name for name in node.output if name]
        if node.op_type not in _KNOWN_FROM_SHAPES and not varying.isdisjoint(_names_read(node)):
            varying |= frozenset(results)
        elements = {name: math.prod(values.shapes.get(name, (0,))) for name in results if name in varying}
        flops, unknown, inside = None, False, []
        try:
            flops = operator_flops(node, values)
        except UnknownWorkError:
            unknown = True
        counts = flops is not None
        if node.op_type == "If":
            inside = _dearest_branch(node, twin, values, varying)
        elif node.op_type in {"Loop", "Scan"}:
            flops, unknown, inside = _repeated(node, twin, values, varying)
        operator = OperatorCount(
            node.op_type, domain_of(node), 1, flops, sum(elements.values()), unknown=unknown
        )
        activations = sum(count for name, count in elements.items() if values.type_of(name) in FLOATING)
        yield _Line(operator, activations, counts)
        yield from inside


def _dearest_branch(
    node: onnx.NodeProto, twin: onnx.NodeProto, values: Values, varying: frozenset[str]
) -> list[_Line]:
    """The branch of an If with most FLOPs, and what is unknown in the other."""
    pairs = zip(bodies_of(node), bodies_of(twin), strict=True)
    branches = [list(_lines(branch, found, values, varying)) for branch, found in pairs]
    branches.sort(key=_flops, reverse=True)
    return [
        line for rank, branch in enumerate(branches) for line in branch if rank == 0 or line.operator.unknown
    ]


def _repeated(
    node: onnx.NodeProto, twin: onnx.NodeProto, values: Values, varying: frozenset[str]
) -> tuple[int | None, bool, list[_Line]]:
    """The body of a Loop or Scan, as often as it runs.

    Returns:
        FLOPs of a single pass and True where the number of passes is not known, else None and False; the operators inside.
    """
    body, found = next(bodies_of(node), None), next(bodies_of(twin), None)
    if body is None or found is None:
        return None, True, []
    lines = list(_lines(body, found, values, varying | {value.name for value in body.input}))
    passes = count_passes(node, found, values)
    if passes is None:
        return _flops(lines), True, [line for line in lines if not line.counts]
    return None, False, [line.times(passes) for line in lines]


def _names_read(node: onnx.NodeProto) -> Iterator[str]:
    """Names of all tensors that an operator or anything inside it reads."""
    yield from node.input
    for body in bodies_of(node):
        for inner in body.node:
            yield from _names_read(inner)


def _flops(lines: Sequence[_Line]) -> int:
    return sum(line.operator.flops or 0 for line in lines if line.counts)


def _summed(operators: Iterator[OperatorCount]) -> list[OperatorCount]:
    """One row for each kind of operator."""
    rows: dict[tuple[str, str, bool], OperatorCount] = {}
    for operator in operators:
        kind = (operator.domain, operator.op_type, operator.unknown)
        row = rows.get(kind)
        if row is None:
            rows[kind] = operator
            continue
        flops = (
            None if row.flops is None and operator.flops is None else (row.flops or 0) + (operator.flops or 0)
        )
        rows[kind] = replace(
            row,
            nodes=row.nodes + operator.nodes,
            flops=flops,
            output_elements=row.output_elements + operator.output_elements,
        )
    return list(rows.values())
