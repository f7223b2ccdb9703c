"""Bringing a data set of an older schema to the current one, without labelling again.

Files are rewritten one after the other, each by rename; what was begun stays, and the same call goes on from there:
a rewritten file tells the digest of the file that it was made from, which the old manifest names. The new manifest
comes after all of them, dataset.json last; until then the data set is of the old version to everybody.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.tables.commits import COMMIT_TABLE, FileFacts, file_metadata
from transforms.tables.digests import canonical_json
from transforms.tables.evolution import (
    SCHEMAS,
    EvolutionError,
    brought_forward,
    can_migrate,
    schema_problem,
)
from transforms.tables.file_facts import read_facts, sha256_of
from transforms.tables.files import RowGroups, read_parquet
from transforms.tables.layout import DATASET, MANIFEST, is_place_of
from transforms.tables.manifest import COMMITTED, Row, encode_manifest
from transforms.tables.queries import NotADatasetError
from transforms.tables.schemas import SCHEMA_VERSION, TABLES
from transforms.tables.store import LocalStore

_COMMIT: Final = "clipmill.commit"
_VERSION: Final = "clipmill.schema_version"
_MADE_FROM: Final = "clipmill.migrated_from"
"""Metadata of a rewritten file: the digest of the file that stood there before."""

_NOT_OURS: Final = b"ARROW:schema"


class MigrationError(Exception):
    """The data set cannot be migrated as it stands: what, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What a migration came to.

    Attributes:
        version_before: the schema that the data set had.
        rewritten: files that were written.
        kept: files that an earlier call, cut short, had written already.
    """

    version_before: int
    rewritten: int
    kept: int


def migrate(root: Path) -> Migration:
    """Brings a data set to the current schema; one that has it already is left as it is.

    Args:
        root: the data set's folder.

    Raises:
        NotADatasetError: there is none.
        MigrationError: its version cannot be migrated, or its files are not those of its manifest.
        OSError: it cannot be read or written.
    """
    store = LocalStore(root)
    facts = _facts(store, root)
    version = facts.get("schema_version")
    if version == SCHEMA_VERSION:
        return Migration(SCHEMA_VERSION, 0, 0)
    if not can_migrate(version):
        raise MigrationError(str(schema_problem(root, version)))
    assert isinstance(version, int)
    old = str(facts.get("manifest_sha256"))
    manifest, before = _read_manifest(store, old)
    if before == SCHEMA_VERSION:
        # all files came before it: only dataset.json was missing
        _write_facts(store, facts, hashlib.sha256(manifest).hexdigest())
        return Migration(version, 0, pq.read_metadata(pa.BufferReader(manifest)).num_rows)
    rows: list[Row] = brought_forward(read_parquet(manifest), "manifest", before).to_pylist()
    rewritten, moved = 0, dict[str, FileFacts]()
    # a shard's commit names the digests of its other files, so it comes after them
    for row in sorted(rows, key=lambda row: (row["table"] == COMMIT_TABLE, row["path"])):
        if row["state"] != COMMITTED:
            continue
        if row["table"] not in TABLES or not is_place_of(row["path"], row["table"], row["shard"]):
            raise MigrationError(f"{MANIFEST}: names {row['path']!r}, which is no file of a data set")
        try:
            rewritten += _bring_forward(store, row, moved)
        except (EvolutionError, pa.ArrowInvalid) as error:
            raise MigrationError(
                f"{row['path']}: {error}; see clipmill verify of the version that wrote it"
            ) from error
    listed = [row | (asdict(moved[row["path"]]) if row["path"] in moved else {}) for row in rows]
    content = encode_manifest(listed, {_MADE_FROM: old})
    store.write(MANIFEST, content)
    _write_facts(store, facts, hashlib.sha256(content).hexdigest())
    return Migration(version, rewritten, len(moved) - rewritten)


def _facts(store: LocalStore, root: Path) -> dict[str, Any]:
    try:
        found = json.loads(store.read(DATASET))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotADatasetError(f"{root}: no data set here ({DATASET} is missing)") from error
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise MigrationError(f"{DATASET}: not a JSON object")
    return found


def _read_manifest(store: LocalStore, wanted: str) -> tuple[bytes, int]:
    """The manifest that dataset.json names, or the one that was made from it, and its version."""
    try:
        content = store.read(MANIFEST)
    except FileNotFoundError as error:
        raise MigrationError(f"{MANIFEST}: missing") from error
    told = _metadata(pq.read_metadata(pa.BufferReader(content)))
    if wanted not in {hashlib.sha256(content).hexdigest(), told.get(_MADE_FROM)}:
        raise MigrationError(
            f"{MANIFEST}: not the one that {DATASET} names: a run was cut short; "
            "end it with the version of clipmill that began it"
        )
    return content, int(told[_VERSION])


def _write_facts(store: LocalStore, facts: Mapping[str, Any], manifest_sha256: str) -> None:
    told = {**facts, "schema_version": SCHEMA_VERSION, "manifest_sha256": manifest_sha256}
    store.write(DATASET, (canonical_json(told) + "\n").encode())


def _bring_forward(store: LocalStore, row: Row, moved: dict[str, FileFacts]) -> bool:
    """Rewrites one file, unless that has been done.

    Args:
        store: the data set.
        row: the file, as the old manifest tells it.
        moved: the files that were rewritten before, by path; this one is added.

    Returns:
        Whether it was written now.
    """
    path, table = str(row["path"]), str(row["table"])
    try:
        source = store.open(path)
    except FileNotFoundError as error:
        raise MigrationError(f"{path}: missing, though the manifest names it") from error
    with closing(source):
        found = sha256_of(source)
        file = pq.ParquetFile(source)
        told = _metadata(file.metadata)
        if row["sha256"] not in {found, told.get(_MADE_FROM)}:
            raise MigrationError(f"{path}: bytes differ from the manifest's digest")
        version = int(told[_VERSION])
        done = version == SCHEMA_VERSION
        if not done:
            told |= {**file_metadata(), **_kept(told), _MADE_FROM: str(row["sha256"])}
            if _COMMIT in told:
                told[_COMMIT] = _commit(told[_COMMIT], moved)
            with (
                store.replacing(path) as sink,
                RowGroups(sink, SCHEMAS[table], told) as groups,
            ):
                for number in range(file.num_row_groups):
                    groups.write(brought_forward(file.read_row_group(number), table, version))
    moved[path] = read_facts(store, path)
    return not done


def _kept(told: Mapping[str, str]) -> dict[str, str]:
    """Metadata that says what the rows depend on: no migration changes that."""
    return {name: told[name] for name in ("clipmill.label_digest", "clipmill.model_digests") if name in told}


def _commit(text: str, moved: Mapping[str, FileFacts]) -> str:
    """A shard's commit record with the digests of its rewritten files."""
    record = json.loads(text)
    record["files"] = [
        asdict(moved[file["path"]]) if file["path"] in moved else file for file in record["files"]
    ]
    return canonical_json(record)


def _metadata(file: pq.FileMetaData) -> dict[str, str]:
    told = {key.decode(): value.decode() for key, value in (file.metadata or {}).items() if key != _NOT_OURS}
    if not told.get(_VERSION, "").isdecimal():
        raise MigrationError("a file does not tell its version of the schema: it is none of clipmill's")
    return told
