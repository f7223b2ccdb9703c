"""The tables and the card of a compute budget, each as a part that any page can hold."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from transforms.budget.amounts import amount, count, interval, short
from transforms.views.budget_document import (
    Assumption,
    Estimate,
    Labelling,
    Layout,
    Quantiles,
    Quantities,
    Quantity,
)
from transforms.views.charts import share_chart
from transforms.views.descriptions import UNKNOWN
from transforms.views.names import title_of, words
from transforms.views.pages import Cell, bullets, folded, table, with_picture


def feasibility_table(estimates: Sequence[Estimate]) -> Markup:
    """Whether the training can be run on each target, with how much of it, why not, and what would help."""
    return table(
        "Whether the training can be run",
        ("target", "feasible", "accelerators used", "why, and what would help"),
        (
            (estimate.target, _verdict(holds=estimate.feasible), _used(estimate), _why(estimate))
            for estimate in estimates
        ),
    )


def layout_table(estimates: Sequence[Estimate]) -> Markup:
    """How the training is laid out on each target: the best and the runner-up."""
    columns = (
        "target",
        "rank",
        "tensor x pipeline x data",
        "memory is saved by",
        "micro-batch x count",
        "memory each",
        "bubble",
        "step",
        "efficiency",
    )
    return table(
        "The best layout and the runner-up", columns, (row for its in estimates for row in _layouts(its))
    )


def quantities_table(estimate: Estimate) -> Markup:
    """Median and 80 % interval of all that one training takes."""
    listed = {**estimate.quantities, **estimate.also, **estimate.reliability}
    return table("This training", ("quantity", "median (80% interval)"), _quantity_rows(listed))


def programme_year_table(estimate: Estimate) -> Markup:
    """Median and 80 % interval of a year of such work: ablations, failed runs and retrains included."""
    columns = ("quantity", "median (80% interval)")
    return table("A year of the programme", columns, _quantity_rows(estimate.programme_year))


def checks_table(estimate: Estimate) -> Markup:
    """The sanity checks, those that do not hold first."""
    checks = sorted(estimate.checks, key=lambda check: check.holds)
    return table(
        "Sanity checks",
        ("check", "holds", "figures"),
        ((check.name, _verdict(holds=check.holds), check.says) for check in checks),
    )


def chances_table(estimate: Estimate) -> Markup:
    """The probability that each limit is met."""
    return table(
        "Chances that limits are met",
        ("limit", "value", "probability"),
        (
            (
                chance.limit,
                amount(chance.value, chance.unit),
                _share(
                    chance.probability, amount(chance.probability, "share"), f"probability: {chance.limit}"
                ),
            )
            for chance in estimate.chances
        ),
    )


def assumptions_table(assumptions: Sequence[Assumption]) -> Markup:
    """Every input with where it comes from, folded."""
    if not assumptions:
        return Markup()
    supposed = sum(assumption.kind in {"assumed", "default"} for assumption in assumptions)
    rows = (
        (words(its.name), _assumed(its), its.kind or UNKNOWN, its.source or UNKNOWN) for its in assumptions
    )
    listed = table("Inputs and where they come from", ("input", "value", "kind", "source"), rows)
    return folded(f"Inputs: {len(assumptions)}, assumed or defaults among them: {supposed}", listed)


def backtest_card(estimate: Estimate) -> Markup:
    """How well published runs of this kind of network are predicted, or that there are none."""
    card = estimate.backtest
    if card is None or not card.runs:
        said = (
            f"none; the utilisation rests on {count(estimate.evidence)} published runs."
            if estimate.evidence
            else "none. The utilisation is assumed: no published run of this kind of network stands behind it."
        )
        return Markup('<p class="card"><strong>Back-test</strong>: {}</p>').format(said)
    figures = [
        f"{count(card.runs)} published runs of {count(card.families)} families, each family predicted from the others"
    ]
    if card.median_error is not None:
        figures.append(f"median error {amount(card.median_error, 'share')}")
    if card.coverage is not None:
        figures.append(f"{amount(card.coverage, 'share')} of the runs lie inside their 80% intervals")
    if card.factor is not None:
        figures.append(f"an unseen family is within a factor of {short(card.factor)} in 80% of cases")
    head = Markup("<p><strong>Back-test</strong> of {} networks</p>").format(card.kind)
    return Markup('<div class="card">{}{}</div>').format(head, bullets(figures))


def labelling_table(labelling: Labelling) -> Markup:
    """What labelling the footage takes, by mode, and its part of the money."""
    columns = ("mode", "frames a second", "core-hours", "time", "cost", "of it decoding")
    rows = (
        (
            mode.name,
            _known(mode.frames_per_second, ""),
            *(_interval(known) for known in (mode.core_hours, mode.days, mode.cost_usd)),
            _known(mode.decode_share, "share"),
        )
        for mode in labelling.modes
    )
    measured = f"measured in run {labelling.run_id}" if labelling.run_id else ""
    grounds = ", ".join(part for part in (labelling.machine, measured) if part)
    shares = (
        (workload, words(name), _share(share, amount(share, "share"), f"share of the money: {words(name)}"))
        for workload, parts in labelling.share.items()
        for name, share in parts.items()
    )
    return Markup("{}{}").format(
        table(f"Labelling by mode ({grounds})" if grounds else "Labelling by mode", columns, rows),
        table("Parts of the money, by workload", ("workload", "part", "share"), shares),
    )


def _quantity_rows(quantities: Quantities) -> Iterator[tuple[str, str]]:
    for name, quantity in quantities.items():
        yield title_of(name), _interval(quantity)


def _layouts(estimate: Estimate) -> Iterator[tuple[str, ...]]:
    layouts = estimate.layout
    if layouts is None:
        return
    for rank, layout in (("best", layouts.best), ("runner-up", layouts.runner_up)):
        if layout is not None:
            yield estimate.target, rank, *_layout(layout)
    if layouts.best is None:
        yield estimate.target, "none fits", *[""] * 7


def _layout(layout: Layout) -> tuple[str, ...]:
    saved = [] if layout.zero_stage is None else [f"ZeRO stage {layout.zero_stage}"]
    if layout.recomputation:
        kind = "no" if layout.recomputation == "none" else layout.recomputation
        saved.append(f"{kind} recomputation")
    return (
        f"{layout.tensor} x {layout.pipeline} x {layout.data}",
        "; ".join(saved) or UNKNOWN,
        f"{_known(layout.micro_batch, '')} x {_known(layout.micro_batches, '')}",
        _known(layout.memory_bytes, "B"),
        _known(layout.bubble, "share"),
        _known(layout.step_seconds, "s"),
        _known(layout.efficiency, "share"),
    )


def _used(estimate: Estimate) -> Cell:
    share = estimate.allocation
    if share is None or share.used is None:
        return UNKNOWN if estimate.accelerator_count is None else count(estimate.accelerator_count)
    used = count(share.used)
    if share.available:
        said = f"{used} of {count(share.available)}"
        used = _share(share.used / share.available, said, f"accelerators used, {estimate.target}")
    asked = {"user": "the allocation asked for", "default": "as many as pay off"}.get(share.kind, share.kind)
    notes = [note for note in (asked, share.limited_by and f"limited by {share.limited_by}") if note]
    return Markup("<div>{}</div>{}").format(used, "; ".join(notes)) if notes else used


def _why(estimate: Estimate) -> Markup:
    helps = (
        [Markup("<strong>Smallest change:</strong> {}").format(estimate.change)] if estimate.change else []
    )
    return bullets([*estimate.reasons, *helps])


def _verdict(*, holds: bool) -> Markup:
    return Markup('<span class="yes">✓ yes</span>') if holds else Markup('<span class="no">✗ no</span>')


def _share(share: float, said: str, title: str) -> Markup:
    return with_picture(said, share_chart(share, title=title))


def _assumed(assumption: Assumption) -> str:
    value, unit = assumption.value, assumption.unit
    if value is None:
        return UNKNOWN
    if isinstance(value, Quantiles):
        return interval(value.p10, value.p50, value.p90, unit)
    return amount(value, unit) if isinstance(value, float) else value


def _interval(quantity: Quantity | None) -> str:
    return UNKNOWN if quantity is None else interval(quantity.p10, quantity.p50, quantity.p90, quantity.unit)


def _known(value: float | None, unit: str) -> str:
    # a number and its unit stay on one line of a narrow column
    return UNKNOWN if value is None else amount(value, unit).replace(" ", "\u00a0")
