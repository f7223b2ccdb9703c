"""Labels in every frame with the network in some: quality and cost against the network in every frame.

    python tests/benchmarks/every_frame.py [--only rendered,real] [--clips 12] [--fps 5] [--size 640]

Both ways go through the product's own milling, with hindsight. On rendered scenes of 30 frames a second (those of
dense_labels.py) the bundled network is judged by the truth. On the real clips beside the checkout, which have no truth,
YOLOX-nano is judged by what it says itself of every frame, its rows from score 0.5 on; AP50 is then the share of its
own labels that stand where it would have put them. How far a network agrees with itself is the third line: it sees
every frame again, moved by one pixel. Cost is processor time of the whole of labelling, decoding included.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import cv2
import dense_labels
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from clip_sets import NETWORK, real_clips
from demo_detector import table

from models.detections import Detections
from models.registry import find_model
from models.resizing import ResizePlan
from models.sessions import Detector, load_detector
from models.taxonomy import CATEGORIES
from transforms.clips.refs import ClipRef, InputFile
from transforms.clips.shards import plan_drives
from transforms.evaluation.ap import average_precision, mean_precision
from transforms.evaluation.pairing import pair
from transforms.labels.labelling import label_shard
from transforms.labels.settings import LabelSettings
from transforms.scenes.records import MIN_EVALUATED_HEIGHT_PX, MIN_EVALUATED_VISIBILITY
from transforms.storage import open_stream
from transforms.tasks import probe_file

REFERENCE_SCORE = 0.5


@dataclass(frozen=True)
class Labelled:
    """What one way gave, over all clips."""

    rows: pa.Table
    frames: pa.Table
    seconds: float
    network_frames: int


class Shaken(Detector):
    """A network that sees every picture one pixel further right; its boxes are moved back."""

    def __init__(self, other: Detector) -> None:
        super().__init__(other.ref, other.network, other.batch_size)

    def detect(
        self, images: Sequence[npt.NDArray[np.uint8]], plan: ResizePlan, frame_width: int, frame_height: int
    ) -> list[Detections]:
        moved = [np.concatenate([image[:, :1], image[:, :-1]], axis=1) for image in images]
        step = frame_width / plan.image_width
        found = super().detect(moved, plan, frame_width, frame_height)
        return [replace(one, boxes=_left(one.boxes, step)) for one in found]


def _left(boxes: npt.NDArray[np.float32], step: float) -> npt.NDArray[np.float32]:
    return np.maximum(boxes - np.array([step, 0, step, 0], np.float32), 0)


def label(
    clips: Sequence[tuple[ClipRef, Callable[[str], BinaryIO]]], detector: Detector, settings: LabelSettings
) -> Labelled:
    """Labels clips one after the other."""
    rows, frames, seconds, network_frames = [], [], 0.0, 0
    for clip, opened in clips:
        for plan in plan_drives([clip], settings.context_ns):
            began = time.thread_time()
            shard = label_shard(plan, opened, [detector], settings)
            seconds += time.thread_time() - began
            rows.append(shard.tables["detections"])
            frames.append(shard.tables["frames"])
            network_frames += sum(shard.frames_labelled.values())
    return Labelled(pa.concat_tables(rows), pa.concat_tables(frames), seconds, network_frames)


def both_ways(
    clips: Sequence[tuple[ClipRef, Callable[[str], BinaryIO]]], detector: Detector, fps: str
) -> dict[str, Labelled]:
    every = label(clips, detector, LabelSettings(fps="all"))
    some = label(clips, detector, LabelSettings(fps=fps, label_fps="all"))
    assert some.frames.num_rows == every.frames.num_rows
    return {"every frame": every, "some, boxes carried between": some}


def rendered_truth(films: Sequence[dense_labels.Clip]) -> pa.Table:
    def rows() -> Iterator[tuple[object, ...]]:
        for clip in films:
            for time_ns, seen in zip(clip.timestamps_ns, clip.truth, strict=True):
                for box, category, number, visible in zip(
                    seen.boxes.tolist(),
                    seen.categories.tolist(),
                    seen.object_ids.tolist(),
                    seen.visibility.tolist(),
                    strict=True,
                ):
                    counts = (
                        box[3] - box[1] >= MIN_EVALUATED_HEIGHT_PX and visible >= MIN_EVALUATED_VISIBILITY
                    )
                    name = CATEGORIES[category] if counts else f"ignored {CATEGORIES[category]}"
                    yield clip.ref.clip_id, time_ns, name, *box, number, 1.0

    return table(rows())


def lines(title: str, truth: pa.Table, ways: Mapping[str, Labelled], names: Sequence[str]) -> Iterator[str]:
    neutral = {name: (f"ignored {name}",) for name in CATEGORIES}
    yield f"\n**{title}**\n"
    yield "| networks see | frames | AP | AP50 | processor ms a frame | cost |"
    yield "| --- | --- | --- | --- | --- | --- |"
    whole = next(iter(ways.values())).seconds
    for name, way in ways.items():
        found = average_precision(pair(way.rows, truth, way.frames, neutral=neutral))
        mean = mean_precision({one: value for one, value in found.items() if one in names})
        assert mean is not None
        frames = way.frames.num_rows
        yield (
            f"| {name} | {way.network_frames} of {frames} | {mean.ap:.3f} | {mean.ap50:.3f} "
            f"| {1e3 * way.seconds / frames:.1f} | {way.seconds / whole:.0%} |"
        )


def rendered(options: argparse.Namespace) -> Iterator[str]:
    films = [dense_labels.film_clip(number, 3.0, options.first_seed) for number in range(options.clips)]
    detector = load_detector(find_model("demo"))
    clips = [(film.ref, lambda _uri, content=film.content: io.BytesIO(content)) for film in films]
    ways = both_ways(clips, detector, options.fps)
    yield from lines(
        f"{len(films)} rendered clips, demo, against the truth",
        rendered_truth(films),
        ways,
        detector.card.categories,
    )


def real(options: argparse.Namespace) -> Iterator[str]:
    detector = load_detector(find_model(str(NETWORK), size=options.size))
    clips = [(probed(path), open_stream) for path in real_clips() if "static" not in path.name]
    ways = both_ways(clips, detector, options.fps)
    every = ways["every frame"]
    reference = every.rows.filter(pc.greater_equal(every.rows["score"], REFERENCE_SCORE))
    names = sorted(set(reference["category"].to_pylist()))
    counts = {name: pc.sum(pc.equal(reference["category"], name)).as_py() for name in names}
    title = f"{len(clips)} real clips, yolox-nano@{options.size}, against its own labels of every frame"
    ways["every frame, moved by a pixel"] = label(clips, Shaken(detector), LabelSettings(fps="all"))
    yield from lines(title, reference, ways, [name for name in names if counts[name] >= 100])
    yield f"\nlabels: {counts}; categories of fewer than 100 are left out"


def probed(path: Path) -> ClipRef:
    clip = probe_file(InputFile(uri=str(path), root=str(path), bytes=path.stat().st_size), None)
    assert isinstance(clip, ClipRef), clip
    return clip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="rendered,real")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--first-seed", type=int, default=10_500)
    parser.add_argument("--fps", default="5")
    parser.add_argument("--size", type=int, default=640)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    np.seterr(all="raise", under="ignore")
    for name in options.only.split(","):
        sys.stdout.write("\n".join(rendered(options) if name == "rendered" else real(options)) + "\n")


if __name__ == "__main__":
    main()
