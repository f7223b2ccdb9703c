"""The back-test: published runs, each predicted from those of other families."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from transforms.budget.errors import BudgetUsageError
from transforms.budget.evidence.prediction import Prediction, predict
from transforms.budget.evidence.work import Measured, measured, reached, run_flops
from transforms.budget.facts.library import Facts
from transforms.budget.facts.runs import Run


@dataclass(frozen=True, slots=True)
class Card:
    """How well published runs predict others of their kind: to stand beside every estimate.

    Attributes:
        kind: of network.
        strata: sorts of runs it rests on.
        runs: how many there are; 0 = the kind's utilisation is assumed.
        families: of these runs.
        median_error: median of |predicted / published - 1| of accelerator-hours over left-out runs; None
            where no run could be left out.
        coverage: share of the left-out runs inside their 80 % interval; None likewise.
        factor: half-width of the 80 % interval of an unseen family, as a factor either way; None without runs.
    """

    kind: str
    strata: tuple[str, ...]
    runs: int
    families: int
    median_error: float | None
    coverage: float | None
    factor: float | None

    @classmethod
    def empty(cls, kind: str) -> "Card":
        """The card of something that no published run is behind."""
        return cls(kind, (), 0, 0, None, None, None)

    def as_json(self) -> dict[str, object]:
        """The form of `--json`."""
        return {**asdict(self), "strata": list(self.strata)}


@dataclass(frozen=True, slots=True)
class Row:
    """A published run, predicted without its family.

    Attributes:
        name: the run's.
        kind: of network.
        stratum: sort of run.
        family: its family, which the prediction does not know.
        tier: of the source.
        accelerator: what it ran on.
        flops: what it computed.
        utilisation: share of the peak, over the hours as published.
        predicted: accelerator-hours, median.
        p10: their 10 % quantile.
        p90: their 90 % quantile.
        actual: accelerator-hours as published.
    """

    name: str
    kind: str
    stratum: str
    family: str
    tier: str
    accelerator: str
    flops: float
    utilisation: float
    predicted: float
    p10: float
    p90: float
    actual: float

    @property
    def error(self) -> float:
        """|Predicted / published - 1| of accelerator-hours."""
        return abs(self.predicted / self.actual - 1)

    @property
    def inside(self) -> bool:
        """Whether the published hours lie in the 80 % interval."""
        return self.p10 <= self.actual <= self.p90

    def as_json(self) -> dict[str, object]:
        """The form of `backtest --json`."""
        return {**asdict(self), "unit": "h", "error": self.error, "inside": self.inside}


@dataclass(frozen=True, slots=True)
class Backtest:
    """Cards by kind, and the runs behind them.

    Attributes:
        cards: by kind of network.
        strata: the same predictions, by sort of run.
        rows: runs that could be predicted, kind by kind.
        untested: runs that could not, and why.
    """

    cards: dict[str, Card]
    strata: dict[str, Card]
    rows: tuple[Row, ...]
    untested: dict[str, str]

    def as_json(self) -> dict[str, object]:
        """The form of `backtest --json`."""
        return {
            "kinds": {kind: card.as_json() for kind, card in self.cards.items()},
            "strata": {stratum: card.as_json() for stratum, card in self.strata.items()},
            "rows": [row.as_json() for row in self.rows],
            "untested": self.untested,
        }


def backtest(runs: Sequence[Run], facts: Facts, evidence: Sequence[Run] | None = None) -> Backtest:
    """Predicts the accelerator-hours of published runs from those of other families.

    Args:
        runs: what is predicted.
        facts: kinds of network and peaks of accelerators.
        evidence: what it is predicted from; None = the same runs (leave one family out).

    Raises:
        BudgetUsageError: a run names an accelerator that is not known.
    """
    known = runs if evidence is None else evidence
    for run in (*runs, *known):
        if run.accelerator not in facts.accelerators:
            raise BudgetUsageError(f"run {run.name}: accelerator {run.accelerator!r} is unknown")
    cards: dict[str, Card] = {}
    rows: list[Row] = []
    for kind in facts.utilisation:
        found = predicted_rows(kind, runs, known, facts)
        cards[kind] = kind_card(kind, found, known, facts)
        rows += found
    tested = {row.name for row in rows}
    return Backtest(
        cards=cards,
        strata={stratum: _stratum_card(stratum, rows) for stratum in _strata(rows)},
        rows=tuple(rows),
        untested={run.name: _why_not(run, facts) for run in runs if run.name not in tested},
    )


def predicted_rows(kind: str, runs: Sequence[Run], evidence: Sequence[Run], facts: Facts) -> tuple[Row, ...]:
    """Runs of a kind, each predicted from the evidence of other families.

    Args:
        kind: of network.
        runs: what is predicted.
        evidence: what it is predicted from.
        facts: kinds of network and peaks of accelerators.

    Returns:
        In the order of the runs; those without another family to predict them from are left out.
    """
    entry = facts.utilisation[kind]
    wanted, known = measured(runs, entry, facts), measured(evidence, entry, facts)
    predictions: dict[str, Prediction | None] = {}
    for family in dict.fromkeys(item.run.family for item in wanted):
        others = [item for item in known if item.run.family != family]
        predictions[family] = predict(others, facts) if others else None
    pairs = ((item, predictions[item.run.family]) for item in wanted)
    return tuple(_row(kind, item, found) for item, found in pairs if found is not None)


def kind_card(kind: str, rows: Sequence[Row], evidence: Sequence[Run], facts: Facts) -> Card:
    """The card of a kind.

    Args:
        kind: of network.
        rows: runs of the kind, predicted.
        evidence: published runs, of all kinds.
        facts: kinds of network and peaks of accelerators.
    """
    entry = facts.utilisation[kind]
    known = measured(evidence, entry, facts)
    if not known:
        return Card.empty(kind)
    return Card(
        kind=kind,
        strata=(*entry.strata, *entry.step_strata),
        runs=len(known),
        families=len({item.run.family for item in known}),
        median_error=median(row.error for row in rows) if rows else None,
        coverage=_coverage(rows),
        factor=predict(known, facts).factor,
    )


def _row(kind: str, item: Measured, found: Prediction) -> Row:
    """Puts a prediction beside a run: hours go with the reciprocal of utilisation."""
    run, hours = item.run, item.run.accelerator_hours.p50
    share = item.utilisation * found.whole_over_step if item.is_step else item.utilisation
    return Row(
        name=run.name,
        kind=kind,
        stratum=run.stratum,
        family=run.family,
        tier=run.tier,
        accelerator=run.accelerator,
        flops=item.flops,
        utilisation=item.utilisation,
        predicted=hours * share / found.p50,
        p10=hours * share / found.p90,
        p90=hours * share / found.p10,
        actual=hours,
    )


def _strata(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.stratum for row in rows))


def _stratum_card(stratum: str, rows: Iterable[Row]) -> Card:
    """The part of a kind's card that one sort of run makes up."""
    own = [row for row in rows if row.stratum == stratum]
    families = len({row.family for row in own})
    error = median(row.error for row in own)
    return Card(own[0].kind, (stratum,), len(own), families, error, _coverage(own), None)


def _coverage(rows: Sequence[Row]) -> float | None:
    return sum(row.inside for row in rows) / len(rows) if rows else None


def _why_not(run: Run, facts: Facts) -> str:
    """Why a run could not be predicted."""
    kinds = [
        kind
        for kind, entry in facts.utilisation.items()
        if run.stratum in entry.strata or run.stratum in entry.step_strata
    ]
    if not kinds:
        return f"no kind of network rests on stratum {run.stratum}"
    flops = run_flops(run)
    if flops is None:
        return "neither samples nor FLOPs are published"
    share = reached(run, flops, facts)
    if share > 1:
        return f"{share:.0%} of the accelerators' peak: its FLOPs or hours cannot be right"
    return f"no other family of {kinds[0]} to predict it from"
