"""Finishing a data set: the tables that are written whole, the manifest and dataset.json."""

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from transforms.clips.refs import Failure
from transforms.clips.shards import Duplicate
from transforms.tables.commits import (
    COMMIT_TABLE,
    FileFacts,
    ShardSummary,
    encode,
    facts_of,
    file_metadata,
    is_ours,
)
from transforms.tables.digests import canonical_json
from transforms.tables.earlier import Earlier, Row
from transforms.tables.layout import DATASET, DUPLICATES, EMPTY, MANIFEST, shard_of, table_file
from transforms.tables.manifest import encode_manifest, manifest_row
from transforms.tables.schemas import SCHEMA_VERSION, SHARD_TABLES, TABLES, WHOLE_TABLES
from transforms.tables.store import Store

LIBRARIES = ("apache-beam", "av", "numpy", "onnxruntime", "opencv-python-headless", "pyarrow", "scipy")
"""Libraries whose versions reach the bytes of a data set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the stages found in this run.

    Attributes:
        summaries: of every shard of the plan.
        duplicates: rows of `clips` for the duplicates, one table.
        events: rows of `events`.
        failures: of discovery and probing; those of shards are in their summaries.
        objects: rows of `objects`, of this run's shards and those that are left over.
    """

    summaries: Sequence[ShardSummary]
    duplicates: Sequence[Duplicate]
    duplicate_rows: pa.Table
    events: Sequence[Row]
    failures: Sequence[Failure]
    objects: pa.Table


def whole_tables(found: Gathered, left: Sequence[ShardSummary], earlier: Earlier) -> dict[str, pa.Table]:
    """The rows of every table that is written whole, but for the budget.

    Args:
        found: this run's.
        left: shards of earlier runs whose clips are not among the inputs.
        earlier: rows of earlier runs that stay, unless this one tells of the same.
    """
    events = {row["event_id"]: row for row in (*earlier.events, *found.events)}
    failed = [*earlier.failures, *(asdict(failure) for failure in distinct_failures(found))]
    failures = {(row["uri"], row["stage"], row["error"]): row for row in failed}
    return {
        "events": _table("events", [events[event] for event in sorted(events)]),
        "objects": found.objects,
        "coverage": _table("coverage", list(_coverage([*found.summaries, *left]))),
        "failures": _table("failures", [failures[key] for key in sorted(failures)]),
    }


def _table(name: str, rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, WHOLE_TABLES[name])


def _coverage(shards: Iterable[ShardSummary]) -> Iterator[Row]:
    """One row a clip and network, over all the clip's shards."""
    frames: Counter[tuple[str, str]] = Counter()
    models = {}
    for shard in shards:
        for model in shard.models:
            models[model.sha256] = model
            for clip, labelled in shard.frames_labelled.items():
                frames[clip, model.sha256] += labelled
    for clip, sha256 in sorted(frames):
        yield {
            "clip_id": clip,
            "task": models[sha256].task,
            "model_digest": sha256,
            "categories": sorted(models[sha256].categories),
            "frames_labelled": frames[clip, sha256],
        }


def distinct_failures(found: Gathered) -> list[Failure]:
    """The failures of a run, one for each file, stage and kind of fault, however many shards met it."""
    every = (*found.failures, *(failure for shard in found.summaries for failure in shard.failures))
    ordered = sorted(every, key=lambda failure: (failure.uri, failure.stage, failure.error, failure.message))
    return list(
        {(failure.uri, failure.stage, failure.error): failure for failure in reversed(ordered)}.values()
    )[::-1]


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
    """Removes files of shards that are no longer part of the data set, or never were: what a killed run began.

    Only Parquet files that clipmill wrote are touched.

    Args:
        store: the data set.
        shards: every shard that stays.
    """
    known = {file.path for shard in shards for file in shard.files}
    # a shard's commit goes first: from then on it is absent
    for table in sorted(SHARD_TABLES, key=lambda table: table != COMMIT_TABLE):
        for file in store.sizes(table):
            path = f"{table}/{file}"
            if path not in known and shard_of(file) not in {DUPLICATES, EMPTY} and is_ours(store, path):
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
    rows = [manifest_row(file, shard.label_digest) for shard in shards for file in shard.files]
    rows += [manifest_row(file, None) for file in whole]
    content = encode_manifest(rows)
    _write_changed(store, MANIFEST, content)
    return facts_of(MANIFEST, len(rows), content)


def write_dataset(
    store: Store,
    manifest: FileFacts,
    rows: Mapping[str, int],
    shards: Sequence[ShardSummary],
    settings: Mapping[str, object],
) -> None:
    """Writes dataset.json: what this folder is, made by what, from which options."""
    models = {(model.name, model.digest): model for shard in shards for model in shard.models}
    content = canonical_json(
        {
            "format": "clipmill",
            "schema_version": SCHEMA_VERSION,
            "clipmill_version": version("clipmill"),
            **made_on(),
            "models": [asdict(models[key]) for key in sorted(models)],
            "settings": settings,
            "tables": {name: rows.get(name, 0) for name in TABLES},
            "manifest_sha256": manifest.sha256,
        }
    )
    _write_changed(store, DATASET, (content + "\n").encode())


def made_on() -> dict[str, Any]:
    """What the bytes of labels depend on beside inputs, job and version: `cpu` and `libraries`."""
    return {"cpu": _cpu(), "libraries": {name: version(name) for name in LIBRARIES}}


def _cpu() -> str:
    """The type of the processor: on another one the networks' last digits may differ."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
