"""`clipmill budget`: what training on a data set costs."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.outcome import JobError, Outcome, UsageError

if TYPE_CHECKING:
    from transforms.budget.answering import Answer
    from transforms.budget.chances import Limits
    from transforms.budget.demand.fleet import Fleet
    from transforms.budget.demand.onnx_networks import CountedNetwork
    from transforms.budget.request import BudgetRequest

HELP = "estimate the compute budget of training on a data set: hours, days, energy, carbon, water, money"
EXAMPLES = """
clipmill budget out
clipmill budget out --workload fsd --cluster colossus --as-of 2024-12 --allocation 25% --json
clipmill budget out --vehicles 1e5 --hours-per-day 1 --days 30 --keep-rate 0.01 --deadline 14
clipmill budget out --workload autopilot --network detector.onnx --html budget.html
clipmill budget --camera-hours 1e6 --workload fsd
clipmill budget --flops 3.8e25 --kind language --accelerator H100 --count 16384 --params 405e9
"""
TAKES_BEAM_FLAGS = True

_MOST_HOURS: Final = 1e15
"""Ten billion cameras that film for a decade."""

_FLEET: Final = ("vehicles", "hours_per_day", "days")
_WITH_FLOPS: Final = ("kind", "accelerator", "count", "params")
_WITHOUT_FLOPS: Final = (
    "workload",
    "cluster",
    "network",
    "input_size",
    "allocation",
    "precision",
    *_FLEET,
    "keep_rate",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", nargs="?", metavar="DIR", help="a labelled data set: a folder or a URL")
    parser.add_argument("--camera-hours", type=float, metavar="H", help="without DIR: footage of one camera")
    parser.add_argument("--flops", type=float, metavar="F", help="without DIR: FLOPs of a training")
    what = parser.add_argument_group("what is trained")
    what.add_argument(
        "--workload",
        action="append",
        metavar="NAME",
        help="fsd, autopilot, optimus, grok or a TOML file; repeatable (default: all four)",
    )
    what.add_argument(
        "--network",
        metavar="NAME",
        help="what the workloads train: a network's or a model's name, a TOML file, or NET.onnx (default: their own)",
    )
    what.add_argument(
        "--input-size", metavar="WxH", help="of an ONNX network's input, where it leaves it open: 640x384"
    )
    what.add_argument("--precision", choices=("bf16", "fp8"), help="number format (default: the workload's)")
    fleet = parser.add_argument_group("at the scale of a fleet, of which DIR is a sample")
    fleet.add_argument("--vehicles", type=float, metavar="N", help="vehicles that record")
    fleet.add_argument("--hours-per-day", type=float, metavar="H", help="that each of them drives")
    fleet.add_argument("--days", type=float, metavar="D", help="for how long")
    fleet.add_argument("--keep-rate", type=float, metavar="R", help="share that is uploaded (default: 1)")
    where = parser.add_argument_group("where and when")
    where.add_argument(
        "--cluster",
        action="append",
        metavar="NAME",
        help="colossus, colossus2, cortex, dojo or a TOML file; repeatable (default: colossus, cortex and dojo)",
    )
    where.add_argument(
        "--as-of",
        metavar="DATE",
        help="YYYY-MM or YYYY-MM-DD: which phase, which prices (default: newest facts)",
    )
    where.add_argument(
        "--allocation",
        metavar="N|P%",
        help="part of each pool (default: as many accelerators as pay off)",
    )
    where.add_argument("--deadline", type=float, metavar="DAYS", help="tell the chance that it is met")
    where.add_argument("--money", type=float, metavar="USD", help="tell the chance that it is enough")
    flops = parser.add_argument_group("with --flops")
    flops.add_argument("--kind", choices=("language", "vision", "video"), help="kind of network")
    flops.add_argument("--accelerator", metavar="NAME", help="H100, A100, V100-16GB, ... or a TOML file")
    flops.add_argument("--count", type=int, metavar="N", help="accelerators (default: 1)")
    flops.add_argument("--params", type=float, metavar="P", help="parameters of the network")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws (default: 0)")
    parser.add_argument("--html", metavar="FILE", help="write a page with pictures as well")


def run(arguments: argparse.Namespace) -> Outcome:
    """Estimates."""
    from transforms.budget.errors import BudgetUsageError

    _refuse_mixture(arguments)
    try:
        if arguments.flops is not None:
            answer = _of_flops(arguments)
        elif arguments.camera_hours is not None:
            answer = _of_hours(arguments)
        else:
            answer = _of_dataset(arguments)
    except BudgetUsageError as error:
        raise UsageError(str(error)) from error
    return _outcome(answer, arguments)


def _refuse_mixture(arguments: argparse.Namespace) -> None:
    """Refuses options that do not go together."""
    asked = {"DIR": arguments.dataset, "--camera-hours": arguments.camera_hours, "--flops": arguments.flops}
    given = [name for name, value in asked.items() if value is not None]
    if len(given) != 1:
        raise UsageError(f"give one of DIR, --camera-hours and --flops, not {' and '.join(given) or 'none'}")
    if arguments.seed < 0:
        raise UsageError(f"--seed {arguments.seed} is negative")
    foreign = _WITHOUT_FLOPS if arguments.flops is not None else _WITH_FLOPS
    stray = [_option(name) for name in foreign if getattr(arguments, name) is not None]
    if stray:
        raise UsageError(f"{given[0]} does not go with {', '.join(stray)}")
    missing = [_option(name) for name in ("kind", "accelerator") if getattr(arguments, name) is None]
    if arguments.flops is not None and missing:
        raise UsageError(f"--flops needs {' and '.join(missing)}")
    if arguments.dataset is None and getattr(arguments, "beam_arguments", None):
        raise UsageError("without DIR no pipeline runs: leave out what stands after --")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _of_dataset(arguments: argparse.Namespace) -> "Answer":
    from pipelines.budget import BudgetJob, can_keep
    from pipelines.budget import run as run_job
    from transforms.budget.answering import answer
    from transforms.budget.labelling import newest_speed
    from transforms.storage import open_store

    request, network = _request(arguments)
    figures = run_job(BudgetJob(arguments.dataset, request), getattr(arguments, "beam_arguments", ()))
    speed = newest_speed(open_store(arguments.dataset))
    notes = () if can_keep(arguments.dataset) else ("the data set cannot be written: its budget table stays",)
    return answer(
        request, figures, "measured", dataset=arguments.dataset, speed=speed, network=network, notes=notes
    )


def _of_hours(arguments: argparse.Namespace) -> "Answer":
    from transforms.budget.answering import answer
    from transforms.budget.demand.figures import DatasetFigures

    hours = arguments.camera_hours
    if not 0 < hours <= _MOST_HOURS:
        raise UsageError(f"--camera-hours {hours:g}: give a number above 0, {_MOST_HOURS:g} at most")
    request, network = _request(arguments)
    return answer(request, DatasetFigures.of_hours(hours), "user", network=network)


def _of_flops(arguments: argparse.Namespace) -> "Answer":
    from transforms.budget.answering import answer_flops
    from transforms.budget.facts.own import OwnFacts
    from transforms.budget.request import FlopsRequest
    from transforms.budget.supply.phases import parse_as_of

    own = OwnFacts()
    accelerator = own.name("accelerators", arguments.accelerator)
    return answer_flops(
        FlopsRequest(
            flops=arguments.flops,
            kind=arguments.kind,
            accelerator=accelerator,
            count=arguments.count,
            parameters=arguments.params,
            own=own.text(),
            as_of=parse_as_of(arguments.as_of) if arguments.as_of is not None else None,
            limits=_limits(arguments),
            seed=arguments.seed,
        )
    )


def _request(arguments: argparse.Namespace) -> "tuple[BudgetRequest, CountedNetwork | None]":
    from transforms.budget.demand.onnx_networks import add_counted, counted_network, parse_size
    from transforms.budget.facts.library import load_facts
    from transforms.budget.facts.own import OwnFacts
    from transforms.budget.request import BudgetRequest
    from transforms.budget.supply.phases import Allocation, parse_as_of

    own, facts, name = OwnFacts(), load_facts(), arguments.network
    size = parse_size(arguments.input_size) if arguments.input_size is not None else None
    counted = counted_network(name, size) if name is not None and name.lower() not in facts.networks else None
    if size is not None and counted is None:
        raise UsageError("--input-size goes with --network NET.onnx")
    if counted is not None:
        add_counted(counted, own, facts)
        name = counted.name
    resolved = BudgetRequest.resolve(arguments.workload or (), arguments.cluster or (), name, own)
    request = replace(
        resolved,
        as_of=parse_as_of(arguments.as_of) if arguments.as_of is not None else None,
        allocation=Allocation.parse(arguments.allocation) if arguments.allocation is not None else None,
        precision=arguments.precision,
        fleet=_fleet(arguments),
        limits=_limits(arguments),
        seed=arguments.seed,
    )
    request.check()
    return request, counted


def _limits(arguments: argparse.Namespace) -> "Limits":
    from transforms.budget.chances import Limits

    return Limits(deadline=arguments.deadline, money=arguments.money)


def _fleet(arguments: argparse.Namespace) -> "Fleet | None":
    from transforms.budget.demand.fleet import Fleet

    missing = [_option(name) for name in _FLEET if getattr(arguments, name) is None]
    if len(missing) == len(_FLEET) and arguments.keep_rate is None:
        return None
    if missing:
        raise UsageError(f"a fleet needs {', '.join(map(_option, _FLEET))}: {' and '.join(missing)} missing")
    keep_rate = 1.0 if arguments.keep_rate is None else arguments.keep_rate
    return Fleet(arguments.vehicles, arguments.hours_per_day, arguments.days, keep_rate)


def _outcome(answer: "Answer", arguments: argparse.Namespace) -> Outcome:
    from transforms.views.budget_text import answer_text

    data = answer.as_json()
    human = answer_text(answer)
    if arguments.html is not None:
        from transforms.views.budget_page import budget_page

        try:
            Path(arguments.html).write_text(budget_page(data), encoding="utf-8")
        except OSError as error:
            raise JobError(f"{arguments.html}: the page cannot be written: {error.strerror}") from error
        human = (*human, f"the same with pictures: {arguments.html}")
    return Outcome(data, human)
