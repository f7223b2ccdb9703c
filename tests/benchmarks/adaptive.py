"""Calls of the network where the picture changes, against as many at a fixed rate.

    python tests/benchmarks/adaptive.py [--clips 12] [--seconds 20] [--first-seed 10700] [--rates 5 2] [--workers 2]
    python tests/benchmarks/adaptive.py --real

Each clip is the world of a seed, filmed at 15 frames a second. Of every four, one moves all the time; one stands at a
light for two fifths of its time, while people and oncoming traffic go on; one is parked for three fifths, and nothing
moves but the sensor's noise; one does both. For each rate three ways: adaptive at that rate, a fixed rate that makes as
many calls over all clips, and that rate itself. Labels of all frames are judged, so that frames between calls count as
much as those that the network saw. Boxes at least 12 px high and 40 % visible count, others neither for nor against.
Milliseconds are processor time of all of labelling, decoding included, a frame. `--real` counts the calls that would be made on
the real clips beside the checkout; no network runs.
"""

import argparse
import functools
import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from clip_sets import real_clips
from every_frame import probed

from models.registry import find_model
from models.sessions import Detector, load_detector
from models.taxonomy import CATEGORIES
from transforms.clips.decoding import ClipDecoder
from transforms.clips.probing import probe
from transforms.clips.refs import ClipName, ClipRef, InputFile
from transforms.clips.sampling import Sampler, Sampling
from transforms.clips.shards import plan_drives
from transforms.evaluation.ap import average_precision, mean_precision
from transforms.evaluation.mot import tracking_figures
from transforms.evaluation.pairing import BOX_COLUMNS, pair
from transforms.labels.adaptive import AdaptiveSampler
from transforms.labels.labelling import label_shard
from transforms.labels.settings import LabelSettings
from transforms.scenes.actors import Flow
from transforms.scenes.cameras import mounted_camera
from transforms.scenes.encoding import TICKS_PER_S, ClipFrame, Encoding, encode
from transforms.scenes.filming import even_pts
from transforms.scenes.records import MIN_EVALUATED_HEIGHT_PX, MIN_EVALUATED_VISIBILITY, timestamp_ns
from transforms.scenes.rendering import FrameTruth, render
from transforms.scenes.worlds import Conditions, EgoState, World, make_world

FIRST_SEED = 10_700
FPS = Fraction(15)
SIZE = (640, 360)
CONDITIONS = (Conditions("day"), Conditions("night"), Conditions("dusk", rain=True))
KINDS = ("moving", "light", "parked", "mixed")
STANDS = {"moving": (), "light": ((0.3, 0.7),), "parked": ((0.2, 0.8),), "mixed": ((0.15, 0.4), (0.6, 0.85))}
"""Shares of the clip's time between which the car stands; of `mixed` the first is at a light."""
BRAKES_S = 1.5
TRACK_SCORE = 0.5


class Standing:
    """The car's own time, which rests while it stands and slows down before."""

    def __init__(self, seconds: float, stands: Sequence[tuple[float, float]]) -> None:
        self._times = np.linspace(0, seconds, 2000)
        speed = np.ones(len(self._times))
        for first, last in stands:
            inside = np.minimum(self._times - first * seconds, last * seconds - self._times)
            speed = np.minimum(speed, np.clip(-inside / BRAKES_S, 0, 1))
        self._driven = np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2 * np.diff(self._times))])

    def __call__(self, time_s: npt.ArrayLike) -> npt.NDArray[np.float64]:
        time = np.asarray(time_s, np.float64)
        return np.interp(time, self._times, self._driven) + np.minimum(time, 0)


@dataclass(frozen=True)
class HaltingFlow(Flow):
    """Traffic that stands when the car does."""

    own_time: Callable[[npt.ArrayLike], npt.NDArray[np.float64]] = field(kw_only=True)

    def way(self, time_s: npt.ArrayLike) -> npt.NDArray[np.float64]:
        return super().way(self.own_time(time_s))


@dataclass(frozen=True)
class HaltingWorld(World):
    """A world whose car stands at times.

    Attributes:
        own_time: the car's own time.
        driven: the same world with a car that drives all the time.
    """

    own_time: Callable[[npt.ArrayLike], npt.NDArray[np.float64]]
    driven: World

    def ego(self, time_s: float) -> EgoState:
        return self.driven.ego(float(self.own_time(time_s)))


def halting(world: World, own_time: Standing) -> World:
    along = HaltingFlow(**vars(world.along), own_time=own_time)
    return HaltingWorld(**(vars(world) | {"along": along}), own_time=own_time, driven=world)


@dataclass(frozen=True)
class Clip:
    """A clip to judge by: its kind, file, probing, and the truth of each frame by its time."""

    kind: str
    content: bytes
    ref: ClipRef
    truth: dict[int, FrameTruth]


def film_clip(number: int, seconds: float, first_seed: int) -> Clip:
    """The clip of a number, from 0."""
    kind = KINDS[number % len(KINDS)]
    world = make_world(first_seed + number, CONDITIONS[number % len(CONDITIONS)])
    stands = STANDS[kind]
    at_light = Standing(seconds, stands if kind == "light" else stands[:1] if kind == "mixed" else ())
    frozen = Standing(seconds, stands if kind == "parked" else stands[1:] if kind == "mixed" else ())
    world = halting(world, at_light)
    camera = mounted_camera("front", *SIZE)
    pts = even_pts(seconds, FPS)
    truth: dict[int, FrameTruth] = {}

    def frames() -> Iterator[ClipFrame]:
        for index, at in enumerate(pts):
            # a microsecond a frame: the noise of the sensor goes on
            image, truth[timestamp_ns(at)] = render(
                world, camera, float(frozen(at / TICKS_PER_S)) + 1e-6 * index
            )
            yield ClipFrame(at, image)

    content = encode(frames(), Encoding(fps=FPS, duration_ticks=round(seconds * TICKS_PER_S)))
    file = InputFile(uri=f"/{first_seed + number}.mp4", root="/", bytes=len(content))
    ref = probe(io.BytesIO(content), file, ClipName(source="generic", vehicle="", camera="front"), None)
    return Clip(kind, content, ref, truth)


@functools.cache
def demo() -> Detector:
    """The bundled network, once in each process."""
    cv2.setNumThreads(1)
    return load_detector(find_model("demo"))


@dataclass(frozen=True)
class Labelled:
    """Labels of all frames of one clip, how many the network saw, and the processor time it took."""

    rows: pa.Table
    calls: int
    seconds: float


def label(clip: Clip, settings: LabelSettings) -> Labelled:
    (plan,) = plan_drives([clip.ref], settings.context_ns)
    detector = demo()
    began = time.thread_time()
    found = label_shard(plan, lambda _: io.BytesIO(clip.content), [detector], settings)
    seconds = time.thread_time() - began
    assert not found.failures, found.failures
    columns = ["clip_id", "timestamp_ns", "category", *BOX_COLUMNS, "track_id", "score"]
    rows = found.tables["detections"].select(columns)
    return Labelled(rows, sum(found.frames_labelled.values()), seconds)


def label_ways(clip: Clip, ways: Sequence[LabelSettings]) -> list[Labelled]:
    """One clip in several ways, one right after the other, so that a busy machine slows all of them down alike."""
    return [label(clip, settings) for settings in ways]


def even_rate(clips: Sequence[Clip], calls: int) -> str:
    """The fixed rate whose number of calls over all clips comes closest."""

    def made(rate: float) -> int:
        return sum(len(np.unique(np.floor(np.array(list(clip.truth)) / 1e9 * rate + 1e-9))) for clip in clips)

    rates = np.arange(0.3, float(FPS), 0.01)
    return f"{min(rates, key=lambda rate: abs(made(rate) - calls)):.2f}"


def truth_table(clips: Sequence[Clip]) -> pa.Table:
    rows = [
        (
            clip.ref.clip_id,
            time,
            CATEGORIES[category]
            if box[3] - box[1] >= MIN_EVALUATED_HEIGHT_PX and visible >= MIN_EVALUATED_VISIBILITY
            else f"ignored {CATEGORIES[category]}",
            *box,
            str(number),
        )
        for clip in clips
        for time, seen in clip.truth.items()
        for box, category, number, visible in zip(
            seen.boxes.tolist(),
            seen.categories.tolist(),
            seen.object_ids.tolist(),
            seen.visibility.tolist(),
            strict=True,
        )
    ]
    names = ("clip_id", "timestamp_ns", "category", *BOX_COLUMNS, "track_id")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def judge(clips: Sequence[Clip], labelled: Sequence[Labelled]) -> tuple[float, float, float]:
    """AP50, HOTA and IDF1 over all frames, means over categories, in points."""
    names = demo().card.categories
    frames = pa.table(
        {
            "clip_id": [clip.ref.clip_id for clip in clips for _ in clip.truth],
            "timestamp_ns": [time_ns for clip in clips for time_ns in clip.truth],
        }
    )
    neutral = {name: (f"ignored {name}",) for name in names}
    rows = pa.concat_tables([one.rows for one in labelled])
    pairing = pair(rows, truth_table(clips), frames, neutral=neutral)
    precision = {name: one for name, one in average_precision(pairing).items() if name in names}
    tracking = tracking_figures(pairing, TRACK_SCORE)
    mean = mean_precision(precision)
    assert mean is not None
    hota, idf1 = (
        np.mean([getattr(tracking[name], figure) for name in precision]) for figure in ("hota", "idf1")
    )
    return 100 * mean.ap50, 100 * float(hota), 100 * float(idf1)


def lines(clips: Sequence[Clip], ways: dict[str, Sequence[Labelled]]) -> Iterator[str]:
    yield "| clips | networks see | calls | AP50 | HOTA | IDF1 | ms a frame |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for kind in ("all", *KINDS):
        chosen = [at for at, clip in enumerate(clips) if kind in {"all", clip.kind}]
        some = [clips[at] for at in chosen]
        for name, labelled in ways.items():
            own = [labelled[at] for at in chosen]
            figures = " | ".join(f"{figure:.1f}" for figure in judge(some, own))
            ms = 1e3 * sum(one.seconds for one in own) / sum(len(clip.truth) for clip in some)
            yield f"| {kind} | {name} | {sum(one.calls for one in own)} | {figures} | {ms:.1f} |"


def real_lines(rates: Sequence[str]) -> Iterator[str]:
    """Calls on each real clip: adaptive of fixed, for each rate."""
    yield f"| clip | {' | '.join(f'{rate} a second' for rate in rates)} |"
    yield "| --- |" + " --- |" * len(rates)
    for path in real_clips():
        clip = probed(path)
        counts: list[list[int]] = [[0, 0] for _ in rates]
        rules = [Sampling.parse(rate) for rate in rates]
        choices = [(AdaptiveSampler(rule, 0, 0), Sampler(rule)) for rule in rules]
        with path.open("rb") as stream, ClipDecoder(stream, clip) as decoder:
            for frame in decoder.frames(Sampling.parse("all")):
                luma = frame.luma()
                for count, (adaptive, fixed) in zip(counts, choices, strict=True):
                    count[0] += adaptive.wants(frame.timestamp_ns, luma)
                    count[1] += fixed.take(frame.timestamp_ns, is_keyframe=frame.is_keyframe)[1] is not None
        yield f"| {path.name} | {' | '.join(f'{some} of {every}' for some, every in counts)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--rates", nargs="+", default=["5", "2"], help="calls a second at most")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--real", action="store_true", help="count calls on real clips instead")
    options = parser.parse_args()
    if options.real:
        sys.stdout.write("\n".join(real_lines(options.rates)) + "\n")
        return
    with ProcessPoolExecutor(options.workers) as pool:
        film = functools.partial(film_clip, seconds=options.seconds, first_seed=options.first_seed)
        clips = list(pool.map(film, range(options.clips)))

        for rate in options.rates:
            adaptive = LabelSettings(fps=rate, label_fps="all", adaptive=True)
            calls = sum(one.calls for one in pool.map(functools.partial(label, settings=adaptive), clips))
            even = even_rate(clips, calls)
            ways = {
                f"adaptive, {rate} a second at most": adaptive,
                f"{even} a second": LabelSettings(fps=even, label_fps="all"),
                f"{rate} a second": LabelSettings(fps=rate, label_fps="all"),
            }
            labelled = list(pool.map(functools.partial(label_ways, ways=list(ways.values())), clips))
            sys.stdout.write(
                "\n".join(lines(clips, dict(zip(ways, zip(*labelled, strict=True), strict=True)))) + "\n\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
