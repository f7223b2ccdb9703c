"""Parts of HTML pages: every text in them is escaped."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from transforms.views.svg import printable

Cell = str | Markup
"""What stands in a table: text, or HTML that was made by a function of this package."""

_PARTS: Final = "parts.html.j2"


def page(template: str, **values: object) -> str:
    """A document.

    Args:
        template: a file of `templates/`.
        **values: what it names.
    """
    # a file's name may hold what no encoding can write
    return printable(_environment().get_template(template).render(**values))


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Markup:
    """A table whose first column heads its rows. On a phone each row becomes a card.

    Args:
        caption: what it tells.
        columns: their heads.
        rows: as many cells each as there are columns.

    Returns:
        Nothing where there are no rows.
    """
    listed = list(rows)
    return part("table", caption, columns, listed) if listed else Markup()


def figure(svg: str, caption: Cell) -> Markup:
    """A picture with what it shows written under it.

    Args:
        svg: an `svg` element of `transforms.views.charts`.
        caption: the text.
    """
    return part("figure", svg, caption)


def with_picture(text: str, svg: str) -> Markup:
    """A small picture behind the text that says the same.

    Args:
        text: the text.
        svg: an `svg` element of `transforms.views.charts`.
    """
    return part("with_picture", text, svg)


def bullets(lines: Sequence[Cell]) -> Markup:
    """A list of lines; nothing where there are none."""
    return part("bullets", lines) if lines else Markup()


def folded(summary: str, body: Markup) -> Markup:
    """What opens when its summary is chosen."""
    return part("folded", summary, body)


def part(macro: str, *values: object) -> Markup:
    """A part that a macro of `templates/parts.html.j2` makes.

    Args:
        macro: its name.
        *values: what it takes.
    """
    made = getattr(_environment().get_template(_PARTS).module, macro)(*values)
    assert isinstance(made, Markup)
    return made


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,
        loader=PackageLoader("transforms.views"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
