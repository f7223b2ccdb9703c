"""The scenario of a sweep that a meeting asks for first."""

import pyarrow as pa
import pyarrow.compute as pc

from transforms.budget.costs import UNITS


def best(table: pa.Table, quantity: str) -> dict[str, object] | None:
    """The feasible row with the least median of a quantity; among equals the first.

    Args:
        table: rows of the `sweep` table; columns may be left out.
        quantity: one of `UNITS`.

    Returns:
        What the row says of the scenario, and `quantities` in the form of `budget --json`; None where no row
        is feasible.
    """
    column = f"{quantity}_p50"
    possible = table.filter(pc.and_(table["feasible"], pc.is_valid(table[column])))
    if not possible.num_rows:
        return None
    (row,) = possible.slice(pc.index(possible[column], pc.min(possible[column])).as_py(), 1).to_pylist()
    row["as_of"] = row["as_of"].isoformat()
    row["quantities"] = {
        name: {**{at: row.pop(f"{name}_{at}") for at in ("p10", "p50", "p90")}, "unit": unit}
        for name, unit in UNITS.items()
    }
    return dict(row)
