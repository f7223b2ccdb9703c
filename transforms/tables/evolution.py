"""What each version of the schema added to the one before, so that older data sets can be brought forward."""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from transforms.tables.schemas import MANIFEST, SCHEMA_VERSION, TABLES

Fill = str | int | float | bool | None

EVOLUTION: Final[Mapping[int, Mapping[str, Mapping[str, Fill]]]] = {
    3: {"manifest": {"state": "committed"}},
}
"""Version -> table -> added columns and what rows of the version before hold there.

Columns stay in place, with their type, from one version to the next; that a column may be null from some version on
needs no entry, nor does a new table: where it has no file it has no rows. A version whose difference is more than that
has none here, and none of its elders can be migrated.
"""

SCHEMAS: Final[Mapping[str, pa.Schema]] = {**TABLES, "manifest": MANIFEST}


class EvolutionError(Exception):
    """Rows do not have the columns that their version of the schema should have."""


def can_migrate(version: object) -> bool:
    """Whether data sets of a version can be brought to the current one.

    Args:
        version: as dataset.json tells it.
    """
    # JSON's true would pass for 1
    if not isinstance(version, int) or isinstance(version, bool):
        return False
    return version < SCHEMA_VERSION and all(
        step in EVOLUTION for step in range(version + 1, SCHEMA_VERSION + 1)
    )


def schema_problem(place: object, version: object) -> str | None:
    """Why a data set cannot be read as it stands, and what to do; None where it can.

    Args:
        place: the data set's folder.
        version: of its schema, as dataset.json tells it.

    >>> schema_problem("out", 2)
    'out: schema 2; run `clipmill migrate out`'
    """
    if version == SCHEMA_VERSION:
        return None
    if can_migrate(version):
        return f"{place}: schema {version}; run `clipmill migrate {place}`"
    if isinstance(version, int) and version > SCHEMA_VERSION:
        return f"{place}: schema {version}, this version reads {SCHEMA_VERSION}; use a newer clipmill"
    return (
        f"{place}: schema {version}, this version reads {SCHEMA_VERSION} and cannot migrate it; "
        "label its clips into another folder"
    )


def brought_forward(rows: pa.Table, table: str, version: int) -> pa.Table:
    """Rows of an older version with the columns of the current one.

    Args:
        rows: as they stand in the older file.
        table: the table's name, or manifest.
        version: the older file's version of the schema.

    Raises:
        EvolutionError: a column is missing, is of another type, is null where it may not be, or is not known.
    """
    schema = SCHEMAS[table]
    added = {
        column: fill
        for step in range(version + 1, SCHEMA_VERSION + 1)
        for column, fill in EVOLUTION.get(step, {}).get(table, {}).items()
    }
    if strange := set(rows.column_names) - set(schema.names):
        raise EvolutionError(f"column {min(strange)} is none of {table}")
    columns = {}
    for column in schema:
        if column.name not in rows.column_names:
            if column.name not in added:
                raise EvolutionError(f"column {column.name} is missing")
            columns[column.name] = pa.repeat(pa.scalar(added[column.name], column.type), rows.num_rows)
            continue
        values = rows[column.name]
        if values.type != column.type:
            raise EvolutionError(f"column {column.name} holds {values.type}, {column.type} is expected")
        if values.null_count and not column.nullable:
            raise EvolutionError(f"column {column.name} holds nulls")
        columns[column.name] = values
    return pa.table(columns, schema)
