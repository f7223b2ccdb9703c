"""The budget on a terminal: a table a workload, and what a meeting asks about it, in 100 columns."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from transforms.budget.amounts import amount, count, interval, short
from transforms.budget.answering import Answer
from transforms.budget.costs import UNITS
from transforms.budget.estimates import Estimate, Quantity
from transforms.budget.estimating import REFERENCE
from transforms.budget.evidence.words import card_sentence
from transforms.budget.facts.values import Assumption
from transforms.budget.questions.headline import cheapest
from transforms.budget.supply.steps import Layout
from transforms.views.network_text import network_sentence

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH: Final = 100
"""Columns that the widest line has."""

_HEADINGS: Final = ("hours", "days", "MWh", "t CO2e", "m3 water", "USD")
_DRIVERS: Final = 3
_LIMITS: Final = {"deadline": "chance to be done within", "money": "chance to cost no more than"}
_BEYOND: Final = {
    "critical batch": "the critical batch has no work for them",
    "cost": "they would cost more than their speed is worth (--allocation N takes them)",
    "loader": "reading and decoding is what takes the time",
}
_SMALL: Final = 0.01
_LATE: Final = 0.1


def answer_text(answer: Answer) -> "tuple[RenderableType, ...]":
    """Everything that is told about a budget, the sentence that a meeting needs first.

    Args:
        answer: the answer.
    """
    said = [*_beside(answer), *answer.notes]
    return (
        "\n".join(wrap(answer.headline, WIDTH)),
        *_data(answer),
        *estimates_text(answer.estimates),
        *paragraphs(said),
        "\n".join(
            wrap(
                f"as of {answer.estimates[0].as_of}, facts of {answer.facts_as_of}; --json tells every input with "
                "its source, docs/budget.md how to read this",
                WIDTH,
            )
        ),
    )


def _data(answer: Answer) -> Iterator[str]:
    """What is trained on."""
    figures = answer.figures
    if figures is None:
        return
    hours = amount(figures.camera_hours, "camera-hours")
    if answer.fleet is not None:
        fleet = answer.fleet
        yield (
            f"{hours}: {short(fleet.vehicles)} vehicles, {fleet.hours_per_day:g} h a day for {short(fleet.days)} days, "
            f"{fleet.keep_rate:.3g} of it kept"
        )
    elif answer.dataset is not None:
        yield f"{hours}: {figures.clips:,} clips, {figures.frames:,} labelled frames"
    else:
        sizes = ", ".join(f"{camera.width} x {camera.height}" for camera in figures.cameras)
        yield f"{hours}: one camera of {sizes}"


def _beside(answer: Answer) -> Iterator[str]:
    """Questions, uplink and labelling."""
    if answer.network is not None:
        yield network_sentence(answer.network.name, answer.network.flops)
    for item in answer.meetings:
        yield from item.sentences()
    if answer.uplink is not None:
        sent = {name: amount(value.p50, value.unit) for name, value in answer.uplink.items()}
        yield (
            f"uplink: {sent['bytes_per_vehicle_hour']} a vehicle, {sent['recorded']} recorded, "
            f"{sent['uploaded']} uploaded in {sent['upload_hours']} of each one's connection, "
            f"{sent['ingest']} into the data centre"
        )
    if answer.labelling is not None:
        for mode in answer.labelling.modes:
            hours, cost = amount(mode.core_hours.p50, "core-hours"), amount(mode.cost_usd.p50, "USD")
            yield f"labelling, {mode.name}: {hours}, {cost}, {amount(mode.days.p50, 'd')} on {answer.labelling.machine}"
    for workload, shares in answer.shares.items():
        yield (
            f"of the money for {workload}, labelling is {shares.labelling:.1%}, decoding for it {shares.decoding:.1%}, "
            f"the cheapest training {shares.training:.1%}"
        )


def estimates_text(estimates: Sequence[Estimate]) -> "tuple[RenderableType, ...]":
    """A table for each workload, and what to know beside it.

    Args:
        estimates: in the order asked for.
    """
    parts: list[RenderableType] = []
    for _, group in groupby(estimates, key=lambda estimate: estimate.workload):
        rows = list(group)
        parts += [_table(rows), *paragraphs(_remarks(rows))]
    return tuple(parts)


def paragraphs(texts: Iterable[str]) -> list[str]:
    """Texts as list items of lines that fit.

    Args:
        texts: one an item.
    """
    return ["\n".join(wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  ")) for text in texts]


def _table(rows: Sequence[Estimate]) -> "RenderableType":
    from rich import box
    from rich.constrain import Constrain
    from rich.table import Table

    title = f"{rows[0].workload or 'training'}: median and 80 % interval"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=0)
    for heading in ("cluster", "used", "feasible"):
        table.add_column(heading, overflow="fold")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", overflow="fold")
    for row in rows:
        values = row.quantities or {}
        cells = [_cell(values.get(name)) for name in UNITS]
        where = "\n".join(name for name in (row.cluster, row.accelerator) if name)
        table.add_row(where, _used(row), "yes" if row.feasible else "no", *cells)
    # ranges of very little are long: they fold
    return Constrain(table, WIDTH)


def _used(row: Estimate) -> str:
    if row.detail is None or row.accelerator_count is None:
        return "-"
    used = f"{count(row.detail.share.used)} of\n{count(row.accelerator_count)}"
    if row.accelerator == REFERENCE:
        return used
    return f"{used}\n= {short(row.detail.also['h100_equivalents'].p50)} H100"


def _cell(quantity: Quantity | None) -> str:
    if quantity is None:
        return "-"
    return f"{short(quantity.p50)}\n{_two_digits(quantity.p10)}..{_two_digits(quantity.p90)}"


def _two_digits(value: float) -> str:
    """Six characters at most, so that intervals do not break; one digit where the first comes late."""
    if 0 < value < _SMALL:
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return short(float(f"{value:.{1 if value < _LATE else 2}g}"))


def _remarks(rows: Sequence[Estimate]) -> Iterator[str]:
    """What a reader must know, the most telling first; each thing once."""
    yield from _obstacles(rows)
    yield from dict.fromkeys(reason for row in rows for reason in row.reasons[0 if row.feasible else 1 :])
    known = [row for row in rows if row.detail is not None and row.quantities is not None]
    for row in known:
        assert row.detail is not None
        for chance in row.detail.chances:
            limit = amount(chance.value, chance.unit)
            yield f"{_place(row)}: {_LIMITS[chance.limit]} {limit}: {chance.probability:.0%}"
    failed = {
        f"{check.name}: {check.says}": None
        for row in known
        if row.detail is not None
        for check in row.detail.checks
        if not check.holds
    }
    yield from (f"check: {told}" for told in failed)
    best = cheapest(known)
    if best is not None:
        yield from _grounds(best)
        yield from _evidence(known)


def _obstacles(rows: Sequence[Estimate]) -> Iterator[str]:
    """Why pools are not feasible; what holds for several is told once."""
    told: dict[tuple[str, str | None], list[str]] = {}
    for row in rows:
        if not row.feasible:
            told.setdefault((row.reasons[0], row.change), []).append(_place(row))
    for (reason, change), places in told.items():
        feasible = f"; it would be with: {change}" if change else ""
        yield f"not feasible: {', '.join(places)}: {reason}{feasible}"


def _place(row: Estimate) -> str:
    return " ".join(name for name in (row.cluster, row.accelerator) if name)


def _grounds(best: Estimate) -> Iterator[str]:
    """What the cheapest estimate rests on."""
    detail = best.detail
    assert detail is not None
    where = _place(best)
    if detail.layouts is not None and detail.layouts.best is not None:
        second = detail.layouts.runner_up
        beside = f"; next best: {_layout(second)}" if second else ""
        yield f"layout on {where}: {_layout(detail.layouts.best)}{beside}"
    if detail.share.limited_by in _BEYOND:
        yield f"more than {count(detail.share.used)} accelerators: {_BEYOND[detail.share.limited_by]}"
    if detail.drivers:
        strongest = sorted(detail.drivers, key=lambda driver: -driver.swing_of("cost_usd"))[:_DRIVERS]
        told = ", ".join(_driver(driver.input, *driver.effects["cost_usd"]) for driver in strongest)
        yield f"the spread of the cost on {where} comes from {told}"
    if detail.programme_year is not None:
        cost = detail.programme_year["cost_usd"]
        yield (
            f"a year of the programme on {where}, experiments, failed runs and retrains included: "
            f"{interval(cost.p10, cost.p50, cost.p90, cost.unit)}"
        )
    if best.workload is not None:
        yield f"{detail.data_share:.1%} of the FLOPs come from the data set"
    if detail.stands_in:
        yield f"mind: {detail.stands_in}"


def _evidence(rows: Sequence[Estimate]) -> Iterator[str]:
    """How far to trust the utilisation, and how much is assumed."""
    by_card: dict[str, list[str]] = {}
    for row in rows:
        assert row.detail is not None
        card = row.detail.card
        told = card_sentence(card) if card else "assumed: no published run is behind it"
        names = by_card.setdefault(told, [])
        if row.accelerator and row.accelerator not in names:
            names.append(row.accelerator)
    for told, names in by_card.items():
        yield f"utilisation on {', '.join(names)}: {told}"
    yield f"up to {max(row.assumed_share for row in rows):.0%} of the inputs are assumed"


def _layout(layout: Layout) -> str:
    split = f"TP {layout.tensor} x PP {layout.pipeline} x DP {count(layout.data)}, ZeRO {layout.zero_stage}"
    kept = f"recomputation {layout.recomputation}, micro-batch {layout.micro_batch}"
    return f"{split}, {kept}, {amount(layout.memory_bytes, 'B')}, {layout.efficiency:.0%} of a step is work"


def _driver(item: Assumption, low: float, high: float) -> str:
    name = item.name.replace("_", " ")
    return f"{name} ({amount(low, 'USD')} to {amount(high, 'USD')})"
