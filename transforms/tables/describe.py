"""The tables' documentation, made from the schemas: `python -m transforms.tables.describe > docs/tables.md`."""

import sys
from collections.abc import Iterator

import pyarrow as pa

from transforms.tables.schemas import MANIFEST, SCHEMA_VERSION, SHARD_TABLES, WHOLE_TABLES

_INTRODUCTION = f"""\
# Tables

Schema version {SCHEMA_VERSION}. This page is made from the schemas by `make docs`.

Files are Parquet (zstd, page index). Shard tables are `<table>/<shard>.parquet`, one file for each minute of a drive
that has rows; the others are `<table>/all.parquet`. A glob reads every table: `SELECT * FROM 'out/frames/*.parquet'`.
In a copy made by `clipmill compact` a file of a shard table holds a day ([versions.md](versions.md)).
Every field carries its description and unit; every file carries the versions of schema and clipmill, the digest of all
that its rows depend on, and the digests of the networks.

Boxes are continuous pixel edges of the frame as displayed: x right, y down, 0 <= min < max <= width, height.
Ids are uuid5 of content. A shard is whole when its `frames` file is there: it is written last and its metadata
(`clipmill.commit`) names the sizes and digests of the others.
"""


def describe() -> str:
    """The page, as Markdown."""
    parts = [_INTRODUCTION]
    for name, schema in SHARD_TABLES.items():
        parts += [f"## {name}\n\nA shard table.\n", "\n".join(_rows(schema)) + "\n"]
    for name, schema in (*WHOLE_TABLES.items(), ("manifest", MANIFEST)):
        parts += [f"## {name}\n\nWritten whole.\n", "\n".join(_rows(schema)) + "\n"]
    return "\n".join(parts)


def _rows(schema: pa.Schema) -> Iterator[str]:
    yield "| column | type | unit | null | meaning |"
    yield "| --- | --- | --- | --- | --- |"
    for column in schema:
        about = {key.decode(): value.decode() for key, value in (column.metadata or {}).items()}
        null = "yes" if column.nullable else ""
        yield f"| {column.name} | {column.type} | {about['unit']} | {null} | {about['description']} |"


if __name__ == "__main__":
    sys.stdout.write(describe())
