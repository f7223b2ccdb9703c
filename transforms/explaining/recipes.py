"""How a shard was labelled: the options and the network, known again by the digests that its commit holds."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from models.errors import ModelError
from models.refs import ModelRef
from models.registry import find_model
from transforms.explaining.errors import CannotExplainError
from transforms.labels.ingredients import code_digest
from transforms.labels.settings import LabelSettings
from transforms.tables.commits import ModelFacts, ShardSummary
from transforms.tables.dataset import made_on
from transforms.tables.digests import digest
from transforms.tables.layout import RUNS

__all__ = ["Recipe", "find_recipe", "other_versions"]

_SHOWN: Final = 12
"""Digits of a digest in messages."""

_MAX_RECORD_BYTES: Final = 1 << 24
"""Longer records of runs are passed over: the longest part of one is the list of its failures."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the rows of one network came to be.

    Attributes:
        settings: options of labelling; private places, of which a data set keeps a digest only and on which no
            detection depends, are not among them.
        model: the network, found on this machine.
    """

    settings: LabelSettings
    model: ModelRef


@dataclass(frozen=True, slots=True)
class _Job:
    labels: Mapping[str, Any]
    models: tuple[str, ...]
    device: str


def find_recipe(root: Path, facts: Mapping[str, Any], shard: ShardSummary, model_digest: str) -> Recipe:
    """Finds the options and the network that a shard was labelled with.

    Args:
        root: the data set's folder.
        facts: its dataset.json.
        shard: the shard's commit.
        model_digest: sha256 of the network.

    Raises:
        CannotExplainError: another version labelled it, or options or network are not to be had.
    """
    if shard.made_from.get("code") != code_digest():
        raise CannotExplainError(
            f"{root}: the shard {shard.name} was labelled by a version of clipmill that labels differently "
            f"(the data set was last written by {facts.get('clipmill_version')}); explain it with that version, "
            "or label its clips again: the same rows are promised by the same version only"
        )
    network = next((model for model in shard.models if model.sha256 == model_digest), None)
    if network is None:
        raise CannotExplainError(
            f"{root}: the commit of {shard.name} does not name the network of the row "
            f"({model_digest[:_SHOWN]}); see clipmill verify {root}"
        )
    jobs = [job for job in _jobs(root, facts) if digest(job.labels) == shard.made_from.get("options")]
    if not jobs:
        raise CannotExplainError(
            f"{root}: no record of a run ({RUNS}/*/run.json) tells the options that {shard.name} was labelled with; "
            "label its clips again"
        )
    # a digest stands for the places
    settings = LabelSettings.model_validate({**jobs[0].labels, "location_privacy": ()})
    return Recipe(settings, _find_network(jobs, network))


def other_versions(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """A note on what a data set was written with that is not here: equal numbers are promised on the same only.

    Args:
        facts: its dataset.json.
    """
    here = {**made_on(), "clipmill": version("clipmill")}
    there = {**facts, "clipmill": facts.get("clipmill_version")}
    libraries = there["libraries"] if isinstance(there.get("libraries"), dict) else {}
    differs = [
        f"{name} {libraries.get(name)} (here {own})"
        for name, own in here["libraries"].items()
        if libraries.get(name) != own
    ]
    differs += [
        f"{name} {there.get(name)} (here {here[name]})"
        for name in ("clipmill", "cpu")
        if there.get(name) != here[name]
    ]
    if not differs:
        return ()
    note = f"the data set was written with {', '.join(differs)}"
    return (f"{note}: equal numbers are promised only on the same versions and type of processor",)


def _jobs(root: Path, facts: Mapping[str, Any]) -> Iterator[_Job]:
    """What runs were told, the last one first; what dataset.json says of them after that."""
    for path in sorted(root.glob(f"{RUNS}/*/run.json"), reverse=True):
        with suppress(ValueError, KeyError, TypeError, RecursionError, OSError):
            if path.stat().st_size > _MAX_RECORD_BYTES:
                continue
            job = json.loads(path.read_bytes())["job"]
            yield _Job({**job["labels"]}, tuple(map(str, job["models"])), str(job["device"]))
    with suppress(KeyError, TypeError):
        yield _Job({**facts["settings"]}, (), "cpu")


def _find_network(jobs: Sequence[_Job], network: ModelFacts) -> ModelRef:
    """The network as it was used, by the names that jobs had for it."""
    ways = dict.fromkeys((name, job.device) for job in jobs for name in (*job.models, network.name))
    problems = []
    # its own name first: another network of the job need not be here
    for name, device in sorted(ways, key=lambda way: way[0] != network.name):
        try:
            found = find_model(name, size=network.size, device=device)
        except ModelError as error:
            problems.append(str(error))
            continue
        if found.digest == network.digest:
            return found
        if found.card.name == network.name:
            is_same_file = found.sha256 == network.sha256
            what = "its card" if is_same_file else f"its file (sha256 {found.sha256[:_SHOWN]})"
            problems.append(f"{name}: {what} is not the one that the clip was labelled with")
    raise CannotExplainError(
        f"the network {network.name} (sha256 {network.sha256[:_SHOWN]}) that the clip was labelled with is not here: "
        f"{'; '.join(problems)}"
    )
