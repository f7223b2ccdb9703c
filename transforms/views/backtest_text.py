"""The back-test on a terminal: a sentence a kind of network, a line a run, and what else was tried, in 100 columns."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Final

from transforms.budget.amounts import short
from transforms.budget.evidence.backtest import Backtest, Row
from transforms.budget.evidence.comparing import Comparison
from transforms.budget.evidence.rederive import Rederived
from transforms.budget.evidence.words import (
    comparison_sentences,
    kind_sentences,
    left_out,
    stratum_sentences,
    unseen_sentences,
)

WIDTH: Final = 100
"""Columns that the widest line has."""


def backtest_text(
    found: Backtest,
    unseen: Backtest,
    comparisons: Sequence[Comparison],
    totals: Sequence[Rederived],
    *,
    bundled: bool,
) -> tuple[str, ...]:
    """Everything that a back-test found, how well each kind of network is predicted first.

    Args:
        found: each run, predicted without its family.
        unseen: runs that are kept out of the priors, or the caller's own.
        comparisons: other evidence for the utilisation.
        totals: published totals, worked out anew.
        bundled: whether the runs are the package's own.
    """
    return (
        *_sentences(found),
        "",
        *_table(found.rows),
        "",
        *_notes(found, unseen, comparisons, bundled=bundled),
        "",
        *_totals(totals),
    )


def _sentences(found: Backtest) -> Iterator[str]:
    for kind, sentence in zip(found.cards, kind_sentences(found), strict=True):
        yield _wrapped(sentence)
        for part in stratum_sentences(found, kind):
            yield _wrapped(f"  of these {part}")


def _table(rows: Sequence[Row]) -> Iterator[str]:
    """One line a run, of at most 100 columns."""
    head = ("run", "family", "hours", "predicted", "80% interval", "error", "in it")
    yield _line(*head)
    for row in rows:
        interval = f"{short(row.p10)} to {short(row.p90)}"
        error, inside = f"{row.error:.0%}", "yes" if row.inside else "no"
        yield _line(row.name, row.family, short(row.actual), short(row.predicted), interval, error, inside)


def _line(name: str, family: str, hours: str, predicted: str, interval: str, error: str, inside: str) -> str:
    cells = f"{name[:31]:<32}{family[:11]:<12}{hours:>9}{predicted:>11}{interval:>19}"
    return f"{cells}{error:>7}{inside:>7}".rstrip()


def _notes(
    found: Backtest, unseen: Backtest, comparisons: Sequence[Comparison], *, bundled: bool
) -> Iterator[str]:
    """What the table does not hold: runs left out, other evidence, and sanity checks."""
    yield from (_wrapped(sentence) for sentence in left_out(found.untested))
    what = "runs that no prior has seen" if bundled else "from the bundled runs of other families"
    yield from (_wrapped(f"{what}: {sentence}") for sentence in unseen_sentences(unseen))
    if found.rows:
        highest = max(found.rows, key=lambda row: row.utilisation)
        yield _wrapped(f"utilisation: at most {highest.utilisation:.1%} of the peak ({highest.name})")
    yield from map(_wrapped, comparison_sentences(comparisons))


def _totals(totals: Sequence[Rederived]) -> Iterator[str]:
    for total in totals:
        if total.quantity in {"accelerator_hours", "days"}:
            continue  # the hours stand in the table, and days go with them
        interval = "" if total.p10 == total.p90 else f" ({short(total.p10)} to {short(total.p90)})"
        ours = f"worked out {short(total.p50)}{interval}"
        quantity = total.quantity.replace("_", " ")
        yield _wrapped(f"{total.name}: {quantity} published {short(total.published)} {total.unit}, {ours}")
    yield "docs/backtest.md tells how the predictions are made and what they rest on"


def _wrapped(text: str) -> str:
    indent = " " * (len(text) - len(text.lstrip()))
    return fill(text, WIDTH, initial_indent="", subsequent_indent=f"{indent}  ", break_on_hyphens=False)
