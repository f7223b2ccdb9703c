"""SQL over a data set: one view a table."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from transforms.tables.evolution import schema_problem
from transforms.tables.half_corrected import half_corrected
from transforms.tables.layout import DATASET, MANIFEST
from transforms.tables.schemas import TABLES
from transforms.tables.store import LocalStore

if TYPE_CHECKING:
    import duckdb


class NotADatasetError(Exception):
    """The folder holds no data set, or none that can be read now."""


def connect(root: Path) -> "duckdb.DuckDBPyConnection":
    """Opens a data set for SQL, in memory and read-only.

    Args:
        root: the data set's folder.

    Returns:
        A connection with a view for every table and for the manifest; it reads no other files.

    Raises:
        NotADatasetError: the folder is not there or holds no data set, or one of another schema, or one in which
            corrections are half in place.
    """
    # nor do workers of a data loader, which start anew each epoch, ask for SQL
    import duckdb

    root = Path(root).absolute()
    if not (root / DATASET).is_file():
        raise NotADatasetError(f"{root}: no data set here ({DATASET} is missing); label clips into it first")
    refuse_other_schema(root, (root / DATASET).read_bytes())
    if problem := half_corrected(LocalStore(root), root):
        raise NotADatasetError(problem)
    if not (root / MANIFEST).is_file():
        raise NotADatasetError(f"{root}: {MANIFEST} is missing: a run was cut short; run it again")
    connection = duckdb.connect(config={"python_enable_replacements": False})
    files = {name: sorted((root / name).glob("[!.]*.parquet")) for name in TABLES}
    for name, paths in (files | {"manifest": [root / MANIFEST]}).items():
        if paths:
            listed = ", ".join(map(_quoted, paths))
            connection.execute(
                f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}], hive_partitioning = false)"
            )
        else:
            # a run that has not finished may not have written the file that stands for no rows
            connection.register(name, TABLES[name].empty_table())
    # from here on it opens nothing outside the data set, and nobody can change that
    connection.execute(f"SET allowed_directories = [{_quoted(root)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _quoted(path: Path) -> str:
    """A path as a text of SQL."""
    text = str(path).replace("'", "''")
    return f"'{text}'"


def refuse_other_schema(place: object, described: bytes) -> None:
    """Makes sure that a data set is of the current schema, and that what it tells of its networks is a list of them.

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
    if not _are_networks(facts.get("models", [])):
        raise NotADatasetError(
            f"{place}: {DATASET}: models is no list of networks with name and sha256: label the clips again"
        )


def _are_networks(models: object) -> bool:
    return isinstance(models, list) and all(
        isinstance(model, dict)
        and isinstance(model.get("name"), str)
        and isinstance(model.get("sha256"), str)
        and isinstance(model.get("categories", []), list)
        for model in models
    )
