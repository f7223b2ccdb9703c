"""`clipmill budget`: what training on a data set costs."""

import argparse
from itertools import groupby
from math import isfinite
from typing import TYPE_CHECKING

from pipelines.outcome import Outcome, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from transforms.budget.demand.figures import DatasetFigures
    from transforms.budget.estimates import Estimate, Quantity
    from transforms.budget.request import BudgetRequest

HELP = "estimate the compute budget of training on a data set: hours, days, energy, carbon, water, money"
EXAMPLES = """
clipmill budget out
clipmill budget out --workload fsd --cluster colossus --as-of 2024-12 --allocation 25% --json
clipmill budget --camera-hours 1e6 --workload fsd
clipmill budget --flops 3.8e25 --kind language --accelerator H100 --count 16384 --params 405e9
"""
TAKES_BEAM_FLAGS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", nargs="?", metavar="DIR", help="a labelled data set: a folder or a URL")
    parser.add_argument("--camera-hours", type=float, metavar="H", help="without DIR: footage of one camera")
    parser.add_argument("--flops", type=float, metavar="F", help="without DIR: FLOPs of a training")
    parser.add_argument(
        "--workload",
        action="append",
        metavar="NAME",
        help="fsd, autopilot, optimus, grok or a TOML file; repeatable (default: all four)",
    )
    parser.add_argument(
        "--cluster",
        action="append",
        metavar="NAME",
        help="colossus, colossus2, cortex, dojo or a TOML file; repeatable (default: colossus, cortex and dojo)",
    )
    parser.add_argument(
        "--as-of",
        metavar="DATE",
        help="YYYY-MM or YYYY-MM-DD: which phase, which prices (default: newest facts)",
    )
    parser.add_argument("--allocation", metavar="N|P%", help="part of each pool (default: all of it)")
    parser.add_argument(
        "--kind", choices=("language", "vision", "video"), help="with --flops: kind of network"
    )
    parser.add_argument("--accelerator", metavar="NAME", help="with --flops: H100, A100, V100-16GB, ...")
    parser.add_argument("--count", type=int, metavar="N", help="with --flops: accelerators (default: 1)")
    parser.add_argument("--params", type=float, metavar="P", help="with --flops: parameters of the network")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws (default: 0)")


def run(arguments: argparse.Namespace) -> Outcome:
    """Estimates."""
    from transforms.budget.errors import BudgetUsageError

    _refuse_mixture(arguments)
    try:
        if arguments.flops is not None:
            return _of_flops(arguments)
        request = _request(arguments)
        if arguments.camera_hours is not None:
            return _of_hours(arguments, request)
        return _of_dataset(arguments, request)
    except BudgetUsageError as error:
        raise UsageError(str(error)) from error


def _refuse_mixture(arguments: argparse.Namespace) -> None:
    """Refuses options that do not go together."""
    asked = {"DIR": arguments.dataset, "--camera-hours": arguments.camera_hours, "--flops": arguments.flops}
    given = [name for name, value in asked.items() if value is not None]
    if len(given) != 1:
        raise UsageError(f"give one of DIR, --camera-hours and --flops, not {' and '.join(given) or 'none'}")
    if arguments.seed < 0:
        raise UsageError(f"--seed {arguments.seed} is negative")
    with_flops = ("kind", "accelerator", "count", "params")
    without_flops = ("workload", "cluster", "allocation")
    foreign = without_flops if arguments.flops is not None else with_flops
    stray = [f"--{name}" for name in foreign if getattr(arguments, name) is not None]
    if stray:
        raise UsageError(f"{given[0]} does not go with {', '.join(stray)}")
    missing = [f"--{name}" for name in ("kind", "accelerator") if getattr(arguments, name) is None]
    if arguments.flops is not None and missing:
        raise UsageError(f"--flops needs {' and '.join(missing)}")
    if arguments.dataset is None and getattr(arguments, "beam_arguments", None):
        raise UsageError("without DIR no pipeline runs: leave out what stands after --")


def _of_dataset(arguments: argparse.Namespace, request: "BudgetRequest") -> Outcome:
    from pipelines.budget import BudgetJob
    from pipelines.budget import run as run_job

    result = run_job(BudgetJob(arguments.dataset, request), getattr(arguments, "beam_arguments", ()))
    return _outcome(result.estimates, arguments.seed, result.figures, arguments.dataset)


def _of_hours(arguments: argparse.Namespace, request: "BudgetRequest") -> Outcome:
    from transforms.budget.demand.figures import DatasetFigures

    hours = arguments.camera_hours
    if not (isfinite(hours) and hours > 0):
        raise UsageError(f"--camera-hours {hours:g} is not a positive number")
    figures = DatasetFigures.of_hours(hours)
    estimates = request.answer(figures, "user")
    return _outcome(estimates, arguments.seed, figures)


def _of_flops(arguments: argparse.Namespace) -> Outcome:
    from transforms.budget.estimating import estimate_flops
    from transforms.budget.supply.phases import parse_as_of

    estimate = estimate_flops(
        arguments.flops,
        arguments.kind,
        arguments.accelerator,
        count=arguments.count,
        parameters=arguments.params,
        as_of=parse_as_of(arguments.as_of) if arguments.as_of is not None else None,
        seed=arguments.seed,
    )
    return _outcome([estimate], arguments.seed)


def _request(arguments: argparse.Namespace) -> "BudgetRequest":
    from transforms.budget.request import BudgetRequest
    from transforms.budget.supply.phases import Allocation, parse_as_of

    return BudgetRequest(
        workloads=tuple(arguments.workload or ()),
        clusters=tuple(arguments.cluster or ()),
        as_of=parse_as_of(arguments.as_of) if arguments.as_of is not None else None,
        allocation=Allocation.parse(arguments.allocation) if arguments.allocation is not None else None,
        seed=arguments.seed,
    )


def _outcome(
    estimates: "list[Estimate]",
    seed: int,
    figures: "DatasetFigures | None" = None,
    dataset: str | None = None,
) -> Outcome:
    from transforms.budget.draws import DEFAULT_DRAWS
    from transforms.budget.facts.library import load_facts

    data: dict[str, object] = {
        "estimates": [estimate.as_json() for estimate in estimates],
        "dataset": dataset,
        "figures": figures and figures.as_json(),
        "facts_as_of": load_facts().newest.isoformat(),
        "seed": seed,
        "draws": DEFAULT_DRAWS,
    }
    return Outcome(data, _human(estimates, figures, dataset))


def _human(
    estimates: "list[Estimate]", figures: "DatasetFigures | None", dataset: str | None
) -> "tuple[RenderableType, ...]":
    """A table per workload, what to know about its pools, and where the numbers come from."""
    from rich.table import Table

    parts: list[RenderableType] = []
    if figures is not None:
        held = (
            f"{figures.clips:,} clips, {figures.frames:,} labelled frames"
            if dataset
            else "one camera of 1280 x 960"
        )
        parts.append(f"{figures.camera_hours:,.4g} camera-hours: {held}")
    for workload, group in groupby(estimates, key=lambda estimate: estimate.workload):
        rows = list(group)
        title = f"{workload or 'training'}: median (80 % interval)"
        table = Table(title=title, title_justify="left", title_style="bold")
        for column in ("cluster", "pool", "fits", "hours", "days", "MWh", "t CO2e", "m3 water", "USD"):
            table.add_column(column, overflow="fold")
        for row in rows:
            pool = f"{row.accelerator_count:,} {row.accelerator}" if row.accelerator else "none"
            values = list(row.quantities.values()) if row.quantities else [None] * 6
            cells = [_interval(value) for value in values]
            table.add_row(row.cluster or "", pool, "yes" if row.feasible else "no", *cells)
        parts += [table, *_remarks(rows)]
    first = next((row for row in estimates if row.assumptions), None)
    if first is not None:
        parts.append(
            f"as of {first.as_of}; --json tells every input with its source; docs/budget.md tells how to read this"
        )
    return tuple(parts)


def _remarks(rows: "list[Estimate]") -> list[str]:
    """Reasons, each once, and what the inputs rest on."""
    said = list(dict.fromkeys(reason for row in rows for reason in row.reasons))
    by_evidence: dict[int, list[str]] = {}
    for row in rows:
        if row.accelerator and row.accelerator not in by_evidence.setdefault(row.evidence, []):
            by_evidence[row.evidence].append(row.accelerator)
    said += [
        f"utilisation of {', '.join(names)}: {f'rests on {count} published runs' if count else 'assumed'}"
        for count, names in by_evidence.items()
    ]
    shares = [row.assumed_share for row in rows if row.assumptions]
    if shares:
        said.append(f"up to {max(shares):.0%} of the inputs are assumed")
    return [f"- {text}" for text in said]


def _interval(quantity: "Quantity | None") -> str:
    if quantity is None:
        return "-"
    return f"{_short(quantity.p50)}\n({_short(quantity.p10)} to {_short(quantity.p90)})"


def _short(value: float) -> str:
    """Three digits with a word for thousands."""
    for limit, word in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{word}"
    return f"{value:.3g}"
