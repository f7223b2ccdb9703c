"""Boxes between the frames that a detector sees, carried by followed points, against straight lines.

    python tests/benchmarks/dense_labels.py [--clips 12] [--seconds 3] [--first-seed 10500] [--rates 5 2] [--luma 320]

Each clip is the world of a seed, filmed at 30 frames a second, coded, probed and decoded as the product does, from
cameras, lights and weathers in turn. Every other clip's camera bounces: as the car's springs make it, so that the
picture departs from even motion between frames 0.2 s apart by 1 to 2 px, as real dash-cam clips of that size do.
Boxes are the true ones in the frames that the detector would see; of those in both of two such frames at least 12 px
high and 40 % visible, the frames in between are judged. The constants of `transforms/labels/motion` were chosen on
seeds 10,000 to 10,015.
"""

import argparse
import io
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from transforms.clips.decoding import ClipDecoder
from transforms.clips.probing import probe
from transforms.clips.refs import ClipName, ClipRef, InputFile
from transforms.clips.sampling import Sampling
from transforms.labels.motion.camera import camera_motions
from transforms.labels.motion.carrying import carry
from transforms.labels.motion.extending import carry_backward, carry_forward
from transforms.labels.motion.trails import PointTracker, Trail
from transforms.scenes.actors import states
from transforms.scenes.cameras import mounted_camera
from transforms.scenes.encoding import TICKS_PER_S, ClipFrame, Encoding, encode
from transforms.scenes.filming import even_pts
from transforms.scenes.records import (
    MIN_EVALUATED_HEIGHT_PX,
    MIN_EVALUATED_VISIBILITY,
    timestamp_ns,
)
from transforms.scenes.rendering import FrameTruth, render
from transforms.scenes.worlds import Conditions, World, make_world

FIRST_SEED = 10_500
FPS = Fraction(30)
SIZE = (960, 540)
CAMERA_NAMES = (
    "front",
    "front",
    "back",
    "left_repeater",
    "front",
    "right_repeater",
    "front",
    "left_pillar",
)
CONDITIONS = (
    Conditions("day"),
    Conditions("night"),
    Conditions("day", rain=True),
    Conditions("dusk"),
    Conditions("night", rain=True),
    Conditions("dusk", rain=True),
)
SPRINGS = (((1.0, 1.4), 0.09), ((1.5, 2.2), 0.09), ((8.0, 12.0), 0.025))
"""Hz from and to, and RMS degrees of pitch, of a car's body (twice) and its wheels."""
YAW_SHARE = 0.3

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Clip:
    """A clip to judge by.

    Attributes:
        number: from 0.
        content: the file.
        ref: what probing says of it.
        world: what it shows.
        bounces: whether its camera does.
        times_s: time of the world at each frame.
        timestamps_ns: the clip's time at each frame.
        truth: of each frame.
    """

    number: int
    content: bytes
    ref: ClipRef
    world: World
    bounces: bool
    times_s: Array
    timestamps_ns: list[int]
    truth: list[FrameTruth]

    def standing(self) -> set[int]:
        """Object ids of what does not move in the world."""
        first, last = (
            states(self.world.actors, self.world.road, self.world.along, self.world.against, time_s)
            for time_s in (self.times_s[0], self.times_s[-1])
        )
        moved = np.hypot(last.x_m - first.x_m, last.y_m - first.y_m)
        return set((np.flatnonzero(moved < 1e-6) + 1).tolist())


def bounce_deg(seed: int, times_s: Array) -> Array:
    """Pitch and yaw that a car's springs add, degrees, float64[2, F]."""
    rng = np.random.default_rng(seed)
    total = np.zeros((2, len(times_s)))
    for (slow, fast), rms in SPRINGS:
        rate = rng.uniform(slow, fast)
        for axis, share in ((0, 1.0), (1, YAW_SHARE)):
            total[axis] += rms * share * np.sqrt(2) * np.sin(2 * np.pi * (rate * times_s + rng.random()))
    return total


def film_clip(
    number: int, seconds: float, first_seed: int = FIRST_SEED, size: tuple[int, int] = SIZE
) -> Clip:
    """The clip of a number, from 0."""
    turn = number + number // len(CONDITIONS)
    camera_name, bounces = CAMERA_NAMES[turn % len(CAMERA_NAMES)], turn % 2 == 1
    world = make_world(first_seed + number, CONDITIONS[number % len(CONDITIONS)])
    camera = mounted_camera(camera_name, *size)
    pts = even_pts(seconds, FPS)
    times_s = 5.0 * (number % 9) + np.array(pts) / TICKS_PER_S
    truth: list[FrameTruth] = []

    def frames() -> Iterator[ClipFrame]:
        for at, time_s, (pitch, yaw) in zip(
            pts, times_s.tolist(), bounces * bounce_deg(number, times_s).T, strict=True
        ):
            turned = replace(camera, pitch_deg=camera.pitch_deg + pitch, yaw_deg=camera.yaw_deg + yaw)
            image, seen = render(world, turned, time_s)
            truth.append(seen)
            yield ClipFrame(at, image)

    content = encode(frames(), Encoding(fps=FPS, duration_ticks=round(seconds * TICKS_PER_S)))
    file = InputFile(uri=f"/{first_seed + number}.mp4", root="/", bytes=len(content))
    name = ClipName(source="generic", vehicle="", camera=camera_name)
    ref = probe(io.BytesIO(content), file, name, None)
    return Clip(number, content, ref, world, bounces, times_s, [timestamp_ns(at) for at in pts], truth)


def lumas(clip: Clip, long_side: int = 320) -> Iterator[npt.NDArray[np.uint8]]:
    """The small pictures of all frames; other sizes than the product's come from the colours."""
    shrink = long_side / max(clip.ref.width, clip.ref.height)
    size = (round(clip.ref.width * shrink), round(clip.ref.height * shrink))
    with ClipDecoder(io.BytesIO(clip.content), clip.ref) as decoder:
        for frame in decoder.frames(Sampling.parse("all")):
            if long_side == 320:
                yield frame.luma()
            else:
                yield cv2.cvtColor(frame.bgr(*size), cv2.COLOR_BGR2GRAY)


@dataclass(frozen=True)
class Followed:
    """A clip's trails, and the milliseconds of thread time that each frame took, by whether it is an anchor."""

    trails: list[Trail]
    cuts: list[int]
    anchors_ms: list[float]
    others_ms: list[float]


def follow(pictures: Sequence[npt.NDArray[np.uint8]], clip: Clip, every: int) -> Followed:
    """Follows points, with an anchor every so many frames, up to the last anchor."""
    tracker = PointTracker(clip.ref.width, clip.ref.height)
    taken: tuple[list[float], list[float]] = ([], [])
    for index in range((len(pictures) - 1) // every * every + 1):
        began = time.thread_time()
        tracker.add(pictures[index], clip.timestamps_ns[index], is_anchor=index % every == 0)
        taken[index % every == 0].append(1e3 * (time.thread_time() - began))
    return Followed(tracker.finish(), tracker.cuts, taken[1], taken[0])


def true_boxes(clip: Clip, trail: Trail) -> tuple[list[int], Array]:
    """Ids of the objects to judge between a trail's ends, and their boxes in every frame, float64[F, N, 4]."""
    seen = clip.truth[trail.first : trail.last + 1]
    places = [dict(zip(one.object_ids.tolist(), range(len(one.object_ids)), strict=True)) for one in seen]
    ids = set.intersection(*(set(one) for one in places))
    for end in (seen[0], seen[-1]):
        tall = end.boxes[:, 3] - end.boxes[:, 1] >= MIN_EVALUATED_HEIGHT_PX
        ids &= set(end.object_ids[tall & (end.visibility >= MIN_EVALUATED_VISIBILITY)].tolist())
    chosen = sorted(ids)
    boxes = [one.boxes[[place[name] for name in chosen]] for one, place in zip(seen, places, strict=True)]
    return chosen, np.array(boxes, np.float64).reshape(len(seen), len(chosen), 4)


def paired_iou(first: Array, second: Array) -> Array:
    """Overlap of boxes float[..., 4] one by one."""
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    shared = np.maximum(sides, 0).prod(axis=-1)
    areas = [(one[..., 2:] - one[..., :2]).prod(axis=-1) for one in (first, second)]
    return shared / (areas[0] + areas[1] - shared)


COLUMNS = ("straight", "carried", "height_px", "bounces", "night", "rain", "edge", "own_points")


def between(clip: Clip, trails: Sequence[Trail]) -> Array:
    """Rows of `COLUMNS` for every object in every frame between anchors: both overlaps with the truth, and what it is."""
    rows = [np.empty((0, len(COLUMNS)))]
    conditions = clip.world.conditions
    for trail in trails:
        ids, truth = true_boxes(clip, trail)
        if not ids or len(truth) < 3:
            continue
        shares = trail.shares[:, None, None]
        carried = carry(trail, truth[0], truth[-1])
        straight = truth[0] * (1 - shares) + truth[-1] * shares
        edge = (truth[..., :2] <= 1) | (truth[..., 2:] >= np.array([clip.ref.width, clip.ref.height]) - 1)
        columns = (
            paired_iou(straight, truth)[1:-1],
            paired_iou(carried.boxes, truth)[1:-1],
            (truth[..., 3] - truth[..., 1])[1:-1],
            clip.bounces,
            conditions.light == "night",
            conditions.rain,
            edge.any(axis=(0, 2)),
            carried.own_points,
        )
        cells = [np.broadcast_to(column, columns[0].shape).ravel() for column in columns]
        rows.append(np.stack(cells, axis=1).astype(np.float64))
    return np.concatenate(rows)


def groups(rows: Array) -> dict[str, npt.NDArray[np.bool_]]:
    """Which rows belong to what the report tells apart."""
    of = {name: rows[:, index] for index, name in enumerate(COLUMNS)}
    return {
        "all": of["straight"] >= 0,
        "steady camera": of["bounces"] == 0,
        "bouncing camera": of["bounces"] == 1,
        "night": of["night"] == 1,
        "rain": of["rain"] == 1,
        "uneven (line < .9)": of["straight"] < 0.9,
        "under 40 px high": of["height_px"] < 40,
        "from 80 px high": of["height_px"] >= 80,
        "at the frame's edge": of["edge"] == 1,
        "no own point": of["own_points"] == 0,
        "1 or 2 own points": (of["own_points"] > 0) & (of["own_points"] < 3),
        "3 own points or more": of["own_points"] >= 3,
    }


def between_lines(rows: Array) -> Iterator[str]:
    yield f"{'':22}{'boxes':>7}   straight line: IoU  >.75   >.9      carried: IoU  >.75   >.9"
    for name, chosen in groups(rows).items():
        if chosen.any():
            shown = [
                f"{one.mean():6.4f} {np.mean(one > 0.75):5.3f} {np.mean(one > 0.9):5.3f}"
                for one in rows[chosen, :2].T
            ]
            yield f"{name:22}{chosen.sum():7}{shown[0]:>37}{shown[1]:>33}"


def onward(clip: Clip, trails: Sequence[Trail]) -> Array:
    """Overlap at a trail's other end, confidence, and overlap of a box that stays, of boxes known at one end only."""
    rows = [np.empty((0, 3))]
    for trail in trails:
        _, truth = true_boxes(clip, trail)
        for extended, known, at in (
            (carry_forward(trail, truth[0]), 0, -1),
            (carry_backward(trail, truth[-1]), -1, 0),
        ):
            overlap, stays = paired_iou(extended.boxes[at], truth[at]), paired_iou(truth[known], truth[at])
            rows.append(np.stack([overlap, extended.confidence[at], stays], axis=1))
    return np.concatenate(rows)


def background(clip: Clip, trails: Sequence[Trail]) -> Array:
    """How far off what stands is after a trail: as the camera moves, and as if nothing did, px; and whether it is known."""
    standing, rows = clip.standing(), [np.empty((0, 3))]
    for trail in trails:
        ids, truth = true_boxes(clip, trail)
        chosen = np.array([name in standing for name in ids], np.bool_)
        motion = camera_motions([trail], [truth[0][~chosen]])
        middles = (truth[:, chosen, :2] + truth[:, chosen, 2:]) / 2
        guess = middles[0] @ motion.matrices[0, :, :2].T + motion.matrices[0, :, 2]
        off = [np.linalg.norm(one - middles[-1], axis=1) for one in (guess, middles[0])]
        rows.append(np.stack([*off, np.full(len(off[0]), motion.known[0])], axis=1))
    return np.concatenate(rows)


def cut_counts(films: Sequence[Sequence[npt.NDArray[np.uint8]]], clip: Clip) -> tuple[int, int, int]:
    """Splices of all pairs of clips of one size, those told at their frame, and cuts told elsewhere."""
    made = told = wrong = 0
    for first in range(len(films)):
        for second in range(len(films)):
            if first != second:
                spliced = [*films[first][:12], *films[second][-12:]]
                cuts = follow(spliced, clip, 6).cuts
                made, told, wrong = made + 1, told + (12 in cuts), wrong + len(set(cuts) - {12})
    return made, told, wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--rates", type=int, nargs="+", default=[5, 2], help="anchors a second")
    parser.add_argument("--luma", type=int, nargs="+", default=[320], help="long sides in pixels")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    clips = [film_clip(number, options.seconds, options.first_seed) for number in range(options.clips)]
    for long_side in options.luma:
        films = [list(lumas(clip, long_side)) for clip in clips]
        for rate in options.rates:
            followed = [follow(film, clip, int(FPS) // rate) for film, clip in zip(films, clips, strict=True)]
            pairs = [(clip, one.trails) for clip, one in zip(clips, followed, strict=True)]
            print(f"\n{len(clips)} clips, luma {long_side} px, {rate} anchors/s")
            print("\n".join(between_lines(np.concatenate([between(*pair) for pair in pairs]))))
            ends = np.concatenate([onward(*pair) for pair in pairs])
            for low, high in ((0.0, 0.01), (0.01, 0.55), (0.55, 0.8), (0.8, 1.01)):
                some = ends[(ends[:, 1] >= low) & (ends[:, 1] < high)]
                if len(some):
                    print(
                        f"one end known, confidence {low:.2f} to {high:.2f}: {len(some)} boxes, IoU at the other end "
                        f"{some[:, 0].mean():.3f} (staying {some[:, 2].mean():.3f})"
                    )
            off = np.concatenate([background(*pair) for pair in pairs])
            print(
                f"camera: what stands is off by {np.median(off[:, 0]):.2f} px (median; p90 {np.percentile(off[:, 0], 90):.2f}), "
                f"moved {np.median(off[:, 1]):.2f} px (p90 {np.percentile(off[:, 1], 90):.2f}); known {off[:, 2].mean():.3f}"
            )
            anchors, others = (
                np.concatenate([getattr(one, name) for one in followed])
                for name in ("anchors_ms", "others_ms")
            )
            began = time.thread_time()
            for clip, trails in pairs:
                for trail in trails:
                    _, truth = true_boxes(clip, trail)
                    carry(trail, truth[0], truth[-1])
            carrying = 1e3 * (time.thread_time() - began) / sum(map(len, films))
            print(
                f"ms a frame: anchors {anchors.mean():.2f}, others {others.mean():.2f}, all "
                f"{np.concatenate([anchors, others]).mean():.2f}; carrying {carrying:.2f} more; "
                f"cuts told within clips {sum(len(one.cuts) for one in followed)}"
            )
        made, told, wrong = cut_counts(films, clips[0])
        print(f"\n{made} splices of clips, {told} told, {wrong} told elsewhere")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
