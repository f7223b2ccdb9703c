"""Work of a network's graph on a terminal: in lines, and in a sentence."""

from collections.abc import Iterator, Sequence

from models.flops import GraphFlops, OperatorCount
from transforms.budget.amounts import amount, count


def network_lines(flops: GraphFlops) -> Iterator[str]:
    """All that was counted, and what was not.

    Args:
        flops: the work.

    Yields:
        One figure a line.
    """
    inputs = ", ".join(f"{name} {' x '.join(map(str, shape))}" for name, shape in flops.inputs)
    unknown = [operator for operator in flops.uncounted if operator.unknown]
    light = [operator for operator in flops.uncounted if not operator.unknown]
    yield f"forward: {amount(flops.forward, 'FLOP')} for {inputs or 'no input'}; a multiply-add is two"
    yield f"parameters: {count(flops.parameters)}"
    yield f"activations: {count(flops.activation_elements)} elements"
    yield f"counted: {_listed(flops.counted)}"
    yield f"not counted: {_listed(light)}; {flops.uncounted_share:.1%} of the elements of all results"
    if unknown:
        yield f"NOT COUNTED, and may be much: {_listed(unknown)}"


def network_sentence(name: str, flops: GraphFlops) -> str:
    """What a network that is to be trained was counted to be.

    Args:
        name: of the network.
        flops: its work.
    """
    unknown = [_name(operator) for operator in flops.uncounted if operator.unknown]
    rest = f"; NOT counted, and may be much: {', '.join(unknown)}" if unknown else ""
    return (
        f"{name}, taken for a vision network: {amount(flops.forward, 'FLOP')} forward, "
        f"{count(flops.parameters)} parameters; element-wise operators, {flops.uncounted_share:.0%} of all results, "
        f"are not counted{rest}"
    )


def _listed(operators: Sequence[OperatorCount]) -> str:
    return ", ".join(_described(operator) for operator in operators) or "none"


def _described(operator: OperatorCount) -> str:
    named = f"{operator.nodes} {_name(operator)}"
    if operator.flops is None:
        return named
    each = " a pass" if operator.unknown else ""
    return f"{named} ({amount(operator.flops, 'FLOP')}{each})"


def _name(operator: OperatorCount) -> str:
    return f"{operator.domain}.{operator.op_type}" if operator.domain else operator.op_type
