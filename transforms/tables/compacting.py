"""Merging the minute files of a data set into one file a table and day, in a second, sealed data set.

The copy's files are named after days, so that a day that has grown replaces its own file by rename. Each tells, in its
metadata, the digest of its sources and the shards that it holds: what would be made of the same again is left as it is.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.tables.commits import COMMIT_TABLE, FileFacts, file_metadata
from transforms.tables.days import Shard, cut_days
from transforms.tables.digests import canonical_json, digest
from transforms.tables.file_facts import read_facts
from transforms.tables.files import RowGroups
from transforms.tables.finished import SEALED, read_finished
from transforms.tables.layout import DATASET, MANIFEST, table_file
from transforms.tables.manifest import Row, encode_manifest, manifest_row, read_manifest
from transforms.tables.schemas import SCHEMA_VERSION, SHARD_TABLES, TABLES
from transforms.tables.store import LocalStore

COMPACTION_VERSION: Final = 1
"""Changes with whatever changes the bytes of a merged file."""

_ROW_GROUP: Final = 131_072
"""Rows that are held and written at once: some 30 MB of detections."""

_SOURCES: Final = "clipmill.label_digest"
_MODELS: Final = "clipmill.model_digests"
_SHARDS: Final = "clipmill.shards"
"""Metadata of a merged file: the names of the shards whose rows it holds, as JSON."""


class CompactionError(Exception):
    """A data set cannot be compacted as it stands: what, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction came to.

    Attributes:
        sources: files of the data set that was merged.
        files: files of the copy.
        written: those that were written now.
        removed: files of the copy that are there no more.
        bytes_before: size of the sources.
        bytes_after: size of the copy's files.
    """

    sources: int
    files: int
    written: int
    removed: int
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True, slots=True)
class _Merged:
    """A file of the copy as it should be.

    Attributes:
        path: the file.
        table: its table.
        shards: what it is made of: shard and file, in the order of their rows.
        digest: of all that.
    """

    path: str
    table: str
    shards: Sequence[tuple[str, FileFacts]]
    digest: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A file of the copy as it stands."""

    digest: str
    shards: frozenset[str]
    rows: int


def compact(source: Path, target: Path) -> Compaction:
    """Writes the compacted copy of a data set, or brings it up to date.

    Args:
        source: the data set.
        target: the copy's folder, empty, or the copy as an earlier call left it.

    Raises:
        NotADatasetError: there is no data set, or one of another schema.
        UnfinishedError: a run on it has not ended.
        CompactionError: it is sealed itself, or changed while it was read.
        OSError: a file cannot be read or written.
    """
    store, copy = LocalStore(source), LocalStore(target)
    finished = read_finished(store, source)
    if finished.is_sealed:
        raise CompactionError(f"{source}: is compacted already")
    shards = [
        Shard(name=name, start_ns=_start(store, files.get(COMMIT_TABLE)), files=files)
        for name, files in finished.shards.items()
    ]
    merged = {item.path: item for item in _merged(shards)}
    copied = {file.path: file for file in finished.others}
    sources = [*finished.others, *(file for shard in shards for file in shard.files.values())]
    found = _found(copy)
    known = _known(copy)
    stale = {path for path, item in merged.items() if path not in found or found[path].digest != item.digest}
    for stray in copy.strays():
        stray.unlink(missing_ok=True)
    fresh = {path for path, file in copied.items() if not _same(copy, path, file, known)}
    gone = found.keys() - merged.keys() - copied.keys()
    if stale or fresh or gone:
        # whoever looks from here on sees a data set that is not finished
        _describe(copy, finished.facts, "")
    for path in sorted(fresh):
        copy.write(path, _content(store, copied[path]))
    # a row stands nowhere for a moment rather than twice: files that give shards away go before others take them
    leaving = {path for path in gone if found[path].rows} | set(_givers(merged, found, stale))
    for path in sorted(leaving):
        copy.delete(path)
    for path in sorted(stale):
        _write(store, copy, merged[path])
    for path in sorted(gone - leaving):
        copy.delete(path)
    written = stale | fresh
    listed = [
        _row(item.path, item.digest, known if item.path not in written else {}, copy)
        for item in merged.values()
    ]
    listed += [manifest_row(file, None) for file in copied.values()]
    _finish(copy, finished.facts, listed)
    return Compaction(
        sources=len(sources),
        files=len(listed),
        written=len(written),
        removed=len(gone),
        bytes_before=sum(file.bytes for file in sources),
        bytes_after=sum(row["bytes"] for row in listed),
    )


def _start(store: LocalStore, frames: FileFacts | None) -> int | None:
    """When the clips of a shard begin: Unix time in ns, None where no frame has a clock."""
    if frames is None or not frames.rows:
        return None
    with store.open(frames.path) as source:
        table = pq.ParquetFile(source).read(["utc_ns", "timestamp_ns"], use_threads=False)
    pairs = zip(table["utc_ns"].to_pylist(), table["timestamp_ns"].to_pylist(), strict=True)
    return min((utc - stamp for utc, stamp in pairs if utc is not None), default=None)


def _merged(shards: Sequence[Shard]) -> Iterator[_Merged]:
    for day in cut_days(shards):
        for table in SHARD_TABLES:
            own = [(shard.name, shard.files[table]) for shard in day.shards if table in shard.files]
            if own:
                path = table_file(table, day.name)
                sources = [(name, file.sha256) for name, file in own]
                made_of = {"compaction": COMPACTION_VERSION, "schema": SCHEMA_VERSION, "sources": sources}
                yield _Merged(path, table, own, digest(made_of))


def _found(copy: LocalStore) -> dict[str, _Found]:
    """The copy's files, as far as they are clipmill's."""
    found = {}
    for table in TABLES:
        for name in copy.sizes(table):
            path = f"{table}/{name}"
            try:
                with copy.open(path) as source:
                    footer = pq.read_metadata(source)
            except pa.ArrowInvalid:
                continue
            told = footer.metadata or {}
            if b"clipmill.version" in told:
                held = json.loads(told.get(_SHARDS.encode(), b"[]"))
                source_digest = told.get(_SOURCES.encode(), b"").decode()
                found[path] = _Found(source_digest, frozenset(held), footer.num_rows)
    return found


def _known(copy: LocalStore) -> dict[str, Row]:
    """What the copy's manifest tells of its files, where they still have the sizes that it tells."""
    sizes = {f"{table}/{name}": size for table in TABLES for name, size in copy.sizes(table).items()}
    rows = read_manifest(copy)
    return {row["path"]: row for row in rows if sizes.get(row["path"]) == row["bytes"]}


def _same(copy: LocalStore, path: str, file: FileFacts, known: Mapping[str, Row]) -> bool:
    """Whether a file that is copied as it is stands there already."""
    if path in known and known[path]["sha256"] != file.sha256:
        return False
    try:
        return hashlib.sha256(copy.read(path)).hexdigest() == file.sha256
    except FileNotFoundError:
        return False


def _givers(merged: Mapping[str, _Merged], found: Mapping[str, _Found], stale: set[str]) -> Iterator[str]:
    """Files that hold shards which should stand in another file of their table."""
    place = {(item.table, name): path for path, item in merged.items() for name, _ in item.shards}
    for path, there in found.items():
        table = path.partition("/")[0]
        if path in stale and any(place.get((table, name), path) != path for name in there.shards):
            yield path


def _content(store: LocalStore, file: FileFacts) -> bytes:
    """A source's bytes, sure to be those that the manifest tells."""
    try:
        content = store.read(file.path)
    except FileNotFoundError:
        content = b""
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise CompactionError(
            f"{file.path}: not the file that the manifest names: a run is changing the data set; "
            "wait for it to end and run again (else see clipmill verify)"
        )
    return content


def _write(store: LocalStore, copy: LocalStore, item: _Merged) -> None:
    """Streams the rows of a file's sources into it."""
    told = {name: value for name, value in file_metadata(item.digest).items() if name != _MODELS}
    models: set[str] = set()
    schema = TABLES[item.table]
    with copy.replacing(item.path) as sink, RowGroups(sink, schema, told) as groups:
        waiting, count = [schema.empty_table()], 0
        for _, file in item.shards:
            source = pq.ParquetFile(pa.BufferReader(_content(store, file)))
            metadata = source.metadata.metadata or {}
            models.update(filter(None, metadata.get(_MODELS.encode(), b"").decode().split(",")))
            rows = source.read(use_threads=False)
            if not rows.schema.equals(schema):
                raise CompactionError(f"{file.path}: columns differ from the schema of {item.table}")
            waiting.append(rows)
            count += rows.num_rows
            while count >= _ROW_GROUP:
                together = pa.concat_tables(waiting)
                groups.write(together.slice(0, _ROW_GROUP).combine_chunks())
                waiting, count = [together.slice(_ROW_GROUP)], count - _ROW_GROUP
        rest = pa.concat_tables(waiting).combine_chunks()
        if rest.num_rows or not any(file.rows for _, file in item.shards):
            groups.write(rest)
        groups.tell(
            {
                _MODELS: ",".join(sorted(models)),
                _SHARDS: canonical_json([name for name, _ in item.shards]),
            }
        )


def _row(path: str, source_digest: str, known: Mapping[str, Row], copy: LocalStore) -> Row:
    """The manifest's row of a merged file; one that has not changed since the last manifest is not read."""
    row = known.get(path)
    if row is not None and row["label_digest"] == source_digest:
        return row
    return manifest_row(read_facts(copy, path), source_digest)


def _finish(copy: LocalStore, facts: Mapping[str, Any], rows: Sequence[Row]) -> None:
    content = encode_manifest(rows)
    copy.write(MANIFEST, content)
    _describe(copy, facts, hashlib.sha256(content).hexdigest())


def _describe(copy: LocalStore, facts: Mapping[str, Any], manifest_sha256: str) -> None:
    told = {**facts, SEALED: True, "manifest_sha256": manifest_sha256}
    copy.write(DATASET, (canonical_json(told) + "\n").encode())
