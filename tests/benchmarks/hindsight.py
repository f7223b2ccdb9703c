"""What every step of hindsight brings: `python tests/benchmarks/hindsight.py [--only rendered,kitti] [--json]`.

Steps add up from line to line, from what the network alone says to all of hindsight. On rendered scenes the network is
the bundled one at its own boxes, on clips of seeds from 10,000 on, from all cameras, by day, dusk and night, dry and in
rain; figures are means over its categories, tracking figures at score 0.5. The rest is of the real detections of KITTI
tracking beside the checkout (`CLIPMILL_SHARED` names the folder): there the score from which boxes count is chosen on
one half of the sequences and used on the other, category by category; figures are means over two ways to halve them, by
turns and in the middle. AP and AP50 take all rows; HOTA, IDF1 and boxes a frame
those from the score on. `added right` is the share of added rows that are right, `recovered` that of the truth that the
network missed within an object's life and the labels have, both from the score on. The network missed what none of its
boxes finds from its own score on: the one at which online tracks of them, which are the same boxes, are best. `never
seen`: the same for the truth that none of its boxes finds, whatever its score. Evaluators: transforms/evaluation, which
tests hold equal to pycocotools and TrackEval.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from demo_detector import SHARED, Clip, film_clip, table, truth_rows

from models.card import ModelCard
from models.registry import find_model
from models.sessions import Detector, load_detector
from models.taxonomy import CATEGORIES
from pipelines.commands.label import STEPS
from transforms.clips.shards import plan_drives
from transforms.evaluation.additions import recovery
from transforms.evaluation.ap import precision_of
from transforms.evaluation.judging import Judgement, judge
from transforms.evaluation.matching import MISSED, RIGHT
from transforms.evaluation.mot import figures_at
from transforms.evaluation.pairing import NEUTRAL, CategoryPairing, pair
from transforms.labels import rows
from transforms.labels.following import follow
from transforms.labels.hindsight.settings import ONLINE, HindsightSettings
from transforms.labels.labelling import see_part
from transforms.labels.seen import PartLabels
from transforms.labels.settings import LabelSettings
from transforms.labels.tabular import label_table
from transforms.labels.windows import Timings

SCORES = (*(step / 20 for step in range(1, 20)), 0.97, 0.98, 0.99)
KITTI = SHARED.parent / "gt" / "kitti_tracking"

NETWORK = "network alone"

Figures = dict[str, float]


@dataclass(frozen=True)
class Line:
    """A line of the table: labels after some steps, and what they took.

    That of the network alone has the tracks of the next line, by which its score is chosen.
    """

    name: str
    labels: pa.Table
    ms_per_frame: float


def cumulative() -> Iterator[tuple[str, HindsightSettings]]:
    """No hindsight, then one step more at a time."""
    switches = ONLINE.model_dump()
    yield "online tracks", ONLINE
    for step in STEPS:
        switches[step] = True
        yield f"+ {step.replace('_', ' ')}", HindsightSettings(**switches)


def seen_part(clip: Clip, detector: Detector) -> PartLabels:
    """What decoding and the network give of a clip, before any label is made."""
    (plan,) = plan_drives([clip.ref], 0)
    (part,) = plan.parts
    labels, faults = see_part(
        part, lambda _uri: io.BytesIO(clip.film.content), [detector], LabelSettings(), Timings()
    )
    assert not faults, faults
    return labels


def rendered_lines(clips: Sequence[Clip], detector: Detector) -> Iterator[Line]:
    seen = [seen_part(clip, detector) for clip in clips]
    frames = sum(len(one.frames) for one in seen)
    for name, hindsight in cumulative():
        started = time.perf_counter()
        tracked = [follow(one, [detector], LabelSettings(hindsight=hindsight))[0] for one in seen]
        seconds = time.perf_counter() - started
        labels = pa.concat_tables([pa.table(rows.detection_columns(item)) for item in tracked])
        if hindsight == ONLINE:
            yield Line(NETWORK, labels, 0.0)
        yield Line(name, labels, 1e3 * seconds / frames)


def kitti_lines(detections: pa.Table, frames: pa.Table) -> Iterator[Line]:
    for name, hindsight in cumulative():
        if name.removeprefix("+ ") not in {"ego motion", "static removal", "calibration"}:
            started = time.perf_counter()
            labels = label_table(detections, frames, hindsight).detections
            taken_ms = 1e3 * (time.perf_counter() - started) / frames.num_rows
            if hindsight == ONLINE:
                yield Line(NETWORK, labels, 0.0)
            yield Line(name, labels, taken_ms)


Choice = Callable[[Judgement], list[npt.NDArray[np.bool_]]]
"""Which labels count, bool[N]; more than one way where figures are means."""


def fixed(score: float) -> Choice:
    """Labels from a score on."""
    return lambda judgement: [judgement.category.labels.scores >= score]


def chosen_on_the_other_half(judgement: Judgement) -> list[npt.NDArray[np.bool_]]:
    """Labels from the score on that is best for HOTA on the other half of the clips."""
    category = judgement.category
    clips = category.clips[category.labels.frames]
    middle = (int(category.clips.max()) + 1) // 2
    return [
        _across(category, lambda clip: clip % 2 == 0, clips),
        _across(category, lambda clip: clip < middle, clips),
    ]


def _across(
    category: CategoryPairing,
    first_half: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.bool_]],
    clips: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    kept = np.zeros(len(clips), bool)
    for half in (True, False):
        part = CategoryPairing(
            category.clips,
            *(
                boxes.take(first_half(category.clips[boxes.frames]) == half)
                for boxes in (category.labels, category.truth, category.neutral, category.regions)
            ),
        )
        found = figures_at(part, SCORES)
        best = SCORES[int(np.argmax([one.hota for one in found]))]
        kept |= (first_half(clips) != half) & (category.labels.scores >= best)
    return kept


@dataclass(frozen=True)
class Network:
    """What one network finds of one category: all of its boxes, and those from its score on, one way to choose it each."""

    every: Judgement
    counting: list[Judgement]


def figures(
    judgement: Judgement,
    network: Network,
    sources: npt.NDArray[np.object_],
    choices: Sequence[npt.NDArray[np.bool_]],
    *,
    has_tracks: bool,
) -> Figures:
    """Figures of one category; `choices`: the labels from the score on, as many ways as the network's."""
    category = judgement.category
    precision = precision_of(judgement.matching, category.labels.scores)
    result = {"AP": precision.ap, "AP50": precision.ap50}
    if has_tracks:
        tracking = [figures_at(counting(category, kept), [-np.inf])[0] for kept in choices]
        result["HOTA"] = float(np.mean([one.hota for one in tracking]))
        result["IDF1"] = float(np.mean([one.idf1 for one in tracking]))
    added = sources[category.labels.rows] != "detected"
    ways = []
    for kept, own in zip(choices, network.counting, strict=True):
        outcomes = judgement.matching.outcomes[0, kept & added]
        final = judge(counting(category, kept))
        regained, unseen = recovery(final, own, 0.0), recovery(final, network.every, 0.0)
        ways.append(
            {
                "boxes": float(kept.sum()),
                "right": int((outcomes == RIGHT).sum()),
                "wrong": int((outcomes == MISSED).sum()),
                "missed": regained.missed,
                "recovered": regained.recovered,
                "unseen": unseen.missed,
                "unseen recovered": unseen.recovered,
            }
        )
    return {**result, **{key: float(np.mean([way[key] for way in ways])) for key in ways[0]}}


def counting(category: CategoryPairing, kept: npt.NDArray[np.bool_]) -> CategoryPairing:
    """The category with some of its labels only."""
    return CategoryPairing(
        category.clips, category.labels.take(kept), category.truth, category.neutral, category.regions
    )


def report(
    lines: Iterator[Line],
    truth: pa.Table,
    frames: pa.Table,
    neutral: dict[str, tuple[str, ...]],
    names: Sequence[str],
    choose: Choice,
) -> list[dict[str, Any]]:
    """Every line with its figures by category and their means."""
    networks: dict[str, Network] = {}
    result = []
    for line in lines:
        paired = pair(line.labels, truth, frames, neutral=neutral)
        sources = np.array(line.labels["label_source"].to_pylist(), object)
        judged = {name: judge(paired.of(name)) for name in names}
        chosen = {name: choose(one) for name, one in judged.items()}
        if line.name == NETWORK:
            networks = {
                name: Network(one, [judge(counting(one.category, kept)) for kept in chosen[name]])
                for name, one in judged.items()
            }
        found = {
            name: figures(one, networks[name], sources, chosen[name], has_tracks=line.name != NETWORK)
            for name, one in judged.items()
        }
        result.append(
            {"step": line.name, "ms_per_frame": line.ms_per_frame, "frames": frames.num_rows, "of": found}
        )
    return result


def rendered_report(options: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    detector = load_detector(find_model("demo"))
    card: ModelCard = detector.card
    clips = [film_clip(number, options.seconds, "all") for number in range(options.clips)]
    frames = pa.table(
        {
            "clip_id": [clip.ref.clip_id for clip in clips for _ in clip.truth],
            "timestamp_ns": [time_ns for clip in clips for time_ns in clip.truth],
        }
    )
    neutral = {name: (f"ignored {name}",) for name in CATEGORIES}
    truth = table(truth_rows(clips))
    lines = rendered_lines(clips, detector)
    return {"rendered, mean": report(lines, truth, frames, neutral, card.categories, fixed(0.5))}


def kitti_report() -> dict[str, list[dict[str, Any]]]:
    tables = {name: pq.read_table(KITTI / f"{name}.parquet") for name in ("detections", "frames", "truth")}
    lines = kitti_lines(tables["detections"], tables["frames"])
    found = report(
        lines,
        tables["truth"],
        tables["frames"],
        dict(NEUTRAL),
        ("car", "pedestrian", "cyclist"),
        chosen_on_the_other_half,
    )
    return {
        f"KITTI tracking, {name}": [{**line, "of": {name: line["of"][name]}} for line in found]
        for name in ("car", "pedestrian", "cyclist")
    }


def text(title: str, lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The table of one set, in the form of Markdown."""
    yield f"\n**{title}**\n"
    yield "| step | AP | AP50 | HOTA | IDF1 | boxes a frame | added right | recovered | never seen | ms a frame |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"

    def share(part: float, whole: float) -> str:
        return f"{part / whole:.2f} of {whole:.0f}" if whole else "-"

    for line in lines:
        parts = list(line["of"].values())
        mean = {
            key: np.mean([one[key] for one in parts]) if all(key in one for one in parts) else None
            for key in ("AP", "AP50", "HOTA", "IDF1")
        }
        total = {key: sum(one[key] for one in parts) for key in parts[0] if key not in mean}
        cells = [
            *(f"{value:.4f}" if value is not None else "-" for value in mean.values()),
            f"{total['boxes'] / line['frames']:.2f}",
            share(total["right"], total["right"] + total["wrong"]),
            share(total["recovered"], total["missed"]),
            share(total["unseen recovered"], total["unseen"]),
            f"{line['ms_per_frame']:.2f}",
        ]
        yield f"| {line['step']} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="rendered,kitti")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    found: dict[str, list[dict[str, Any]]] = {}
    for name in options.only.split(","):
        found |= rendered_report(options) if name == "rendered" else kitti_report()
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for title, lines in found.items():
        sys.stdout.write("\n".join(text(title, lines)) + "\n")


if __name__ == "__main__":
    main()
