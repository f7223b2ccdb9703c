"""The comparison that every programme makes: twice the data against a network of twice the size."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Final

from transforms.budget.amounts import interval
from transforms.budget.arrays import FloatArray
from transforms.budget.demand.workloads import demand_of
from transforms.budget.estimates import Quantity, summary
from transforms.budget.evaluating import Evaluation, Scenario, evaluate
from transforms.budget.facts.library import Facts
from transforms.budget.facts.networks import GraphNetwork, Network, TransformerNetwork
from transforms.budget.facts.values import Fact
from transforms.budget.placing import Question, Training

COMPARED: Final = ("accelerator_hours", "training_days", "cost_usd")
"""Quantities whose ratios are told."""

_LANGUAGE: Final = "language"
_DRIVING: Final = "driving"


@dataclass(frozen=True, slots=True)
class Split:
    """What the scaling law of a field makes of twice the compute.

    Attributes:
        field: language or driving.
        parameters: factor by which the best network grows.
        data: factor by which its best data set grows.
        source: of the law.
    """

    field: str
    parameters: float
    data: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubling:
    """Twice the data against twice the network.

    Attributes:
        data: by quantity, the ratio of a training on twice the data to this one.
        network: the same of a network of twice the parameters; None where no layout of it fits.
        used: accelerators that this training uses, and that the larger network's does.
        split: what the scaling law makes of twice the compute.
        reason: why there are no ratios of the network; None where there are.
    """

    data: dict[str, Quantity]
    network: dict[str, Quantity] | None
    used: tuple[int, int]
    split: Split
    reason: str | None

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return asdict(self)

    def sentences(self) -> tuple[str, str]:
        """The answer, and what the scaling law says."""
        bigger = _costs(self.network) if self.network else self.reason
        larger = f"{self.split.parameters:.2f} x the parameters and {self.split.data:.2f} x the data"
        return (
            f"twice the data: {_costs(self.data)}; twice the network: {bigger}",
            f"twice the compute goes best into {larger} ({self.split.field})",
        )


def doubling(question: Question, training: Training, scenario: Scenario, found: Evaluation) -> Doubling:
    """Compares twice the data with twice the network, on the same draws; batch and context stay.

    Args:
        question: what is asked.
        training: what is trained.
        scenario: the training on a pool.
        found: its evaluation; the training computes something.
    """
    facts, figures = question.facts, question.figures
    workload, network = training.workload, training.network
    more = partial(demand_of, facts, workload, network, figures.times(2), precision=question.precision)
    grown = facts.model_copy(update={"networks": {**facts.networks, network: twice(facts.networks[network])}})
    larger = partial(demand_of, grown, workload, network, figures, precision=question.precision)
    by_data = evaluate(replace(scenario, demand=more), question.draws)
    by_size = evaluate(replace(scenario, demand=larger), question.draws)
    layouts = by_size.layouts
    fits = layouts is None or layouts.best is not None
    return Doubling(
        data=_ratios(by_data.values, found.values),
        network=_ratios(by_size.values, found.values) if fits else None,
        used=(found.used, by_size.used),
        split=best_split(facts, facts.networks[network].utilisation),
        reason=layouts.reasons[0] if layouts is not None and not fits else None,
    )


def twice(network: Network) -> Network:
    """A network of twice the parameters.

    Depth and width each grow with the cube root of the size, N being about 12 L d²: work per token or frame
    doubles but for attention, and activations, which go with L·d, grow by 2^(2/3).

    Args:
        network: the network.
    """
    side = 2 ** (1 / 3)
    if isinstance(network, TransformerNetwork):
        return network.model_copy(
            update={
                "parameters": _scaled(network.parameters, 2),
                "active_parameters": _scaled(network.active_parameters, 2),
                "layers": _scaled(network.layers, side),
                "width": _scaled(network.width, side),
            }
        )
    return _twice_graph(network, side)


def _twice_graph(network: GraphNetwork, side: float) -> GraphNetwork:
    factors = {
        "parameters": 2,
        "forward": 2,
        "forward_per_pixel": 2,
        "activations": side**2,
        "activations_per_pixel": side**2,
    }
    known = {name: fact for name in factors if (fact := getattr(network, name)) is not None}
    return network.model_copy(update={name: _scaled(fact, factors[name]) for name, fact in known.items()})


def _scaled(fact: Fact, factor: float) -> Fact:
    quantiles = {name: getattr(fact, name) * factor for name in ("p10", "p50", "p90")}
    return fact.model_copy(update=quantiles)


def best_split(facts: Facts, kind: str) -> Split:
    """What the scaling law of a field makes of twice the compute.

    Args:
        facts: the facts.
        kind: of network; language has a law of its own, all that sees goes by that of driving.
    """
    field = _LANGUAGE if kind.startswith(_LANGUAGE) else _DRIVING
    law = facts.scaling[field]
    return Split(
        field=field,
        parameters=2**law.parameters_exponent.p50,
        data=2**law.data_exponent.p50,
        source=law.parameters_exponent.source,
    )


def _ratios(values: Mapping[str, FloatArray], base: Mapping[str, FloatArray]) -> dict[str, Quantity]:
    return {name: summary(values[name] / base[name], "1") for name in COMPARED}


def _costs(ratios: Mapping[str, Quantity]) -> str:
    ratio = ratios["cost_usd"]
    return f"cost x {interval(ratio.p10, ratio.p50, ratio.p90, '1')}"
