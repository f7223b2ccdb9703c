"""Published training runs: what the utilisation priors rest on, and what they are tested against."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from transforms.budget.facts.values import (
    Count,
    Fact,
    Kind,
    Parameters,
    Power,
    Ratio,
    Record,
    Share,
    measured_in,
)

Hours = Annotated[Fact, AfterValidator(measured_in("h", 1e-4, 1e10))]
Days = Annotated[Fact, AfterValidator(measured_in("d", 1e-6, 1e4))]
Work = Annotated[Fact, AfterValidator(measured_in("FLOP", 1e6, 1e28))]
Electricity = Annotated[Fact, AfterValidator(measured_in("MWh", 0.01, 1e8))]
Length = Annotated[Fact, AfterValidator(measured_in("1", 1, 1e7))]
Samples = Annotated[Fact, AfterValidator(measured_in("samples", 1, 1e17))]


class Run(Record):
    """A published training run.

    Attributes:
        name: the network's.
        year: of publication.
        stratum: sort of network; utilisation priors name those behind them.
        family: runs of one team and one code; intervals are tested by leaving out a family.
        tier: A primary source, B rounded or secondary, C assumed in part.
        accelerator: what it ran on.
        accelerator_count: how many.
        accelerator_hours: all of them together.
        accelerator_hours_kind: how the hours are known.
        wall_days: from start to end.
        parameters: of the network.
        active_parameters: those that work on a token.
        samples: tokens, images or image-text pairs, repetitions counted.
        sample_unit: which of them.
        sequence: tokens of a sequence.
        layers: of the network.
        width: of the network.
        forward_flops: of one sample, where the network is given as a graph.
        train_flops: as published.
        mfu: as published.
        energy: as published.
        energy_kind: whether it was measured, or is hours times a nominal power (circular).
        server_power: of the server, for each of its accelerators, as measured in this training.
        power_usage_effectiveness: of its building, as published.
        notes: what else to know.
    """

    name: str
    year: int
    stratum: str
    family: str
    tier: Literal["A", "B", "C"]
    accelerator: str
    accelerator_count: Count | None = None
    accelerator_hours: Hours
    accelerator_hours_kind: str
    wall_days: Days | None = None
    parameters: Parameters
    active_parameters: Parameters | None = None
    samples: Samples | None = None
    sample_unit: str
    sequence: Length | None = None
    layers: Length | None = None
    width: Length | None = None
    forward_flops: Work | None = None
    train_flops: Work | None = None
    mfu: Share | None = None
    energy: Electricity | None = None
    energy_kind: str = ""
    server_power: Power | None = None
    power_usage_effectiveness: Ratio | None = None
    notes: str = ""
    source: str
    kind: Kind
