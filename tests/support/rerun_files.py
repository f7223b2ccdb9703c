"""Recordings as Rerun's own reader gives them."""

import math
from pathlib import Path

import pyarrow as pa
from rerun.chunk import RrdReader

Rows = dict[str, list[dict]]


def entities(path: Path) -> tuple[str, Rows]:
    """The id of the recording in a file, and its rows by entity, in the order of time; times are in ns."""
    reader = RrdReader(path)
    (entry,) = reader.recordings()
    found: Rows = {}
    for chunk in reader.stream(store=entry):
        batch = chunk.to_record_batch()
        columns = {
            name: column.cast(pa.int64()).to_pylist()
            if pa.types.is_temporal(column.type)
            else column.to_pylist()
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
            if name != "rerun.controls.RowId"
        }
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        found.setdefault(chunk.entity_path, []).extend(rows)
    for rows in found.values():
        rows.sort(key=lambda row: row.get("drive_time", -math.inf))
    return entry.recording_id, found


def recording(folder: Path) -> tuple[str, Rows]:
    """The recording whose files are in a folder."""
    ids, whole = set(), {}
    for path in sorted(folder.glob("*.rrd")):
        name, found = entities(path)
        ids.add(name)
        for entity, rows in found.items():
            whole.setdefault(entity, []).extend(rows)
    (name,) = ids
    return name, whole


def timed(rows: list[dict]) -> list[dict]:
    """Those that are not static."""
    return [row for row in rows if "frame" in row]
