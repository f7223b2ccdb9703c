"""What a back-test says, in sentences."""

from collections.abc import Iterable, Iterator

from transforms.budget.amounts import short
from transforms.budget.evidence.backtest import Backtest, Card
from transforms.budget.evidence.comparing import Comparison


def kind_sentences(found: Backtest) -> Iterator[str]:
    """One sentence per kind of network."""
    return map(card_sentence, found.cards.values())


def card_sentence(card: Card) -> str:
    """How well a kind's published runs predict those of another family."""
    if card.runs == 0:
        return f"{card.kind}: no published run with hours and FLOPs: nothing tests what is assumed"
    behind = f"{_counted(card.runs, 'published run')} of {_families(card.families)}"
    width = "" if card.factor is None else f"; an unseen family lies within x/÷ {card.factor:.2f} (80%)"
    return f"{card.kind}: {behind}; {_success(card)}{width}"


def stratum_sentences(found: Backtest, kind: str) -> Iterator[str]:
    """One sentence per sort of run, where a kind has several."""
    own = {stratum: card for stratum, card in found.strata.items() if card.kind == kind}
    if len(own) > 1:
        for stratum, card in own.items():
            yield f"{stratum}: {_counted(card.runs, 'run')} of {_families(card.families)}; {_success(card)}"


def unseen_sentences(found: Backtest) -> Iterator[str]:
    """One sentence per kind of which runs were predicted from other evidence."""
    for kind, card in found.cards.items():
        own = [row for row in found.rows if row.kind == kind]
        if own:
            behind = f"{_counted(len(own), 'run')} of {_families(len({row.family for row in own}))}"
            yield f"{kind}: {behind}; {_success(card)}"


def comparison_sentences(comparisons: Iterable[Comparison]) -> Iterator[str]:
    """Published MFUs and FLOPs against ours: those of steps together, the others one by one."""
    told = list(comparisons)
    steps = [item for item in told if item.quantity == "mfu" and item.like_for_like]
    if steps:
        worst = max(abs(item.ratio - 1) for item in steps)
        yield f"MFU of {_counted(len(steps), 'measurement')} of steps: ours is within {worst:.1%} of the published"
    for item in told:
        if item in steps:
            continue
        name = "MFU" if item.quantity == "mfu" else "FLOPs"
        figures = f"published {name} {short(item.published)}, ours {short(item.ours)}"
        yield f"{item.name}: {figures} ({item.convention})"


def left_out(untested: dict[str, str]) -> Iterator[str]:
    """Why runs were not predicted, each reason once."""
    for reason in dict.fromkeys(untested.values()):
        names = ", ".join(name for name, why in untested.items() if why == reason)
        yield f"not predicted: {names}: {reason}"


def _success(card: Card) -> str:
    if card.median_error is None or card.coverage is None:
        return "no other family to predict them from"
    return f"half of them are predicted within {card.median_error:.0%}, {card.coverage:.0%} lie in the 80% interval"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _families(number: int) -> str:
    return "1 family" if number == 1 else f"{number} families"
