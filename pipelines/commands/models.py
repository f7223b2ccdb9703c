"""`clipmill models`: the networks that are known, their cards and their files."""

import argparse
import sys
from textwrap import indent
from typing import TYPE_CHECKING, Final

from pipelines.commands import model_calibration, model_frontier
from pipelines.outcome import ExitCode, Outcome, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.card import ModelCard
    from models.downloads import Progress

HELP = "list, show, fetch, check, calibrate and compare the networks"
EXAMPLES = """
clipmill models list
clipmill models show yolox-nano
clipmill models show my-export.onnx --dimension sequence=576
clipmill models fetch yolox-nano yolox-s
clipmill models check yolox-nano --size 640
clipmill models check my-card.toml --file my-export.onnx
clipmill models calibrate yolox-nano clips --truth truth.parquet -o my-nano.toml
clipmill models frontier clips --truth truth.parquet --sizes 416,640,960
"""

_TIMED_RUNS: Final = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions and their arguments."""
    actions = parser.add_subparsers(
        dest="action", metavar="list|show|fetch|check|calibrate|frontier", required=True
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="print one JSON object on standard output",
    )

    def add(name: str, text: str, examples: str = "") -> argparse.ArgumentParser:
        return actions.add_parser(
            name,
            help=text,
            description=text,
            epilog=examples and f"examples:\n{indent(examples.strip(), '  ')}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[shared],
            allow_abbrev=False,
        )

    add("list", "the networks that --model knows by name")
    show = add("show", "the card of a network, and the work of its forward pass")
    show.add_argument("model", help="NAME, CARD.toml or NET.onnx")
    show.add_argument(
        "--dimension",
        metavar="AXIS=N",
        action="append",
        default=[],
        help="length of an axis of the input that the network leaves open, by its name, or of any as INPUT:AXIS=N "
        "(repeatable; default: the card's size, and 1 for the batch)",
    )
    fetch = add("fetch", "download networks into the cache, so that jobs can run without a connection")
    fetch.add_argument("models", nargs="+", metavar="model", help="NAME or CARD.toml")
    fetch.add_argument(
        "--offline", action="store_true", help="do not download: only say whether they are there"
    )
    check = add("check", "compare a network's file with its card, and run it once on noise")
    check.add_argument("model", help="NAME, CARD.toml or NET.onnx")
    check.add_argument(
        "--file", metavar="NET.onnx", help="compare this file with the card, not the card's own"
    )
    check.add_argument("--size", type=int, help="long side of the input in px (default: the card's)")
    check.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    for name, module in (("calibrate", model_calibration), ("frontier", model_frontier)):
        module.add_arguments(add(name, module.HELP, module.EXAMPLES))


def run(args: argparse.Namespace) -> Outcome:
    """Does what the action says."""
    actions: dict[str, Callable[[argparse.Namespace], Outcome]] = {
        "list": _list,
        "show": _show,
        "fetch": _fetch,
        "check": _check,
        "calibrate": model_calibration.run,
        "frontier": model_frontier.run,
    }
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> Outcome:
    del args
    from rich.table import Table

    from models.card import known_cards
    from models.downloads import cache_folder

    table = Table(box=None, header_style="bold")
    for heading in ("name", "finds", "input", "sizes", "file", "size", "licence", "published"):
        table.add_column(heading, justify="right" if heading == "size" else "left")
    rows = []
    for card in known_cards().values():
        place = _place(card)
        sizes = "any" if card.input.dynamic else "one"
        note = "rendered scenes only" if card.for_rendered_scenes_only else card.published
        size = f"{card.input.width}x{card.input.height}"
        megabytes = f"{card.bytes / 1e6:.1f} MB"
        finds = (
            "road users" if card.task == "detection" else ", ".join(f"{part}s" for part in card.categories)
        )
        table.add_row(card.name, finds, size, sizes, place, megabytes, card.licence, note)
        rows.append(
            {
                "name": card.name,
                "task": card.task,
                "family": card.family,
                "licence": card.licence,
                "width": card.input.width,
                "height": card.input.height,
                "dynamic": card.input.dynamic,
                "bytes": card.bytes,
                "file": place,
                "categories": card.categories,
                "published": card.published,
                "for_rendered_scenes_only": card.for_rendered_scenes_only,
            }
        )
    return Outcome({"cache": str(cache_folder()), "models": rows}, (table, f"cache: {cache_folder()}"))


def _place(card: "ModelCard") -> str:
    """Where the network's file is: bundled, cached, damaged (in the cache, but not the card's) or not here."""
    from models.downloads import cached_file
    from models.errors import ModelFetchError

    if card.bundled is not None:
        return "bundled"
    try:
        return "cached" if cached_file(card) else "not here"
    except ModelFetchError:
        return "damaged"


def _show(args: argparse.Namespace) -> Outcome:
    from models.errors import ModelError
    from models.flops import count_file
    from models.registry import find_card, find_model
    from transforms.views.network_text import network_lines

    dimensions = dict(_dimension(given) for given in args.dimension)
    is_network = args.model.lower().endswith(".onnx")
    path = args.model if is_network else None
    card, notes = (None if is_network else find_card(args.model)), []
    try:
        ref = find_model(args.model, task=None, offline=True)
        card, path = ref.card, ref.path
    except ModelError as error:
        # A network without a card has figures all the same, and a card without its file is still a card.
        notes.append(str(error))
    size = None if card is None else (card.input.height, card.input.width)
    figures = None if path is None else count_file(path, size=size, dimensions=dimensions)
    known = (
        {}
        if card is None
        else {**card.model_dump(mode="json"), "categories": card.categories, "file": _place(card)}
    )
    data = {**known, "network": None if figures is None else figures.as_json(), "notes": notes}
    lines = tuple(
        f"{name}: {_text(value)}" for name, value in known.items() if value not in (None, "", [], False)
    )
    return Outcome(data, (*lines, *(() if figures is None else network_lines(figures)), *notes))


def _dimension(given: str) -> tuple[str, int]:
    """Name and length of `AXIS=N`."""
    axis, _, length = given.rpartition("=")
    if not axis or not length.isdecimal():
        raise UsageError(f"--dimension {given}: expected AXIS=N, for example height=640")
    return axis, int(length)


def _text(value: object) -> str:
    if isinstance(value, dict):
        parts = ((name, part) for name, part in value.items() if part is not None)
        return ", ".join(
            f"{name} ({_text(part)})" if isinstance(part, dict) else f"{name}={part}" for name, part in parts
        )
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return str(value)


def _fetch(args: argparse.Namespace) -> Outcome:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    from models.registry import find_model

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    rows = []
    with Bars(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        for name in args.models:
            ref = find_model(name, task=None, offline=args.offline, progress=_progress(bars, name))
            rows.append({"name": ref.card.name, "path": ref.path, "sha256": ref.sha256})
    return Outcome({"models": rows}, tuple(f"{row['name']}: {row['path']}" for row in rows))


def _progress(bars: "object", name: str) -> "Progress":
    from rich.progress import Progress as Bars

    assert isinstance(bars, Bars)
    task = bars.add_task(name, total=None)
    return lambda received, total: bars.update(task, completed=received, total=total)


def _check(args: argparse.Namespace) -> Outcome:
    import time

    import numpy as np

    from models.networks import check_fit
    from models.registry import find_model, reference_to_file
    from models.sessions import load_detector

    if args.file is None:
        ref = find_model(args.model, task=None, size=args.size, device=args.device, offline=True)
    else:
        ref = reference_to_file(args.model, args.file, size=args.size, device=args.device)
    detector = load_detector(ref)
    outputs = check_fit(detector.network, ref.card)
    # A frame of the widest usual shape; what matters is that the whole way from pixels to boxes is walked.
    width, height = 1280, 720
    plan = detector.plan(width, height)
    noise = np.random.default_rng(0).integers(
        0, 256, size=(plan.image_height, plan.image_width, 3), dtype=np.uint8
    )
    seconds = []
    for _ in range(_TIMED_RUNS):
        start = time.perf_counter()
        found = detector.detect([noise], plan, width, height)
        seconds.append(time.perf_counter() - start)
    is_cards_own = ref.sha256 in ref.card.digests
    data = {
        "name": ref.card.name,
        "family": ref.card.family,
        "path": ref.path,
        "sha256": ref.sha256,
        "sha256_is_the_cards": is_cards_own,
        "input": list(detector.network.picture_shape),
        "outputs": {name: list(shape) for name, shape in outputs.items()},
        "input_width": plan.input_width,
        "input_height": plan.input_height,
        "milliseconds": round(sorted(seconds)[_TIMED_RUNS // 2] * 1e3, 1),
        "boxes_in_noise": len(found[0].scores),
    }
    digest = "as the card says" if is_cards_own else f"NOT the card's ({ref.card.sha256})"
    human = (
        f"{ref.card.name}: {ref.path}",
        f"sha256 {ref.sha256}: {digest}",
        f"outputs fit the family {ref.card.family}: {_text(data['outputs'])}",
        f"{plan.input_width} x {plan.input_height} on {args.device}: {data['milliseconds']} ms a frame",
        f"boxes found in noise: {data['boxes_in_noise']}",
    )
    return Outcome(data, human, ExitCode.GOOD if is_cards_own else ExitCode.JOB_FAILED)
