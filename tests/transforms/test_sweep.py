import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.sweeps.rows import evaluate_range
from transforms.budget.sweeps.spec import SweepSpec
from transforms.sweep import RANGE, TABLE, CutRanges, EvaluateRanges, WriteSweep, cut, join_parts

FIGURES = DatasetFigures.of_hours(1.0)


def small(days):
    grid = {
        "workload": ["fsd"],
        "cluster": ["cortex"],
        "as_of": ["2025-08"],
        "vehicles": [1e4],
        "hours_per_day": [1],
        "days": days,
    }
    return SweepSpec.parse({"draws": 20, "dataset": "out", "grid": grid}).resolve()


@given(st.integers(0, 5 * RANGE))
def test_ranges_hold_every_scenario_once(count):
    ranges = list(cut(count))
    assert [index for start, stop in ranges for index in range(start, stop)] == list(range(count))


def test_ranges_are_spread_over_the_workers():
    with beam.Pipeline(runner="FnApiRunner") as root:
        assert_that(root | CutRanges(RANGE + 1), equal_to([(0, RANGE), (RANGE, RANGE + 1)]))


def test_parts_are_joined_by_their_scenarios_whatever_their_order():
    def part(start, *values):
        sink = pa.BufferOutputStream()
        table = pa.table({"scenario": values})
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write(table)
        return start, sink.getvalue().to_pybytes()

    table = join_parts([part(9, 9), part(0, 0, 1), part(2, 2)])
    assert table["scenario"].to_pylist() == [0, 1, 2, 9]
    assert table["scenario"].num_chunks == 1


def test_the_stages_write_what_the_function_gives(tmp_path):
    sweep = small([float(days) for days in range(1, 6)])
    with beam.Pipeline(runner="FnApiRunner") as root:
        figures = root | "Figures" >> beam.Create([FIGURES])
        ranges = root | "Ranges" >> beam.Create([(3, 5), (0, 2), (2, 3)])
        parts = (ranges, figures) | EvaluateRanges(sweep)
        _ = (parts, figures) | WriteSweep(sweep, str(tmp_path))
    written = pq.read_table(tmp_path / TABLE)
    assert written.equals(evaluate_range(sweep, FIGURES, 0, 5))
    assert [path.name for path in tmp_path.iterdir()] == [TABLE]
