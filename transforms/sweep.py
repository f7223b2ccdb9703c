"""Stages: a grid of budget scenarios, cut into ranges, evaluated anywhere, and written as one table."""

import json
from collections.abc import Iterable, Iterator
from typing import Final

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import AsSingleton, PCollection

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.sweeps.grid import Sweep
from transforms.budget.sweeps.rows import evaluate_range
from transforms.storage import open_store
from transforms.tables.budget_schema import SWEEP
from transforms.tables.commits import encode, file_metadata

TABLE: Final = "sweep.parquet"
"""The file of the rows, relative to the output."""

SWEEP_KEY: Final = "clipmill.sweep"
"""Metadata of that file: grid, sample, facts, seed and draws, as JSON."""

RANGE: Final = 250
"""Scenarios of a range: about half a second of work, so that neither hand-over nor balance matters."""

Range = tuple[int, int]
"""Index of the first scenario, and that after the last."""

Part = tuple[int, bytes]
"""Index of a range's first scenario, and its rows as a compressed Arrow stream."""


class CutRanges(beam.PTransform[beam.Pipeline, PCollection[Range]]):
    """Cuts the scenarios of a grid into ranges: only indices travel.

    Args:
        count: scenarios.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def expand(self, root: beam.Pipeline) -> PCollection[Range]:
        """Cuts, and spreads over the workers."""
        ranges: PCollection[Range] = (
            root
            | "Grid" >> beam.Create([self._count])
            | "Cut" >> beam.FlatMap(cut)
            | "Spread" >> beam.Reshuffle()
        )
        return ranges


class EvaluateRanges(
    beam.PTransform[tuple[PCollection[Range], PCollection[DatasetFigures]], PCollection[Part]]
):
    """Evaluates ranges of scenarios, each in one go.

    Takes (ranges, figures): one `DatasetFigures`, the sample that scenarios are made of.

    Args:
        sweep: the grid, and what all scenarios share.
    """

    def __init__(self, sweep: Sweep) -> None:
        super().__init__()
        self._sweep = sweep

    def expand(self, asked: tuple[PCollection[Range], PCollection[DatasetFigures]]) -> PCollection[Part]:
        """Evaluates."""
        ranges, figures = asked
        parts: PCollection[Part] = ranges | "Rows" >> beam.Map(_evaluate, AsSingleton(figures), self._sweep)
        return parts


class WriteSweep(beam.PTransform[tuple[PCollection[Part], PCollection[DatasetFigures]], PCollection[None]]):
    """Puts the parts in order and writes them as one file, which replaces an earlier one.

    Takes (parts, figures) of `EvaluateRanges`.

    Args:
        sweep: the grid, and what all scenarios share.
        output: folder or URL.
    """

    def __init__(self, sweep: Sweep, output: str) -> None:
        super().__init__()
        self._sweep = sweep
        self._output = output

    def expand(self, made: tuple[PCollection[Part], PCollection[DatasetFigures]]) -> PCollection[None]:
        """Gathers and writes."""
        parts, figures = made
        written: PCollection[None] = (
            parts
            | "To one" >> beam.Map(_keyed)
            | "Gather" >> beam.GroupByKey()
            | "Write" >> beam.Map(_write, AsSingleton(figures), self._sweep, self._output)
        )
        return written


def cut(count: int) -> Iterator[Range]:
    """Cuts scenarios into ranges of equal length, the last at most shorter.

    >>> list(cut(600))
    [(0, 250), (250, 500), (500, 600)]

    Args:
        count: scenarios.
    """
    for start in range(0, count, RANGE):
        yield start, min(start + RANGE, count)


def join_parts(parts: Iterable[Part]) -> pa.Table:
    """The rows of all parts in the order of their scenarios.

    Args:
        parts: in any order.

    Returns:
        One chunk a column: the file's pages then do not depend on how the grid was cut.
    """
    tables = [pa.ipc.open_stream(content).read_all() for _, content in sorted(parts)]
    return pa.concat_tables(tables).combine_chunks()


def _evaluate(scenarios: Range, figures: DatasetFigures, sweep: Sweep) -> Part:
    table = evaluate_range(sweep, figures, *scenarios)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SWEEP, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write(table)
    return scenarios[0], sink.getvalue().to_pybytes()


def _keyed(part: Part) -> tuple[None, Part]:
    return None, part


def _write(gathered: tuple[None, Iterable[Part]], figures: DatasetFigures, sweep: Sweep, output: str) -> None:
    told = {**file_metadata(), SWEEP_KEY: json.dumps(sweep.as_json(figures), sort_keys=True)}
    open_store(output).write(TABLE, encode(join_parts(gathered[1]), told))
