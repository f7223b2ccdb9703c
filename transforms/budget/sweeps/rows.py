"""Scenarios of a sweep as rows of its table: one for each pool of accelerators that a scenario can have."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa

from transforms.budget.chances import Limits
from transforms.budget.costs import UNITS
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import scale
from transforms.budget.draws import Draws
from transforms.budget.evaluating import Evaluation
from transforms.budget.facts.catalogue import Cluster
from transforms.budget.facts.library import load_facts
from transforms.budget.placing import Placement, Question, Training, placements
from transforms.budget.supply.phases import Allocation, first_known, pools_on
from transforms.budget.sweeps.grid import Setting, Sweep
from transforms.tables.budget_schema import SWEEP

_PERCENTILES: Final = (10, 50, 90)

Row = dict[str, object]


def evaluate_range(sweep: Sweep, figures: DatasetFigures, start: int, stop: int) -> pa.Table:
    """The rows of some scenarios that follow each other.

    Args:
        sweep: the grid, and what all scenarios share.
        figures: the sample that scenarios are made of.
        start: index of the first scenario.
        stop: index after the last one.

    Returns:
        Rows of the `sweep` table, by scenario, pools in the order of their phases.

    Raises:
        BudgetUsageError: the sample has no hours to scale.
    """
    rows = [row for index in range(start, stop) for row in _rows(sweep, figures, index)]
    return pa.Table.from_pylist(rows, schema=SWEEP)


@lru_cache(maxsize=2)
def _draws(seed: int, count: int) -> Draws:
    """Draws that all ranges of a worker share: a stream is drawn once."""
    return Draws(seed, count)


def _rows(sweep: Sweep, sample: DatasetFigures, index: int) -> Iterator[Row]:
    setting, facts = sweep.grid.setting(index), load_facts(sweep.own)
    workload = facts.workloads[setting.workload]
    resolved = replace(
        setting,
        network=setting.network or workload.network,
        precision=setting.precision or workload.precision,
    )
    figures = scale(sample, setting.fleet) if setting.fleet is not None else sample
    told: Row = {name: getattr(resolved, name) for name in sweep.grid.axes}
    told |= {"scenario": index, "camera_hours": figures.camera_hours}
    cluster = facts.clusters[setting.cluster]
    if not pools_on(cluster, setting.as_of):
        yield told | _too_early(cluster, setting)
        return
    question = Question(
        facts=facts,
        figures=figures,
        figures_kind="user",
        day=setting.as_of,
        allocation=Allocation.parse(setting.allocation) if setting.allocation is not None else None,
        precision=setting.precision,
        limits=Limits(),
        draws=_draws(sweep.seed, sweep.draws),
    )
    training = Training(setting.workload, setting.network or workload.network)
    for placed in placements(question, training, setting.cluster):
        yield told | _on_pool(placed)


def _too_early(cluster: Cluster, setting: Setting) -> Row:
    first = first_known(cluster)
    reason = f"{cluster.title} has no phase of known accelerators on {setting.as_of}"
    return {"feasible": False, "reasons": [f"{reason}: the first is of {first.as_of}" if first else reason]}


def _on_pool(placed: Placement) -> Row:
    """What a pool brings to a scenario's row; quantities are null where there is nothing to train on."""
    found = placed.found
    row: Row = {
        "phase": placed.pool.phase.name,
        "accelerator": placed.pool.accelerator,
        "accelerators_available": placed.scenario.target.available,
        "accelerators_used": found.used,
        "limited_by": found.limited_by,
        "feasible": placed.feasible,
        "reasons": [obstacle.reason for obstacle in placed.obstacles],
    }
    if not placed.computes:
        return row
    return row | _quantiles(found) | {"power_mw_p50": float(np.median(found.power_mw))}


def _quantiles(found: Evaluation) -> Row:
    # one call for all of them: most of the cost of quantiles is the call's own
    values = [*(found.values[name] for name in UNITS), found.demand.flops, found.utilisation]
    p10, p50, p90 = np.percentile(np.stack(values), _PERCENTILES, axis=1).tolist()
    row: Row = {"training_flops_p50": p50[-2], "utilisation_p50": p50[-1]}
    for at, name in enumerate(UNITS):
        row |= {f"{name}_p10": p10[at], f"{name}_p50": p50[at], f"{name}_p90": p90[at]}
    return row
