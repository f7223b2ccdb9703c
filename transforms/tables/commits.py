"""Committing a shard: whole or absent, and known again without reading its rows."""

import hashlib
import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from transforms.budget.demand.figures import Tally
from transforms.clips.refs import Failure
from transforms.tables.digests import canonical_json
from transforms.tables.files import write_parquet
from transforms.tables.layout import DUPLICATES, EMPTY, is_place_of, shard_of, table_file
from transforms.tables.schemas import SCHEMA_VERSION, SHARD_TABLES
from transforms.tables.store import Store

COMMIT_TABLE = "frames"
"""The table whose file is written last, in every shard: where it is, the shard is whole."""

_KEY = b"clipmill.commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """A file of the data set, as the manifest tells it."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """A network that labelled.

    Attributes:
        name: its card's name.
        sha256: digest of its file.
        digest: digest of all that shapes its detections: file, card, size, processing.
        size: long side of its input in pixels.
        task: what it looks for.
        categories: what it can find.
    """

    name: str
    sha256: str
    digest: str
    size: int
    task: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSummary:
    """All that later stages need to know of a committed shard.

    Attributes:
        name: the shard.
        drive_id: its drive.
        label_digest: digest of all that its rows depend on.
        made_from: the digests it is made of, by what they stand for; commits of schema 2 do not tell.
        files: its files; the record inside the commit file lacks that file itself.
        counts: rows by table.
        clips: (clip_id, uri) of its parts.
        event_ids: events its clips lie in.
        models: the networks that labelled it.
        frames_labelled: labelled frames by clip_id.
        tally: its share of the figures that drive the budget.
        tracks: its track ids.
        heads: track id to its detections in the previous minute, the last one first.
        tail: detection id to track id at the end of the minute.
        failures: faults of its clips.
        conflicts: correction_id → why it does not stand as it was said.
    """

    name: str
    drive_id: str
    label_digest: str
    made_from: dict[str, str] = field(default_factory=dict)
    files: tuple[FileFacts, ...]
    counts: dict[str, int]
    clips: tuple[tuple[str, str], ...]
    event_ids: tuple[str, ...]
    models: tuple[ModelFacts, ...]
    frames_labelled: dict[str, int]
    tally: Tally
    tracks: tuple[str, ...]
    heads: dict[str, tuple[str, ...]]
    tail: dict[str, str]
    failures: tuple[Failure, ...]
    conflicts: dict[str, str] = field(default_factory=dict)


_SUMMARY: Final = TypeAdapter(ShardSummary)


def without_links(summary: ShardSummary) -> ShardSummary:
    """A commit without `heads` and `tail`, which are most of it: who joins tracks reads them again."""
    return replace(summary, heads={}, tail={})


def file_metadata(label_digest: str = "", model_digests: tuple[str, ...] = ()) -> dict[str, str]:
    """What every file of a data set carries."""
    return {
        "clipmill.version": version("clipmill"),
        "clipmill.schema_version": str(SCHEMA_VERSION),
        "clipmill.label_digest": label_digest,
        "clipmill.model_digests": ",".join(model_digests),
    }


def encode(table: pa.Table, metadata: Mapping[str, str]) -> bytes:
    """A table as the bytes of a Parquet file."""
    sink = io.BytesIO()
    write_parquet(sink, table, metadata)
    return sink.getvalue()


def facts_of(path: str, rows: int, content: bytes) -> FileFacts:
    """A file's size and digest."""
    return FileFacts(path=path, rows=rows, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def commit_shard(store: Store, summary: ShardSummary, tables: Mapping[str, pa.Table]) -> ShardSummary:
    """Writes a shard's tables, the commit file last.

    Args:
        store: the data set.
        summary: the shard's, without `files`.
        tables: rows by table name, one entry for each shard table.

    Returns:
        The summary with its files.
    """
    metadata = file_metadata(summary.label_digest, tuple(model.sha256 for model in summary.models))
    # without its commit file the shard is absent: a crash from here on leaves nothing that looks whole
    store.delete(table_file(COMMIT_TABLE, summary.name))
    files = []
    for name in SHARD_TABLES:
        path = table_file(name, summary.name)
        if name == COMMIT_TABLE:
            continue
        if not tables[name].num_rows:
            store.delete(path)
            continue
        content = encode(tables[name], metadata)
        store.write(path, content)
        files.append(facts_of(path, tables[name].num_rows, content))
    committed = replace(summary, files=tuple(files))
    record = canonical_json(committed)
    path = table_file(COMMIT_TABLE, summary.name)
    frames = tables[COMMIT_TABLE]
    content = encode(frames, {**metadata, _KEY.decode(): record})
    store.write(path, content)
    return replace(committed, files=(*files, facts_of(path, frames.num_rows, content)))


def take_over_shard(store: Store, base: Store, summary: ShardSummary) -> bool:
    """Puts another data set's shard in place as it is, the commit file last.

    Args:
        store: the data set.
        base: the other one.
        summary: the shard's commit there, as `read_commit` gave it.

    Returns:
        Whether it is here now: not where the other one was written to meanwhile.
    """
    store.delete(table_file(COMMIT_TABLE, summary.name))
    there = {file.path for file in summary.files}
    for table in sorted(SHARD_TABLES, key=lambda table: table == COMMIT_TABLE):
        path = table_file(table, summary.name)
        if path not in there:
            store.delete(path)
            continue
        try:
            store.take_over(base, path)
        except FileNotFoundError:
            return False
    return (
        all(_is_here(store, file) for file in summary.files) and read_commit(store, summary.name) == summary
    )


def _is_here(store: Store, file: FileFacts) -> bool:
    with suppress(FileNotFoundError):
        return hashlib.sha256(store.read(file.path)).hexdigest() == file.sha256
    return False


def read_commit(store: Store, shard: str) -> ShardSummary | None:
    """The summary of a committed shard, or None where it is absent or from another schema.

    Args:
        store: the data set.
        shard: the shard's name.
    """
    path = table_file(COMMIT_TABLE, shard)
    try:
        content = store.read(path)
    except FileNotFoundError:
        return None
    try:
        footer = pq.read_metadata(io.BytesIO(content))
        metadata = footer.metadata or {}
        if metadata.get(b"clipmill.schema_version") != str(SCHEMA_VERSION).encode():
            return None
        summary = _SUMMARY.validate_json(metadata[_KEY], strict=True)
    except (pa.ArrowException, OSError, ValueError, KeyError):
        # whatever stands there is no commit of this version: the shard is absent
        return None
    if summary.name != shard or not all(_is_own(file.path, shard) for file in summary.files):
        return None
    return replace(summary, files=(*summary.files, facts_of(path, footer.num_rows, content)))


def _is_own(path: str, shard: str) -> bool:
    table = path.partition("/")[0]
    return table in SHARD_TABLES and is_place_of(path, table, shard)


def is_whole(summary: ShardSummary, sizes: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether all files of a shard are there with the sizes its commit tells.

    Args:
        summary: the shard's commit.
        sizes: for each shard table the file names and sizes of its folder.
    """
    expected = {file.path: file.bytes for file in summary.files}
    found = {
        f"{table}/{summary.name}.parquet": files[f"{summary.name}.parquet"]
        for table, files in sizes.items()
        if f"{summary.name}.parquet" in files
    }
    return expected == found


def committed_shards(store: Store) -> list[str]:
    """Names of the shards that have a commit file."""
    names = map(shard_of, store.sizes(COMMIT_TABLE))
    return sorted(name for name in names if name not in {DUPLICATES, EMPTY})


def is_ours(store: Store, path: str) -> bool:
    """Whether a file is absent, or a Parquet file that clipmill wrote: nothing else is ever removed."""
    try:
        metadata = pq.read_metadata(io.BytesIO(store.read(path))).metadata or {}
    except FileNotFoundError:
        return True
    except (pa.ArrowInvalid, OSError):
        return False
    return b"clipmill.version" in metadata
