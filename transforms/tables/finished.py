"""What the manifest of a finished data set tells of its files."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from transforms.tables.commits import FileFacts
from transforms.tables.files import read_parquet
from transforms.tables.half_corrected import half_corrected
from transforms.tables.layout import DATASET, DUPLICATES, EMPTY, MANIFEST, WHOLE, is_place_of
from transforms.tables.manifest import COMMITTED
from transforms.tables.queries import NotADatasetError, refuse_other_schema
from transforms.tables.schemas import SHARD_TABLES, TABLES
from transforms.tables.store import Store

SEALED: Final = "sealed"
"""The entry of dataset.json that says that nothing is labelled into the data set: it is a compacted copy."""

_COLUMNS: Final = ("path", "table", "shard", "rows", "bytes", "sha256", "state")
_AT_ONCE: Final = 65_536
"""Rows of the manifest that are Python objects at one time."""


class UnfinishedError(Exception):
    """A run on the data set has not come to its end."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished data set.

    Attributes:
        facts: dataset.json.
        shards: files by table, by shard (of a compacted copy: by day).
        others: the files that belong to none.
    """

    facts: Mapping[str, Any]
    shards: Mapping[str, Mapping[str, FileFacts]]
    others: Sequence[FileFacts]

    @property
    def is_sealed(self) -> bool:
        """Whether it is a compacted copy."""
        return bool(self.facts.get(SEALED))


def read_finished(store: Store, place: object) -> Finished:
    """Reads what a data set's manifest tells.

    Args:
        store: the data set.
        place: its folder, for messages.

    Raises:
        NotADatasetError: there is none, or one of another schema.
        UnfinishedError: a run has not ended, or corrections are half in place.
    """
    if problem := half_corrected(store, place):
        raise UnfinishedError(problem)
    try:
        described = store.read(DATASET)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotADatasetError(f"{place}: no data set here ({DATASET} is missing)") from error
    refuse_other_schema(place, described)
    facts = json.loads(described)
    try:
        manifest = store.read(MANIFEST)
    except FileNotFoundError:
        manifest = b""
    if hashlib.sha256(manifest).hexdigest() != facts.get("manifest_sha256"):
        raise UnfinishedError(
            f"{place}: {MANIFEST} is not the one that {DATASET} names: a run has not finished; "
            "wait for it, or run it again"
        )
    shards: dict[str, dict[str, FileFacts]] = {}
    others, pending = list[FileFacts](), 0
    table = read_parquet(manifest, _COLUMNS)
    for row in (row for batch in table.to_batches(_AT_ONCE) for row in batch.to_pylist()):
        if row["table"] not in TABLES or not is_place_of(row["path"], row["table"], row["shard"]):
            raise NotADatasetError(
                f"{place}: {MANIFEST} names {row['path']!r}, which is no file of a data set"
            )
        pending += row["state"] != COMMITTED
        file = FileFacts(path=row["path"], rows=row["rows"], bytes=row["bytes"], sha256=row["sha256"])
        if row["table"] in SHARD_TABLES and row["shard"] not in {WHOLE, DUPLICATES, EMPTY}:
            shards.setdefault(row["shard"], {})[row["table"]] = file
        else:
            others.append(file)
    if pending:
        raise UnfinishedError(f"{place}: {pending} files are pending: a run has not finished; run it again")
    return Finished(facts, shards, others)
