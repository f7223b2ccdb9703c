"""Tables for figures against truth."""

import pyarrow as pa
import pytest

COLUMNS = (
    "clip_id",
    "timestamp_ns",
    "category",
    "track_id",
    "x_min_px",
    "y_min_px",
    "x_max_px",
    "y_max_px",
    "score",
)


@pytest.fixture
def table():
    """Makes a table of rows (clip, time, category, track, box, score)."""

    def make(*rows):
        flat = [
            (clip, time, category, track, *box, score) for clip, time, category, track, box, score in rows
        ]
        types = [pa.string(), pa.int64(), pa.string(), pa.int64(), *[pa.float32()] * 4, pa.float32()]
        columns = list(zip(*flat, strict=True)) if flat else [()] * len(COLUMNS)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        return pa.table(dict(zip(COLUMNS, arrays, strict=True)))

    return make
