"""`clipmill backtest`: how well published trainings predict those of other families."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from pipelines.outcome import Outcome, UsageError

if TYPE_CHECKING:
    from transforms.budget.evidence.backtest import Backtest, Row
    from transforms.budget.evidence.comparing import Comparison
    from transforms.budget.evidence.rederive import Rederived

HELP = "test the compute budget against published trainings, each predicted without its family"
EXAMPLES = """
clipmill backtest
clipmill backtest --json
clipmill backtest runs.csv
"""

_WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "runs",
        nargs="?",
        type=Path,
        metavar="RUNS",
        help="published runs, CSV or TOML (default: the bundled)",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Tests."""
    from transforms.budget.errors import BudgetUsageError
    from transforms.budget.evidence.backtest import backtest
    from transforms.budget.evidence.comparing import compare
    from transforms.budget.evidence.reading import read_runs
    from transforms.budget.evidence.rederive import load_published, rederive
    from transforms.budget.facts.library import load_facts

    facts, published = load_facts(), load_published()
    try:
        runs = facts.runs if arguments.runs is None else read_runs(arguments.runs, facts)
    except BudgetUsageError as error:
        raise UsageError(str(error)) from error
    found = backtest(runs, facts)
    unseen = backtest(published.runs if arguments.runs is None else runs, facts, facts.runs)
    comparisons = compare(runs, facts)
    totals = rederive(runs, found.rows, published.interruptions, facts)
    data = {
        **found.as_json(),
        "unseen": {key: unseen.as_json()[key] for key in ("kinds", "rows")},
        "comparisons": [comparison.as_json() for comparison in comparisons],
        "rederived": [total.as_json() for total in totals],
    }
    lines = (
        *_sentences(found),
        "",
        *_table(found.rows),
        "",
        *_notes(found, unseen, comparisons, bundled=arguments.runs is None),
        "",
        *_totals(totals),
    )
    return Outcome(data, lines)


def _sentences(found: "Backtest") -> Iterator[str]:
    from transforms.budget.evidence.words import kind_sentences, stratum_sentences

    for kind, sentence in zip(found.cards, kind_sentences(found), strict=True):
        yield _wrapped(sentence)
        for part in stratum_sentences(found, kind):
            yield _wrapped(f"  of these {part}")


def _table(rows: "tuple[Row, ...]") -> Iterator[str]:
    """One line a run, of at most 100 columns."""
    head = ("run", "family", "hours", "predicted", "80% interval", "error", "in it")
    yield _line(*head)
    for row in rows:
        interval = f"{_short(row.p10)} to {_short(row.p90)}"
        error, inside = f"{row.error:.0%}", "yes" if row.inside else "no"
        yield _line(row.name, row.family, _short(row.actual), _short(row.predicted), interval, error, inside)


def _line(name: str, family: str, hours: str, predicted: str, interval: str, error: str, inside: str) -> str:
    cells = f"{name[:31]:<32}{family[:11]:<12}{hours:>9}{predicted:>11}{interval:>19}"
    return f"{cells}{error:>7}{inside:>7}".rstrip()


def _notes(
    found: "Backtest", unseen: "Backtest", comparisons: "tuple[Comparison, ...]", *, bundled: bool
) -> Iterator[str]:
    """What the table does not hold: runs left out, other evidence, and sanity checks."""
    from transforms.budget.evidence.words import comparison_sentences, left_out, unseen_sentences

    yield from (_wrapped(sentence) for sentence in left_out(found.untested))
    what = "runs that no prior has seen" if bundled else "from the bundled runs of other families"
    yield from (_wrapped(f"{what}: {sentence}") for sentence in unseen_sentences(unseen))
    if found.rows:
        highest = max(found.rows, key=lambda row: row.utilisation)
        yield _wrapped(f"utilisation: at most {highest.utilisation:.1%} of the peak ({highest.name})")
    yield from map(_wrapped, comparison_sentences(comparisons))


def _totals(totals: "tuple[Rederived, ...]") -> Iterator[str]:
    for total in totals:
        if total.quantity in {"accelerator_hours", "days"}:
            continue  # the hours stand in the table, and days go with them
        interval = "" if total.p10 == total.p90 else f" ({total.p10:.3g} to {total.p90:.3g})"
        ours = f"worked out {total.p50:.3g}{interval}"
        quantity = total.quantity.replace("_", " ")
        yield _wrapped(f"{total.name}: {quantity} published {total.published:.3g} {total.unit}, {ours}")
    yield "docs/backtest.md tells how the predictions are made and what they rest on"


def _wrapped(text: str) -> str:
    indent = " " * (len(text) - len(text.lstrip()))
    return fill(text, _WIDTH, initial_indent="", subsequent_indent=f"{indent}  ", break_on_hyphens=False)


def _short(value: float) -> str:
    """Three digits with a word for thousands."""
    for limit, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{word}"
    return f"{value:.3g}"
