"""Published totals, worked out anew: hours, days, energy, failures and goodput."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from tomllib import loads
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from transforms.budget.costs import energy_kwh
from transforms.budget.evidence.backtest import Row
from transforms.budget.facts.library import Facts
from transforms.budget.facts.runs import Days, Run
from transforms.budget.facts.values import Count, Fact, Record, Share, inherit, measured_in
from transforms.budget.supply.failures import goodput, mean_time_between_failures_h

_HOURS_PER_DAY = 24.0
_SECONDS_PER_HOUR = 3600.0

Interrupted = Annotated[Fact, AfterValidator(measured_in("interruptions", 1, 1e6))]


class Interruptions(Record):
    """What stopped a published training.

    Attributes:
        name: the training.
        accelerators: that trained together.
        days: for how long they were watched.
        unexpected: interruptions that nobody had planned.
        effective_share: share of that time which was training, at least.
    """

    name: str
    accelerators: Count
    days: Days
    unexpected: Interrupted
    effective_share: Share


class Published(BaseModel):
    """Published figures that no prior rests on.

    Attributes:
        runs: trainings that are kept out of the priors to try them on.
        interruptions: what stopped trainings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    runs: tuple[Run, ...]
    interruptions: tuple[Interruptions, ...]


@dataclass(frozen=True, slots=True)
class Rederived:
    """A published total beside ours.

    Attributes:
        name: of the training.
        quantity: what was published.
        unit: of the four values.
        published: the published value.
        p10: ours, 10 % quantile; the same as the median where nothing is uncertain.
        p50: ours, median.
        p90: ours, 90 % quantile.
        method: how ours was worked out.
    """

    name: str
    quantity: str
    unit: str
    published: float
    p10: float
    p50: float
    p90: float
    method: str

    @property
    def error(self) -> float:
        """|Ours / published - 1|, of the median."""
        return abs(self.p50 / self.published - 1)

    def as_json(self) -> dict[str, object]:
        """The form of `backtest --json`."""
        return {**asdict(self), "error": self.error}


@cache
def load_published() -> Published:
    """The published figures that come with this package and that no prior rests on."""
    text = (
        resources.files("transforms.budget.evidence").joinpath("published.toml").read_text(encoding="utf-8")
    )
    return Published.model_validate(inherit(loads(text)))


def rederive(
    runs: Iterable[Run], rows: Sequence[Row], interruptions: Iterable[Interruptions], facts: Facts
) -> tuple[Rederived, ...]:
    """Works out published totals from what else is published.

    Args:
        runs: published runs.
        rows: their back-test: the prediction of each knows nothing of its family.
        interruptions: what stopped trainings.
        facts: the rate of failures, and the time that checkpoints and restarts take.

    Returns:
        Hours and days of whole trainings, energies, times between failures and goodputs, in this order.
    """
    by_name = {run.name: run for run in runs}
    return (
        *(total for row in rows for total in _time(by_name[row.name], row, facts)),
        *(total for run in by_name.values() for total in _energy(run)),
        *(total for item in interruptions for total in _failures(item, facts)),
    )


def _time(run: Run, row: Row, facts: Facts) -> Iterator[Rederived]:
    """Hours from network, samples and accelerator; days where the number of accelerators is known."""
    if run.stratum in facts.utilisation[row.kind].step_strata:
        return
    method = "FLOPs over the peak and the prior without its family"
    yield Rederived(run.name, "accelerator_hours", "h", row.actual, row.p10, row.predicted, row.p90, method)
    if run.accelerator_count is None or run.wall_days is None:
        return
    share = 1 / (run.accelerator_count.p50 * _HOURS_PER_DAY)
    days = (row.p10 * share, row.predicted * share, row.p90 * share)
    yield Rederived(
        run.name, "days", "d", run.wall_days.p50, *days, f"{method}, on {run.accelerator_count.p50:,.0f}"
    )


def _energy(run: Run) -> Iterator[Rederived]:
    """Energy from published hours, and power and overhead measured in the same training."""
    if run.energy is None or run.server_power is None or run.power_usage_effectiveness is None:
        return
    hours, watts, overhead = (
        run.accelerator_hours.p50,
        run.server_power.p50,
        run.power_usage_effectiveness.p50,
    )
    energy = energy_kwh(hours, watts, overhead) / 1000
    method = f"{hours:,.0f} h x {watts:g} W x PUE {overhead:g}, all published"
    yield Rederived(run.name, "energy", "MWh", run.energy.p50, energy, energy, energy, method)


def _failures(item: Interruptions, facts: Facts) -> Iterator[Rederived]:
    """Time between failures from the facts' rate, and goodput from the published failures."""
    count, known = item.accelerators.p50, facts.reliability
    rate = known.failure_rate
    between = item.days.p50 * _HOURS_PER_DAY / item.unexpected.p50
    p10, p50, p90 = (
        mean_time_between_failures_h(quantile, count) for quantile in (rate.p90, rate.p50, rate.p10)
    )
    method = f"1 / ({rate.p50:g} an accelerator-hour x {count:,.0f})"
    yield Rederived(item.name, "time_between_failures", "h", between, p10, p50, p90, method)
    pairs = (
        (known.checkpoint_write.p90, known.restart.p90),
        (known.checkpoint_write.p50, known.restart.p50),
        (known.checkpoint_write.p10, known.restart.p10),
    )
    p10, p50, p90 = (float(goodput(write, restart, between * _SECONDS_PER_HOUR)) for write, restart in pairs)
    method = "Young and Daly, from the published failures; slow to fast checkpoints and restarts; published as a lower bound"
    yield Rederived(item.name, "goodput", "share", item.effective_share.p50, p10, p50, p90, method)
