"""Networks compared, on a terminal: a table of at most 100 columns."""

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table

from transforms.evaluation.frontier import FrontierRow

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH: Final = 100
"""Columns that the widest line has."""

_LONGEST_NAME: Final = 18
_WHOLE_USD: Final = 1000


def frontier_text(
    rows: Sequence[FrontierRow], notes: Sequence[str], fps: str, camera_hours: float
) -> "tuple[RenderableType, ...]":
    """The table, what its columns mean, and what else is to be known.

    Args:
        rows: in their order.
        notes: what else is to be known.
        fps: which frames were labelled: a rate in Hz, `all` or `keyframes`.
        camera_hours: that cost is told for.
    """
    marks = "* on the front: no other row has as much AP (of the final labels) for less"
    legend = f"net AP: of the network alone; HOTA: each category at its best score; {marks}"
    return (_table(rows, fps, camera_hours), *map(_wrapped, (legend, *(f"note: {note}" for note in notes))))


def _table(rows: Sequence[FrontierRow], fps: str, camera_hours: float) -> Table:
    title = f"{fps} frames a second; ms of a core here for each; core-hours and USD of {camera_hours:,.0f} camera-hours"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    table.add_column("model")
    for name in ("size", "AP", "AP50", "net AP", "net AP50", "HOTA", "decode", "network", "all ms"):
        table.add_column(name, justify="right")
    for name in ("core-h", "USD", ""):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            _short(row.model),
            str(row.size),
            *map(_share, (row.ap, row.ap50, row.raw_ap, row.raw_ap50, row.hota)),
            *(f"{value:.1f}" for value in (row.decode_ms, row.network_ms, row.all_ms)),
            f"{row.core_hours.p50:,.0f}",
            f"{row.usd.p50:,.2f}" if row.usd.p50 < _WHOLE_USD else f"{row.usd.p50:,.0f}",
            "*" if row.on_front else "",
        )
    return table


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".removeprefix("0")


def _short(name: str) -> str:
    """The end of a long name: a path's begin tells least."""
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"


def _wrapped(text: str) -> str:
    return fill(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
