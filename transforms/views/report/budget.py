"""The compute budget of a data set: intervals, what drives them, and whether it can be run."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from math import isclose
from typing import Any, Final

from markupsafe import Markup

from transforms.budget.demand.figures import (
    DatasetFigures,
    Tally,
    tally_clips,
    tally_frames,
    total,
)
from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import load_facts
from transforms.budget.request import BudgetRequest
from transforms.views.budget_document import Estimate
from transforms.views.budget_page import interval_figures, tornado_figures
from transforms.views.budget_tables import assumptions_table, feasibility_table
from transforms.views.report.sections import Section, Tables, figures, heading, paragraph, said

_KEY: Final = ("workload", "network", "cluster", "phase", "as_of", "accelerator", "accelerator_count")
_MOST_WORKLOADS: Final = 8
_CLOSE: Final = 1e-6
"""Relative; the last digits differ between processors."""

_ROWS: Final = """
    SELECT workload, network, cluster, phase, as_of, accelerator, accelerator_count, quantity, p10, p50, p90, unit,
           feasible, reasons, evidence, assumptions
    FROM budget LIMIT 2000"""
_CLIPS: Final = "SELECT camera, width, height, duration_ns, frame_count, bytes, duplicate_of FROM clips"
_FRAMES: Final = "SELECT sample_index, is_damaged FROM frames"
_COUNTS: Final = (
    "SELECT (SELECT count(*) FROM detections) AS detections, (SELECT count(*) FROM tracks) AS tracks"
)


def budget(tables: Tables) -> Section:
    """The rows of the `budget` table, workload by workload."""
    kept = _estimates(tables.ask(_ROWS))
    if not kept:
        body = paragraph("No budget was worked out: clipmill budget DIR does it.")
        return Section("budget", "Compute budget", body)
    told = _worked_out(kept, _figures(tables))
    shown = told or kept
    parts = [
        paragraph(
            "What training on this data set takes: medians with 80% intervals, on logarithmic axes; outlined: not feasible. "
            "clipmill budget DIR --html FILE tells all of it."
        )
    ]
    if told is None:
        parts.append(
            paragraph(
                "What drives the intervals is not shown: the table does not hold it, and this one was asked for with "
                "options of its own. Run clipmill budget with them and --html.",
                "hint",
            )
        )
    grouped = [list(its) for _, its in groupby(shown, key=lambda estimate: estimate.training)]
    parts += [_workload(estimates) for estimates in grouped[:_MOST_WORKLOADS]]
    return Section("budget", "Compute budget", Markup().join(parts))


def _workload(estimates: Sequence[Estimate]) -> Markup:
    first = estimates[0]
    network = f" ({first.network})" if first.network and first.workload else ""
    # of the targets the first that can be used tells most; the others are driven by much the same
    driven = next((its for its in estimates if its.feasible and its.drivers), None) or next(
        (its for its in estimates if its.drivers), estimates[0]
    )
    tornado = tornado_figures(driven)
    return Markup().join(
        (
            heading(said(f"{first.training}{network}")),
            paragraph(f"Mind: {first.stands_in}") if first.stands_in else Markup(),
            figures(interval_figures(estimates)),
            feasibility_table(estimates),
            paragraph(
                f"What drives the intervals, on {driven.target}: each bar is one input from its 10% to its 90% quantile.",
                "hint",
            )
            if tornado
            else Markup(),
            figures(tornado) if tornado else Markup(),
            assumptions_table(driven.assumptions),
        )
    )


def _estimates(rows: Sequence[Mapping[str, Any]]) -> list[Estimate]:
    """One estimate of each run of rows that differ in their quantities alone."""
    made = []
    for key, its in groupby(rows, key=lambda row: tuple(row[name] for name in _KEY)):
        group = list(its)
        first = group[0]
        quantities = {
            row["quantity"]: {name: row[name] for name in ("p10", "p50", "p90", "unit")}
            for row in group
            if row["p50"] is not None
        }
        made.append(
            Estimate.model_validate(
                {
                    **dict(zip(_KEY, key, strict=True)),
                    "as_of": str(first["as_of"]),
                    "quantities": quantities,
                    "feasible": first["feasible"],
                    "reasons": [said(reason) for reason in first["reasons"]],
                    "evidence": first["evidence"],
                    "assumptions": [_assumption(item) for item in first["assumptions"]],
                }
            )
        )
    return made


def _assumption(item: Mapping[str, Any]) -> dict[str, object]:
    low, middle, high = (item[name] for name in ("p10", "p50", "p90"))
    value: object = middle if low == high else {"p10": low, "p50": middle, "p90": high}
    return {**{name: item[name] for name in ("name", "unit", "kind", "source")}, "value": value}


def _figures(tables: Tables) -> DatasetFigures:
    counts = tables.ask(_COUNTS)[0]
    return total(
        (
            tally_clips(tables.arrow(_CLIPS)),
            tally_frames(tables.arrow(_FRAMES)),
            Tally(detections=counts["detections"], tracks=counts["tracks"]),
        )
    ).figures()


def _worked_out(kept: Sequence[Estimate], figures_of_all: DatasetFigures) -> list[Estimate] | None:
    """The same estimates with all that the table has no room for, or None where they do not come out the same.

    The table holds no drivers. Labelling asks for a budget without options; such a one is worked out again from the
    data set's own figures.
    """
    facts = load_facts()
    workloads = tuple(dict.fromkeys(its.workload for its in kept))
    clusters = tuple(dict.fromkeys(its.cluster for its in kept))
    # a name that the package does not know came from somebody's file
    if not (set(workloads) <= set(facts.workloads) and set(clusters) <= set(facts.clusters)):
        return None
    try:
        request = BudgetRequest.resolve(
            [name for name in workloads if name], [name for name in clusters if name]
        )
        again = [Estimate.model_validate(its.as_json()) for its in request.answer(figures_of_all)]
    except BudgetUsageError:
        return None
    same = len(again) == len(kept) and all(map(_agree, again, kept))
    return again if same else None


def _agree(one: Estimate, other: Estimate) -> bool:
    if any(getattr(one, name) != getattr(other, name) for name in _KEY) or set(one.quantities) != set(
        other.quantities
    ):
        return False
    return all(
        isclose(getattr(quantity, at), getattr(other.quantities[name], at), rel_tol=_CLOSE)
        for name, quantity in one.quantities.items()
        for at in ("p10", "p50", "p90")
    )
