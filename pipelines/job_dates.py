"""Dates in the paths of a job spec: `{date}`, `{date-1}`, `{date:%Y/%m/%d}`."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from pipelines.outcome import UsageError

_BRACES: Final = re.compile(
    r"\{\{|\}\}|(?P<template>\{date(?:-(?P<back>[0-9]{1,5}))?(?::(?P<form>[^{}]+))?\})|[{}]"
)
_FORM: Final = re.compile(r"%[Ymdj]|[^%]")
_WILDCARD: Final = re.compile(r"[*?[]")


def read_day(text: str | None) -> date:
    """The day that a job's dates are counted from.

    Args:
        text: YYYY-MM-DD, or None for today (UTC).

    Raises:
        UsageError: it is no day.
    """
    if text is None:
        return datetime.now(UTC).date()
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"--date {text}: expected a day as YYYY-MM-DD")


def fill_dates(text: str, day: date) -> str:
    """Puts dates where a path has templates.

    Args:
        text: the path; `{{` and `}}` stand for braces.
        day: what `{date}` is.

    Raises:
        ValueError: a brace belongs to no template.

    >>> fill_dates("/in/{date-1}/{date:%Y/%m}/{{x}}", date(2026, 3, 1))
    '/in/2026-02-28/2026/03/{x}'
    """
    return _BRACES.sub(lambda found: _filled(found, day), text)


def without_dates(text: str) -> str:
    """A path as a spec has it when none of its braces are templates.

    Args:
        text: the path.

    Returns:
        What `fill_dates` makes the path of, whatever the day.

    >>> without_dates("/in/{x}")
    '/in/{{x}}'
    """
    return text.replace("{", "{{").replace("}", "}}")


def _filled(found: re.Match[str], day: date) -> str:
    if not found["template"]:
        if len(found[0]) == len("{{"):
            return found[0][0]
        raise ValueError(
            f"a {found[0]} that is no template: write {{date}}, {{date-1}} (the day before) or {{date:%Y/%m/%d}}; "
            "{{ and }} are braces"
        )
    form = found["form"] or "%Y-%m-%d"
    parts = _FORM.findall(form)
    if "".join(parts) != form:
        raise ValueError(f"{found[0]}: a date is written with %Y, %m, %d and %j (day of the year)")
    try:
        meant = day - timedelta(days=int(found["back"] or 0))
    except OverflowError:
        raise ValueError(f"{found[0]}: there is no such day") from None
    known = {
        "%Y": f"{meant.year:04}",
        "%m": f"{meant.month:02}",
        "%d": f"{meant.day:02}",
        "%j": f"{meant.timetuple().tm_yday:03}",
    }
    return "".join(known.get(part, part) for part in parts)


def lasting_part(text: str, day: date) -> str:
    """The part of a path that is there on any day: the folders above its first template or wildcard.

    Args:
        text: the path, as `fill_dates` takes it.
        day: what `{date}` is.

    >>> lasting_part("/in/cars/{date}/front*.mp4", date(2026, 3, 1)), lasting_part("in", date(2026, 3, 1))
    ('/in/cars', 'in')
    """
    starts = [found.start() for found in _BRACES.finditer(text) if found["template"]]
    starts += [found.start() for found in _WILDCARD.finditer(text)]
    if not starts:
        return fill_dates(text, day)
    folder, slash, _ = fill_dates(text[: min(starts)], day).rpartition("/")
    return folder or slash or "."
