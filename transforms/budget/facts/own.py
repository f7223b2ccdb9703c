"""Facts of the caller's own: TOML files of the same form as the package's."""

import json
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from transforms.budget.errors import BudgetUsageError, FactsError
from transforms.budget.facts.library import Facts, load_facts
from transforms.budget.facts.values import inherit

_SINGULAR: Final = {
    "accelerators": "accelerator",
    "clusters": "cluster",
    "networks": "network",
    "places": "place",
    "workloads": "workload",
}
"""Tables that a file of the caller's may hold, and what one of them is called."""

_LARGEST: Final = 1_000_000
"""Bytes that such a file may have: the package's own are far below."""

_DEEPEST: Final = 20
"""Tables within tables that such a file may have: the package's own have five."""


class OwnFacts:
    """Names and files as the caller gave them, gathered into facts that can travel as text."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, Any]] = {}

    def name(self, table: str, given: str) -> str:
        """The name of what was given, by name or as a file.

        Args:
            table: accelerators, clusters, networks or workloads.
            given: a name (accelerators: or alias), or the path of a TOML file.

        Raises:
            BudgetUsageError: nothing is called so, or the file does not hold together.
        """
        if given in self._tables.get(table, {}):
            return given
        facts = load_facts()
        if table == "accelerators" and not given.endswith(".toml"):
            return facts.accelerator(given)
        known: Mapping[str, object] = getattr(facts, table)
        if given.lower() in known:
            return given.lower()
        what = _SINGULAR[table]
        path = Path(given)
        if not path.is_file():
            raise BudgetUsageError(f"{what} {given!r} is unknown and no file; known: {', '.join(known)}")
        tables = _read(path, table)
        for other, records in tables.items():
            self.add(other, records)
        if len(tables.get(table, {})) != 1:
            raise BudgetUsageError(
                f"{what} {given}: one [{table}.NAME] is wanted, not {len(tables.get(table, {}))}"
            )
        try:
            self.facts()
        except BudgetUsageError as error:
            raise BudgetUsageError(f"{what} {given}: {error}") from None
        return next(iter(tables[table]))

    def add(self, table: str, records: Mapping[str, Any]) -> None:
        """Adds records that were made, not read.

        Args:
            table: as of `name`.
            records: by name, in the form of the TOML files.

        Raises:
            BudgetUsageError: two different things have one name.
        """
        mine = self._tables.setdefault(table, {})
        for name, record in records.items():
            if mine.setdefault(name, record) != record:
                raise BudgetUsageError(f"two different things are called {name!r}: rename one")

    def add_inherited(self, table: str, records: Mapping[str, Any]) -> None:
        """The same for records whose values take source, date and kind from the record.

        Args:
            table: as of `name`.
            records: by name.

        Raises:
            BudgetUsageError: two different things have one name.
        """
        self.add(table, inherit({"": records})[""])

    def text(self) -> str:
        """All of it as text, "" where there is none: what `load_facts` takes."""
        return json.dumps(self._tables, sort_keys=True, default=str) if self._tables else ""

    def facts(self) -> Facts:
        """The package's facts with these.

        Raises:
            BudgetUsageError: they do not hold together.
        """
        try:
            return load_facts(self.text())
        except FactsError as error:
            raise BudgetUsageError(str(error)) from None


def _read(path: Path, table: str) -> dict[str, dict[str, Any]]:
    """The tables of a file; a file without any is one record, named after the file."""
    what = _SINGULAR[table]
    try:
        if path.stat().st_size > _LARGEST:
            raise BudgetUsageError(f"{what} {path}: larger than {_LARGEST:,} bytes, no file of facts")
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:  # TOML and encoding errors are ValueErrors
        raise BudgetUsageError(f"{what} {path}: {error}") from None
    except RecursionError:
        raise BudgetUsageError(f"{what} {path}: nested too deeply, no file of facts") from None
    if not content.keys() & _SINGULAR.keys():
        content = {table: {path.stem: content}}
    foreign = sorted(content.keys() - _SINGULAR.keys())
    if foreign or not all(isinstance(records, dict) for records in content.values()):
        raise BudgetUsageError(
            f"{what} {path}: tables can be {', '.join(_SINGULAR)}; not {', '.join(foreign)}"
        )
    if _depth(content) > _DEEPEST:
        raise BudgetUsageError(f"{what} {path}: nested too deeply, no file of facts")
    own = content.get("accelerators", {})
    for cluster in content.get("clusters", {}).values():
        for phase in cluster.get("phases", ()) if isinstance(cluster, Mapping) else ():
            _resolve(phase, own)
    return {name: inherit({"": records})[""] for name, records in content.items()}


def _resolve(phase: Any, own: Mapping[str, Any]) -> None:
    """Puts an accelerator's name where a phase has its alias."""
    given = phase.get("accelerator") if isinstance(phase, dict) else None
    if isinstance(given, str) and given not in own:
        # what is unknown is told with its place when all facts are joined
        with suppress(BudgetUsageError):
            phase["accelerator"] = load_facts().accelerator(given)


def _depth(content: Mapping[str, Any]) -> int:
    """Levels of tables within tables, counted without recursion."""
    level, tables = 0, [content]
    while tables and level <= _DEEPEST:
        level += 1
        inner = (value for table in tables for value in table.values())
        tables = [value for value in inner if isinstance(value, Mapping)]
    return level
