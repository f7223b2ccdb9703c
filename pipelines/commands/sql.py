"""`clipmill sql`: DuckDB over the tables."""

import argparse
import math
import re

from pipelines.folders import local_folder
from pipelines.outcome import Outcome, UsageError

HELP = "query the tables of a data set with SQL (DuckDB; one view a table)"
EXAMPLES = """
clipmill sql out "SELECT category, count(*) FROM detections GROUP BY ALL ORDER BY 2 DESC"
clipmill sql out "SELECT camera, sum(duration_ns) / 3.6e12 AS hours FROM clips GROUP BY ALL" --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument("query", metavar="SELECT", help="the query")


def run(arguments: argparse.Namespace) -> Outcome:
    """Runs the query."""
    import duckdb
    from rich.table import Table

    from transforms.tables.queries import NotADatasetError, connect

    try:
        with connect(arguments.dataset) as data:
            statements = data.extract_statements(arguments.query)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise UsageError("SQL: one SELECT is expected; a data set is only read")
            result = data.execute(statements[0])
            columns = [column[0] for column in result.description or ()]
            rows = result.fetchall() if columns else []
    except NotADatasetError as error:
        raise UsageError(str(error)) from error
    except duckdb.Error as error:
        message = re.sub(r"\s+", " ", str(error))
        raise UsageError(f"SQL: {message}") from error
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    return Outcome({"columns": columns, "rows": [[_plain(value) for value in row] for row in rows]}, (table,))


def _plain(value: object) -> object:
    """A value as JSON can hold it."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
