"""Named values of any shape in words, as tables."""

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup

from transforms.budget.amounts import amount, count, interval
from transforms.views.names import words
from transforms.views.pages import table

UNKNOWN: Final = "unknown"
"""What stands where a value is missing."""

_UNIT_OF_LAST_WORD: Final = {
    "bytes": "B",
    "days": "d",
    "flops": "FLOP",
    "hours": "h",
    "rate": "share",
    "share": "share",
    "usd": "USD",
}


def described(caption: str, values: Mapping[str, object]) -> Markup:
    """Named values of any shape as a table; lists of records in them become tables of their own.

    What no record of a list has makes no column.

    Args:
        caption: what they are.
        values: numbers, texts, quantities, records or lists of these, by name; units are told by the names'
            last words.
    """
    records = {name: value for name, value in values.items() if _are_records(value)}
    rows = ((words(name), said(name, value)) for name, value in values.items() if name not in records)
    parts = [table(caption, ("what", "value"), rows)]
    for name, value in records.items():
        assert isinstance(value, Sequence)
        columns = [name for name in value[0] if any(its.get(name) is not None for its in value)]
        cells = ([said(column, record.get(column)) for column in columns] for record in value)
        parts.append(table(words(name), [words(column) for column in columns], cells))
    return Markup().join(parts)


def said(name: str, value: object) -> str:
    """A value of any shape in words.

    Args:
        name: whose last word tells the unit of a number.
        value: a number, a text, a quantity, or a record or a list of these.
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(name, value)
    if isinstance(value, Mapping):
        return _record(value)
    return ", ".join(said(name, item) for item in value) if isinstance(value, list | tuple) else str(value)


def _number(name: str, value: float) -> str:
    unit = _UNIT_OF_LAST_WORD.get(name.rsplit("_", maxsplit=1)[-1], "")
    whole = not unit and float(value).is_integer()
    return count(value) if whole else amount(value, unit)


def _record(value: Mapping[object, object]) -> str:
    p10, p50, p90 = (value.get(name) for name in ("p10", "p50", "p90"))
    if isinstance(p10, int | float) and isinstance(p50, int | float) and isinstance(p90, int | float):
        return interval(p10, p50, p90, str(value.get("unit") or ""))
    return "; ".join(f"{words(str(name))}: {said(str(name), its)}" for name, its in value.items())


def _are_records(value: object) -> bool:
    """Whether a value is a list of records, which makes a table."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(item, Mapping) and "p50" not in item for item in value)
    )
