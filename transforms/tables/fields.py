"""Declaring a column: every field carries a description and a unit."""

import pyarrow as pa


def field(
    name: str, kind: pa.DataType, description: str, unit: str = "", *, nullable: bool = False
) -> "pa.Field[pa.DataType]":
    """Declares a column.

    Args:
        name: the column's name; a unit stands in it where there is one.
        kind: its Arrow type.
        description: what a value means.
        unit: the unit of a value, "" for none.
        nullable: whether a value may be missing.
    """
    metadata = {"description": description, "unit": unit}
    return pa.field(name, kind, nullable=nullable, metadata=metadata)
