"""The one sentence that a meeting needs."""

from collections.abc import Sequence
from itertools import groupby
from textwrap import shorten, wrap
from typing import Final

from transforms.budget.amounts import amount, count, interval
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.estimates import Estimate
from transforms.budget.estimating import REFERENCE
from transforms.budget.facts.library import Facts
from transforms.budget.supply.phases import closed, pools_on

WIDTH: Final = 100
LINES: Final = 2
"""Columns and lines that a headline has at most."""

_FEW_WORDS: Final = (45, 20, 0)
"""Characters of a reason; fewer where there is no room."""


def headline(estimates: Sequence[Estimate], figures: DatasetFigures | None, facts: Facts) -> str:
    """What the trainings asked for take where that is cheapest, and where they are not feasible.

    Args:
        estimates: in the order asked for, those of a workload together.
        figures: the data set; None where FLOPs were given.
        facts: the facts that the estimates were made with.

    Returns:
        Not more than fills `LINES` lines of `WIDTH` columns.
    """
    groups = [list(group) for _, group in groupby(estimates, key=lambda item: item.workload)]
    data = f" on {amount(figures.camera_hours, 'camera-hours')}" if figures else ""
    said = _of_one(groups[0], data, facts) if len(groups) == 1 else _of_many(groups, data, facts)
    if any(item.quantities is not None for item in estimates):
        # what was asked for stays whole
        tails = (_not_feasible(estimates, facts, longest) for longest in _FEW_WORDS)
        said = next((said + tail for tail in tails if len(wrap(f"{said}{tail}.", WIDTH)) <= LINES), said)
    return " ".join(wrap(f"{said}.", WIDTH, max_lines=LINES, placeholder=" ..."))


def cheapest(estimates: Sequence[Estimate]) -> Estimate | None:
    """The feasible estimate of the least cost; where none is feasible, the cheapest that can be made.

    Args:
        estimates: of one workload.
    """
    known = [item for item in estimates if item.quantities is not None]
    return min(known, key=lambda item: (not item.feasible, _cost(item)), default=None)


def _of_one(estimates: Sequence[Estimate], data: str, facts: Facts) -> str:
    """Everything about one training."""
    best, title = cheapest(estimates), _title(estimates[0], facts)
    if best is None or best.quantities is None or best.detail is None:
        return f"{title}{data}: {estimates[0].reasons[0]}"
    hours, days = best.quantities["accelerator_hours"], best.quantities["training_days"]
    name = "H100" if best.accelerator == REFERENCE else best.accelerator
    where = f" on {_place(best, facts)}" if best.cluster is not None else ""
    told = interval(hours.p10, hours.p50, hours.p90, f"{name}-hours")
    # where nothing is feasible, the reasons need the room
    if best.accelerator != REFERENCE and best.feasible:
        told += f" = {amount(best.detail.also['h100_hours'].p50, 'H100-hours')}"
    parts = [told + where]
    share = best.detail.share
    # days without a count would be those of a single accelerator
    if best.cluster is not None or share.kind == "user":
        of = f"of {count(share.available)} " if share.used != share.available else ""
        parts.append(f"{amount(days.p50, 'd')} on {count(share.used)} {of}{best.accelerator}")
    parts.append(f"about {amount(_cost(best), 'USD')}")
    parts += [
        f"{item.probability:.0%} within {amount(item.value, item.unit)}" for item in best.detail.chances
    ]
    nowhere = "" if best.feasible else ", nowhere feasible"
    return f"{title}{data}{nowhere}: {', '.join(parts)}"


def _of_many(groups: Sequence[Sequence[Estimate]], data: str, facts: Facts) -> str:
    """The cost of each of some trainings, and its chances, or else its accelerator-hours."""
    bests = [cheapest(group) for group in groups]
    known = [best for best in bests if best is not None and best.detail is not None]
    if not known:
        return f"Training{data}: {groups[0][0].reasons[0]}"
    places = {_place(best, facts) for best in known}
    common = places.pop() if len(places) == 1 else None
    assert known[0].detail is not None
    limits = " and ".join(amount(item.value, item.unit) for item in known[0].detail.chances)
    nowhere = not any(best.feasible for best in known)
    told = [
        _in_short(best, facts, common, held=best.feasible or nowhere)
        if best is not None
        else f"{_title(group[0], facts)} nothing"
        for best, group in zip(bests, groups, strict=True)
    ]
    beside = f"chance within {limits}" if limits else "H100-hours"
    where = f" on {common}" if common else ""
    return (
        f"Training{data}{', nowhere feasible' if nowhere else ''}, cost ({beside}){where}: {', '.join(told)}"
    )


def _in_short(best: Estimate, facts: Facts, common: str | None, *, held: bool) -> str:
    """One training among others."""
    assert best.detail is not None
    chances = [f"{item.probability:.0%}" for item in best.detail.chances]
    beside = ", ".join(chances) or amount(best.detail.also["h100_hours"].p50, "h").removesuffix(" h")
    where = "" if common else f" on {_place(best, facts)}"
    doubt = "" if held else " if it were feasible"
    return f"{_title(best, facts)} {amount(_cost(best), 'USD')} ({beside}){where}{doubt}"


def _cost(estimate: Estimate) -> float:
    assert estimate.quantities is not None
    return estimate.quantities["cost_usd"].p50


def _title(estimate: Estimate, facts: Facts) -> str:
    return "The training" if estimate.workload is None else facts.workloads[estimate.workload].title


def _place(estimate: Estimate, facts: Facts) -> str:
    if estimate.cluster is None:
        return estimate.accelerator or ""
    return facts.clusters[estimate.cluster].title


def _not_feasible(estimates: Sequence[Estimate], facts: Facts, longest: int) -> str:
    """The places on which nothing is feasible, each with a reason in a few words."""
    open_places = {_place(item, facts) for item in estimates if item.feasible}
    shut: dict[str, Estimate] = {}
    for item in estimates:
        if _place(item, facts) not in open_places:
            shut.setdefault(_place(item, facts), item)
    told = [
        f"{place} ({_few_words(item, facts, longest)})" if longest else place for place, item in shut.items()
    ]
    return f"; not on {', '.join(told)}" if told else ""


def _few_words(estimate: Estimate, facts: Facts, longest: int) -> str:
    """Why an estimate is not feasible: what became of its pool, or else the first reason."""
    reason = estimate.reasons[0]
    if estimate.accelerator is None:
        reason = f"unknown on {estimate.as_of}"
    elif estimate.cluster is not None:
        cluster, day = facts.clusters[estimate.cluster], estimate.as_of
        pool = next(pool for pool in pools_on(cluster, day) if pool.accelerator == estimate.accelerator)
        closing = closed(cluster, day, pool)
        if closing is not None:
            reason = closing.status.split(" (")[0]
        elif pool.phase.state == "planned":
            reason = "not operating yet"
    return shorten(reason, longest, placeholder=" ...")
