"""Work of an Einsum."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

from models.counting.values import Shape

_ELLIPSIS: Final = "..."


def einsum_flops(equation: str, operands: Sequence[Shape]) -> int | None:
    """FLOPs of an Einsum, a multiply-add being two.

    Two operands cost twice the product of the lengths of all their labels. More of them are taken pair by pair from
    the left, as a straightforward evaluation does; what neither the result nor a later operand needs is summed at once. A
    better order may cost less.

    Args:
        equation: as ONNX writes it: labels in both cases, repeated ones, an ellipsis; without an arrow the result has the
            labels that stand once.
        operands: shape of each operand.

    Returns:
        None for a single operand: to permute, to sum or to take a diagonal multiplies nothing.

    Raises:
        ValueError: the equation does not fit the operands.

    >>> einsum_flops("bhid,bhjd->bhij", [(2, 3, 5, 7), (2, 3, 11, 7)]) == 2 * 2 * 3 * 5 * 11 * 7
    True
    """
    terms, arrow, result = "".join(equation.split()).partition("->")
    operand_terms = terms.split(",")
    if len(operand_terms) != len(operands):
        raise ValueError(f"{equation}: {len(operand_terms)} terms for {len(operands)} operands")
    labelled = [_labels(term, len(shape)) for term, shape in zip(operand_terms, operands, strict=True)]
    lengths: dict[str, int] = {}
    for labels, shape in zip(labelled, operands, strict=True):
        for label, length in zip(labels, shape, strict=True):
            known = lengths.get(label, 1)
            if known != 1 and length not in {1, known}:
                raise ValueError(f"{equation}: {label} is both {known} and {length} long")
            lengths[label] = length if known == 1 else known
    if len(operands) == 1:
        return None
    wanted = _explicit(result, lengths) if arrow else _implicit(labelled)
    flops = 0
    current = set(labelled[0])
    for index, labels in enumerate(labelled[1:], start=2):
        current |= set(labels)
        flops += 2 * math.prod(lengths[label] for label in current)
        current &= wanted.union(*labelled[index:])
    return flops


def _labels(term: str, axes: int) -> list[str]:
    """A label for each axis; those of an ellipsis are numbered from the right, where they are aligned."""
    before, ellipsis, after = term.partition(_ELLIPSIS)
    named = before + after
    hidden = axes - len(named)
    if hidden < 0 or (hidden and not ellipsis) or (named and not named.isalpha()):
        raise ValueError(f"{term}: not the labels of {axes} axes")
    return [*before, *(f"{_ELLIPSIS}{number}" for number in range(hidden, 0, -1)), *after]


def _implicit(labelled: Sequence[Sequence[str]]) -> set[str]:
    counts = Counter(label for labels in labelled for label in labels)
    return {label for label, count in counts.items() if count == 1 or label.startswith(_ELLIPSIS)}


def _explicit(result: str, lengths: dict[str, int]) -> set[str]:
    before, ellipsis, after = result.partition(_ELLIPSIS)
    wanted = {*before, *after}
    if not wanted <= lengths.keys():
        raise ValueError(f"{result}: labels that no operand has")
    return wanted | {label for label in lengths if ellipsis and label.startswith(_ELLIPSIS)}
