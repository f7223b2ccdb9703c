"""`clipmill sweep`: many budget scenarios at once."""

import argparse
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.outcome import Outcome, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from transforms.budget.sweeps.grid import Grid
    from transforms.views.sweep_plot import Plan

HELP = "evaluate a grid of budget scenarios: every combination of workloads, clusters, fleets and dates"
EXAMPLES = """
clipmill sweep sweep.toml -o scenarios
clipmill sweep sweep.toml -o scenarios --x vehicles --y training_days --json
clipmill sweep sweep.toml -o gs://bucket/scenarios -- --runner=DataflowRunner --project=mine --region=us-south1
"""
TAKES_BEAM_FLAGS = True

PLOT: Final = "sweep.svg"
"""The picture's file, relative to the output."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("spec", type=Path, metavar="SPEC.toml", help="the grid")
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="folder or URL for table and plot"
    )
    parser.add_argument("--x", metavar="LIST", help="list along the plot's axis (default: the longest)")
    parser.add_argument(
        "--y", metavar="QUANTITY", default="cost_usd", help="what it shows (default: cost_usd)"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes of a local run (default: as it pays)"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Sweeps."""
    from pipelines.sweep import SweepJob, read_spec
    from pipelines.sweep import run as run_job
    from transforms.budget.sweeps.best import best
    from transforms.storage import open_store
    from transforms.sweep import TABLE

    started = time.monotonic()
    sweep, sample = read_spec(arguments.spec)
    planned = _plan(arguments, sweep.grid)
    job = SweepJob(sweep=sweep, sample=sample, output=arguments.output)
    table = run_job(job, arguments.beam_arguments, arguments.workers)
    picture, note = _draw(table, planned)
    store = open_store(arguments.output)
    if picture is None:
        # an earlier sweep's picture would pass for this one's
        store.delete(PLOT)
    else:
        store.write(PLOT, picture.encode())
    place = arguments.output.rstrip("/")
    data: dict[str, Any] = {
        "output": arguments.output,
        "table": f"{place}/{TABLE}",
        "plot": None if picture is None else f"{place}/{PLOT}",
        "plot_note": note,
        "scenarios": sweep.grid.count,
        "rows": table.num_rows,
        "feasible": sum(table["feasible"].to_pylist()),
        "seconds": round(time.monotonic() - started, 3),
        "cheapest": best(table, "cost_usd"),
        "fastest": best(table, "training_days"),
    }
    return Outcome(data, tuple(_told(data)))


def _plan(arguments: argparse.Namespace, grid: "Grid") -> "Plan | str":
    """What is to be drawn, or why nothing is; what was asked for and does not go is told before anything runs."""
    from transforms.budget.costs import UNITS
    from transforms.views.sweep_plot import plan

    try:
        return plan(grid, arguments.x, arguments.y)
    except ValueError as error:
        if arguments.x is not None or arguments.y not in UNITS:
            raise UsageError(f"plot: {error}") from error
        return str(error)


def _draw(table: "pa.Table", planned: "Plan | str") -> tuple[str | None, str]:
    """The picture, and what it shows or why there is none."""
    from transforms.views.sweep_plot import plot

    if isinstance(planned, str):
        return None, planned
    try:
        return plot(table, planned), planned.caption()
    except ValueError as error:
        return None, str(error)


def _told(data: Mapping[str, Any]) -> Iterator[str]:
    feasible = f"{data['feasible']:,} of {data['rows']:,} rows feasible"
    yield f"{data['scenarios']:,} scenarios, {feasible}, in {data['seconds']:.1f} s: {data['table']}"
    for name in ("cheapest", "fastest"):
        yield f"{name}: {_scenario(data[name])}" if data[name] else f"{name}: no scenario is feasible"
    yield f"plot: {data['plot']}: {data['plot_note']}" if data["plot"] else f"no plot: {data['plot_note']}"


def _scenario(row: Mapping[str, Any]) -> str:
    from transforms.budget.amounts import count, interval

    used = f"{count(row['accelerators_used'])} of {count(row['accelerators_available'])} {row['accelerator']}"
    costs = (
        interval(*(row["quantities"][name][at] for at in ("p10", "p50", "p90", "unit")))
        for name in ("accelerator_hours", "training_days", "cost_usd")
    )
    what = f"{row['workload']} ({row['network']}, {row['precision']}) on {count(row['camera_hours'])} camera-hours"
    return f"{what}: {', '.join(costs)} on {used} of {row['cluster']}, {row['as_of']} (scenario {row['scenario']})"
