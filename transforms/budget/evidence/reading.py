"""Reading published runs: TOML in the form of the facts' own, or CSV with one run a line."""

import csv
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from io import StringIO
from math import isfinite
from pathlib import Path
from re import compile as pattern
from typing import Any, Final

from pydantic import ValidationError

from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import Facts, load_facts
from transforms.budget.facts.runs import Run
from transforms.budget.facts.values import inherit

_TEXTS: Final = {
    "name": "name",
    "stratum": "stratum",
    "family": "family",
    "tier": "tier",
    "gpu": "accelerator",
    "gpu_hours_kind": "accelerator_hours_kind",
    "unit": "sample_unit",
    "energy_kind": "energy_kind",
    "notes": "notes",
    "source": "source",
}
"""Columns that are texts, and the run's fields they fill."""

_SAMPLE_UNITS: Final = ("", "tokens", "images", "image-text pairs", "samples")
"""What samples are counted in; what stands behind a bracket or an @ says of which kind."""

_NUMBERS: Final = {
    "params": ("parameters", "parameters"),
    "active_params": ("active_parameters", "parameters"),
    "tokens_or_samples": ("samples", "samples"),
    "train_flops_published": ("train_flops", "FLOP"),
    "gpu_count": ("accelerator_count", "accelerators"),
    "gpu_hours": ("accelerator_hours", "h"),
    "wall_days": ("wall_days", "d"),
    "mfu_published": ("mfu", "share"),
    "energy_mwh": ("energy", "MWh"),
    "fwd_flops_per_sample": ("forward_flops", "FLOP"),
    "seq_len": ("sequence", "1"),
    "n_layers": ("layers", "1"),
    "d_model": ("width", "1"),
}
"""Columns that are values, the run's fields they fill, and their units."""

_COLUMNS: Final = ("year", *_TEXTS, *_NUMBERS)
_NEEDED: Final = ("name", "year", "params", "gpu", "gpu_hours", "stratum", "family", "tier", "source")
_KINDS: Final = {"A": "published", "B": "reported", "C": "reported"}

_POWER: Final = pattern(r"(\d+(?:\.\d+)?) W/chip.*?PUE (\d+(?:\.\d+)?)")
"""How the CSV form writes measured power and PUE: within the columns of remarks."""


def read_runs(path: Path, facts: Facts | None = None) -> tuple[Run, ...]:
    """Reads published runs.

    Args:
        path: a file `*.csv` with the columns of `_COLUMNS` (those of `_NEEDED` filled), or a TOML file
            with tables `[[runs]]`.
        facts: the accelerators' names and aliases; None = those of this package.

    Returns:
        The runs, in the file's order; accelerators by their own names.

    Raises:
        BudgetUsageError: the file cannot be read or a run does not hold together; the message tells the line.
    """
    facts = facts or load_facts()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BudgetUsageError(f"{path}: cannot be read: {error}") from None
    tables = _csv_tables if path.suffix.lower() == ".csv" else _toml_tables
    runs: dict[str, Run] = {}
    for line, table in tables(path, text):
        run = _run(path, line, table, facts)
        if run.name in runs:
            raise BudgetUsageError(f"{path}, line {line}: there are two runs called {run.name!r}")
        runs[run.name] = run
    if not runs:
        raise BudgetUsageError(f"{path}: no run in it")
    return tuple(runs.values())


def _run(path: Path, line: int, table: Mapping[str, Any], facts: Facts) -> Run:
    try:
        run = Run.model_validate(table)
        return run.model_copy(update={"accelerator": facts.accelerator(run.accelerator)})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        message = f"{path}, line {line}: {where}: {first['msg'].removeprefix('Value error, ')}"
        raise BudgetUsageError(message) from None
    except BudgetUsageError as error:
        raise BudgetUsageError(f"{path}, line {line}: {error}") from None


def _toml_tables(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The tables of a TOML file, and the lines they begin at."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BudgetUsageError(f"{path}: {error}") from None
    except RecursionError:
        raise BudgetUsageError(f"{path}: nested too deeply, no file of runs") from None
    tables = content.pop("runs", [])
    if content or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BudgetUsageError(f"{path}: runs are tables [[runs]], and nothing stands beside them")
    header = pattern(r"\s*\[\[\s*runs\s*\]\]")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if header.match(line)]
    # runs = [{...}] is TOML as well, without a line for each
    numbered = lines if len(lines) == len(tables) else [1] * len(tables)
    yield from zip(numbered, map(inherit, tables), strict=True)


def _csv_tables(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows of a CSV file as tables of the TOML form, and their lines."""
    reader = csv.DictReader(StringIO(text, newline=""), strict=True)
    names = reader.fieldnames or ()
    if missing := [name for name in _NEEDED if name not in names]:
        raise BudgetUsageError(f"{path}, line 1: no column {', '.join(missing)}")
    if unknown := [name for name in names if name not in _COLUMNS]:
        raise BudgetUsageError(
            f"{path}, line 1: column {', '.join(unknown)} is unknown; known: {', '.join(_COLUMNS)}"
        )
    try:
        for row in reader:
            yield reader.line_num, _table(f"{path}, line {reader.line_num}", row)
    except csv.Error as error:
        # the last line that was read well; the row that was not begins after it
        raise BudgetUsageError(f"{path}, line {reader.line_num + 1}: {error}") from None


def _table(where: str, row: Mapping[str, str | None]) -> Mapping[str, Any]:
    """One row as a table of the TOML form."""
    cells = {name: cell.strip() for name, cell in row.items() if isinstance(cell, str) and cell.strip()}
    if len(row) != len([cell for cell in row.values() if isinstance(cell, str)]):
        raise BudgetUsageError(f"{where}: another number of cells than columns")
    if missing := [name for name in _NEEDED if name not in cells]:
        raise BudgetUsageError(f"{where}: {', '.join(missing)} is empty")
    table: dict[str, Any] = {"accelerator_hours_kind": "", "sample_unit": ""}
    table |= {field: cells[name] for name, field in _TEXTS.items() if name in cells}
    for name, (field, unit) in _NUMBERS.items():
        if name in cells:
            table[field] = {"value": _number(where, name, cells[name]), "unit": unit}
    unit = table["sample_unit"].split("(")[0].split("@")[0].strip()
    if unit not in _SAMPLE_UNITS:
        raise BudgetUsageError(f"{where}: unit {unit!r} is none of {', '.join(filter(None, _SAMPLE_UNITS))}")
    year = _number(where, "year", cells["year"])
    if not (year.is_integer() and date.min.year <= year <= date.max.year):
        raise BudgetUsageError(f"{where}: year {cells['year']!r} is not a year")
    table |= {
        "year": int(year),
        "as_of": date(int(year), 12, 31),
        "kind": _KINDS.get(cells["tier"], "reported"),
    }
    if found := _POWER.search(f"{cells.get('energy_kind', '')} {cells.get('notes', '')}"):
        table["server_power"] = {"value": float(found[1]), "unit": "W"}
        table["power_usage_effectiveness"] = {"value": float(found[2]), "unit": "1"}
    return inherit(table)


def _number(where: str, name: str, cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise BudgetUsageError(f"{where}: {name} {cell!r} is not a number")
    return number
