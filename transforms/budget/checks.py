"""Sanity checks that stand beside every estimate: arithmetic that anyone can follow."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from transforms.budget.amounts import short
from transforms.budget.costs import accelerator_hours
from transforms.budget.evaluating import Evaluation, Scenario
from transforms.budget.facts.values import Fact
from transforms.budget.supply.failures import failures_expected
from transforms.budget.supply.loader import wanted_rate

_MEMORISED: Final = 1.0
"""Tokens a parameter below which a network can hold all it has seen."""

_OPTIMAL: Final = 20.0
"""Tokens a parameter of compute-optimal language networks (Hoffmann et al., arXiv:2203.15556)."""

_HAND: Final = 2.0
"""Factor within which the hand formula must lie."""


@dataclass(frozen=True, slots=True)
class Check:
    """A sanity check.

    Attributes:
        name: what is checked.
        holds: whether it holds.
        says: the figures, in words.
    """

    name: str
    holds: bool
    says: str


def checks(
    scenario: Scenario, found: Evaluation, power_mw: float, facility: Fact | None
) -> tuple[Check, ...]:
    """All checks that apply to an estimate.

    Args:
        scenario: a training on a target.
        found: its evaluation.
        power_mw: median power of the accelerators used, with the facility's overhead.
        facility: power of the site; None where unknown.
    """
    return tuple(_checks(scenario, found, power_mw, facility))


def _checks(scenario: Scenario, found: Evaluation, power_mw: float, facility: Fact | None) -> Iterator[Check]:
    highest = float(found.utilisation.max())
    yield Check("utilisation", highest <= 1, f"at most {highest:.0%} of the peak in any draw")
    yield from _sizes(found)
    if facility is not None:
        says = f"{short(power_mw)} MW of {facility.p10:g} to {facility.p90:g} MW"
        yield Check("power against the site", power_mw <= facility.p90, says)
    yield _money(scenario, found)
    if found.interruptions is not None:
        yield _failures(found)
    if found.feed is not None and found.demand.fed_hours is not None:
        loaded, computed = float(np.median(found.loader_days)), float(np.median(found.compute_days))
        wanted = found.feed.says(wanted_rate(found.demand.fed_hours, found.compute_days))
        yield Check(
            "loader",
            loaded <= computed,
            f"{short(loaded)} days of reading, {short(computed)} of computing; {wanted}",
        )
    yield from _by_hand(scenario, found)


def _sizes(found: Evaluation) -> Iterator[Check]:
    training, tokens = found.demand.shape, found.demand.tokens
    if tokens is not None and training is not None:
        ratio = float(np.median(tokens)) / training.active_parameters
        says = f"{short(ratio)} tokens a parameter; {_OPTIMAL:g} are compute-optimal for language"
        yield Check("tokens per parameter", ratio >= _MEMORISED, says)
    if training is None:
        return
    samples = float(np.median(found.demand.flops)) / training.flops
    steps = samples / training.batch
    says = f"{short(samples)} samples in batches of {short(training.batch)}: {short(steps)} steps"
    yield Check("steps", steps >= 1, says)
    share = training.batch * training.context / found.used
    unit = "tokens" if training.context > 1 else "frames"
    yield Check(f"{unit} per accelerator and step", share >= 1, f"{short(share)} a step")


def _money(scenario: Scenario, found: Evaluation) -> Check:
    capital = scenario.facts.accelerators[scenario.target.accelerator].capital.p50 * found.used
    cost = float(np.median(found.values["cost_usd"]))
    says = f"{short(cost)} dollars; the accelerators used cost {short(capital)}"
    return Check("dollars against capital", cost <= capital, says)


def _failures(found: Evaluation) -> Check:
    assert found.interruptions is not None
    mtbf_h = float(np.median(found.interruptions.mtbf_h))
    interval_h = float(np.median(found.interruptions.checkpoint_s)) / 3600
    wall_h = float(np.median(found.values["training_days"])) * 24
    says = f"{short(failures_expected(wall_h, mtbf_h))} failures expected in {short(wall_h)} h, one in {short(mtbf_h)} h"
    return Check("wall time against failures", interval_h < mtbf_h, says)


def _by_hand(scenario: Scenario, found: Evaluation) -> Iterator[Check]:
    """Work and attention of the median network on the median data, over the median rate."""
    training = found.demand.shape
    if training is None or found.demand.precision != "bf16":
        return
    medians = {item.name: item.p50 for item in found.inputs.assumptions}
    flops = float(np.median(found.demand.flops))
    if found.demand.tokens is not None:
        flops = training.flops / training.context * float(np.median(found.demand.tokens))
    utilisation = min(medians["utilisation"], medians.get("utilisation_of_accelerator", 1.0))
    peak = scenario.facts.accelerators[scenario.target.accelerator].bf16_dense.p50
    hand = accelerator_hours(flops, peak, utilisation)
    hours = float(np.median(found.compute_days * found.at_work)) * 24
    says = f"{short(hand)} accelerator-hours of computing by hand, {short(hours)} here"
    yield Check("hand formula within 2 x", hand / _HAND <= hours <= hand * _HAND, says)
