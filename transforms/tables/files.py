"""Parquet files: the one place where they are written."""

from collections.abc import Mapping
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq


def write_parquet(sink: BinaryIO, table: pa.Table, metadata: Mapping[str, str]) -> None:
    """Writes a table as Parquet: zstd, page index, the same bytes for the same rows.

    Args:
        sink: an open binary file; it is not closed.
        table: the rows, sorted by the caller.
        metadata: file metadata, merged over the schema's own.
    """
    own = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    table = table.replace_schema_metadata({**own, **metadata})
    with pq.ParquetWriter(
        sink, table.schema, compression="zstd", write_page_index=True, version="2.6", store_schema=True
    ) as writer:
        writer.write_table(table)
