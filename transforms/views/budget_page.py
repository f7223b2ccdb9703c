"""The compute budget as one HTML document that needs nothing beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from markupsafe import Markup

from transforms.budget.amounts import amount
from transforms.views.budget_document import BudgetDocument, Estimate
from transforms.views.budget_tables import (
    assumptions_table,
    backtest_card,
    chances_table,
    checks_table,
    feasibility_table,
    labelling_table,
    layout_table,
    programme_year_table,
    quantities_table,
)
from transforms.views.charts import Driver, Interval, interval_chart, tornado_chart
from transforms.views.descriptions import described
from transforms.views.names import title_of, words
from transforms.views.pages import bullets, figure, folded, page

_MOST_DRIVERS: Final = 10
_DRIVEN: Final = ("accelerator_hours", "training_days", "cost_usd")


@dataclass(frozen=True, slots=True)
class _Target:
    """What the template shows of a training on one pool."""

    title: str
    subtitle: str
    feasible: bool
    drawn_from: str
    figures: Markup
    tables: Markup
    backtest: Markup
    layout: Markup
    assumptions: Markup


@dataclass(frozen=True, slots=True)
class _Workload:
    """What the template shows of one training on all targets."""

    title: str
    stands_in: str
    figures: Markup
    feasibility: Markup
    layouts: Markup
    targets: Sequence[_Target]
    unfolded: int


def budget_page(data: Mapping[str, object]) -> str:
    """The page.

    Args:
        data: what `clipmill budget --json` prints.

    Returns:
        A whole HTML document: no script, nothing from elsewhere, the same text for the same data.

    Raises:
        ValueError: the data has no estimates or a value of the wrong type (pydantic's ValidationError).
    """
    document = BudgetDocument.model_validate(data)
    # the groups keep the order of the estimates; those of one workload stand together in it
    grouped = [list(group) for _, group in groupby(document.estimates, key=lambda its: its.training)]
    return page(
        "budget.html.j2",
        document=document,
        asked=asked_tables(document),
        workloads=[_workload(estimates) for estimates in grouped],
        labelling=labelling_table(document.labelling) if document.labelling else Markup(),
        assumptions=assumptions_table(document.assumptions),
    )


def asked_tables(document: BudgetDocument) -> Markup:
    """What the budget is of: the network, the footage, the fleet and what it sends."""
    parts = (
        ("Network", document.network),
        ("Footage", document.figures),
        ("Fleet", document.fleet),
        ("Uplink and storage", document.uplink),
    )
    return Markup().join(described(caption, values) for caption, values in parts if values)


def interval_figures(estimates: Sequence[Estimate]) -> Markup:
    """A chart of each quantity, with a row a target.

    Args:
        estimates: of one workload.
    """
    units = {name: its.unit for estimate in estimates for name, its in estimate.quantities.items()}
    return Markup().join(
        figure(interval_chart(_rows(estimates, name), title=title_of(name), unit=unit), title_of(name))
        for name, unit in units.items()
    )


def tornado_figures(estimate: Estimate) -> Markup:
    """A chart of what drives the spread of each quantity whose drivers are known."""
    return Markup().join(_tornadoes(estimate))


def _workload(estimates: Sequence[Estimate]) -> _Workload:
    first = estimates[0]
    network = f" ({first.network})" if first.network and first.workload else ""
    return _Workload(
        title=f"{first.training}{network}",
        stands_in=first.stands_in,
        figures=interval_figures(estimates),
        feasibility=feasibility_table(estimates),
        layouts=layout_table(estimates),
        targets=[_target(estimate) for estimate in estimates],
        unfolded=next((at for at, estimate in enumerate(estimates) if estimate.feasible), 0),
    )


def _target(estimate: Estimate) -> _Target:
    dates = [estimate.phase, estimate.as_of and f"as of {estimate.as_of}"]
    share = estimate.data_share
    reasons = estimate.layout.reasons if estimate.layout else ()
    tables = (quantities_table, programme_year_table, chances_table, checks_table)
    return _Target(
        title=estimate.target,
        subtitle=", ".join(part for part in dates if part),
        feasible=estimate.feasible,
        drawn_from="" if share is None else f"{amount(share, 'share')} of the FLOPs grow with the data set.",
        figures=tornado_figures(estimate),
        tables=Markup().join(made(estimate) for made in tables),
        backtest=backtest_card(estimate),
        layout=folded("Why this layout", bullets(reasons)) if reasons else Markup(),
        assumptions=assumptions_table(estimate.assumptions),
    )


def _rows(estimates: Sequence[Estimate], name: str) -> list[Interval]:
    rows = []
    for estimate in estimates:
        known = estimate.quantities.get(name)
        quantiles = None if known is None else (known.p10, known.p50, known.p90)
        note = "" if estimate.feasible or known is None else "not feasible"
        rows.append(Interval(estimate.target, quantiles, note))
    return rows


def _tornadoes(estimate: Estimate) -> Iterator[Markup]:
    for name in _DRIVEN:
        quantity = estimate.quantities.get(name)
        effects = [(its, effect) for its in estimate.drivers if (effect := getattr(its, name)) is not None]
        drivers = [
            Driver(words(its.name), its.unit, its.low, its.high, effect.low, effect.high)
            for its, effect in effects
            if effect.low != effect.high
        ]
        if quantity is None or not drivers:
            continue
        drivers.sort(key=_swing, reverse=True)
        shown, left_out = drivers[:_MOST_DRIVERS], len(drivers) - _MOST_DRIVERS
        medians = [effect.median for _, effect in effects if effect.median is not None]
        centre = medians[0] if medians else _inside_of_all(quantity.p50, drivers)
        title = f"what drives {title_of(name)}"
        chart = tornado_chart(shown, centre=centre, title=title, unit=quantity.unit)
        yield figure(
            chart, f"{title}; inputs that do less are left out: {left_out}" if left_out > 0 else title
        )


def _inside_of_all(median: float, drivers: Sequence[Driver]) -> float:
    """The value nearest to a median that lies in every input's reach.

    With all inputs at their medians a quantity is not at its own median, but it is in the reach of each input.
    """
    least = max(min(driver.at_low, driver.at_high) for driver in drivers)
    most = min(max(driver.at_low, driver.at_high) for driver in drivers)
    return max(least, min(median, most))


def _swing(driver: Driver) -> float:
    """The larger over the smaller value of what an input moves."""
    least, most = sorted((driver.at_low, driver.at_high))
    return most / least if least > 0 else float("inf")
