"""The budget of a labelled data set: its figures in, the `budget` table out."""

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import apache_beam as beam
import pyarrow.parquet as pq

from pipelines.beam_options import beam_options
from pipelines.execution import execute
from pipelines.locks import output_lock
from pipelines.places import labelled
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.request import BudgetRequest
from transforms.estimate import (
    BUDGET,
    EstimateBudget,
    ReadFigures,
    WriteBudget,
    figures_in,
    figures_of,
)
from transforms.storage import is_remote, open_store
from transforms.tables.layout import table_file


@dataclass(frozen=True, slots=True)
class BudgetJob:
    """What to estimate.

    Attributes:
        dataset: path or URL of a labelled data set.
        request: what is asked.
    """

    dataset: str
    request: BudgetRequest


def build(root: beam.Pipeline, job: BudgetJob) -> None:
    """Wires the stages; runs nothing.

    Args:
        root: the pipeline.
        job: what to estimate.
    """
    figures = root | "Figures" >> ReadFigures(job.dataset)
    answers = figures | "Estimate" >> EstimateBudget(job.request)
    _ = answers | "Budget" >> WriteBudget(job.dataset)


def can_keep(dataset: str) -> bool:
    """Whether a data set's `budget` table can be written; a question is answered either way.

    Args:
        dataset: path or URL.
    """
    return is_remote(dataset) or os.access(dataset, os.W_OK)


def run(job: BudgetJob, beam_arguments: Sequence[str] = ()) -> DatasetFigures:
    """Estimates the budget of a data set and writes its `budget` table.

    Args:
        job: what to estimate.
        beam_arguments: Beam's own flags.

    Returns:
        The data set's figures, from which `job.request` answers the same here.

    Raises:
        UsageError: there is no data set.
        JobError: a table cannot be read or written.
    """
    options, _ = beam_options(beam_arguments)
    job = replace(job, dataset=labelled(job.dataset, options))
    if not can_keep(job.dataset):
        return figures_in(job.dataset)
    store = open_store(job.dataset)
    with output_lock(job.dataset):
        execute(options, lambda root: build(root, job))
        written = pq.read_metadata(io.BytesIO(store.read(table_file(BUDGET)))).metadata
        assert written is not None
        return figures_of(written)
