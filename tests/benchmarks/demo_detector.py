"""The bundled detector on rendered clips that it was not trained on, beside a public network.

    python tests/benchmarks/demo_detector.py [--clips 24] [--cameras front|all] [--first-seed 10000] [--models demo yolox-nano] [--json]

Each clip is a world of a seed from 10,000 on, filmed, coded, probed, decoded and sampled as the product does: those that
`clipmill sample --clips` writes, or with `--cameras all` from any camera, in six conditions in turn. Boxes at least 12 px high and at least 40 % visible count; others count neither for nor against. Figures are AP at IoU 0.5 by
category and condition, and IDF1 and HOTA of the tracker on the same detections. A category that a network does not look
for has no figure and does not enter its mean.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.errors import ModelError
from models.registry import find_model
from models.sessions import Detector, load_detector
from models.taxonomy import CATEGORIES
from transforms.clips.decoding import ClipDecoder, SampledFrame
from transforms.clips.probing import probe
from transforms.clips.refs import ClipName, ClipRef, InputFile
from transforms.clips.sampling import Sampling
from transforms.evaluation.ap import average_precision
from transforms.evaluation.mot import tracking_figures
from transforms.evaluation.pairing import BOX_COLUMNS, Pairing, pair
from transforms.labels.tracking import TrackerSettings, track
from transforms.scenes.cameras import mounted_camera
from transforms.scenes.encoding import TICKS_PER_S
from transforms.scenes.filming import Take, even_pts, film
from transforms.scenes.records import (
    MIN_EVALUATED_HEIGHT_PX,
    MIN_EVALUATED_VISIBILITY,
    ClipRecord,
    timestamp_ns,
)
from transforms.scenes.rendering import FrameTruth
from transforms.scenes.samples import clip_conditions
from transforms.scenes.worlds import Conditions, make_world

FIRST_SEED = 10_000
FPS = Fraction(12)
SAMPLED = "5"
TRACK_SCORE = 0.0
FRONT_SIZE, OTHER_SIZE = (640, 360), (480, 270)
"""Those of `clipmill sample`."""
CAMERA_NAMES = ("front", "front", "back", "left_repeater", "front", "right_repeater")
CONDITIONS = (
    Conditions("day"),
    Conditions("night"),
    Conditions("day", rain=True),
    Conditions("dusk"),
    Conditions("night", rain=True),
    Conditions("dusk", rain=True),
)
SHARED_NETWORKS = {"yolox-nano": "yolox_nano_416.onnx"}
SHARED = Path(os.environ.get("CLIPMILL_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "models"


@dataclass(frozen=True)
class Clip:
    """A clip to judge by.

    Attributes:
        film: the file and its truth.
        ref: what probing says of it.
        truth: of each sampled frame, by its time.
    """

    film: ClipRecord
    ref: ClipRef
    truth: dict[int, FrameTruth]

    @property
    def groups(self) -> set[str]:
        conditions = self.film.world.conditions
        return {"all", conditions.light, "rain" if conditions.rain else "dry"}


def film_clip(number: int, seconds: float, cameras: str, first_seed: int = FIRST_SEED) -> Clip:
    """The clip of a number.

    Args:
        number: from 0.
        seconds: how long.
        cameras: "front" for a clip of `clipmill sample --clips`; "all" to turn cameras and times against conditions.
        first_seed: seed of clip 0.
    """
    seed, camera, conditions, start_s = first_seed + number, "front", clip_conditions(first_seed, number), 0.0
    if cameras == "all":
        camera = CAMERA_NAMES[(number + number // len(CONDITIONS)) % len(CAMERA_NAMES)]
        conditions, start_s = CONDITIONS[number % len(CONDITIONS)], 5.0 * (number % 9)
    pts = even_pts(seconds, FPS)
    take = Take(start_s=start_s, pts=pts, duration_ticks=round(seconds * TICKS_PER_S), fps=FPS)
    size = FRONT_SIZE if camera == "front" else OTHER_SIZE
    made = film(make_world(seed, conditions), mounted_camera(camera, *size), take)
    file = InputFile(uri=f"/{seed}-{camera}.mp4", root="/", bytes=len(made.content))
    ref = probe(io.BytesIO(made.content), file, ClipName(source="generic", vehicle="", camera=camera), None)
    sampled = {frame.timestamp_ns for frame in decoded(made.content, ref)}
    truth = {timestamp_ns(frame.pts): frame.truth for frame in made.frames}
    return Clip(made, ref, {time: truth[time] for time in sorted(sampled)})


def decoded(content: bytes, ref: ClipRef) -> Iterator[SampledFrame]:
    with ClipDecoder(io.BytesIO(content), ref) as decoder:
        yield from decoder.frames(Sampling.parse(SAMPLED))


def table(rows: Iterator[tuple[object, ...]]) -> pa.Table:
    names = ("clip_id", "timestamp_ns", "category", *BOX_COLUMNS, "track_id", "score")
    columns = list(zip(*rows, strict=True)) or [[] for _ in names]
    return pa.table({name: list(column) for name, column in zip(names, columns, strict=True)})


def truth_rows(clips: Sequence[Clip]) -> Iterator[tuple[object, ...]]:
    for clip in clips:
        for time, seen in clip.truth.items():
            for box, category, number, visible in zip(
                seen.boxes.tolist(),
                seen.categories.tolist(),
                seen.object_ids.tolist(),
                seen.visibility.tolist(),
                strict=True,
            ):
                counts = box[3] - box[1] >= MIN_EVALUATED_HEIGHT_PX and visible >= MIN_EVALUATED_VISIBILITY
                name = CATEGORIES[category] if counts else f"ignored {CATEGORIES[category]}"
                yield clip.ref.clip_id, time, name, *box, number, 1.0


def label_rows(clips: Sequence[Clip], detector: Detector) -> Iterator[tuple[object, ...]]:
    for clip in clips:
        size = (clip.ref.width, clip.ref.height)
        plan = detector.plan(*size)
        found = {
            frame.timestamp_ns: detector.detect(
                [frame.bgr(plan.image_width, plan.image_height)], plan, *size
            )[0]
            for frame in decoded(clip.film.content, clip.ref)
        }
        times, boxes_of = np.array(list(found), np.int64), list(found.values())
        frame_of = np.repeat(np.arange(len(found), dtype=np.int32), [len(one.scores) for one in boxes_of])
        boxes = np.concatenate([one.boxes for one in boxes_of])
        scores = np.concatenate([one.scores for one in boxes_of])
        categories = np.concatenate([one.categories for one in boxes_of])
        tracks = track(times, frame_of, boxes, scores, categories, TrackerSettings())
        for time, box, score, category, number in zip(
            times[frame_of].tolist(),
            boxes.tolist(),
            scores.tolist(),
            categories.tolist(),
            tracks.tolist(),
            strict=True,
        ):
            yield clip.ref.clip_id, time, CATEGORIES[category], *box, number, score


def figures(pairing: Pairing, looked_for: Sequence[str]) -> dict[str, object]:
    """AP50, IDF1 and HOTA by category and their means over the categories that the network looks for."""
    precision = average_precision(pairing)
    tracking = tracking_figures(pairing, TRACK_SCORE)
    by_category = {
        name: {
            "truth": precision[name].truth,
            "ap50": precision[name].ap50,
            "ap": precision[name].ap,
            "idf1": tracking[name].idf1,
            "hota": tracking[name].hota,
        }
        for name in CATEGORIES
        if name in precision and name in looked_for
    }
    means = {
        key: float(np.mean([one[key] for one in by_category.values()])) if by_category else None
        for key in ("ap50", "ap", "idf1", "hota")
    }
    return {"truth": sum(one["truth"] for one in by_category.values()), **means, "categories": by_category}


def judge(clips: Sequence[Clip], detector: Detector) -> dict[str, object]:
    """Figures of one network, of all clips and of those of each condition."""
    labels, truth = table(label_rows(clips, detector)), table(truth_rows(clips))
    neutral = {name: (f"ignored {name}",) for name in CATEGORIES}
    result = {}
    for group in ("all", "day", "dusk", "night", "dry", "rain"):
        chosen = [clip for clip in clips if group in clip.groups]
        if chosen:
            names = pa.array([clip.ref.clip_id for clip in chosen])
            frames = pa.table(
                {
                    "clip_id": [clip.ref.clip_id for clip in chosen for _ in clip.truth],
                    "timestamp_ns": [time for clip in chosen for time in clip.truth],
                }
            )
            mine = truth.filter(pc.is_in(truth["clip_id"], value_set=names))
            result[group] = figures(pair(labels, mine, frames, neutral=neutral), detector.card.categories)
    return result


def open_detector(name_and_size: str) -> Detector | None:
    """A network by its name, with or without @SIZE: bundled, from beside the checkout or downloaded before, or None."""
    name, _, size = name_and_size.partition("@")
    shared = SHARED / SHARED_NETWORKS.get(name, "-")
    path_or_name = str(shared) if shared.is_file() else name
    try:
        return load_detector(find_model(path_or_name, size=int(size) if size else None, offline=True))
    except ModelError as error:
        sys.stderr.write(f"{name_and_size}: left out: {error}\n")
        return None


def lines(report: dict[str, dict[str, dict[str, object]]]) -> Iterator[str]:
    """The report as text."""

    def show(value: object) -> str:
        return f"{value:7.3f}" if isinstance(value, float) else "      -"

    for name, groups in report.items():
        yield (
            f"\n{name}\n{'AP50':<14}"
            + "".join(f"{group:>8}" for group in groups)
            + f"{'IDF1':>9}{'HOTA':>8}{'boxes':>8}"
        )
        every = groups["all"]["categories"]
        for category in every:
            cells = [groups[group]["categories"].get(category, {}).get("ap50") for group in groups]
            one = every[category]
            yield (
                f"{category:<14} "
                + " ".join(map(show, [*cells, one["idf1"], one["hota"]]))
                + f"{one['truth']:8}"
            )
        whole = groups["all"]
        cells = [groups[group]["ap50"] for group in groups]
        yield (
            f"{'mean':<14} "
            + " ".join(map(show, [*cells, whole["idf1"], whole["hota"]]))
            + f"{whole['truth']:8}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--cameras", choices=("front", "all"), default="front")
    parser.add_argument("--models", nargs="+", default=["demo", "yolox-nano"], metavar="NAME[@SIZE]")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    clips = [
        film_clip(number, options.seconds, options.cameras, options.first_seed)
        for number in range(options.clips)
    ]
    detectors = {name: open_detector(name) for name in options.models}
    report = {name: judge(clips, detector) for name, detector in detectors.items() if detector}
    dark = sum(bool(clip.groups & {"night", "rain"}) for clip in clips)
    if options.json:
        sys.stdout.write(json.dumps({"clips": len(clips), "night_or_rain": dark, "models": report}) + "\n")
        return
    sys.stdout.write(
        f"{len(clips)} clips of {options.seconds:g} s, {SAMPLED} frames/s, {dark} at night or in rain\n"
    )
    sys.stdout.write("\n".join(lines(report)) + "\n")


if __name__ == "__main__":
    main()
