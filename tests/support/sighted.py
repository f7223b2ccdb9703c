"""What a network might have said of a clip, written down or made up."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from models.taxonomy import CATEGORIES
from transforms.labels.camera_path import CameraPath
from transforms.labels.motion.trails import Trail
from transforms.labels.sightings import DETECTED, INTERPOLATED, NO_TRACK, Sightings

CAR, TRUCK, PERSON, SIGN = (CATEGORIES.index(name) for name in ("car", "truck", "person", "traffic_sign"))
WIDTH, HEIGHT = 640, 360
EXTENT = np.array([0.0, 0.0, WIDTH, HEIGHT])


def box(x: float, y: float, width: float = 40.0, height: float = 30.0) -> tuple[float, float, float, float]:
    """Edges of a box by its middle and sides."""
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def sightings(
    rows: Sequence[tuple], times_s: Sequence[float], looked: Sequence[bool] | None = None
) -> Sightings:
    """Rows of (frame, track, box, score) or with a category and whether it was detected; None = no track."""
    rows = sorted(rows, key=lambda row: row[0])
    frames, tracks, boxes, scores, categories, detected = [], [], [], [], [], []
    for frame, track, edges, score, *rest in rows:
        frames.append(frame)
        tracks.append(NO_TRACK if track is None else track)
        boxes.append(edges)
        scores.append(score)
        categories.append(rest[0] if rest else CAR)
        detected.append(rest[1] if len(rest) > 1 else True)
    seen = Sightings.detected(
        np.rint(np.array(times_s) * 1e9).astype(np.int64),
        np.ones(len(times_s), bool) if looked is None else np.array(looked, bool),
        np.array(frames, np.int32),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(categories, np.uint8),
    )
    sources = np.where(np.array(detected, bool), DETECTED, INTERPOLATED).astype(np.uint8)
    return replace(seen, tracks=np.array(tracks, np.int32), sources=sources)


def pan(steps: Sequence[complex]) -> CameraPath:
    """A camera that only shifts the picture, x + iy pixels from each frame to the next."""
    return CameraPath(np.ones(len(steps), np.complex128), np.array(steps, np.complex128))


def trail(
    first: int, times_s: Sequence[float], move: tuple[float, float] = (0.0, 0.0), points: int = 60
) -> Trail:
    """Points all over the picture that move evenly, so many pixels a frame."""
    rng = np.random.default_rng(first)
    starts = rng.uniform(0, 1, (points, 2)) * [WIDTH, HEIGHT]
    positions = starts + np.arange(len(times_s))[:, None, None] * np.array(move)
    return Trail(
        first=first,
        timestamps_ns=np.rint(np.array(times_s) * 1e9).astype(np.int64),
        positions=positions.astype(np.float32),
        alive=np.ones((len(times_s), points), bool),
        frame_width=WIDTH,
        frame_height=HEIGHT,
        grain_px=2.0,
    )


@st.composite
def tracked_clips(draw: st.DrawFn) -> Sightings:
    """Tracks of any length, with gaps and rows without a track, over frames of which some were not looked at."""
    count = draw(st.integers(1, 9))
    steps_s = draw(st.lists(st.sampled_from([0.0, 0.04, 0.1, 0.2, 0.7, 1.0]), min_size=count, max_size=count))
    looked = draw(st.lists(st.sampled_from([True, True, True, False]), min_size=count, max_size=count))
    track = st.integers(-1, 4)
    frame = st.sampled_from([index for index, is_looked in enumerate(looked) if is_looked] or [0])
    places = draw(
        st.lists(st.tuples(frame, track), max_size=25, unique_by=lambda at: at if at[1] >= 0 else object())
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = [
        (at, None if number < 0 else number, box(*rng.uniform(20, 300, 2), *rng.uniform(5, 90, 2)), score)
        for (at, number), score in zip(places, rng.uniform(0, 1, len(places)), strict=True)
    ]
    return sightings(rows, np.cumsum(steps_s), looked) if any(looked) else sightings([], steps_s, looked)


@st.composite
def scenes(draw: st.DrawFn) -> Sightings:
    """Detections of things that move evenly and are missed now and then, of noise and of the same thing twice."""
    count = draw(st.sampled_from([0, 1, *range(2, 17)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    steps_s = rng.choice([0.1, draw(st.sampled_from([0.0, 0.04, 0.1, 0.2, 1.1]))], count, p=[0.7, 0.3])
    looked = rng.random(count) < draw(st.sampled_from([1.0, 1.0, 0.7, 0.3]))
    frames = np.flatnonzero(looked).tolist()
    times_s = np.cumsum(steps_s)
    scores, rows = (0.0, 0.05, 0.2, 0.35, 0.6, 0.85, 1.0), []
    for _ in range(draw(st.sampled_from([0, 1, 2, 3, 4, 5]))):
        start, speed, side = (
            rng.uniform(-20, 400, 2),
            rng.uniform(-80, 80, 2),
            rng.choice([0.3, 20.0, 40.0, 90.0]),
        )
        category = int(rng.choice([CAR, CAR, TRUCK, PERSON, SIGN]))
        mostly = rng.choice([*scores, 0.85, 0.9, 0.95])
        for frame in frames:
            score = mostly if rng.random() < 0.7 else float(rng.choice(scores))
            for _ in range(rng.choice([0, 1, 1, 1, 1, 2])):
                edges = box(*(start + speed * times_s[frame]), side, 0.8 * side)
                edges = np.clip(edges, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT]).astype(np.float32)
                # a detector tells nothing of what is outside the picture
                if (edges[2:] > edges[:2]).all():
                    rows.append((frame, None, edges, score, category if rng.random() < 0.9 else CAR))
    return sightings(rows, times_s, looked)
