"""What a data set knows of clips, wherever it stands: tables, failures, records of runs."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transforms.tables.files import read_parquet
from transforms.tables.layout import EMPTY, RUNS, shard_of, table_file
from transforms.tables.store import LocalStore, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClip:
    """A clip or a file that failed; "" where something is not known.

    Attributes:
        uri: its place.
        clip_id: its id.
        content_sha256: digest of its bytes.
        drive_id: its drive.
        event_id: the event it lies in.
        camera: its camera.
    """

    uri: str
    clip_id: str = ""
    content_sha256: str = ""
    drive_id: str = ""
    event_id: str = ""
    camera: str = ""

    @property
    def file_name(self) -> str:
        """The last part of its place."""
        return self.uri.rstrip("/").rpartition("/")[2]


_COLUMNS = ("uri", "clip_id", "content_sha256", "drive_id", "event_id", "camera")


def clips_in_tables(store: Store) -> list[KnownClip]:
    """Every clip that has a row, duplicates included, and every file that failed.

    Args:
        store: the data set.
    """
    found = [
        KnownClip(**{name: row[name] or "" for name in _COLUMNS})
        for file in sorted(store.sizes("clips"))
        if file.endswith(".parquet") and shard_of(file) != EMPTY
        for row in read_rows(store, f"clips/{file}", _COLUMNS)
    ]
    failed = read_rows(store, table_file("failures"), ("uri", "clip_id"))
    found += [KnownClip(uri=row["uri"], clip_id=row["clip_id"]) for row in failed]
    return found


def read_rows(store: Store, path: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Some columns of a table's file; no rows where there is no such file."""
    with suppress(FileNotFoundError):
        return read_parquet(store.read(path), columns).to_pylist()
    return []


def clips_in_runs(root: Path) -> list[KnownClip]:
    """Every clip that the records of runs name: also those that failed long ago, or were called otherwise.

    Args:
        root: the data set's folder.
    """
    store = LocalStore(root)
    found = []
    for path in sorted((root / RUNS).rglob("*.json")):
        with suppress(ValueError):
            content = json.loads(store.read(str(path.relative_to(root))))
            found += [
                KnownClip(
                    uri=record["uri"],
                    **{
                        name: record[name]
                        for name in ("clip_id", "content_sha256")
                        if isinstance(record.get(name), str)
                    },
                )
                for record in _records(content)
            ]
    return found


def _records(value: object) -> Iterator[dict[str, Any]]:
    """Every JSON object, however deep, that tells of a file."""
    if isinstance(value, dict):
        if isinstance(value.get("uri"), str):
            yield value
        for item in value.values():
            yield from _records(item)
    elif isinstance(value, list):
        for item in value:
            yield from _records(item)
