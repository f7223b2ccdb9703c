"""SQL over a data set: one view a table."""

import json
from pathlib import Path

import duckdb
from pyarrow import dataset

from transforms.tables.evolution import schema_problem
from transforms.tables.layout import DATASET, MANIFEST
from transforms.tables.schemas import MANIFEST as MANIFEST_SCHEMA
from transforms.tables.schemas import TABLES


class NotADatasetError(Exception):
    """The folder holds no data set, or one of another schema."""


def connect(root: Path) -> duckdb.DuckDBPyConnection:
    """Opens a data set for SQL, in memory and read-only.

    Args:
        root: the data set's folder.

    Returns:
        A connection with a view for every table and for the manifest; it reads no other files.

    Raises:
        NotADatasetError: the folder is not there or holds no data set, or one of another schema.
    """
    root = Path(root).absolute()
    if not (root / DATASET).is_file():
        raise NotADatasetError(f"{root}: no data set here ({DATASET} is missing); label clips into it first")
    refuse_other_schema(root, (root / DATASET).read_bytes())
    if not (root / MANIFEST).is_file():
        raise NotADatasetError(f"{root}: {MANIFEST} is missing: a run was cut short; run it again")
    connection = duckdb.connect(config={"enable_external_access": False, "python_enable_replacements": False})
    files = {name: sorted((root / name).glob("[!.]*.parquet")) for name in TABLES}
    for name, paths in (files | {"manifest": [root / MANIFEST]}).items():
        # DuckDB reads what it is given here and no file of its own choosing
        schema = MANIFEST_SCHEMA if name == "manifest" else TABLES[name]
        connection.register(name, dataset.dataset([str(path) for path in paths], schema, format="parquet"))
    return connection


def refuse_other_schema(place: object, described: bytes) -> None:
    """Makes sure that a data set is of the current schema.

    Args:
        place: the data set, for the message.
        described: its dataset.json.

    Raises:
        NotADatasetError: it is not; the message says what to do.
    """
    try:
        facts = json.loads(described)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise NotADatasetError(f"{place}: {DATASET} is not a JSON object")
    if problem := schema_problem(place, facts.get("schema_version")):
        raise NotADatasetError(problem)
