"""Answering: everything that is told about a budget, in one value."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from itertools import chain, groupby

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import UPLINK_UNITS, Fleet, uplink
from transforms.budget.demand.onnx_networks import CountedNetwork
from transforms.budget.draws import Draws, Inputs
from transforms.budget.estimates import Estimate, Quantity, summary
from transforms.budget.estimating import estimates_of
from transforms.budget.facts.values import Assumption, InputKind
from transforms.budget.labelling import LabellingCost, LabellingSpeed, Shares, labelling_cost
from transforms.budget.placing import placements
from transforms.budget.questions.headline import cheapest, headline
from transforms.budget.questions.meeting import Meeting, meeting
from transforms.budget.request import BudgetRequest, FlopsRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Everything that is told about a budget.

    Attributes:
        headline: the sentence that a meeting needs.
        estimates: in the order asked for.
        facts_as_of: the newest date of the facts.
        seed: of the draws.
        draws: how many.
        dataset: path or URL; None where there is none.
        figures: of the data set, at the fleet's scale; None where FLOPs were given.
        fleet: what the data set was scaled to; None where it stays as it is.
        uplink: what bringing the fleet's video to a data centre takes.
        labelling: what labelling the data set costs, as measured; None where no run has measured it.
        shares: how the money parts between labelling, decoding and the cheapest training, by workload.
        network: the ONNX graph that is trained; None where none was given.
        meetings: inverse and comparative questions, by workload.
        assumptions: inputs of uplink and labelling.
        notes: what else to know.
    """

    headline: str
    estimates: tuple[Estimate, ...]
    facts_as_of: str
    seed: int
    draws: int
    dataset: str | None = None
    figures: DatasetFigures | None = None
    fleet: Fleet | None = None
    uplink: dict[str, Quantity] | None = None
    labelling: LabellingCost | None = None
    shares: dict[str, Shares] = field(default_factory=dict)
    network: CountedNetwork | None = None
    meetings: tuple[Meeting, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return {
            "headline": self.headline,
            "estimates": [estimate.as_json() for estimate in self.estimates],
            "dataset": self.dataset,
            "figures": self.figures and self.figures.as_json(),
            "fleet": self.fleet and asdict(self.fleet),
            "uplink": self.uplink and {name: asdict(value) for name, value in self.uplink.items()},
            "labelling": self.labelling
            and self.labelling.as_json()
            | {"share": {name: asdict(item) for name, item in self.shares.items()}},
            "network": self.network and self.network.as_json(),
            "questions": [item.as_json() for item in self.meetings],
            "assumptions": [item.as_json() for item in self.assumptions],
            "notes": list(self.notes),
            "facts_as_of": self.facts_as_of,
            "seed": self.seed,
            "draws": self.draws,
        }


def answer(
    request: BudgetRequest,
    figures: DatasetFigures,
    figures_kind: InputKind,
    *,
    dataset: str | None = None,
    speed: LabellingSpeed | None = None,
    network: CountedNetwork | None = None,
    notes: tuple[str, ...] = (),
) -> Answer:
    """Answers a request about a data set.

    Args:
        request: what is asked.
        figures: the data set's own.
        figures_kind: how they are known: measured or user.
        dataset: its path or URL, for the reader.
        speed: how fast it was labelled.
        network: the ONNX graph that is trained, for the reader.
        notes: what else to know, for the reader.

    Raises:
        BudgetUsageError: a workload cannot be trained as asked.
    """
    question = request.question(figures, figures_kind)
    estimates: list[Estimate] = []
    meetings = []
    for training in request.trainings():
        placed = {name: list(placements(question, training, name)) for name in request.targets()}
        for name, items in placed.items():
            estimates += estimates_of(question, training, name, items)
        everywhere = list(chain.from_iterable(placed.values()))
        if everywhere:
            meetings.append(meeting(question, everywhere, request.fleet))
    inputs = Inputs(Draws(request.seed, request.draws))
    scaled = question.figures
    sent = None
    if request.fleet is not None:
        drawn = uplink(question.facts, scaled, request.fleet, inputs)
        sent = {name: summary(drawn[name], unit) for name, unit in UPLINK_UNITS.items()}
    labelled = labelling_cost(speed, scaled, question.facts, inputs) if speed is not None else None
    return Answer(
        headline=headline(estimates, scaled, question.facts),
        estimates=tuple(estimates),
        facts_as_of=question.facts.newest.isoformat(),
        seed=request.seed,
        draws=request.draws,
        dataset=dataset,
        figures=scaled,
        fleet=request.fleet,
        uplink=sent,
        labelling=labelled,
        shares=_shares(labelled, estimates) if labelled else {},
        network=network,
        meetings=tuple(meetings),
        assumptions=inputs.assumptions,
        notes=notes,
    )


def _shares(labelled: LabellingCost, estimates: Iterable[Estimate]) -> dict[str, Shares]:
    """How the money parts for the cheapest training of each workload."""
    parts = {}
    for workload, group in groupby(estimates, key=lambda item: item.workload):
        best = cheapest(list(group))
        if workload is not None and best is not None and best.quantities is not None:
            parts[workload] = labelled.shares(best.quantities["cost_usd"].p50)
    return parts


def answer_flops(request: FlopsRequest) -> Answer:
    """Answers a request about a training of known FLOPs.

    Args:
        request: what is asked.

    Raises:
        BudgetUsageError: the accelerator is unknown, or a number is not positive.
    """
    estimate = request.answer()
    return Answer(
        headline=headline([estimate], None, request.facts()),
        estimates=(estimate,),
        facts_as_of=request.facts().newest.isoformat(),
        seed=request.seed,
        draws=request.draws,
    )
