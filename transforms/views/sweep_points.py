"""The rows of a sweep as points of lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

from transforms.budget.amounts import short
from transforms.views.axes import drawable


@dataclass(frozen=True, slots=True)
class Point:
    """A scenario of a sweep, or its place in a drawing.

    Attributes:
        x: value of the input that the sweep goes over.
        p10: 10 % quantile of the quantity.
        p50: its median.
        p90: its 90 % quantile.
    """

    x: float
    p10: float
    p50: float
    p90: float


def points_by_line(rows: Sequence[Mapping[str, object]], x: str, series: str) -> dict[str, list[Point]]:
    """The points of every line.

    Args:
        rows: of one quantity, with the columns `p10`, `p50`, `p90` and those that `x` and `series` name.
        x: column of the input that the sweep goes over.
        series: column that tells the lines apart.

    Returns:
        Points in the order of `x`, by line; the lines in the order in which the rows first name them. Rows
        that a logarithmic axis cannot hold (no estimate, not above 0) are left out.

    Raises:
        ValueError: two rows of one line at one place, or no row that can be drawn.
    """
    lines: dict[str, dict[float, Point]] = {}
    for row in rows:
        values = [_number(row[name]) for name in (x, "p10", "p50", "p90")]
        known = [value for value in values if value is not None and drawable(value)]
        if len(known) < len(values):
            continue
        point = Point(*known)
        line = lines.setdefault(str(row[series]), {})
        if point.x in line:
            raise ValueError(
                f"two rows of {row[series]} at {x} {short(point.x)}: give those of one quantity and pool"
            )
        line[point.x] = point
    if not lines:
        raise ValueError(f"nothing to draw: no row has {x}, p10, p50 and p90 above 0")
    return {name: [line[place] for place in sorted(line)] for name, line in lines.items()}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, Real) else None
