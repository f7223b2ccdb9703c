"""`clipmill models calibrate`: a card whose scores are probabilities."""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.outcome import Outcome, UsageError

if TYPE_CHECKING:
    from models.card import ModelCard
    from models.refs import ModelRef
    from pipelines.jobs import AutolabelJob
    from transforms.evaluation.calibrating import Gain
    from transforms.evaluation.judged_rows import JudgedRows

HELP = "fit what makes probabilities of a network's scores to clips with truth, and write its card with that"
EXAMPLES = """
clipmill models calibrate demo rendered --truth rendered/truth -o my-demo.toml
clipmill models calibrate yolox-nano clips --truth annotations.json -o my-nano.toml --size 640 --fps 10
"""

_DIGITS: Final = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("model", help="NAME, CARD.toml or NET.onnx")
    parser.add_argument("clips", nargs="+", metavar="CLIPS", help="file, folder, glob or URL")
    parser.add_argument(
        "--truth",
        type=Path,
        required=True,
        metavar="TRUTH",
        help="of the clips, in any form that evaluate reads",
    )
    parser.add_argument(
        "--truth-fps", type=float, metavar="F", help="frame rate of a truth that numbers its frames"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="CARD.toml", help="the card to write"
    )
    parser.add_argument(
        "--size", type=int, metavar="PX", help="long side of the network's input (default: the card's)"
    )
    parser.add_argument(
        "--fps", default="5", metavar="N", help="frames a second to label, all, or keyframes (default: 5)"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="shards worked on at once (default: one a core)"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Labels, judges, fits and writes."""
    from models.registry import find_model
    from pipelines.trial_labels import trial_labels, truth_at
    from transforms.evaluation.calibrating import TooFewRowsError, fit, gains, lacking
    from transforms.evaluation.common_frames import NothingInCommonError
    from transforms.evaluation.judged_rows import judged_rows
    from transforms.evaluation.labels import LabelsError, open_labels

    job = _job(arguments)
    truth = truth_at(arguments.truth, arguments.truth_fps)
    ref = find_model(arguments.model, size=arguments.size)
    network = _network_beside(arguments.output, ref)
    try:
        with trial_labels(job) as labelled:
            rows = judged_rows(open_labels(labelled.folder, None), truth)
        whole, by_category = gains(rows)
        calibration = fit(rows, _source(rows, whole, job, ref))
    except (NothingInCommonError, LabelsError, TooFewRowsError) as error:
        raise UsageError(str(error)) from error
    card = ref.card.model_copy(update={"calibration": calibration})
    _write(card, arguments.output, network, ref)
    notes = [*labelled.notes, *_notes(card, lacking(rows, calibration), whole, labelled.failed)]
    data: dict[str, Any] = {
        "model": card.name,
        "card": str(arguments.output),
        "size": ref.size,
        "fps": arguments.fps,
        "clips": len(set(rows.clips.tolist())),
        "frames": labelled.frames,
        "calibration": calibration.model_dump(mode="json"),
        "all": _gain(whole),
        "categories": {
            name: {**_gain(gain), "own_curve": name in calibration.categories}
            for name, gain in by_category.items()
        },
        "notes": notes,
    }
    return Outcome(data, (_table(data), *_told(data)))


def _job(arguments: argparse.Namespace) -> "AutolabelJob":
    """The labelling, with scores as they are before calibration."""
    from pipelines.jobs import check_job

    if arguments.output.suffix.lower() != ".toml":
        raise UsageError(f"-o {arguments.output}: a card's name ends in .toml")
    if not arguments.output.absolute().parent.is_dir():
        raise UsageError(f"-o {arguments.output}: no such folder")
    if arguments.truth_fps is not None and not 0 < arguments.truth_fps < math.inf:
        raise UsageError(f"--truth-fps {arguments.truth_fps:g}: must be above 0")
    values = {
        "inputs": arguments.clips,
        "output": "unused",
        "models": [arguments.model],
        "size": arguments.size,
        "workers": arguments.workers,
        "labels": {"fps": arguments.fps, "hindsight": {"calibration": False}},
    }
    return check_job(values, "options")


def _network_beside(output: Path, ref: "ModelRef") -> Path | None:
    """Where the network has to lie for the card to find it; None where it is there, or is found by its URL.

    Raises:
        UsageError: another file lies there.
    """
    from models.downloads import file_digest

    if ref.card.bundled is None:
        return None
    place = output.absolute().parent / ref.card.bundled
    if not place.exists():
        return place
    if not place.is_file() or file_digest(place) not in ref.card.digests:
        raise UsageError(
            f"{place}: not the network of the card {ref.card.name}, which has to lie beside {output.name}: "
            "choose another folder"
        )
    return None


def _write(card: "ModelCard", output: Path, network: Path | None, ref: "ModelRef") -> None:
    from models.card_text import card_text
    from transforms.tables.store import LocalStore

    store = LocalStore(output.absolute().parent)
    if network is not None:
        store.write(network.name, Path(ref.path).read_bytes())
    store.write(output.name, card_text(card).encode())


def _source(rows: "JudgedRows", whole: "Gain", job: "AutolabelJob", ref: "ModelRef") -> str:
    """What the card says of its calibration."""
    text = f"{len(set(rows.clips.tolist()))} clips at {job.labels.fps} frames/s, input {ref.size} px, {len(rows)} rows"
    if whole.before is None or whole.after is None:
        return text
    return f"{text}; expected calibration error {whole.before:.3f}, on clips held out from the fit {whole.after:.3f}"


def _notes(card: "ModelCard", few: dict[str, str], whole: "Gain", failed: int) -> Iterator[str]:
    from transforms.evaluation.calibrating import LEAST_ROWS

    for name, counts in few.items():
        yield f"{name}: {counts} rows are too few ({LEAST_ROWS} of either): it has the curve of all categories"
    assert card.calibration is not None
    unseen = [name for name in card.categories if name not in {*few, *card.calibration.categories}]
    if unseen:
        yield f"without truth, with the curve of all categories: {', '.join(unseen)}"
    if whole.after is None:
        yield "half of the clips is too little to fit to: no figure on clips that were held out"
    if failed:
        yield f"{failed} clips could not be labelled"


def _gain(gain: "Gain") -> dict[str, object]:
    return {
        "rows": gain.rows,
        "right": gain.right,
        "before": None if gain.before is None else round(gain.before, _DIGITS),
        "after": None if gain.after is None else round(gain.after, _DIGITS),
    }


def _table(data: dict[str, Any]) -> Any:
    from rich import box
    from rich.table import Table

    title = "expected calibration error; after: on clips that were held out from the fit"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("category")
    for name in ("rows", "right", "before", "after", "curve"):
        table.add_column(name, justify="right")
    for name, one in data["categories"].items():
        table.add_row(name, *_cells(one), "own" if one["own_curve"] else "of all")
    table.add_row("all", *_cells(data["all"]), "")
    return table


def _cells(one: dict[str, Any]) -> Iterator[str]:
    yield f"{one['rows']:,}"
    yield f"{one['right']:,}"
    for name in ("before", "after"):
        yield "" if one[name] is None else f"{one[name]:.3f}"


def _told(data: dict[str, Any]) -> Iterator[str]:
    yield from (f"note: {note}" for note in data["notes"])
    yield f"card: {data['card']}"
    yield f"use it: clipmill label CLIPS -o DIR --model {data['card']}"
