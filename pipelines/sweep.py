"""Many budget scenarios as a pipeline: a grid in, one table out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.beam_options import beam_options
from pipelines.cores import cores_here
from pipelines.execution import execute
from pipelines.locks import output_lock
from pipelines.outcome import UsageError
from pipelines.places import for_workers, labelled
from pipelines.toml_files import read_toml
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.errors import BudgetUsageError
from transforms.budget.sweeps.grid import Sweep
from transforms.budget.sweeps.spec import SweepSpec
from transforms.estimate import ReadFigures
from transforms.storage import open_store
from transforms.sweep import TABLE, CutRanges, EvaluateRanges, WriteSweep

SCENARIOS_PER_PROCESS: Final = 10_000
"""Fewer are evaluated sooner by one process than others are started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepJob:
    """What to sweep.

    Attributes:
        sweep: the grid, and what all scenarios share.
        sample: path or URL of the data set that scenarios are made of, or its figures.
        output: folder or URL.
    """

    sweep: Sweep
    sample: str | DatasetFigures
    output: str


def build(root: beam.Pipeline, job: SweepJob) -> None:
    """Wires the stages; runs nothing.

    Args:
        root: the pipeline.
        job: what to sweep.
    """
    if isinstance(job.sample, str):
        figures = root | "Figures" >> ReadFigures(job.sample)
    else:
        figures = root | "Figures" >> beam.Create([job.sample])
    ranges = root | "Ranges" >> CutRanges(job.sweep.grid.count)
    parts = (ranges, figures) | "Evaluate" >> EvaluateRanges(job.sweep)
    _ = (parts, figures) | "Write" >> WriteSweep(job.sweep, job.output)


def read_spec(path: Path) -> tuple[Sweep, str | DatasetFigures]:
    """Reads the spec of a sweep, and whatever file it names.

    Args:
        path: a TOML file.

    Returns:
        The sweep, and the data set or the figures that its scenarios are made of.

    Raises:
        UsageError: the file is not there, not TOML, or a value does not go.
    """
    values = read_toml(path).values
    try:
        spec = SweepSpec.parse(values)
        sweep = spec.resolve()
    except BudgetUsageError as error:
        raise UsageError(f"{path}: {error}") from error
    if spec.rig is not None:
        return sweep, spec.rig.figures()
    assert spec.dataset is not None
    return sweep, spec.dataset


def run(job: SweepJob, beam_arguments: Sequence[str] = (), workers: int | None = None) -> pa.Table:
    """Evaluates all scenarios and writes their table.

    Args:
        job: what to sweep.
        beam_arguments: Beam's own flags.
        workers: processes of a local run, four a core at most; None = as many as pay, one a core at most.

    Returns:
        The rows, without the reasons.

    Raises:
        UsageError: the data set is not there, there are not so many cores, or a flag is unknown.
        JobError: the output cannot be written, or the data set not read.
    """
    wanted = _processes(job.sweep.grid.count) if workers is None else workers
    most = 4 * cores_here()
    if not 1 <= wanted <= most:
        raise UsageError(f"--workers {wanted}: this machine has {cores_here()} cores; 1 to {most}")
    # arithmetic holds Python's lock, so that a worker is a process, not one of its threads
    options, _ = beam_options(beam_arguments, processes=wanted)
    sample = labelled(job.sample, options) if isinstance(job.sample, str) else job.sample
    job = replace(job, sample=sample, output=for_workers(job.output, options))
    store = open_store(job.output)
    with output_lock(job.output):
        execute(options, lambda root: build(root, job))
        rows = pq.ParquetFile(pa.BufferReader(store.read(TABLE)))
        return rows.read([name for name in rows.schema_arrow.names if name != "reasons"])


def _processes(scenarios: int) -> int:
    """Processes that pay: starting some takes as long as evaluating a few thousand scenarios."""
    return min(cores_here(), -(-scenarios // SCENARIOS_PER_PROCESS))
