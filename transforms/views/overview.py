"""What is in a data set, at a glance."""

import json
import re
from pathlib import Path
from typing import Any, Final

import duckdb

from transforms.tables.layout import DATASET
from transforms.tables.queries import connect
from transforms.tables.schemas import TABLES

_QUERIES: Final = {
    "cameras": """
        SELECT camera, count(*) AS clips, round(sum(duration_ns) / 3.6e12, 4) AS hours,
               min(width) || 'x' || min(height) AS size, round(avg(fps_mean), 2) AS fps,
               sum(telemetry_rows)::BIGINT AS telemetry_rows
        FROM clips WHERE duplicate_of IS NULL GROUP BY camera ORDER BY camera""",
    "categories": """
        SELECT category, count(*) AS detections, count(DISTINCT track_id) AS tracks,
               count(DISTINCT object_id) AS objects, round(median(score), 3) AS median_score
        FROM detections LEFT JOIN objects USING (track_id) GROUP BY category ORDER BY 2 DESC, 1""",
    "frames": """
        SELECT count(*) AS frames, count(*) FILTER (is_damaged) AS damaged,
               count(*) FILTER (sample_index IS NULL) AS not_sampled,
               round(avg(luma_mean), 1) AS luma_mean, round(median(sharpness), 1) AS median_sharpness
        FROM frames""",
    "clocks": """
        SELECT clock_source, count(*) AS clips FROM clips
        WHERE duplicate_of IS NULL GROUP BY clock_source ORDER BY 2 DESC, 1""",
    "events": "SELECT kind, reason, timestamp, city, cameras_present, cameras_missing FROM events ORDER BY uri",
    "corrections": """
        SELECT source AS file, "by", strftime(make_timestamp(at_utc_ns // 1000), '%Y-%m-%d %H:%M:%S') AS at_utc,
               count(DISTINCT frame_id) AS frames, count(*) FILTER (action = 'keep') AS kept,
               count(*) FILTER (action = 'change') AS changed, count(*) FILTER (action = 'add') AS added,
               count(*) FILTER (action = 'remove') AS removed, count(conflict) AS conflicts,
               string_agg(DISTINCT conflict, ', ' ORDER BY conflict) AS reasons
        FROM corrections GROUP BY sequence, source, "by", at_utc_ns ORDER BY sequence""",
    "failures": "SELECT error, stage, uri, message, retryable FROM failures ORDER BY error, uri",
}


def overview(root: Path) -> dict[str, Any]:
    """Counts, cameras, categories, events, failures and lineage.

    Args:
        root: the data set's folder.

    Returns:
        `rows` (by table), `drives`, `duplicates`, one list of rows for each question, and `lineage`: what
        dataset.json says of versions, networks and settings.

    Raises:
        NotADatasetError: the folder holds no data set.
    """
    with connect(root) as data:

        def ask(query: str) -> list[dict[str, Any]]:
            result = data.execute(query)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

        counts = {table: ask(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in TABLES}
        drives = ask("SELECT count(DISTINCT drive_id) AS n FROM clips")[0]["n"]
        duplicates = ask("SELECT count(duplicate_of) AS n FROM clips")[0]["n"]
        answers = {name: ask(query) for name, query in _QUERIES.items()}
    lineage = json.loads((root / DATASET).read_bytes())
    return {"rows": counts, "drives": drives, "duplicates": duplicates, **answers, "lineage": lineage}


class ConditionError(Exception):
    """A condition that the table's columns cannot answer: what DuckDB says of it, in one line."""


def table_rows(
    root: Path, table: str, limit: int, *, where: str | None = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The first rows of a table.

    Args:
        root: the data set's folder.
        table: one of `transforms.tables.schemas.TABLES`.
        limit: how many rows.
        where: a condition on its columns in DuckDB's SQL; None: all rows. It reads nothing outside the data set.

    Returns:
        Column names and rows.

    Raises:
        NotADatasetError: the folder holds no data set.
        ConditionError: the condition makes no sense.
    """
    with connect(root) as data:
        rows = data.table(table)
        if where is None:
            rows = rows.limit(limit)
            return list(rows.columns), rows.fetchall()
        try:
            rows = rows.filter(where).limit(limit)
            return list(rows.columns), rows.fetchall()
        except duckdb.IOException:
            raise
        except duckdb.Error as error:
            raise ConditionError(re.sub(r"\s+", " ", str(error))) from error
