"""`clipmill models frontier`: what networks find against what they cost."""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.outcome import JobError, Outcome, UsageError

if TYPE_CHECKING:
    from pipelines.jobs import AutolabelJob
    from transforms.evaluation.evaluating import Evaluation
    from transforms.evaluation.frontier import FrontierRow
    from transforms.evaluation.truths.truth import Truth

HELP = "compare networks and input sizes on clips with truth: precision and tracks against time and money"
EXAMPLES = """
clipmill models frontier rendered --truth rendered/truth --model demo --sizes 640,960,1280
clipmill models frontier clips --truth annotations.json --model yolox-nano --model yolox-s@640
"""

_CAMERA_HOURS: Final = 1000.0
_SCORE: Final = 0.5
_MOST_RUNS: Final = 100
_MOST_DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """A network at one input size.

    Attributes:
        model: its name, or the path of its card or file.
        size: long side of the input in px.
    """

    model: str
    size: int

    def __str__(self) -> str:
        return f"{self.model}@{self.size}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
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
        "--model",
        action="append",
        metavar="NAME[@SIZE]",
        help="network, and long side of its input; repeatable (default: all whose files are here)",
    )
    parser.add_argument(
        "--sizes",
        metavar="PX,PX,...",
        help="long sides of the input of networks that work at any size (default: each card's own)",
    )
    parser.add_argument(
        "--fps", default="5", metavar="N", help="frames a second to label, all, or keyframes (default: 5)"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="shards worked on at once (default: one a core)"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Labels the clips once for each trial, and judges."""
    from models.errors import ModelError
    from pipelines.trial_labels import truth_at
    from transforms.evaluation.frontier import marked
    from transforms.views.frontier_text import frontier_text

    if arguments.truth_fps is not None and not 0 < arguments.truth_fps < math.inf:
        raise UsageError(f"--truth-fps {arguments.truth_fps:g}: must be above 0")
    truth = truth_at(arguments.truth, arguments.truth_fps)
    trials, left_out = _trials(arguments.model, _sizes(arguments.sizes))
    rows, notes = [], dict.fromkeys(left_out)
    jobs = [_job(trial, arguments) for trial in trials]
    for number, (trial, job) in enumerate(zip(trials, jobs, strict=True), 1):
        _say(f"{number} of {len(trials)}: {trial}")
        try:
            row, told = _row(trial, job, truth)
        except (ModelError, JobError) as error:
            notes[_left_out(str(trial), error)] = None
        else:
            rows.append(row)
            notes |= dict.fromkeys(told)
    if not rows:
        raise JobError("; ".join(notes))
    rows = marked(rows)
    data = {
        "truth": str(arguments.truth),
        "fps": arguments.fps,
        "camera_hours": _CAMERA_HOURS,
        "rows": [asdict(row) for row in rows],
        "notes": list(notes),
    }
    return Outcome(data, frontier_text(rows, list(notes), arguments.fps, _CAMERA_HOURS))


def _sizes(given: str | None) -> tuple[int, ...]:
    if given is None:
        return ()
    sizes = [size.strip() for size in given.split(",")]
    if not all(map(_is_size, sizes)):
        raise UsageError(f"--sizes {given}: numbers of pixels are expected, as in 416,640,960")
    return tuple(dict.fromkeys(map(int, sizes)))


def _is_size(text: str) -> bool:
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def _trials(named: Sequence[str] | None, sizes: tuple[int, ...]) -> tuple[list[Trial], list[str]]:
    """What is to be compared, each once; and what is not, with why.

    Raises:
        UsageError: nothing, or too much.
    """
    from models.errors import ModelError
    from models.registry import find_model
    from models.resizing import check_size

    trials: dict[Trial, None] = {}
    left_out = []
    for name in named or _here():
        model, own = _named(name)
        try:
            card = find_model(model).card
        except ModelError as error:
            left_out.append(_left_out(name, error))
            continue
        one_size = own is not None or not sizes or not card.input.dynamic
        asked = (own,) if one_size else sizes
        for size in asked:
            try:
                trials[Trial(model, check_size(card, size))] = None
            except ModelError as error:
                left_out.append(_left_out(f"{model}@{size}", error))
    if not trials:
        raise UsageError("; ".join(left_out) or "no network to compare")
    if len(trials) > _MOST_RUNS:
        raise UsageError(f"{len(trials)} networks and sizes; at most {_MOST_RUNS} are compared at once")
    return list(trials), left_out


def _here() -> Iterator[str]:
    """Names of the known networks whose files are here."""
    from models.card import known_cards
    from models.downloads import cached_file
    from models.errors import ModelFetchError

    for card in known_cards().values():
        try:
            if card.task == "detection" and (card.bundled is not None or cached_file(card) is not None):
                yield card.name
        except ModelFetchError as error:
            _left_out(card.name, error)


def _named(name: str) -> tuple[str, int | None]:
    """Network and size of NAME[@SIZE].

    >>> _named("yolox-s@640"), _named("nets/a@b.onnx")
    (('yolox-s', 640), ('nets/a@b.onnx', None))
    """
    model, at, size = name.rpartition("@")
    return (model, int(size)) if at and model and _is_size(size) else (name, None)


def _job(trial: Trial, arguments: argparse.Namespace) -> "AutolabelJob":
    from pipelines.jobs import check_job

    values = {
        "inputs": arguments.clips,
        "output": "unused",
        "models": [trial.model],
        "size": trial.size,
        "workers": arguments.workers,
        "labels": {"fps": arguments.fps},
    }
    return check_job(values, "options")


def _row(trial: Trial, job: "AutolabelJob", truth: "Truth") -> tuple["FrontierRow", list[str]]:
    """Labels, judges and prices; and what is to be known of it."""
    from pipelines.trial_labels import trial_labels
    from transforms.budget.demand.figures import DatasetFigures
    from transforms.budget.draws import Draws, Inputs
    from transforms.budget.facts.library import load_facts
    from transforms.budget.labelling import labelling_cost, newest_speed
    from transforms.evaluation.answer import means_of_tracking
    from transforms.evaluation.frontier import FrontierRow
    from transforms.storage import open_store
    from transforms.tables.layout import run_file

    with trial_labels(job) as labelled:
        found = _evaluated(labelled.folder, truth)
        store = open_store(str(labelled.folder))
        speed = newest_speed(store)
        record = json.loads(store.read(run_file(labelled.run_id, "run.json")))
    # local labelling on the processor always notes its speed
    assert speed is not None
    cost = labelling_cost(speed, DatasetFigures.of_hours(_CAMERA_HOURS), load_facts(), Inputs(Draws()))
    assert cost is not None
    all_ms = 1e3 / speed.frames_per_second_per_core
    best = means_of_tracking(found)[1]
    row = FrontierRow(
        model=trial.model,
        size=trial.size,
        frames=found.common.frames.num_rows,
        ap=None if found.mean is None else found.mean.ap,
        ap50=None if found.mean is None else found.mean.ap50,
        raw_ap=None if found.raw_mean is None else found.raw_mean.ap,
        raw_ap50=None if found.raw_mean is None else found.raw_mean.ap50,
        hota=None if best is None else best.hota,
        decode_ms=all_ms * speed.decode_share,
        network_ms=all_ms * record["stages_seconds"]["detect_s"] / record["speed"]["worker_seconds"],
        all_ms=all_ms,
        core_hours=cost.modes[0].core_hours,
        usd=cost.modes[0].cost_usd,
    )
    notes = list(labelled.notes)
    if labelled.failed:
        notes.append(f"{labelled.failed} clips could not be labelled")
    if found.mean is None:
        notes.append(f"{trial}: the truth has no box of a category that it looks for")
    if found.not_looked_for:
        notes.append(f"{trial.model} does not look for {', '.join(found.not_looked_for)}: not in its means")
    return row, notes


def _evaluated(folder: Path, truth: "Truth") -> "Evaluation":
    from transforms.evaluation.common_frames import NothingInCommonError
    from transforms.evaluation.evaluating import evaluate
    from transforms.evaluation.labels import LabelsError, open_labels
    from transforms.evaluation.pairing import NEUTRAL

    try:
        return evaluate(open_labels(folder, None), truth, score=_SCORE, tolerance_ns=None, neutral=NEUTRAL)
    except (NothingInCommonError, LabelsError) as error:
        raise UsageError(str(error)) from error


def _left_out(name: str, error: Exception) -> str:
    """Tells at once that something is not compared.

    Returns:
        The same in one line, for the report.
    """
    text = f"{name} left out: {str(error).splitlines()[0]}"
    _say(text)
    return text


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
