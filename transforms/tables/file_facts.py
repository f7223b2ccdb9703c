"""Sizes and digests of files that are too large to be held."""

import hashlib
from contextlib import closing
from typing import BinaryIO, Final

import pyarrow.parquet as pq

from transforms.tables.commits import FileFacts
from transforms.tables.store import Store

_PIECE: Final = 1 << 20


def sha256_of(source: BinaryIO) -> str:
    """The digest of what is left of an open file, hexadecimal; afterwards the file stands at its end."""
    found = hashlib.sha256()
    while piece := source.read(_PIECE):
        found.update(piece)
    return found.hexdigest()


def read_facts(store: Store, path: str) -> FileFacts:
    """The rows, size and digest of a Parquet file.

    Args:
        store: the data set.
        path: the file.
    """
    with closing(store.open(path)) as source:
        sha256 = sha256_of(source)
        size = source.tell()
        rows = pq.read_metadata(source).num_rows
    return FileFacts(path=path, rows=rows, bytes=size, sha256=sha256)
