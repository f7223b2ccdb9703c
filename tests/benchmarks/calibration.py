"""Whether scores are probabilities, on rendered clips: `python tests/benchmarks/calibration.py`.

Renders clips as `clipmill sample --clips` does, labels them as `clipmill label` does, and prints the expected calibration
error (15 bins) of `score_raw`, what the network says of the boxes it found, and of `score`, what stands at the end: on
rows that the network saw, and on all rows, those of hindsight included. The default seeds are 10,000 to 10,023, that
nothing is fitted on. The bundled card's calibration is from others; whenever hindsight changes, it is fitted anew:

    clipmill sample rendered --seed 20000 --clips 48
    clipmill models calibrate demo rendered --truth rendered/truth -o models/cards/demo.toml
"""

import argparse
import json
import logging
import tempfile
from pathlib import Path

from models.taxonomy import CATEGORIES
from pipelines.jobs import check_job
from pipelines.trial_labels import trial_labels, truth_at
from transforms.evaluation.calibration_error import expected_calibration_error
from transforms.evaluation.evaluating import Evaluation, evaluate
from transforms.evaluation.judged_rows import JudgedRows, judged_rows
from transforms.evaluation.labels import open_labels
from transforms.evaluation.pairing import NEUTRAL
from transforms.scenes.samples import write_clips

FIRST_SEED = 10_000
CLIPS = 24


def figures(found: Evaluation, rows: JudgedRows) -> dict[str, dict[str, object]]:
    """Errors and rows, by category and of all together."""

    def of(part: JudgedRows) -> dict[str, object]:
        seen = part.take(part.detected)
        return {
            "score_detected": expected_calibration_error(seen.scores, seen.right),
            "score_all": expected_calibration_error(part.scores, part.right),
            "detected": len(seen),
            "rows": len(part),
        }

    report = {}
    for name, one in found.categories.items():
        raw = None if one.raw_calibration is None else one.raw_calibration.error
        report[name] = {"score_raw": raw, **of(rows.take(rows.categories == CATEGORIES.index(name)))}
    raw = None if found.raw_calibration is None else found.raw_calibration.error
    report["all"] = {"score_raw": raw, **of(rows)}
    return report


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, dict[str, object]]:
    """Renders, labels and judges."""
    write_clips(folder, arguments.seed, arguments.clips)
    job = check_job(
        {
            "inputs": [str(folder)],
            "output": "unused",
            "models": [arguments.model],
            "labels": {"fps": arguments.fps},
        },
        "options",
    )
    truth = truth_at(folder / "truth", None)
    with trial_labels(job) as labelled:
        labels = open_labels(labelled.folder, None)
        found = evaluate(labels, truth, score=0.5, tolerance_ns=None, neutral=NEUTRAL)
        return figures(found, judged_rows(labels, truth))


def main() -> None:
    """Measures and prints a table, or one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="demo")
    parser.add_argument("--seed", type=int, default=FIRST_SEED)
    parser.add_argument("--clips", type=int, default=CLIPS)
    parser.add_argument("--fps", default="5")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    # Beam has much to say of type hints
    logging.getLogger().setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as folder:
        report = measure(arguments, Path(folder))
    if arguments.json:
        print(json.dumps(report))
        return
    print(f"{'':14}{'score_raw':>11}{'score, detected':>17}{'rows':>7}{'score, all':>12}{'rows':>7}")
    for name, one in report.items():
        raw, seen, whole = (
            "" if one[key] is None else f"{one[key]:.4f}"
            for key in ("score_raw", "score_detected", "score_all")
        )
        print(f"{name:14}{raw:>11}{seen:>17}{one['detected']:>7}{whole:>12}{one['rows']:>7}")


if __name__ == "__main__":
    main()
