"""Replacing one of the whole tables of a finished data set, so that it stays sound."""

import hashlib
import json
from collections.abc import Mapping

import pyarrow as pa

from transforms.tables.commits import encode, facts_of, file_metadata
from transforms.tables.digests import canonical_json
from transforms.tables.layout import DATASET, MANIFEST, table_file
from transforms.tables.manifest import encode_manifest, manifest_row, read_manifest
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
        store.read(MANIFEST)
        described = json.loads(store.read(DATASET))
    except FileNotFoundError:
        return
    rows = [row for row in read_manifest(store) if row["path"] != path]
    rows.append(manifest_row(facts_of(path, table.num_rows, content), None))
    written = encode_manifest(rows)
    store.write(MANIFEST, written)
    described["manifest_sha256"] = hashlib.sha256(written).hexdigest()
    described["tables"][name] = table.num_rows
    store.write(DATASET, (canonical_json(described) + "\n").encode())
