"""The back-test as a page: `python -m transforms.budget.evidence.describe > docs/backtest.md`."""

import sys
from collections.abc import Iterable, Iterator, Sequence

from transforms.budget.amounts import short
from transforms.budget.evidence.backtest import Backtest, Row, backtest
from transforms.budget.evidence.comparing import Comparison, compare
from transforms.budget.evidence.prediction import predict
from transforms.budget.evidence.priors import utilisation_prior
from transforms.budget.evidence.rederive import Rederived, load_published, rederive
from transforms.budget.evidence.words import (
    comparison_sentences,
    kind_sentences,
    left_out,
    stratum_sentences,
    unseen_sentences,
)
from transforms.budget.evidence.work import measured
from transforms.budget.facts.library import Facts, load_facts

_INTRODUCTION = """\
# The back-test

This page is made from the published runs by `make docs`; `clipmill backtest` prints the same figures, and
`clipmill backtest RUNS` those of a file of your own (CSV, or TOML in the form of `transforms/budget/facts/runs.toml`).

Each run is predicted from those of *other families* (teams and their code): runs of one family resemble each other
more than the next training will resemble any of them. An error is |predicted / published - 1| of accelerator-hours.
"""

_METHOD = """\
## How it is predicted

Accelerator-hours are FLOPs / (dense BF16 peak · utilisation). FLOPs are 6·N·D + 6·L·d·s·D (causal attention) or
3 · forward · samples, without recomputation. Utilisation is that of all hours, downtime included.

A run's utilisation is log-normal about its family's median, and a family's about the kind's (the random-effects model of
meta-analysis). Both spreads, and the kind's median, are uncertain where there are two to ten families: the prediction
is averaged over all values that the published runs allow (half-normal priors of one scale, a factor of {scale:g},
for all kinds: the one under which left-out families are most likely). So a kind of few families has a wide interval,
and a family of many runs does not outvote the others.

Measurements of single steps hold no downtime. They count as trainings that lose what trainings lose: over those that publish
both hours and the MFU of their steps, the utilisation of all hours is {share:.2f} of the MFU (geometric mean over families,
the predicted family left out). Published MFUs count attention in full, and so does this comparison.

Known weaknesses: the hours of Pythia are iterations times their time, without downtime, and count as they are. Three families of
vision networks say little of the fourth. Nothing here tells how utilisation depends on the accelerator: a plain prior
by kind predicts these runs as well as a regression does.
"""


def describe() -> str:
    """The page, as Markdown."""
    facts, published = load_facts(), load_published()
    found = backtest(facts.runs, facts)
    unseen = backtest(published.runs, facts, facts.runs)
    comparisons = compare((*facts.runs, *published.runs), facts)
    totals = rederive(facts.runs, found.rows, published.interruptions, facts)
    known = measured(facts.runs, facts.utilisation["language"], facts)
    method = _METHOD.format(scale=facts.family_spread.p50, share=predict(known, facts).whole_over_step)
    return "\n".join(
        [
            _INTRODUCTION,
            *_sentences(found),
            "",
            method,
            *_priors(facts),
            "",
            "## Runs, each predicted without its family\n",
            *_rows(found.rows),
            "",
            *(f"- {sentence}" for sentence in left_out(found.untested)),
            "",
            *_outside(unseen),
            "",
            *_checks(found, comparisons),
            "",
            *_totals(totals),
            "",
        ]
    )


def _sentences(found: Backtest) -> Iterator[str]:
    for kind, sentence in zip(found.cards, kind_sentences(found), strict=True):
        yield f"- {sentence}"
        yield from (f"  - of these {part}" for part in stratum_sentences(found, kind))


def _priors(facts: Facts) -> Iterator[str]:
    """What estimates draw."""
    yield "| kind | utilisation, 10 % | median | 90 % | families | runs |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for kind in facts.utilisation:
        prior, card = utilisation_prior(facts, kind, None)
        quantiles = f"{prior.p10:.1%} | {prior.p50:.1%} | {prior.p90:.1%}"
        behind = f"{card.families} | {card.runs}" if card.runs else "assumed | 0"
        yield f"| {kind} | {quantiles} | {behind} |"


def _rows(rows: Iterable[Row]) -> Iterator[str]:
    yield "| run | family | accelerator | utilisation | hours | predicted | 80 % interval | error | in it |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in rows:
        interval = f"{short(row.p10)} to {short(row.p90)}"
        told = f"{short(row.actual)} | {short(row.predicted)} | {interval} | {row.error:.0%}"
        inside = "yes" if row.inside else "no"
        yield f"| {row.name} | {row.family} | {row.accelerator} | {row.utilisation:.1%} | {told} | {inside} |"


def _outside(unseen: Backtest) -> Iterator[str]:
    yield "## Runs that no prior has seen\n"
    yield "They are kept out of the priors to try them on (`transforms/budget/evidence/published.toml`).\n"
    yield from (f"- {sentence}" for sentence in unseen_sentences(unseen))
    yield ""
    yield from _rows(unseen.rows)


def _checks(found: Backtest, comparisons: Sequence[Comparison]) -> Iterator[str]:
    highest = max(found.rows, key=lambda row: row.utilisation)
    yield "## Sanity checks\n"
    yield f"- No run passes its accelerators' peak: {highest.name} comes nearest with {highest.utilisation:.1%}."
    yield from (f"- {sentence}." for sentence in comparison_sentences(comparisons))
    yield "- Published FLOPs that hold recomputation are up to a third higher than ours: those of OPT are 4/3 of them."


def _totals(totals: Iterable[Rederived]) -> Iterator[str]:
    yield "## Published totals, worked out anew\n"
    yield "Hours stand in the tables above; days are these hours over the number of accelerators.\n"
    yield "| training | quantity | published | worked out | 80 % interval | error | how |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for total in totals:
        if total.quantity == "accelerator_hours":
            continue
        interval = "" if total.p10 == total.p90 else f"{short(total.p10)} to {short(total.p90)}"
        told = f"{short(total.published)} {total.unit} | {short(total.p50)} | {interval} | {total.error:.1%}"
        yield f"| {total.name} | {total.quantity.replace('_', ' ')} | {told} | {total.method} |"


if __name__ == "__main__":
    sys.stdout.write(describe())
