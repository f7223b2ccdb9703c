"""Work of a network as `clipmill models show` tells it."""

from dataclasses import asdict

from models.flops import GraphFlops, OperatorCount


def as_json(flops: GraphFlops) -> dict[str, object]:
    """The figures as one JSON object."""
    return {
        "forward_flops": flops.forward,
        "parameters": flops.parameters,
        "activation_elements": flops.activation_elements,
        "inputs": {name: list(shape) for name, shape in flops.inputs},
        "counted": [asdict(operator) for operator in flops.counted],
        "uncounted": [asdict(operator) for operator in flops.uncounted],
        "uncounted_share": flops.uncounted_share,
    }


def as_lines(flops: GraphFlops) -> tuple[str, ...]:
    """The figures for people."""
    inputs = ", ".join(f"{name} {' x '.join(map(str, shape))}" for name, shape in flops.inputs)
    unknown = [operator for operator in flops.uncounted if operator.unknown]
    light = [operator for operator in flops.uncounted if not operator.unknown]
    lines = [
        f"forward: {flops.forward / 1e9:,.4g} GFLOP for {inputs or 'no input'}; a multiply-add is two",
        f"parameters: {flops.parameters:,}",
        f"activations: {flops.activation_elements:,} elements",
        f"counted: {_listed(flops.counted)}",
        f"not counted: {_listed(light)}; {flops.uncounted_share:.1%} of the elements of all results",
    ]
    if unknown:
        lines.append(f"NOT COUNTED, and may be much: {_listed(unknown)}")
    return tuple(lines)


def _listed(operators: "tuple[OperatorCount, ...] | list[OperatorCount]") -> str:
    return ", ".join(_named(operator) for operator in operators) or "none"


def _named(operator: OperatorCount) -> str:
    name = f"{operator.domain}.{operator.op_type}" if operator.domain else operator.op_type
    if operator.flops is None:
        return f"{operator.nodes} {name}"
    each = " a pass" if operator.unknown else ""
    return f"{operator.nodes} {name} ({operator.flops / 1e9:,.4g} GFLOP{each})"
