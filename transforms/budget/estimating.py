"""Estimating: what training a network on a data set costs on a cluster, with 80 % intervals."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from transforms.budget.chances import Limits, chances
from transforms.budget.checks import checks
from transforms.budget.costs import UNITS
from transforms.budget.draws import Draws, Inputs
from transforms.budget.drivers import drivers
from transforms.budget.estimates import Allotment, Detail, Estimate, Quantity, summary
from transforms.budget.evaluating import Evaluation, Interruptions, Scenario, evaluate
from transforms.budget.facts.values import Fact, InputKind
from transforms.budget.feasibility import changes, of_accelerator, of_training
from transforms.budget.placing import Placement, Question, Training
from transforms.budget.supply.phases import first_known, remarks

REFERENCE: Final = "H100-SXM"
"""The accelerator that others are told in equivalents of."""

FIGURES_SOURCE: Final[dict[InputKind, str]] = {
    "measured": "tables of the data set",
    "user": "given by the caller",
}
"""Where the figures of a data set come from, by how they are known."""


def estimates_of(
    question: Question, training: Training, cluster_name: str, placed: Iterable[Placement]
) -> list[Estimate]:
    """The estimates of a training on a cluster.

    Args:
        question: what is asked.
        training: what is trained.
        cluster_name: name of the cluster.
        placed: the training on the cluster's pools, evaluated.

    Returns:
        One a pool; before the cluster's first phase one that says so.
    """
    found = [_estimate(question, item) for item in placed]
    return found or [_too_early(question, training, cluster_name)]


def _estimate(question: Question, placed: Placement) -> Estimate:
    found, pool, scenario = placed.found, placed.pool, placed.scenario
    cluster = question.facts.clusters[placed.cluster]
    noted = Inputs(question.draws)
    source = FIGURES_SOURCE.get(question.figures_kind, "supposed")
    noted.given("camera_hours", question.figures.camera_hours, "h", question.figures_kind, source)
    if question.figures.origin == "supposed":
        for camera in question.figures.cameras:
            size = f"{camera.width} x {camera.height} at {camera.fps_mean:g} Hz, the front camera of TeslaCam clips"
            noted.given("camera_pixels", camera.width * camera.height, "px", "default", size)
            noted.given("camera_rate", camera.fps_mean, "Hz", "default", size)
    if pool.phase.count is not None:
        noted.note("pool", pool.phase.count)
    noted.note_known("facility", pool.phase.facility)
    facts, training = question.facts, placed.training
    halves = (facts.workloads[training.workload].stands_in, facts.networks[training.network].stands_in)
    stands_in = "; ".join(filter(None, halves)) or None
    return Estimate(
        workload=placed.training.workload,
        network=placed.training.network,
        cluster=placed.cluster,
        phase=pool.phase.name,
        as_of=question.day,
        accelerator=pool.accelerator,
        accelerator_count=scenario.target.available,
        quantities=_quantities(found) if placed.computes else None,
        feasible=placed.feasible,
        reasons=(*(item.reason for item in placed.obstacles), *remarks(cluster, question.day, pool)),
        change=changes(placed.obstacles),
        evidence=found.card.runs,
        assumptions=(*noted.assumptions, *found.inputs.assumptions),
        detail=_detail(
            scenario,
            found,
            facility=pool.phase.facility,
            limits=question.limits,
            stands_in=stands_in,
            asked="user" if question.allocation else "default",
        )
        if placed.computes
        else None,
    )


def _too_early(question: Question, training: Training, cluster_name: str) -> Estimate:
    cluster = question.facts.clusters[cluster_name]
    first = first_known(cluster)
    named = f"the first is {first.name} of {first.as_of}" if first else "none is"
    reason = f"{cluster.title} has no phase of known accelerators on {question.day}: {named}"
    return Estimate(
        workload=training.workload,
        network=training.network,
        cluster=cluster_name,
        phase=None,
        as_of=question.day,
        accelerator=None,
        accelerator_count=None,
        quantities=None,
        feasible=False,
        reasons=(reason, *remarks(cluster, question.day, None)),
        change=f"as of {first.as_of}" if first else None,
        evidence=0,
        assumptions=(),
    )


def estimate_on(scenario: Scenario, draws: Draws, limits: Limits, remark: str | None = None) -> Estimate:
    """The estimate of a training on accelerators that belong to no cluster.

    Args:
        scenario: the training and the accelerators.
        draws: where uncertainty comes from.
        limits: of time and money.
        remark: what to say beside it.
    """
    target = scenario.target
    found = evaluate(scenario, draws)
    noted = Inputs(draws)
    if target.counted:
        noted.given("accelerator_count", target.available, "accelerators", "user", "given by the caller")
    else:
        noted.given("accelerator_count", 1, "accelerators", "default", "no count given")
    accelerator = scenario.facts.accelerators[target.accelerator]
    obstacles = [
        *of_accelerator(target.accelerator, accelerator, target.day),
        *of_training(scenario.facts, target, found, float(np.median(found.power_mw)), None),
    ]
    return Estimate(
        workload=None,
        network=None,
        cluster=None,
        phase=None,
        as_of=target.day,
        accelerator=target.accelerator,
        accelerator_count=target.available,
        quantities=_quantities(found),
        feasible=not obstacles,
        reasons=(*(obstacle.reason for obstacle in obstacles), *([remark] if remark else [])),
        change=changes(obstacles),
        evidence=found.card.runs,
        assumptions=(*noted.assumptions, *found.inputs.assumptions),
        detail=_detail(
            scenario,
            found,
            facility=None,
            limits=limits,
            stands_in=None,
            asked="user" if target.counted else "default",
        ),
    )


def _quantities(found: Evaluation) -> dict[str, Quantity]:
    return {name: summary(found.values[name], unit) for name, unit in UNITS.items()}


def _detail(
    scenario: Scenario,
    found: Evaluation,
    *,
    facility: Fact | None,
    limits: Limits,
    stands_in: str | None,
    asked: str,
) -> Detail:
    facts, target = scenario.facts, scenario.target
    peaks = [facts.accelerators[name].bf16_dense.p50 for name in (target.accelerator, REFERENCE)]
    ratio = peaks[0] / peaks[1]
    also = {
        "h100_hours": summary(found.values["accelerator_hours"] * ratio, "h"),
        "h100_equivalents": summary(np.full(1, found.used * ratio), "accelerators"),
        "power_mw": summary(found.power_mw, "MW"),
        "utilisation": summary(found.utilisation, "share"),
        "training_flops": summary(found.demand.flops, "FLOP"),
    }
    total = float(np.median(found.demand.flops)) or 1.0
    return Detail(
        share=Allotment(target.available, found.used, asked, found.limited_by),
        stands_in=stands_in,
        data_share=float(np.median(found.demand.data_flops)) / total,
        also=also,
        programme_year=_programme_year(found),
        layouts=found.layouts,
        reliability=_reliability(found.interruptions),
        drivers=drivers(scenario, found.inputs.streams),
        checks=checks(scenario, found, float(np.median(found.power_mw)), facility),
        chances=chances(found.values, limits),
        card=found.card if found.card.runs else None,
    )


def _reliability(found: Interruptions | None) -> dict[str, Quantity] | None:
    if found is None:
        return None
    return {
        "mean_time_between_failures_h": summary(found.mtbf_h, "h"),
        "checkpoint_interval_s": summary(found.checkpoint_s, "s"),
        "goodput": summary(found.goodput, "share"),
    }


def _programme_year(found: Evaluation) -> dict[str, Quantity]:
    """A year of work: this run, and what is computed beside it."""
    return {
        name: summary(found.values[name] * found.programme, unit)
        for name, unit in UNITS.items()
        if name != "training_days"
    }
