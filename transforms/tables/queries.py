"""SQL over a data set: one view a table."""

from pathlib import Path

import duckdb

from transforms.tables.layout import DATASET, MANIFEST
from transforms.tables.schemas import TABLES


class NotADatasetError(Exception):
    """The folder holds no data set."""


def connect(root: Path) -> duckdb.DuckDBPyConnection:
    """Opens a data set for SQL, in memory and read-only.

    Args:
        root: the data set's folder.

    Returns:
        A connection with a view for every table and for the manifest; it reads no other files.

    Raises:
        NotADatasetError: the folder is not there or holds no data set.
    """
    root = Path(root).absolute()
    if not (root / DATASET).is_file():
        raise NotADatasetError(f"{root}: no data set here ({DATASET} is missing); label clips into it first")
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    sources = {name: f"{root}/{name}/*.parquet" for name in TABLES} | {"manifest": f"{root}/{MANIFEST}"}
    for name, pattern in sources.items():
        quoted = _escape_glob(str(root)) + pattern[len(str(root)) :]
        relation = connection.read_parquet(quoted)
        relation.create_view(name)
    connection.execute("SET allowed_directories = [?]", [f"{root}/"])
    connection.execute("SET enable_external_access = false")
    return connection


def _escape_glob(path: str) -> str:
    """A folder's name as a pattern that matches just it."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)
