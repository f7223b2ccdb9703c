"""Parquet files: the one place where they are written, and how small ones are read."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa
import pyarrow.parquet as pq


class RowGroups:
    """Writes a Parquet file piece by piece: zstd, page index, the same bytes for the same pieces.

    Args:
        sink: an open binary file; it is not closed.
        schema: of every piece.
        metadata: file metadata, merged over the schema's own.
    """

    def __init__(self, sink: BinaryIO, schema: pa.Schema, metadata: Mapping[str, str]) -> None:
        own = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        self._schema = schema.with_metadata({**own, **metadata})
        self._writer = pq.ParquetWriter(
            sink, self._schema, compression="zstd", write_page_index=True, version="2.6", store_schema=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(self, table: pa.Table) -> None:
        """Adds rows, as a row group of their own.

        Args:
            table: the rows, sorted by the caller.
        """
        self._writer.write_table(table.replace_schema_metadata(self._schema.metadata))

    def tell(self, metadata: Mapping[str, str]) -> None:
        """Adds file metadata that is known only once the rows have been written."""
        self._writer.add_key_value_metadata(dict(metadata))


def write_parquet(sink: BinaryIO, table: pa.Table, metadata: Mapping[str, str]) -> None:
    """Writes a table as Parquet: zstd, page index, the same bytes for the same rows.

    Args:
        sink: an open binary file; it is not closed.
        table: the rows, sorted by the caller.
        metadata: file metadata, merged over the schema's own.
    """
    with RowGroups(sink, table.schema, metadata) as groups:
        groups.write(table)


def read_parquet(content: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a small Parquet file.

    Unlike `pyarrow.parquet.read_table` it starts no scanner, whose threads may outlive the read: a process that ends
    just then is aborted.

    Args:
        content: the whole file.
        columns: which ones; None = all.

    Raises:
        ArrowInvalid: it is none.
    """
    with pq.ParquetFile(pa.BufferReader(content)) as file:
        return file.read(None if columns is None else list(columns), use_threads=False)
