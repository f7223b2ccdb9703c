"""The manifest: one row a file, and one for each shard that a run has still to label."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa

from transforms.tables.commits import COMMIT_TABLE, FileFacts, encode, file_metadata
from transforms.tables.files import read_parquet
from transforms.tables.layout import MANIFEST, shard_of, table_file
from transforms.tables.schemas import MANIFEST as MANIFEST_SCHEMA
from transforms.tables.store import Store

COMMITTED: Final = "committed"
PENDING: Final = "pending"

Row = dict[str, Any]


def manifest_row(file: FileFacts, label_digest: str | None) -> Row:
    """The row of a file that is there.

    Args:
        file: its facts; its place tells its table and shard.
        label_digest: digest of all that its rows depend on; None for tables that are written whole.
    """
    table, _, name = file.path.partition("/")
    return {
        "path": file.path,
        "table": table,
        "shard": shard_of(name),
        "rows": file.rows,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "label_digest": label_digest,
        "state": COMMITTED,
    }


def pending_row(shard: str, label_digest: str) -> Row:
    """The row of a shard that is still to be labelled.

    Args:
        shard: its name.
        label_digest: the one that it will have.
    """
    file = FileFacts(path=table_file(COMMIT_TABLE, shard), rows=0, bytes=0, sha256="")
    return {**manifest_row(file, label_digest), "state": PENDING}


def read_manifest(store: Store) -> list[Row]:
    """The rows of the manifest; none where there is none that can be read."""
    try:
        table = read_parquet(store.read(MANIFEST))
    except (FileNotFoundError, pa.ArrowInvalid):
        return []
    return table.to_pylist() if table.column_names == MANIFEST_SCHEMA.names else []


def encode_manifest(rows: Iterable[Row], metadata: Mapping[str, str] | None = None) -> bytes:
    """The manifest's file: the same bytes for the same rows in any order.

    Args:
        rows: its rows.
        metadata: what the file tells beside what every file does.
    """
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["path"])), MANIFEST_SCHEMA)
    return encode(table, {**file_metadata(), **(metadata or {})})
