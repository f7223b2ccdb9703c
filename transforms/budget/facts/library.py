"""All facts together: read from TOML, checked value by value and join by join."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache, cached_property
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from transforms.budget.demand.workloads import Workload
from transforms.budget.errors import BudgetUsageError, FactsError
from transforms.budget.facts.catalogue import (
    Accelerator,
    Cluster,
    Energy,
    Place,
    Prices,
    Utilisation,
    WorkKind,
)
from transforms.budget.facts.runs import Run
from transforms.budget.facts.values import Fact, ParameterBytes, inherit

RecordType = TypeVar("RecordType", bound=BaseModel)


class Facts(BaseModel):
    """All facts.

    Attributes:
        accelerators: by name.
        clusters: by name.
        utilisation: priors by kind of network.
        accelerator_utilisation: priors of accelerators without published trainings; they cap the kind's.
        energy: what a kilowatt-hour needs.
        places: by name; `anywhere` holds where no cluster is named.
        prices: money.
        state_bytes: memory a parameter in training needs (weights, gradients, optimiser).
        workloads: by name.
        runs: published trainings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accelerators: dict[str, Accelerator]
    clusters: dict[str, Cluster]
    utilisation: dict[str, Utilisation]
    accelerator_utilisation: dict[str, Utilisation]
    energy: Energy
    places: dict[str, Place]
    prices: Prices
    state_bytes: ParameterBytes
    workloads: dict[str, Workload]
    runs: tuple[Run, ...]

    @model_validator(mode="after")
    def _joined(self) -> "Facts":
        """Every name must lead somewhere."""
        for cluster in self.clusters.values():
            self.check_cluster(cluster)
        for workload in self.workloads.values():
            self.check_workload(workload)
        _known("accelerator utilisation", self.accelerator_utilisation, self.accelerators)
        _known("capital", self.prices.capital, self.accelerators)
        _known("rates", self.prices.rates, self.accelerators)
        _known("runs", (run.accelerator for run in self.runs), self.accelerators)
        _known("places", ["anywhere"], self.places)
        _known("kinds", get_args(WorkKind), self.utilisation)
        strata = {run.stratum for run in self.runs}
        for utilisation in self.utilisation.values():
            _known("strata", utilisation.strata, strata)
            _known("small networks", [utilisation.small.use] if utilisation.small else [], self.utilisation)
        priced = self.prices.capital.keys() | self.prices.rates.keys()
        _known("accelerators with a price", self.accelerators, priced)
        entries = self.accelerators.items()
        names = [plain for name, entry in entries for plain in {*map(_plain, (name, *entry.aliases))}]
        if len(names) != len(set(names)):
            raise ValueError("two accelerators share a name or an alias")
        return self

    def check_cluster(self, cluster: Cluster) -> None:
        """Checks that a cluster's place and accelerators are known."""
        _known(f"cluster {cluster.title}: place", [cluster.place], self.places)
        named = (phase.accelerator for phase in cluster.phases if phase.accelerator is not None)
        _known(f"cluster {cluster.title}: accelerator", named, self.prices.capital)

    def check_workload(self, workload: Workload) -> None:
        """Checks that a workload's kind is known."""
        _known(f"workload {workload.title}: utilisation", [workload.utilisation], self.utilisation)

    @cached_property
    def newest(self) -> date:
        """The newest date of any fact: what "now" means to an estimate."""
        return max(fact.as_of for fact in _facts_of(self))

    def accelerator(self, name: str) -> str:
        """The name of an accelerator by name or alias, whatever its case and punctuation.

        Raises:
            BudgetUsageError: nothing is called so.
        """
        wanted = _plain(name)
        for known, entry in self.accelerators.items():
            if wanted in map(_plain, (known, *entry.aliases)):
                return known
        raise BudgetUsageError(f"accelerator {name!r} is unknown; known: {', '.join(self.accelerators)}")

    def cluster(self, name: str) -> tuple[str, Cluster]:
        """A cluster by name, or from a TOML file of the same form as the facts' own.

        Raises:
            BudgetUsageError: nothing is called so, or the file does not hold together.
        """
        if name.lower() in self.clusters:
            return name.lower(), self.clusters[name.lower()]
        own, cluster = _from_file(name, Cluster, "cluster", self.clusters)
        _usage(name, self.check_cluster, cluster)
        return own, cluster

    def workload(self, name: str) -> tuple[str, Workload]:
        """A workload by name, or from a TOML file of the same form as the facts' own.

        Raises:
            BudgetUsageError: nothing is called so, or the file does not hold together.
        """
        if name.lower() in self.workloads:
            return name.lower(), self.workloads[name.lower()]
        own, workload = _from_file(name, Workload, "workload", self.workloads)
        _usage(name, self.check_workload, workload)
        return own, workload

    def evidence(self, utilisation: Utilisation) -> int:
        """Published runs behind a prior."""
        return sum(run.stratum in utilisation.strata for run in self.runs)


def parse_facts(texts: Iterable[str]) -> Facts:
    """Reads facts from TOML texts whose tables do not overlap.

    Raises:
        FactsError: a value is out of its range, has another unit or no source, or a name leads nowhere.
    """
    tables: dict[str, Any] = {}
    for text in texts:
        for name, table in tomllib.loads(text).items():
            if name in tables:
                raise FactsError(f"table {name} stands in two files")
            tables[name] = _inherited(table)
    try:
        return Facts.model_validate(tables)
    except ValidationError as error:
        raise FactsError(str(error)) from None


@cache
def load_facts() -> Facts:
    """The facts that come with this package."""
    folder = resources.files("transforms.budget.facts")
    files = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda file: file.name
    )
    return parse_facts(file.read_text(encoding="utf-8") for file in files)


def _inherited(table: Any) -> Any:
    return inherit({"": table})[""]


def _facts_of(item: object) -> Iterator[Fact]:
    """Every fact below an item."""
    if isinstance(item, Fact):
        yield item
    elif isinstance(item, BaseModel):
        yield from chain.from_iterable(_facts_of(getattr(item, name)) for name in type(item).model_fields)
    elif isinstance(item, Mapping):
        yield from chain.from_iterable(map(_facts_of, item.values()))
    elif isinstance(item, tuple):
        yield from chain.from_iterable(map(_facts_of, item))


def _known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuses names that lead nowhere."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(f"{what}: {', '.join(unknown)} unknown")


def _plain(name: str) -> str:
    """A name without maker, case and punctuation.

    >>> _plain("NVIDIA H100-SXM 80GB") == _plain("h100_sxm_80gb")
    True
    """
    plain = "".join(character for character in name.lower() if character.isalnum())
    return plain.removeprefix("nvidia")


def _from_file(name: str, model: type[RecordType], what: str, known: Iterable[str]) -> tuple[str, RecordType]:
    """Reads a record from a file that the caller names: a table as in the facts, or its content alone."""
    path = Path(name)
    if not path.is_file():
        raise BudgetUsageError(f"{what} {name!r} is unknown and no file; known: {', '.join(known)}")
    own = path.stem
    try:
        table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        wrapped = table.get(f"{what}s")
        if len(table) == 1 and isinstance(wrapped, dict) and len(wrapped) == 1:
            ((own, table),) = wrapped.items()
        return own, model.model_validate(_inherited(table))
    except (OSError, ValueError) as error:  # TOML, encoding and validation errors are ValueErrors
        raise BudgetUsageError(f"{what} {name}: {error}") from None


def _usage(name: str, check: Any, record: BaseModel) -> None:
    try:
        check(record)
    except ValueError as error:
        raise BudgetUsageError(f"{name}: {error}") from None
