import duckdb
import pyarrow as pa
import pytest

from transforms.budget.demand.figures import CLIP_COLUMNS, FRAME_COLUMNS, tally_clips, tally_frames, total
from transforms.budget.estimates import estimates_table
from transforms.budget.request import BudgetRequest
from transforms.tables.schemas import BUDGET, CLIPS, FRAMES
from transforms.views.report.budget import budget
from transforms.views.report.sections import Tables

NO_DRIVERS = "What drives the intervals is not shown"


def clips(hours):
    facts = {
        "camera": ["front"],
        "width": [1280],
        "height": [960],
        "duration_ns": [int(hours * 3.6e12)],
        "frame_count": [int(hours * 3600 * 36)],
        "bytes": [10**9],
        "duplicate_of": [None],
    }
    assert set(facts) == set(CLIP_COLUMNS)
    return pa.table({name: pa.array(values, CLIPS.field(name).type) for name, values in facts.items()})


FRAME_ROWS = pa.table(
    {
        "sample_index": pa.array([0, 1, None], FRAMES.field("sample_index").type),
        "is_damaged": [False, False, False],
    }
)


def section(rows, hours=2.0):
    assert set(FRAME_ROWS.column_names) == set(FRAME_COLUMNS)
    with duckdb.connect() as data:
        some = pa.table({"score": [0.5] * 3})
        for name, table in (
            ("budget", rows),
            ("clips", clips(hours)),
            ("frames", FRAME_ROWS),
            ("detections", some),
            ("tracks", some),
        ):
            data.register(name, table)
        return str(budget(Tables(data)).body)


@pytest.fixture(scope="module")
def rows():
    """What `label` writes, of one workload and cluster, for two hours."""
    figures = total([tally_clips(clips(2.0)), tally_frames(FRAME_ROWS)]).figures()
    request = BudgetRequest(workloads=("fsd",), clusters=("cortex",))
    return estimates_table(request.answer(figures))


def test_a_budget_without_options_is_shown_with_what_drives_it(rows):
    body = section(rows)
    assert "What drives" in body
    assert NO_DRIVERS not in body
    # a chart of each quantity, and tornadoes of three of them
    assert body.count("<svg") > 6 + 3
    assert "✓ yes" in body or "✗ no" in body
    assert "Inputs and where they come from" in body


def test_a_budget_of_another_size_is_shown_as_the_table_has_it(rows):
    body = section(rows, hours=3.0)
    assert NO_DRIVERS in body
    assert "80% interval" in body
    assert "Inputs and where they come from" in body


@pytest.mark.parametrize("column", ["workload", "cluster"])
def test_names_from_somebodys_files_are_not_looked_up(rows, column):
    at = rows.column_names.index(column)
    own = rows.set_column(at, rows.schema.field(at), pa.array(["/etc/<own>.toml"] * rows.num_rows))
    body = section(own)
    assert NO_DRIVERS in body
    assert "&lt;own&gt;" in body
    assert "<own>" not in body


def test_rows_without_an_estimate_are_told(rows):
    emptied = rows
    for name in ("p10", "p50", "p90"):
        at = rows.column_names.index(name)
        emptied = emptied.set_column(at, rows.schema.field(at), pa.nulls(rows.num_rows, pa.float64()))
    assert "Whether the training can be run" in section(emptied)


def test_no_budget_is_told():
    assert "clipmill budget DIR does it" in section(BUDGET.empty_table())
