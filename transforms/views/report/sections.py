"""What the sections of a report are made of, and what they become."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

import duckdb
import pyarrow as pa
from markupsafe import Markup

from transforms.clips.vins import mask_vins

_PARTS_OF_A_PLACE: Final = 3
_LONGEST_TEXT: Final = 400


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page.

    Attributes:
        key: its id in the document.
        title: its heading.
        body: its content, from level 3 of headings on.
    """

    key: str
    title: str
    body: Markup


class Tables:
    """The tables of a data set, for questions.

    Args:
        data: a connection as `transforms.tables.queries.connect` opens it.
    """

    def __init__(self, data: duckdb.DuckDBPyConnection) -> None:
        self._data = data

    def ask(self, query: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Rows of an answer, as records.

        Args:
            query: SQL with `?` for parameters.
            parameters: their values.
        """
        result = self._data.execute(query, list(parameters))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def arrow(self, query: str) -> pa.Table:
        """An answer as a table."""
        table: pa.Table = self._data.sql(query).to_arrow_table()
        return table


def said(text: object) -> str:
    """A text of the data set as the page shows it: bounded, without vehicle identification numbers.

    Args:
        text: what stands in a table; None is told as nothing.
    """
    told = mask_vins("" if text is None else str(text))
    return told if len(told) <= _LONGEST_TEXT else f"{told[: _LONGEST_TEXT - 1]}…"


def place(uri: str) -> str:
    """The end of a path: what tells clips of a data set apart, without the folders of the machine.

    >>> place("/media/stick/TeslaCam/RecentClips/a.mp4")
    'TeslaCam/RecentClips/a.mp4'
    """
    return said("/".join(uri.split("/")[-_PARTS_OF_A_PLACE:]).lstrip("/"))


def paragraph(text: str, kind: str = "") -> Markup:
    """A paragraph.

    Args:
        text: what it says.
        kind: its class in the style sheet.
    """
    return Markup('<p class="{}">{}</p>\n').format(kind, text) if kind else Markup("<p>{}</p>\n").format(text)


def heading(text: str) -> Markup:
    """A heading within a section."""
    return Markup("<h3>{}</h3>\n").format(text)


def figures(*drawn: Markup) -> Markup:
    """Pictures side by side where there is room; nothing where there are none."""
    return Markup('<div class="figures">{}</div>\n').format(Markup().join(drawn)) if drawn else Markup()


def number(value: float | None, digits: int = 3) -> str:
    """A measured number; an empty text where there is none.

    >>> number(0.5), number(None)
    ('0.5', '')
    """
    return "" if value is None or not isfinite(value) else f"{value:.{digits}g}"


def share(part: float, whole: float) -> str:
    """A part of a whole in percent.

    >>> share(1, 3), share(0, 0)
    ('33.3%', '0%')
    """
    return f"{100 * part / whole:.3g}%" if whole else "0%"
