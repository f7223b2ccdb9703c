"""The rows that are to be explained, as they stand in the data set."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from transforms.explaining.errors import CannotExplainError, NoSuchRowError
from transforms.tables.commits import ShardSummary, read_commit
from transforms.tables.files import read_parquet
from transforms.tables.layout import shard_of, table_file
from transforms.tables.store import LocalStore

Row = dict[str, Any]

_PREFIX: Final = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}")
"""At least eight hexadecimal digits: of fewer, several rows of an ordinary data set have the same."""

_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of `detections`.

    Attributes:
        row: its columns.
        shard: the commit of its shard.
    """

    row: Row
    shard: ShardSummary


def find_rows(data: duckdb.DuckDBPyConnection, root: Path, prefixes: Sequence[str]) -> list[StoredRow]:
    """Finds rows of `detections` by their ids.

    Args:
        data: the data set, opened for SQL.
        root: its folder.
        prefixes: ids, or what only one id begins with, of at least 8 digits.

    Returns:
        The rows, in the order of the prefixes.

    Raises:
        NoSuchRowError: no row has such an id, or more than one.
        CannotExplainError: the row's shard is not whole.
    """
    wanted = [_checked(prefix) for prefix in prefixes]
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for prefix, identity, path in _matches(data, root, wanted):
        found[prefix][identity] = shard_of(Path(path).name)
    ids = [_only(root, prefix, found[prefix]) for prefix in wanted]
    shards = {identity: shard for some in found.values() for identity, shard in some.items()}
    store = LocalStore(root)
    rows: dict[str, StoredRow] = {}
    for name in sorted({shards[identity] for identity in ids}):
        commit = read_commit(store, name)
        if commit is None:
            raise CannotExplainError(f"{root}: the shard {name} is not whole; see clipmill verify {root}")
        for row in _rows_of(store, name, {identity for identity in ids if shards[identity] == name}):
            rows[row["detection_id"]] = StoredRow(row, commit)
    return [rows[identity] for identity in ids]


def clips_of_drive(data: duckdb.DuckDBPyConnection, drive_id: str) -> list[Row]:
    """The rows of `clips` of a drive.

    Args:
        data: the data set, opened for SQL.
        drive_id: the drive.
    """
    found = data.execute("SELECT * FROM clips WHERE drive_id = ? ORDER BY uri", [drive_id])
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _checked(prefix: str) -> str:
    prefix = prefix.strip().lower()
    if not _PREFIX.fullmatch(prefix):
        raise NoSuchRowError(
            f"{prefix!r} is no id of a detection: give at least its first 8 hexadecimal digits, such as 1a2b3c4d"
        )
    return prefix


def _matches(
    data: duckdb.DuckDBPyConnection, root: Path, prefixes: Sequence[str]
) -> Iterable[tuple[str, str, str]]:
    """(prefix, detection_id, file) of every row that fits."""
    files = [str(path.absolute()) for path in sorted((root / "detections").glob("[!.]*.parquet"))]
    if not files:
        return []
    found: list[tuple[str, str, str]] = data.execute(
        "SELECT prefix, detection_id, filename FROM (SELECT unnest(?::VARCHAR[]) AS prefix)"
        " JOIN read_parquet(?, filename = true, hive_partitioning = false)"
        " ON starts_with(detection_id, prefix)",
        [sorted(set(prefixes)), files],
    ).fetchall()
    return found


def _only(root: Path, prefix: str, found: dict[str, str]) -> str:
    if not found:
        raise NoSuchRowError(
            f"{root}: no row of detections has an id that begins with {prefix}; `clipmill inspect {root} "
            "--table detections` and `clipmill sql` show ids (the column detection_id)"
        )
    if len(found) > 1:
        some = ", ".join(sorted(found)[:_NAMED])
        raise NoSuchRowError(f"{root}: {len(found)} ids begin with {prefix}: {some}; give more digits")
    return next(iter(found))


def _rows_of(store: LocalStore, shard: str, ids: set[str]) -> Iterable[Row]:
    table = read_parquet(store.read(table_file("detections", shard)))
    every = table["detection_id"].to_pylist()
    return table.take([at for at, identity in enumerate(every) if identity in ids]).to_pylist()
