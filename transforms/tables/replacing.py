"""Replacing one of the whole tables of a finished data set, so that it stays sound."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict

import pyarrow as pa

from transforms.tables.beginning import COMMITTED
from transforms.tables.commits import encode, facts_of, file_metadata
from transforms.tables.digests import canonical_json
from transforms.tables.files import read_parquet
from transforms.tables.layout import DATASET, MANIFEST, WHOLE, table_file
from transforms.tables.schemas import MANIFEST as MANIFEST_SCHEMA
from transforms.tables.store import Store


def replace_whole(
    store: Store, name: str, table: pa.Table, metadata: Mapping[str, str] | None = None
) -> None:
    """Writes a whole table, then the manifest and dataset.json that name its digest, where there are any.

    Args:
        store: the data set.
        name: the table's name.
        table: its rows.
        metadata: what its file tells beside what every file does.
    """
    path = table_file(name)
    content = encode(table, {**file_metadata(), **(metadata or {})})
    store.write(path, content)
    try:
        listed, described = store.read(MANIFEST), json.loads(store.read(DATASET))
    except FileNotFoundError:
        return
    rows = [row for row in read_parquet(listed).to_pylist() if row["path"] != path]
    file = asdict(facts_of(path, table.num_rows, content))
    rows.append({**file, "table": name, "shard": WHOLE, "label_digest": None, "state": COMMITTED})
    manifest = pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["path"])), MANIFEST_SCHEMA)
    written = encode(manifest, file_metadata())
    store.write(MANIFEST, written)
    described["manifest_sha256"] = hashlib.sha256(written).hexdigest()
    described["tables"][name] = table.num_rows
    store.write(DATASET, (canonical_json(described) + "\n").encode())
