"""Finishing a data set: the tables that are written whole, the manifest and dataset.json."""

import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from transforms.clips.refs import Failure
from transforms.clips.shards import Duplicate
from transforms.tables.commits import (
    FileFacts,
    ShardSummary,
    committed_shards,
    encode,
    facts_of,
    file_metadata,
    read_commit,
)
from transforms.tables.digests import canonical_json
from transforms.tables.layout import DATASET, DUPLICATES, EMPTY, MANIFEST, shard_of, table_file
from transforms.tables.schemas import MANIFEST as MANIFEST_SCHEMA
from transforms.tables.schemas import SCHEMA_VERSION, SHARD_TABLES, TABLES, WHOLE_TABLES
from transforms.tables.store import Store

LIBRARIES = ("apache-beam", "av", "numpy", "onnxruntime", "opencv-python-headless", "pyarrow", "scipy")
"""Libraries whose versions reach the bytes of a data set."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """A network that labelled.

    Attributes:
        name: its card's name.
        sha256: digest of its file.
        task: what it looks for.
        categories: what it can find.
    """

    name: str
    sha256: str
    task: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the stages found in this run.

    Attributes:
        summaries: of every shard of the plan.
        duplicates: rows of `clips` for the duplicates, one table.
        events: rows of `events`.
        failures: of discovery and probing; those of shards are in their summaries.
        objects: (drive_id, track_id, object_id).
    """

    summaries: Sequence[ShardSummary]
    duplicates: Sequence[Duplicate]
    duplicate_rows: pa.Table
    events: Sequence[Row]
    failures: Sequence[Failure]
    objects: Sequence[tuple[str, str, str]]


def whole_tables(
    found: Gathered, left: Sequence[ShardSummary], models: Sequence[ModelFacts]
) -> dict[str, pa.Table]:
    """The rows of every table that is written whole, but for the budget.

    Args:
        found: this run's.
        left: shards of earlier runs whose clips are no longer among the inputs.
        models: the networks.
    """
    shards = [*found.summaries, *left]
    failures = {*found.failures, *(failure for shard in found.summaries for failure in shard.failures)}
    frames: Counter[str] = Counter()
    for shard in shards:
        frames.update(shard.frames_labelled)
    coverage = [
        {
            "clip_id": clip,
            "task": model.task,
            "model_digest": model.sha256,
            "categories": list(model.categories),
            "frames_labelled": frames[clip],
        }
        for clip in sorted(frames)
        for model in sorted(models, key=lambda model: model.sha256)
    ]
    objects = [
        {"drive_id": drive, "track_id": track, "object_id": object_id}
        for drive, track, object_id in sorted(found.objects)
    ]
    rows: dict[str, list[Any]] = {
        "events": sorted(found.events, key=lambda row: row["event_id"]),
        "objects": objects,
        "coverage": coverage,
        "failures": [asdict(item) for item in sorted(failures, key=_failure_key)],
    }
    return {name: pa.Table.from_pylist(rows[name], WHOLE_TABLES[name]) for name in rows}


def _failure_key(failure: Failure) -> tuple[str, str, str]:
    return failure.uri, failure.stage, failure.error


def left_over(store: Store, planned: Iterable[str]) -> list[ShardSummary]:
    """Committed shards that the plan does not hold: clips of earlier runs.

    Args:
        store: the data set.
        planned: names of the plan's shards.
    """
    names = sorted(set(committed_shards(store)) - set(planned))
    return [commit for commit in (read_commit(store, name) for name in names) if commit is not None]


def write_whole(store: Store, tables: Mapping[str, pa.Table], duplicates: pa.Table) -> list[FileFacts]:
    """Writes the whole tables, the duplicates' rows of `clips`, and the files that keep globs readable.

    Args:
        store: the data set.
        tables: rows by table name.
        duplicates: rows of `clips`.

    Returns:
        The files.
    """
    contents = {table_file(name): table for name, table in tables.items()}
    duplicate_file = table_file("clips", DUPLICATES)
    if duplicates.num_rows:
        contents[duplicate_file] = duplicates
    else:
        store.delete(duplicate_file)
    for name, schema in SHARD_TABLES.items():
        empty = table_file(name, EMPTY)
        others = [file for file in store.sizes(name) if file != f"{EMPTY}.parquet"]
        if others or (name == "clips" and duplicates.num_rows):
            store.delete(empty)
        else:
            contents[empty] = schema.empty_table()
    files = []
    for path, table in contents.items():
        content = encode(table, file_metadata())
        _write_changed(store, path, content)
        files.append(facts_of(path, table.num_rows, content))
    return files


def _write_changed(store: Store, path: str, content: bytes) -> None:
    try:
        if store.read(path) == content:
            return
    except FileNotFoundError:
        pass
    store.write(path, content)


def remove_orphans(store: Store, shards: Iterable[ShardSummary]) -> None:
    """Removes files of shards that were never committed: what a killed run began."""
    known = {file.path for shard in shards for file in shard.files}
    for table in SHARD_TABLES:
        for file in store.sizes(table):
            path = f"{table}/{file}"
            if path not in known and shard_of(file) not in {DUPLICATES, EMPTY}:
                store.delete(path)


def write_manifest(store: Store, shards: Sequence[ShardSummary], whole: Sequence[FileFacts]) -> FileFacts:
    """Writes manifest.parquet: one row a file.

    Args:
        store: the data set.
        shards: every committed shard.
        whole: the files that belong to no shard.

    Returns:
        The manifest's own facts.
    """
    rows = [_manifest_row(file, shard.name, shard.label_digest) for shard in shards for file in shard.files]
    rows += [_manifest_row(file, shard_of(file.path.partition("/")[2]), None) for file in whole]
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["path"])), MANIFEST_SCHEMA)
    content = encode(table, file_metadata())
    _write_changed(store, MANIFEST, content)
    return facts_of(MANIFEST, table.num_rows, content)


def _manifest_row(file: FileFacts, shard: str, label_digest: str | None) -> dict[str, object]:
    table = file.path.partition("/")[0]
    return {**asdict(file), "table": table, "shard": shard, "label_digest": label_digest}


def write_dataset(
    store: Store,
    manifest: FileFacts,
    rows: Mapping[str, int],
    models: Sequence[ModelFacts],
    settings: Mapping[str, object],
) -> None:
    """Writes dataset.json: what this folder is, made by what, from which options."""
    content = canonical_json(
        {
            "format": "clipmill",
            "schema_version": SCHEMA_VERSION,
            "clipmill_version": version("clipmill"),
            "machine": platform.machine(),
            "libraries": {name: version(name) for name in LIBRARIES},
            "models": [asdict(model) for model in models],
            "settings": settings,
            "tables": {name: rows.get(name, 0) for name in TABLES},
            "manifest_sha256": manifest.sha256,
        }
    )
    _write_changed(store, DATASET, (content + "\n").encode())
