"""The plot of a sweep: which list of its grid runs along the axis, which tell lines apart, which are held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.budget.amounts import short
from transforms.budget.costs import UNITS
from transforms.budget.sweeps.grid import Grid
from transforms.views.charts import sweep_chart
from transforms.views.names import title_of, words

MOST_LINES: Final = 8
"""Lines, before pools of one cluster part them: more are not told apart."""

_MOST_SERIES: Final = 2
"""Lists whose values a line's name has room for."""

_ALONG: Final = ("vehicles", "hours_per_day", "days", "keep_rate", "allocation")
_LINES: Final = ("cluster", "network", "workload", "precision", "allocation", "as_of", *_ALONG[:-1])
"""Lists in the order in which they become lines while there is room."""

_POOL: Final = "accelerator"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is drawn of a sweep.

    Attributes:
        x: list of the grid along the axis.
        y: the quantity.
        series: lists that tell lines apart.
        held: of every other list with more than one value, the first.
    """

    x: str
    y: str
    series: tuple[str, ...]
    held: Mapping[str, Any]

    def caption(self) -> str:
        """What is drawn, in words.

        >>> Plan("vehicles", "cost_usd", ("cluster",), {"days": 30.0}).caption()
        'cost against vehicles, by cluster; days 30'
        """
        held = [f"{words(name)} {_said(value)}" for name, value in self.held.items()]
        by = " and ".join(words(name) for name in self.series or (_POOL,))
        return "; ".join([f"{title_of(self.y)} against {words(self.x)}, by {by}", *held])


def plan(grid: Grid, x: str | None = None, y: str = "cost_usd") -> Plan:
    """Chooses what is drawn of a sweep.

    Args:
        grid: of the sweep.
        x: list along the axis; None = the list of numbers with most values.
        y: one of the quantities.

    Raises:
        ValueError: no such quantity, or the grid has no such list of two numbers or more.
    """
    if y not in UNITS:
        raise ValueError(f"{y} is no quantity; known: {', '.join(UNITS)}")
    along = {name: grid.axes[name] for name in _ALONG if _runs(grid.axes[name])}
    if x is None and not along:
        raise ValueError(f"no list of the grid holds two numbers or more: {', '.join(_ALONG)}")
    if x is not None and x not in along:
        raise ValueError(f"{x} is no list of two numbers or more; in this grid: {', '.join(along) or 'none'}")
    chosen = x or max(along, key=lambda name: len(along[name]))
    series: list[str] = []
    held: dict[str, Any] = {}
    for name in _LINES:
        values = grid.axes[name]
        if name == chosen or len(values) == 1:
            continue
        lines = prod(len(grid.axes[other]) for other in (*series, name))
        if len(series) < _MOST_SERIES and lines <= MOST_LINES:
            series.append(name)
        else:
            held[name] = values[0]
    return Plan(chosen, y, tuple(series), held)


def plot(table: pa.Table, planned: Plan) -> str:
    """Draws a sweep; a pool that the training does not fit is drawn like any other.

    Args:
        table: rows of the `sweep` table; columns that are not drawn may be left out.
        planned: what is drawn.

    Returns:
        An `svg` element.

    Raises:
        ValueError: no row has an estimate.
    """
    masks = [pc.equal(table[name], value) for name, value in planned.held.items()]
    shown = table.filter(reduce(pc.and_, masks)) if masks else table
    quantiles = {at: f"{planned.y}_{at}" for at in ("p10", "p50", "p90")}
    wanted = dict.fromkeys((planned.x, *planned.series, _POOL, *quantiles.values()))
    rows = shown.filter(pc.is_valid(shown[_POOL])).select(list(wanted)).to_pylist()
    names = _names(rows, planned.series)
    by = ", ".join(names)
    points = [
        {
            planned.x: _number(row[planned.x]),
            by: " ".join(_labelled(name, row[name]) for name in names),
            "unit": UNITS[planned.y],
            **{at: row[column] for at, column in quantiles.items()},
        }
        for row in rows
    ]
    return sweep_chart(points, planned.x, title_of(planned.y), by)


def _names(rows: Sequence[Mapping[str, Any]], series: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that tell lines apart: pools only where the lists alone do not."""
    lists = {tuple(row[name] for name in series) for row in rows}
    pools = {tuple(row[name] for name in (*series, _POOL)) for row in rows}
    return series if series and len(lists) == len(pools) else (*series, _POOL)


def _runs(values: tuple[Any, ...]) -> bool:
    """Whether a list is of two numbers or more that stand on one axis."""
    shares = {isinstance(value, str) and value.endswith("%") for value in values}
    return len(values) > 1 and len(shares) == 1


def _number(value: float | str) -> float:
    return float(value.removesuffix("%")) if isinstance(value, str) else value


def _labelled(name: str, value: Any) -> str:
    """A value as part of a line's name: numbers need to say of what."""
    return f"{_said(value)} {words(name)}" if isinstance(value, float) else _said(value)


def _said(value: Any) -> str:
    return short(value) if isinstance(value, float) else str(value)
