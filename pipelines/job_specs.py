"""Job specs: jobs as TOML files, with dates in their paths; every error names the file, the line and the key."""

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from pipelines.job_dates import fill_dates, lasting_part
from pipelines.jobs import AutolabelJob, Fault, faults
from pipelines.outcome import UsageError
from pipelines.toml_files import TomlFile, read_toml
from pipelines.toml_lines import key_lines

DATED: Final = ("inputs", "output", "base")
"""Keys whose paths may hold dates. Others reach the labels: a licence with a date in it would label everything anew."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job spec as it is run on a day.

    Attributes:
        job: the job, its dates filled in.
        day: the day that they are counted from.
        lasting: for each input, the part of its path that is there on any day.
    """

    job: AutolabelJob
    day: date
    lasting: tuple[str, ...]


def read_spec(path: Path, overrides: list[str], day: date) -> JobSpec:
    """Reads a job spec.

    Args:
        path: a TOML file.
        overrides: `key=value`, the value as TOML or else as text; dots lead into tables.
        day: what `{date}` is.

    Raises:
        UsageError: the file is not there, not TOML, or no job.
    """
    file = read_toml(path)
    values = file.values
    for item in overrides:
        override(values, item)
    written = _inputs(values)
    try:
        values.update({key: _dated(values[key], key, day) for key in DATED if key in values})
        job = AutolabelJob.model_validate(values)
    except _TemplateError as error:
        _refuse(path, file, overrides, [error.fault])
    except ValidationError as error:
        _refuse(path, file, overrides, faults(error))
    return JobSpec(job, day, tuple(lasting_part(text, day) for text in written))


class _TemplateError(Exception):
    """A path has braces that are no template."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _inputs(values: dict[str, Any]) -> list[str]:
    found = values.get("inputs")
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def _dated(value: object, key: str, day: date) -> object:
    """A value with its dates filled in; what is no text is left to the check."""
    if isinstance(value, list):
        return [_filled(item, (key, number), day) for number, item in enumerate(value)]
    return _filled(value, (key,), day)


def _filled(value: object, place: tuple[str | int, ...], day: date) -> object:
    try:
        return fill_dates(value, day) if isinstance(value, str) else value
    except ValueError as error:
        raise _TemplateError(Fault(place, str(error))) from error


def _refuse(path: Path, file: TomlFile, overrides: list[str], found: list[Fault]) -> NoReturn:
    """Tells the fault that comes first in the file.

    Raises:
        UsageError: always.
    """
    lines = key_lines(file.text)
    overridden = [item.partition("=")[0] for item in overrides]
    told = []
    for fault in found:
        keys = [key for key in overridden if fault.place[: key.count(".") + 1] == tuple(key.split("."))]
        line = _line(fault.place, lines)
        if keys:
            told.append((0, f"{path}, --set {keys[-1]}: {fault}"))
        elif line:
            told.append((line, f"{path}:{line}: {fault}"))
        else:
            told.append((len(file.text), f"{path}: {fault}"))
    first = min(told, key=lambda item: item[0])[1]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    raise UsageError(first + more)


def _line(place: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> int | None:
    """The line of a value, or of the table where it is missing."""
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return None


def override(values: dict[str, Any], item: str) -> None:
    """Sets one value of a job.

    Args:
        values: the job.
        item: `key=value`, see `read_spec`.

    Raises:
        UsageError: it is not of that form, or leads through something that is no table.
    """
    key, equals, text = item.partition("=")
    if not (key and equals):
        raise UsageError(f"--set {item}: expected key=value")
    *tables, last = key.split(".")
    for table in tables:
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise UsageError(f"--set {item}: {table} is not a table")
    try:
        values[last] = tomllib.loads(f"value = {text}")["value"]
    except (
        ValueError
    ):  # no TOML, or a number of thousands of digits: the check tells what it should have been
        values[last] = text
    except RecursionError:
        raise UsageError(f"--set {key}: nested too deeply") from None
