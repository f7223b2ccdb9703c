"""Priors of utilisation: what an estimate draws, and the card that says how far to trust it."""

from functools import lru_cache

from transforms.budget.evidence.backtest import Card, kind_card, predicted_rows
from transforms.budget.evidence.prediction import predict
from transforms.budget.evidence.work import measured
from transforms.budget.facts.library import Facts
from transforms.budget.facts.values import Fact


def utilisation_prior(facts: Facts, kind: str, parameters: float | None) -> tuple[Fact, Card]:
    """The utilisation that a training of an unseen family of networks reaches.

    Args:
        facts: the facts; the same object is not worked out twice.
        kind: of network, a name in `facts.utilisation`.
        parameters: of the network; None = not a small one.

    Returns:
        10 %, 50 % and 90 % quantiles of the share of the dense BF16 peak over a whole training, and the
        back-test card. Where no run is published, what is assumed and an empty card.
    """
    small = facts.utilisation[kind].small
    if small is not None and parameters is not None and parameters < small.below.p50:
        kind = small.use
    return _prior(_Same(facts), kind)


class _Same:
    """Facts as a key: their dictionaries have no hash, and comparing them would cost more than it saves."""

    __slots__ = ("facts",)

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.facts is self.facts

    def __hash__(self) -> int:
        return id(self.facts)


@lru_cache(maxsize=64)
def _prior(same: _Same, kind: str) -> tuple[Fact, Card]:
    facts = same.facts
    entry = facts.utilisation[kind]
    if entry.mfu is not None:
        return entry.mfu, Card.empty(kind)
    known = measured(facts.runs, entry, facts)
    found = predict(known, facts)
    card = kind_card(kind, predicted_rows(kind, facts.runs, facts.runs, facts), facts.runs, facts)
    prior = Fact(
        p10=found.p10,
        p50=found.p50,
        p90=found.p90,
        unit="share",
        source=f"an unseen family, predicted from the published ones: {card.runs} runs, {card.families} in number",
        as_of=max(item.run.accelerator_hours.as_of for item in known),
        kind="estimate",
    )
    return prior, card
