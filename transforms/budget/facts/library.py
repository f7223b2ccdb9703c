"""All facts together: read from TOML, checked value by value and join by join."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache, cached_property
from importlib import resources
from itertools import chain
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from transforms.budget.errors import BudgetUsageError, FactsError
from transforms.budget.facts.catalogue import (
    Accelerator,
    AssumedUtilisation,
    Cluster,
    Energy,
    Place,
    Prices,
    Utilisation,
    WorkKind,
)
from transforms.budget.facts.networks import Network, Programme, Scaling, TrainingRules, Workload
from transforms.budget.facts.operations import (
    Decoding,
    LabellingMachine,
    LabellingRules,
    Reliability,
    Storage,
    Uplink,
)
from transforms.budget.facts.parallelism import Parallelism
from transforms.budget.facts.runs import Run
from transforms.budget.facts.values import Fact, Ratio, inherit

_TOLD = 3
"""Errors that are told at once: a misspelt name makes two."""


class Facts(BaseModel):
    """All facts.

    Attributes:
        accelerators: by name.
        clusters: by name.
        utilisation: priors by kind of network.
        accelerator_utilisation: priors of accelerators without published trainings; they cap the kind's.
        family_spread: factor by which families of networks are supposed to differ in utilisation.
        energy: what a kilowatt-hour needs.
        places: by name; `anywhere` holds where no cluster is named.
        prices: money.
        training: what holds for any training.
        programme: what a year of work computes beside a run.
        scaling: how the best sizes grow with compute, by field.
        networks: by name.
        workloads: by name.
        parallelism: what splitting a training over accelerators costs.
        reliability: what stops a training.
        storage: how fast stored video is read.
        decoding: how fast it is decoded.
        uplink: how it comes from a vehicle.
        labelling: what labelling otherwise than measured costs.
        machines: that label, by name.
        runs: published trainings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accelerators: dict[str, Accelerator]
    clusters: dict[str, Cluster]
    utilisation: dict[str, Utilisation]
    accelerator_utilisation: dict[str, AssumedUtilisation]
    family_spread: Ratio
    energy: Energy
    places: dict[str, Place]
    prices: Prices
    training: TrainingRules
    programme: Programme
    scaling: dict[str, Scaling]
    networks: dict[str, Network]
    workloads: dict[str, Workload]
    parallelism: Parallelism
    reliability: Reliability
    storage: Storage
    decoding: Decoding
    uplink: Uplink
    labelling: LabellingRules
    machines: dict[str, LabellingMachine]
    runs: tuple[Run, ...]

    @model_validator(mode="after")
    def _joined(self) -> "Facts":
        """Every name must lead somewhere."""
        for cluster in self.clusters.values():
            _known(f"cluster {cluster.title}: place", [cluster.place], self.places)
            named = (phase.accelerator for phase in cluster.phases if phase.accelerator is not None)
            _known(f"cluster {cluster.title}: accelerator", named, self.accelerators)
        for name, network in self.networks.items():
            _known(f"network {name}: utilisation", [network.utilisation], self.utilisation)
        for name, workload in self.workloads.items():
            _known(f"workload {name}: network", [workload.network], self.networks)
        _known("accelerator utilisation", self.accelerator_utilisation, self.accelerators)
        _known("cores", self.decoding.cores, self.accelerators)
        _known("runs", (run.accelerator for run in self.runs), self.accelerators)
        _known("places", ["anywhere"], self.places)
        _known("kinds", get_args(WorkKind), self.utilisation)
        strata = {run.stratum for run in self.runs}
        for utilisation in self.utilisation.values():
            _known("strata", (*utilisation.strata, *utilisation.step_strata), strata)
            _known("small networks", [utilisation.small.use] if utilisation.small else [], self.utilisation)
        entries = self.accelerators.items()
        names = [plain for name, entry in entries for plain in {*map(_plain, (name, *entry.aliases))}]
        if len(names) != len(set(names)):
            raise ValueError("two accelerators share a name or an alias")
        return self

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


def parse_facts(texts: Iterable[str]) -> Facts:
    """Reads facts from TOML texts whose tables do not overlap.

    Raises:
        FactsError: a value is out of its range, has another unit or no source, or a name leads nowhere.
    """
    return _validated(_merged(texts))


def load_facts(own: str = "") -> Facts:
    """The facts that come with this package, and those of the caller: one object for one text.

    Args:
        own: tables of the caller, as `own.OwnFacts.text` writes them; they win over the package's.

    Raises:
        FactsError: the caller's facts do not hold together.
    """
    # a cache of its own would tell the default from the same text given
    return _with(own)


@cache
def _with(own: str) -> Facts:
    tables = _bundled()
    if own:
        added: dict[str, dict[str, Any]] = json.loads(own)
        tables = {**tables, **{name: {**tables[name], **table} for name, table in added.items()}}
    return _validated(tables)


@cache
def _bundled() -> dict[str, Any]:
    folder = resources.files("transforms.budget.facts")
    files = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda file: file.name
    )
    return _merged(file.read_text(encoding="utf-8") for file in files)


def _merged(texts: Iterable[str]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for text in texts:
        for name, table in tomllib.loads(text).items():
            if name in tables:
                raise FactsError(f"table {name} stands in two files")
            tables[name] = inherit({"": table})[""]
    return tables


def _validated(tables: Mapping[str, Any]) -> Facts:
    try:
        return Facts.model_validate(tables)
    except ValidationError as error:
        raise FactsError(told(error)) from None


def told(error: ValidationError) -> str:
    """The first few things that are wrong, in one line: where, and what.

    Args:
        error: of any record of facts.
    """
    found = error.errors(include_url=False, include_input=False)
    parts = []
    for item in found[:_TOLD]:
        place = ".".join(str(step) for step in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        parts.append(f"{place}: {message}" if place else message)
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    return "; ".join(parts) + more


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
