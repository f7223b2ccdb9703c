"""The bundled detector on rendered clips that it was not trained on, beside a public network.

    python tests/benchmarks/demo_detector.py [--clips 24] [--models demo yolox-nano] [--json]

Each clip is a world of a seed from 10,000 on, in one of six conditions, coded as H.264 and decoded again. Boxes at
least 12 px high and at least 40 % visible count; others count neither for nor against. Figures are AP at IoU 0.5 by
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
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.errors import ModelError
from models.registry import find_model
from models.sessions import Detector, load_detector
from models.taxonomy import CATEGORIES
from transforms.evaluation.ap import average_precision
from transforms.evaluation.mot import tracking_figures
from transforms.evaluation.pairing import BOX_COLUMNS, Pairing, pair
from transforms.labels.tracking import TrackerSettings, track
from transforms.scenes.cameras import Camera, mounted_camera
from transforms.scenes.rendering import FrameTruth, render
from transforms.scenes.worlds import Conditions, make_world

FIRST_SEED = 10_000
MIN_HEIGHT_PX, MIN_VISIBILITY = 12.0, 0.4
FRAMES_PER_S = 5
TRACK_SCORE = 0.3
SIZES = ((640, 480), (640, 360))
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

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Clip:
    """A clip to judge by.

    Attributes:
        name: of the clip.
        conditions: light and weather.
        images: decoded frames, BGR.
        truth: of each frame.
    """

    name: str
    conditions: Conditions
    images: list[Image]
    truth: list[FrameTruth]

    @property
    def groups(self) -> list[str]:
        return [self.conditions.light, "rain" if self.conditions.rain else "dry"]


def draw_clip(number: int) -> tuple[int, Conditions, Camera, float]:
    """Seed, conditions, camera and first second of the clip of a number: cameras turn against the conditions."""
    turn = number // len(CONDITIONS)
    camera = CAMERA_NAMES[(number + turn) % len(CAMERA_NAMES)]
    size = SIZES[(number + turn) % 2]
    return (
        FIRST_SEED + number,
        CONDITIONS[number % len(CONDITIONS)],
        mounted_camera(camera, *size),
        5.0 * (number % 9),
    )


def recode(images: list[Image]) -> list[Image]:
    """What is left of the frames after H.264 at the quality of a car's camera."""
    file = io.BytesIO()
    height, width = images[0].shape[:2]
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=FRAMES_PER_S, options={"crf": "23", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    file.seek(0)
    with av.open(file) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def render_clip(number: int, seconds: float) -> Clip:
    seed, conditions, camera, first_s = draw_clip(number)
    world = make_world(seed, conditions)
    images, truth = [], []
    for frame in range(round(seconds * FRAMES_PER_S)):
        image, seen = render(world, camera, first_s + frame / FRAMES_PER_S)
        images.append(image)
        truth.append(seen)
    return Clip(f"{seed}-{camera.name}", conditions, recode(images), truth)


def table(rows: Iterator[tuple[object, ...]]) -> pa.Table:
    names = ("clip_id", "timestamp_ns", "category", *BOX_COLUMNS, "track_id", "score")
    columns = list(zip(*rows, strict=True)) or [[] for _ in names]
    return pa.table({name: list(column) for name, column in zip(names, columns, strict=True)})


def time_ns(frame: int) -> int:
    return frame * 1_000_000_000 // FRAMES_PER_S


def truth_rows(clips: Sequence[Clip]) -> Iterator[tuple[object, ...]]:
    for clip in clips:
        for frame, seen in enumerate(clip.truth):
            for box, category, number, visible in zip(
                seen.boxes.tolist(),
                seen.categories.tolist(),
                seen.object_ids.tolist(),
                seen.visibility.tolist(),
                strict=True,
            ):
                counts = box[3] - box[1] >= MIN_HEIGHT_PX and visible >= MIN_VISIBILITY
                name = CATEGORIES[category] if counts else f"ignored {CATEGORIES[category]}"
                yield clip.name, time_ns(frame), name, *box, number, 1.0


def label_rows(clips: Sequence[Clip], detector: Detector) -> Iterator[tuple[object, ...]]:
    for clip in clips:
        height, width = clip.images[0].shape[:2]
        plan = detector.plan(width, height)
        size = (plan.image_width, plan.image_height)
        found = [
            detector.detect([cv2.resize(image, size, interpolation=cv2.INTER_AREA)], plan, width, height)[0]
            for image in clip.images
        ]
        frame_of = np.repeat(np.arange(len(found), dtype=np.int32), [len(one.scores) for one in found])
        boxes = np.concatenate([one.boxes for one in found])
        scores = np.concatenate([one.scores for one in found])
        categories = np.concatenate([one.categories for one in found])
        times = np.array([time_ns(frame) for frame in range(len(found))], np.int64)
        tracks = track(times, frame_of, boxes, scores, categories, TrackerSettings())
        for frame, box, score, category, number in zip(
            frame_of.tolist(),
            boxes.tolist(),
            scores.tolist(),
            categories.tolist(),
            tracks.tolist(),
            strict=True,
        ):
            yield clip.name, time_ns(frame), CATEGORIES[category], *box, number, score


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
        chosen = [clip for clip in clips if group in {"all", *clip.groups}]
        if chosen:
            names = pa.array([clip.name for clip in chosen])
            frames = pa.table(
                {
                    "clip_id": [clip.name for clip in chosen for _ in clip.images],
                    "timestamp_ns": [time_ns(frame) for clip in chosen for frame in range(len(clip.images))],
                }
            )
            mine = truth.filter(pc.is_in(truth["clip_id"], value_set=names))
            result[group] = figures(pair(labels, mine, frames, neutral=neutral), detector.card.categories)
    return result


def open_detector(name: str) -> Detector | None:
    """A network by its name: from beside the checkout, bundled or downloaded before; None where it is not there."""
    shared = SHARED / SHARED_NETWORKS.get(name, "-")
    try:
        return load_detector(find_model(str(shared) if shared.is_file() else name, offline=True))
    except ModelError as error:
        sys.stderr.write(f"{name}: left out: {error}\n")
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
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--models", nargs="+", default=["demo", "yolox-nano"])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    clips = [render_clip(number, options.seconds) for number in range(options.clips)]
    detectors = {name: open_detector(name) for name in options.models}
    report = {name: judge(clips, detector) for name, detector in detectors.items() if detector}
    dark = sum(clip.conditions.light == "night" or clip.conditions.rain for clip in clips)
    if options.json:
        sys.stdout.write(json.dumps({"clips": len(clips), "night_or_rain": dark, "models": report}) + "\n")
        return
    sys.stdout.write(
        f"{len(clips)} clips of {options.seconds:g} s at {FRAMES_PER_S} frames/s, {dark} at night or in rain\n"
    )
    sys.stdout.write("\n".join(lines(report)) + "\n")


if __name__ == "__main__":
    main()
