"""`clipmill evaluate`: labels against ground truth."""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.folders import local_folder
from pipelines.outcome import Outcome, UsageError

if TYPE_CHECKING:
    from transforms.evaluation.truths.truth import Truth

HELP = "judge labels by ground truth: precision, tracking, hindsight and calibration figures"
EXAMPLES = """
clipmill evaluate out --truth sample_data/truth
clipmill evaluate out --truth annotations.json --model yolox-nano --json
clipmill evaluate tracked --truth truth.parquet --frames frames.parquet --neutral car=van
clipmill evaluate out --truth kitti/label_02 --truth-fps 10
clipmill evaluate out-2 --truth out/corrections
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "labels", type=local_folder, metavar="DIR", help="a data set, or the output of clipmill track"
    )
    parser.add_argument(
        "--truth",
        type=local_folder,
        required=True,
        metavar="TRUTH",
        help="Parquet, COCO JSON, MOT text or KITTI text: a file or a folder; the folder truth of a sample; or the folder "
        "corrections of a data set",
    )
    parser.add_argument(
        "--truth-fps", type=float, metavar="F", help="frame rate of a truth that numbers its frames"
    )
    parser.add_argument(
        "--frames",
        type=Path,
        metavar="FILE",
        help="Parquet with clip_id and timestamp_ns: the frames that the truth was made for",
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="network whose labels are judged, or its digest (default: the only one)",
    )
    parser.add_argument(
        "--score",
        type=float,
        default=0.5,
        metavar="S",
        help="least score of labels for tracking and hindsight figures (default: 0.5)",
    )
    parser.add_argument(
        "--tolerance-ms",
        type=float,
        metavar="MS",
        help="how far the times of a frame may differ (default: half of the smaller frame distance, at most 50)",
    )
    parser.add_argument(
        "--neutral",
        action="append",
        default=[],
        metavar="CATEGORY=OTHER",
        help="boxes of OTHER in the truth count neither for nor against CATEGORY (repeatable; car=van is always there)",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Evaluates."""
    _check_numbers(arguments)
    neutral = _neutral(arguments.neutral)

    from transforms.evaluation.answer import as_json
    from transforms.evaluation.common_frames import NothingInCommonError
    from transforms.evaluation.evaluating import evaluate
    from transforms.evaluation.labels import LabelsError, open_labels
    from transforms.evaluation.truths.files import TruthError
    from transforms.views.evaluation_text import evaluation_text

    root: Path = arguments.labels
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder")
    tolerance = arguments.tolerance_ms
    try:
        truth = _truth(arguments)
        labels = open_labels(root, arguments.model)
        found = evaluate(
            labels,
            truth,
            score=arguments.score,
            tolerance_ns=None if tolerance is None else round(tolerance * 1e6),
            neutral=neutral,
        )
    except (TruthError, LabelsError, NothingInCommonError) as error:
        raise UsageError(str(error)) from error
    model = labels.model
    data = {
        "labels": str(root),
        "truth": str(arguments.truth),
        "form": truth.form,
        "model": None if model is None else {"name": model.name, "digest": model.digest},
        **as_json(found),
    }
    judged = str(root) if model is None or not model.name else f"{root} ({model.name})"
    return Outcome(data, evaluation_text(found, judged, f"{arguments.truth} ({truth.form})"))


def _truth(arguments: argparse.Namespace) -> "Truth":
    from dataclasses import replace

    from pipelines.truth_files import truth_file, truth_files
    from transforms.evaluation.truths.forms import read_truth
    from transforms.evaluation.truths.parquet import read_frames

    truth = read_truth(truth_files(arguments.truth), arguments.truth_fps)
    if arguments.frames is None:
        return truth
    if not arguments.frames.is_file():
        raise UsageError(f"{arguments.frames}: no such file")
    return replace(truth, frames=read_frames(truth_file(arguments.frames)))


def _neutral(pairs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    from transforms.evaluation.pairing import NEUTRAL

    found: dict[str, tuple[str, ...]] = dict(NEUTRAL)
    for pair in pairs:
        category, _, other = (part.strip() for part in pair.partition("="))
        if not category or not other or category == other:
            raise UsageError(f"--neutral {pair}: CATEGORY=OTHER is expected, as in car=van")
        found[category] = tuple(dict.fromkeys((*found.get(category, ()), other)))
    return found


def _check_numbers(arguments: argparse.Namespace) -> None:
    if not 0 <= arguments.score <= 1:
        raise UsageError(f"--score {arguments.score:g}: must lie between 0 and 1")
    if arguments.truth_fps is not None and not 0 < arguments.truth_fps <= 1e6:  # noqa: PLR2004 - no camera is faster
        raise UsageError(f"--truth-fps {arguments.truth_fps:g}: must be above 0")
    if arguments.tolerance_ms is not None and not 0 <= arguments.tolerance_ms < math.inf:
        raise UsageError(f"--tolerance-ms {arguments.tolerance_ms:g}: must not be negative")
