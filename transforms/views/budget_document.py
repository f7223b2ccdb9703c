"""What `clipmill budget --json` prints, as records: the input of the budget's page.

A key that is null or missing is None or empty here, and keys that the page does not know are left out; a value
of the wrong type is an error.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator


def _without_nulls(value: object) -> object:
    return (
        {key: its for key, its in value.items() if its is not None} if isinstance(value, Mapping) else value
    )


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, data: object) -> object:
        return _without_nulls(data)


class Quantiles(_Record):
    """A range.

    Attributes:
        p10: 10 % quantile.
        p50: median.
        p90: 90 % quantile.
    """

    p10: float
    p50: float
    p90: float


class Quantity(Quantiles):
    """A range with its unit."""

    unit: str = ""


Quantities = Annotated[dict[str, Quantity], BeforeValidator(_without_nulls)]


class Allocation(_Record):
    """The part of a pool that a training gets (`available`) and uses, and what keeps it from using more."""

    available: int | None = None
    used: int | None = None
    kind: str = ""
    limited_by: str = ""


class Layout(_Record):
    """How a training is spread over accelerators; memory in bytes an accelerator, bubble and efficiency as shares."""

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    zero_stage: int | None = None
    recomputation: str = ""
    micro_batch: float | None = None
    micro_batches: float | None = None
    memory_bytes: float | None = None
    bubble: float | None = None
    step_seconds: float | None = None
    efficiency: float | None = None


class Layouts(_Record):
    """The best layout, the runner-up, and why."""

    best: Layout | None = None
    runner_up: Layout | None = None
    reasons: tuple[str, ...] = ()


class Effect(_Record):
    """A quantity with an input at its 10 % and its 90 % quantile; `median`: with all inputs at their medians."""

    low: float
    high: float
    median: float | None = None


class Driver(_Record):
    """An uncertain input, its range, and what it does to each quantity."""

    name: str
    unit: str = ""
    low: float
    high: float
    accelerator_hours: Effect | None = None
    training_days: Effect | None = None
    cost_usd: Effect | None = None


class Check(_Record):
    """A sanity check with its figures in words."""

    name: str
    holds: bool
    says: str = ""


class Chance(_Record):
    """The probability that a limit is met."""

    limit: str
    value: float
    unit: str = ""
    probability: float


class Backtest(_Record):
    """How well published runs of a kind of network are predicted; errors and coverage as shares."""

    kind: str = ""
    runs: int = 0
    families: int = 0
    median_error: float | None = None
    coverage: float | None = None
    factor: float | None = None


class Assumption(_Record):
    """An input with its provenance."""

    name: str
    value: float | Quantiles | str | None = None
    unit: str = ""
    kind: str = ""
    source: str = ""


class Estimate(_Record):
    """A training on one pool of accelerators."""

    workload: str | None = None
    network: str | None = None
    cluster: str | None = None
    phase: str | None = None
    as_of: str = ""
    accelerator: str | None = None
    accelerator_count: int | None = None
    quantities: Quantities = {}
    also: Quantities = {}
    programme_year: Quantities = {}
    feasible: bool
    reasons: tuple[str, ...] = ()
    change: str = ""
    stands_in: str = ""
    allocation: Allocation | None = None
    layout: Layouts | None = None
    reliability: Quantities = {}
    drivers: tuple[Driver, ...] = ()
    data_share: float | None = None
    checks: tuple[Check, ...] = ()
    chances: tuple[Chance, ...] = ()
    backtest: Backtest | None = None
    evidence: int | None = None
    assumptions: tuple[Assumption, ...] = ()

    @property
    def target(self) -> str:
        """What it is trained on, in a few words."""
        count = "" if self.accelerator_count is None else f"{self.accelerator_count:,} "
        pool = f"{count}{self.accelerator}" if self.accelerator else "no known accelerators"
        return f"{self.cluster}: {pool}" if self.cluster else pool

    @property
    def training(self) -> str:
        """What is trained, in a word."""
        return self.workload or self.network or "training"


class LabellingMode(_Record):
    """What labelling the footage takes at one rate of frames; `decode_share` of it is decoding."""

    name: str
    frames_per_second: float | None = None
    core_hours: Quantity | None = None
    cost_usd: Quantity | None = None
    days: Quantity | None = None
    decode_share: float | None = None


class Labelling(_Record):
    """The labelling's cost by mode on a machine, and how the money parts between labelling and training."""

    run_id: str = ""
    machine: str = ""
    frames_per_second_per_core: float | None = None
    camera_hours_per_core_hour: float | None = None
    modes: tuple[LabellingMode, ...] = ()
    share: dict[str, dict[str, float]] = {}


class Asked(_Record):
    """What a meeting asks about a workload, in sentences."""

    workload: str = ""
    sentences: tuple[str, ...] = ()


class BudgetDocument(_Record):
    """All that one command found."""

    headline: str = ""
    notes: tuple[str, ...] = ()
    dataset: str | None = None
    figures: dict[str, object] | None = None
    fleet: dict[str, object] | None = None
    facts_as_of: str = ""
    seed: int | None = None
    draws: int | None = None
    uplink: dict[str, object] | None = None
    labelling: Labelling | None = None
    network: dict[str, object] | None = None
    questions: tuple[Asked, ...] = ()
    estimates: tuple[Estimate, ...]
    assumptions: tuple[Assumption, ...] = ()
