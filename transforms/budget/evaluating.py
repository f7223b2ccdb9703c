"""Evaluating: one training on one set of accelerators, by draw."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from transforms.budget.arrays import FloatArray
from transforms.budget.costs import Site, accelerator_hours, quantities
from transforms.budget.demand.footage import BITS_PER_BYTE
from transforms.budget.demand.workloads import Demand
from transforms.budget.draws import Inputs, NormalDraws
from transforms.budget.evidence.backtest import Card
from transforms.budget.evidence.priors import utilisation_prior
from transforms.budget.facts.library import Facts
from transforms.budget.supply.communication import Machine
from transforms.budget.supply.failures import (
    checkpoint_interval_s,
    goodput,
    mean_time_between_failures_h,
)
from transforms.budget.supply.layout import Layouts, choose_layout
from transforms.budget.supply.loader import Feed, feed, loader_days
from transforms.budget.supply.sizing import economical_layout


@dataclass(frozen=True, slots=True)
class Target:
    """Accelerators that a training can have.

    Attributes:
        accelerator: what they are.
        available: how many: the pool, or the part of it that was asked for.
        place: whose electricity.
        owned: whether they are written off (a cluster) or rented.
        day: the date of prices.
        asked: whether all are used that shorten the training, since so many were asked for or a deadline is to
            be met; if not, as many as pay off.
        counted: whether `available` is known; if not, hours are those of one, and days mean little.
    """

    accelerator: str
    available: int
    place: str
    owned: bool
    day: date
    asked: bool
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Scenario:
    """One training on one target: everything but the draws.

    Attributes:
        facts: the facts.
        demand: what is computed, given where draws come from.
        target: on what.
    """

    facts: Facts
    demand: Callable[[Inputs], Demand]
    target: Target


@dataclass(frozen=True, slots=True)
class Interruptions:
    """Failures of the accelerators that a training uses; arrays are float64[draws].

    Attributes:
        mtbf_h: mean time between failures, in hours.
        checkpoint_s: best interval between checkpoints, in seconds.
        goodput: share of the days that is progress.
        beyond_evidence: the same over the goodput of trainings like the published ones, whose hours (and so the
            utilisation) hold their own failures; 1 at most.
    """

    mtbf_h: FloatArray
    checkpoint_s: FloatArray
    goodput: FloatArray
    beyond_evidence: FloatArray


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A scenario by draw; arrays are float64[draws].

    Attributes:
        values: by quantity, in the units of `costs.UNITS`.
        demand: what is computed.
        used: accelerators that the training can make use of, at the medians.
        at_work: the same by draw: a larger critical batch has work for more.
        progress: share of the days that is progress, over what it is in the published runs.
        layouts: how it is laid out over them; None where the network's shape is unknown.
        feed: what the loader can give; None where no video is read.
        utilisation: share of the dense BF16 peak, bounded by the layout.
        compute_days: without waiting for data, and without failures.
        loader_days: the least that reading and decoding takes; 0 where nothing is read.
        interruptions: failures and checkpoints; None where the count is unknown.
        programme: what a year of work computes, in units of this run.
        card: how well the utilisation's kind predicts published runs; none are behind it where its runs are 0.
        inputs: what was used, with its provenance.
    """

    values: dict[str, FloatArray]
    demand: Demand
    used: int
    at_work: FloatArray
    progress: FloatArray
    layouts: Layouts | None
    feed: Feed | None
    utilisation: FloatArray
    compute_days: FloatArray
    loader_days: FloatArray
    interruptions: Interruptions | None
    programme: FloatArray
    card: Card
    inputs: Inputs

    @property
    def limited_by(self) -> str | None:
        """What keeps the training from using more accelerators, as `estimates.Allotment` tells it."""
        if np.median(self.loader_days) > np.median(self.compute_days):
            return "loader"
        return self.layouts.limited_by if self.layouts else "accelerators"

    @property
    def power_mw(self) -> FloatArray:
        """Mean power of the facility for the accelerators used, while the training runs, float64[draws]."""
        power: FloatArray = self.values["energy_mwh"] / (self.values["training_days"] * 24)
        return power


def evaluate(scenario: Scenario, draws: NormalDraws) -> Evaluation:
    """Evaluates a scenario.

    Args:
        scenario: a training on a target.
        draws: where uncertainty comes from.
    """
    facts, target = scenario.facts, scenario.target
    inputs = Inputs(draws)
    demand = scenario.demand(inputs)
    accelerator = facts.accelerators[target.accelerator]
    reached, usual, card = _utilisation(facts, target.accelerator, demand, inputs)
    layouts = _layouts(facts, target, demand, usual, inputs)
    used = layouts.best.accelerators if layouts and layouts.best else target.available
    at_work = _at_work(layouts, demand, target, inputs.count)
    if layouts and layouts.best and not demand.supposed:
        ceiling = inputs.draw("kernel_utilisation", facts.training.kernel_utilisation)
        reached = np.minimum(reached, ceiling * layouts.best.efficiency)
    peak = inputs.draw("bf16_dense", accelerator.bf16_dense)
    if demand.precision == "fp8" and accelerator.fp8_dense is not None:
        most = inputs.note("fp8_dense", accelerator.fp8_dense) / accelerator.bf16_dense.p50
        peak = peak * np.minimum(inputs.draw("fp8_speed_up", facts.training.fp8_speed_up), most)
    compute_days = accelerator_hours(demand.flops, peak, reached) / 24 / at_work
    fed, waiting_days = None, compute_days * 0
    if demand.footage is not None and demand.fed_hours is not None:
        fed = feed(facts, target.accelerator, at_work, demand.footage, inputs)
        waiting_days = loader_days(fed, demand.fed_hours)
    stopped = _interruptions(facts, used, inputs) if target.counted else None
    progress = stopped.beyond_evidence if stopped else np.ones(inputs.count)
    days = np.maximum(compute_days, waiting_days) / progress
    site = Site(target.accelerator, target.place, owned=target.owned, day=target.day)
    return Evaluation(
        values=quantities(facts, site, days * 24 * at_work, days, inputs),
        demand=demand,
        used=used,
        at_work=at_work,
        progress=progress,
        layouts=layouts,
        feed=fed,
        utilisation=reached,
        compute_days=compute_days,
        loader_days=waiting_days,
        interruptions=stopped,
        card=card,
        programme=_programme(facts, inputs),
        inputs=inputs,
    )


def _at_work(layouts: Layouts | None, demand: Demand, target: Target, draws: int) -> FloatArray:
    """Accelerators that have work, by draw: replicas go with the critical batch as long as there are more."""
    best = layouts.best if layouts else None
    if layouts is None or best is None or demand.shape is None or demand.batch_ratio is None:
        return np.full(draws, float(best.accelerators if best else target.available))
    group = best.tensor * best.pipeline
    if layouts.limited_by in {"critical batch", "cost"}:
        replicas = best.data * demand.batch_ratio
    else:
        replicas = np.minimum(best.data, demand.shape.batch * demand.batch_ratio / best.micro_batch)
    busy: FloatArray = group * np.clip(replicas, 1.0, target.available / group)
    return busy


def _programme(facts: Facts, inputs: Inputs) -> FloatArray:
    """What a year of work computes, in units of one run."""
    known = facts.programme
    beside = {
        "development": known.development,
        "failed": known.failed,
        "retrains": known.retrains,
        "evaluation": known.evaluation,
        "simulation": known.simulation,
    }
    runs = np.ones(inputs.count)
    for name, fact in beside.items():
        runs += inputs.draw(f"programme_{name}", fact)
    return runs


def _layouts(facts: Facts, target: Target, demand: Demand, usual: float, inputs: Inputs) -> Layouts | None:
    """How a training is laid out, at the medians; None where shape or count are unknown, or nothing is trained."""
    if demand.shape is None or not target.counted or not demand.flops.any():
        return None
    accelerator = facts.accelerators[target.accelerator]
    scale_out = inputs.note_known("scale_out", accelerator.scale_out)
    machine = Machine(
        peak_flops=accelerator.bf16_dense.p50,
        memory_bytes=inputs.note("memory", accelerator.memory),
        scale_up_bytes_per_s=inputs.note_known("scale_up", accelerator.scale_up),
        scale_up_size=int(inputs.note("scale_up_size", accelerator.scale_up_size)),
        scale_out_bytes_per_s=scale_out and scale_out / BITS_PER_BYTE,
        memory_bytes_per_s=inputs.note_known("memory_bandwidth", accelerator.memory_bandwidth),
    )
    for name, rule in facts.parallelism.rules():
        inputs.note(f"layout_{name}", rule)
    rules, available = facts.parallelism, target.available
    if target.asked:
        return choose_layout(demand.shape, machine, available, rules, usual)
    most_work = inputs.note("work_for_speed", facts.training.work_for_speed)
    return economical_layout(demand.shape, machine, available, rules, usual, most_work)


def _interruptions(facts: Facts, used: int, inputs: Inputs) -> Interruptions:
    """Failures of the accelerators used, and what checkpoints save."""
    known = facts.reliability
    rate = inputs.draw("failure_rate", known.failure_rate)
    mtbf_h = mean_time_between_failures_h(rate, used)
    published_h = mean_time_between_failures_h(rate, inputs.note("published_count", known.published_count))
    write_s = inputs.draw("checkpoint_write", known.checkpoint_write)
    restart_s = inputs.draw("restart", known.restart)
    share = goodput(write_s, restart_s, mtbf_h * 3600)
    return Interruptions(
        mtbf_h=mtbf_h,
        checkpoint_s=checkpoint_interval_s(write_s, mtbf_h * 3600),
        goodput=share,
        beyond_evidence=np.minimum(share / goodput(write_s, restart_s, published_h * 3600), 1.0),
    )


def _utilisation(
    facts: Facts, accelerator: str, demand: Demand, inputs: Inputs
) -> tuple[FloatArray, float, Card]:
    """Utilisation by draw, its median, and the card of what it rests on.

    The draws go by kind of network: a training that runs well does so on every cluster.
    """
    prior, card = utilisation_prior(facts, demand.kind, demand.parameters)
    stream = f"utilisation/{card.kind}"
    reached = inputs.draw("utilisation", prior, stream)
    own = facts.accelerator_utilisation.get(accelerator)
    if own is None:
        return reached, prior.p50, card
    # an accelerator nobody has published trainings of is not supposed to beat the proven ones
    supposed = inputs.draw("utilisation_of_accelerator", own.mfu, stream)
    return np.minimum(reached, supposed), min(prior.p50, own.mfu.p50), Card.empty(accelerator)
