"""Published MFUs and FLOPs beside ours: a factor of two between them is somebody's mistake."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from transforms.budget.demand.flops import FULL_ATTENTION
from transforms.budget.evidence.work import reached, run_flops
from transforms.budget.facts.library import Facts
from transforms.budget.facts.runs import Run


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published figure beside ours.

    Attributes:
        name: the run's.
        quantity: mfu or flops.
        published: as published.
        ours: worked out from network, samples, accelerator and hours.
        convention: what ours counts.
        like_for_like: whether both are of the same hours, so that they should be equal.
    """

    name: str
    quantity: Literal["mfu", "flops"]
    published: float
    ours: float
    convention: str
    like_for_like: bool

    @property
    def ratio(self) -> float:
        """Ours over the published."""
        return self.ours / self.published

    def as_json(self) -> dict[str, object]:
        """The form of `backtest --json`."""
        return {**asdict(self), "ratio": self.ratio}


def compare(runs: Iterable[Run], facts: Facts) -> tuple[Comparison, ...]:
    """Compares all that runs publish about their work.

    Published MFUs count attention in full and, where a training took days, are of its steps; ours then
    counts attention in full as well, over all hours. Published FLOPs are compared with attention counted
    as causal; those that include recomputation are up to a third higher.

    Args:
        runs: published runs.
        facts: the accelerators' peaks, and which runs are steps.
    """
    return tuple(found for run in runs for found in _of_run(run, facts))


def _of_run(run: Run, facts: Facts) -> Iterator[Comparison]:
    full = run_flops(run, FULL_ATTENTION)
    if run.samples is None or full is None:
        return
    if run.mfu is not None:
        steps = any(run.stratum in entry.step_strata for entry in facts.utilisation.values())
        over = "of steps" if steps else "of all hours; published of steps"
        convention = f"full attention, {over}"
        yield Comparison(run.name, "mfu", run.mfu.p50, reached(run, full, facts), convention, steps)
    causal = run_flops(run)
    if run.train_flops is not None and causal is not None:
        convention = "causal attention, no recomputation"
        yield Comparison(run.name, "flops", run.train_flops.p50, causal, convention, like_for_like=False)
