"""Stages: the figures of a data set, its compute budget, and the `budget` table."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Final

import apache_beam as beam
import pyarrow.parquet as pq
from apache_beam.pvalue import PCollection

from transforms.budget.demand.figures import (
    CLIP_COLUMNS,
    COUNTED_TABLES,
    FRAME_COLUMNS,
    DatasetFigures,
    Tally,
    tally_clips,
    tally_frames,
    total,
)
from transforms.budget.estimates import Estimate, estimates_table
from transforms.budget.request import BudgetRequest
from transforms.storage import open_store
from transforms.tables.replacing import replace_whole
from transforms.tables.store import Store

BUDGET: Final = "budget"

FIGURES_KEY: Final = "clipmill.budget.figures"
"""Metadata of the table's file: the figures it was made from, as JSON."""


Answer = tuple[DatasetFigures, list[Estimate]]
"""Figures and the estimates made of them."""


class ReadFigures(beam.PTransform[beam.Pipeline, PCollection[DatasetFigures]]):
    """Counts what a data set holds, file by file.

    Args:
        dataset: path or URL.

    Returns:
        One `DatasetFigures`.
    """

    def __init__(self, dataset: str) -> None:
        super().__init__()
        self._dataset = dataset

    def expand(self, root: beam.Pipeline) -> PCollection[DatasetFigures]:
        """Lists, counts and adds."""
        figures: PCollection[DatasetFigures] = (
            root
            | "Tables" >> beam.Create(COUNTED_TABLES)
            | "Files" >> beam.FlatMap(list_files, self._dataset)
            | "Spread" >> beam.Reshuffle()
            | "Count" >> beam.Map(tally_file, self._dataset)
            | "Add" >> beam.CombineGlobally(total)
            | "Figures" >> beam.Map(Tally.figures)
        )
        return figures


class EstimateBudget(beam.PTransform[PCollection[DatasetFigures], PCollection[Answer]]):
    """Estimates the budget of a data set.

    Args:
        request: what is asked.

    Returns:
        One (figures, estimates) for each element of figures.
    """

    def __init__(self, request: BudgetRequest) -> None:
        super().__init__()
        self._request = request

    def expand(self, figures: PCollection[DatasetFigures]) -> PCollection[Answer]:
        """Answers."""
        answers: PCollection[Answer] = figures | "Answer" >> beam.Map(_answer, self._request)
        return answers


class WriteBudget(beam.PTransform[PCollection[Answer], PCollection[None]]):
    """Writes the `budget` table of a data set.

    Args:
        dataset: path or URL.
    """

    def __init__(self, dataset: str) -> None:
        super().__init__()
        self._dataset = dataset

    def expand(self, answers: PCollection[Answer]) -> PCollection[None]:
        """Writes the one answer."""
        written: PCollection[None] = answers | "Write" >> beam.Map(_write, self._dataset)
        return written


def list_files(table: str, dataset: str) -> Iterator[tuple[str, str]]:
    """The files of a table.

    Args:
        table: its name.
        dataset: path or URL.

    Yields:
        Table and file, the file relative to the data set.
    """
    for name in sorted(open_store(dataset).sizes(table)):
        if name.endswith(".parquet"):
            yield table, f"{table}/{name}"


def tally_file(file: tuple[str, str], dataset: str) -> Tally:
    """Counts one file: the columns that matter, or its footer alone.

    Args:
        file: table and file, as of `list_files`.
        dataset: path or URL.
    """
    table, name = file
    with closing(open_store(dataset).open(name)) as source:
        parquet = pq.ParquetFile(source)
        held = set(parquet.schema_arrow.names)
        if table == "clips":
            return tally_clips(parquet.read([column for column in CLIP_COLUMNS if column in held]))
        if table == "frames":
            return tally_frames(parquet.read([column for column in FRAME_COLUMNS if column in held]))
        rows = parquet.metadata.num_rows
    return Tally(detections=rows) if table == "detections" else Tally(tracks=rows)


def figures_of(metadata: Mapping[bytes, bytes]) -> DatasetFigures:
    """The figures that a `budget` file was made from.

    Args:
        metadata: of its schema.
    """
    return DatasetFigures.from_json(json.loads(metadata[FIGURES_KEY.encode()]))


def figures_in(dataset: str) -> DatasetFigures:
    """The figures of a data set, counted here and now, without a pipeline.

    Args:
        dataset: path or URL.
    """
    files = (file for table in COUNTED_TABLES for file in list_files(table, dataset))
    return total(tally_file(file, dataset) for file in files).figures()


def holds_clips(store: Store) -> bool:
    """Whether a store holds a `clips` table."""
    return any(name.endswith(".parquet") for name in store.sizes("clips"))


def _answer(figures: DatasetFigures, request: BudgetRequest) -> Answer:
    return figures, request.answer(figures)


def _write(answer: Answer, dataset: str) -> None:
    figures, estimates = answer
    told = {FIGURES_KEY: json.dumps(figures.as_json())}
    replace_whole(open_store(dataset), BUDGET, estimates_table(estimates), told)
