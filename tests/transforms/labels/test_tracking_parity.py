"""Our tracker beside a packaging of ByteTrack's own code (cjm-byte-track), at equivalent settings.

The motion models differ: the reference filters aspect ratio and height with noise a frame, ours width and height
with noise a second. So borderline overlaps are decided differently now and then: identities are compared, and
figures against truth.
"""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.evaluation.mot import category_figures
from transforms.evaluation.pairing import pair
from transforms.labels.tracking import TrackerSettings, track

reference = pytest.importorskip("cjm_byte_track.core", reason="needs the dev extra: cjm-byte-track")

RATE_HZ = 10
# The reference tries overlaps of .5 and more with unsure boxes and keeps lost tracks for as many frames as a second has.
EQUIVALENT = TrackerSettings(min_iou_low=0.5)
KITTI = (
    Path(os.environ.get("CLIPMILL_SHARED", Path(__file__).resolve().parents[4] / "shared"))
    / "gt/kitti_tracking"
)


def of_reference(detections):
    """The reference's track of every row of one clip; scores must differ, as they tell which box it took."""
    numbers = np.full(len(detections["frames"]), -1, dtype=np.int64)
    tracker = reference.BYTETracker(track_thresh=0.5, track_buffer=30, match_thresh=0.9, frame_rate=RATE_HZ)
    for frame in range(detections["count"]):
        rows = np.flatnonzero(detections["frames"] == frame)
        seen = np.column_stack([detections["boxes"][rows], detections["scores"][rows]])
        row_of = dict(zip(detections["scores"][rows].tolist(), rows.tolist(), strict=True))
        for one in tracker.update(seen, (1, 1), (1, 1)):
            numbers[row_of[float(one.score)]] = one.track_id
    return numbers


def of_ours(detections):
    return track(
        np.arange(detections["count"]) * 1_000_000_000 // RATE_HZ,
        detections["frames"].astype(np.int32),
        detections["boxes"],
        detections["scores"],
        np.full(len(detections["frames"]), 4, dtype=np.uint8),
        EQUIVALENT,
    ).astype(np.int64)


def same_pairs(first, second):
    """Dice coefficient of the pairs of boxes that either says are one object, among boxes tracked by both."""
    both = (first >= 0) & (second >= 0)

    def pairs(*columns):
        _, counts = np.unique(np.stack(columns), axis=1, return_counts=True)
        return (counts * (counts - 1)).sum()

    return 2 * pairs(first[both], second[both]) / (pairs(first[both]) + pairs(second[both]))


def same_steps(first, second):
    """The same for pairs of neighbouring boxes of a track only: every decision counts once, however long the track."""
    both = (first >= 0) & (second >= 0)

    def steps(numbers):
        order = np.argsort(numbers, kind="stable")
        follows = numbers[order][1:] == numbers[order][:-1]
        return set(zip(order[:-1][follows].tolist(), order[1:][follows].tolist(), strict=True))

    ours, theirs = steps(first[both]), steps(second[both])
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


def as_table(detections, tracks, clip="clip"):
    keep = tracks >= 0
    names = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
    columns = {name: detections["boxes"][keep, place] for place, name in enumerate(names)}
    return pa.table(
        {
            "clip_id": [clip] * int(keep.sum()),
            "timestamp_ns": detections["frames"][keep] * 1_000_000_000 // RATE_HZ,
            "category": ["car"] * int(keep.sum()),
            "track_id": tracks[keep],
            "score": detections["scores"][keep],
            **columns,
        }
    )


def crossing(seed):
    """Sixteen objects that cross each other, seen with noise, gaps and weak moments."""
    generator = np.random.default_rng(seed)
    objects, count = 16, 80
    places, sizes = (
        generator.uniform((0, 100), (1280, 500), (objects, 2)),
        generator.uniform(40, 120, (objects, 2)),
    )
    motion = generator.normal(0, (7, 2), (objects, 2))
    frames, boxes, scores, truth = [], [], [], []
    for frame in range(count):
        for one in range(objects):
            low = places[one] + frame * motion[one]
            exact = np.concatenate([low, low + sizes[one]])
            truth.append((frame, one, *exact))
            if generator.random() < 0.93:
                frames.append(frame)
                boxes.append(exact + generator.normal(0, 0.02, 4) * sizes[one].mean())
                weak = generator.random() < 0.15
                scores.append(generator.uniform(0.15, 0.45) if weak else generator.uniform(0.62, 0.98))
    exact = np.array(truth)
    known = {
        "frames": exact[:, 0].astype(np.int64),
        "boxes": exact[:, 2:],
        "scores": np.ones(len(exact)),
        "count": count,
    }
    seen = {
        "frames": np.array(frames),
        "boxes": np.array(boxes),
        "scores": np.array(scores),
        "count": count,
    }
    return seen, as_table(known, exact[:, 1].astype(np.int64))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_crossing_objects_are_told_apart_alike(seed):
    seen, truth = crossing(seed)
    ours, theirs = of_ours(seen), of_reference(seen)
    assert same_pairs(ours, theirs) >= 0.97
    assert same_steps(ours, theirs) >= 0.97
    # The reference says nothing of a track's first box.
    assert (ours >= 0).sum() >= (theirs >= 0).sum()
    figures = [
        category_figures(pair(as_table(seen, np.where(theirs >= 0, numbers, -1)), truth).of("car"))
        for numbers in (ours, theirs)
    ]
    assert figures[0].hota == pytest.approx(figures[1].hota, abs=0.01)
    assert figures[0].idf1 == pytest.approx(figures[1].idf1, abs=0.01)


def on_kitti(clip):
    """Both trackers on the cars of a clip of real detections: tracks, and best HOTA and IDF1 over the scores."""
    detections, frames, truth = (
        table.filter(pa.array(np.array(table["clip_id"].to_pylist()) == clip))
        for table in (pq.read_table(KITTI / f"{name}.parquet") for name in ("detections", "frames", "truth"))
    )
    cars = detections.filter(pa.array(np.array(detections["category"].to_pylist()) == "car"))
    names = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
    seen = {
        "frames": np.rint(cars["timestamp_ns"].to_numpy() * RATE_HZ / 1e9).astype(np.int64),
        "boxes": np.stack([cars[name].to_numpy() for name in names], axis=1).astype(np.float64),
        # Ties are broken by less than matters, so that scores name boxes.
        "scores": cars["score"].to_numpy().astype(np.float64) - np.arange(cars.num_rows) * 1e-12,
        "count": frames.num_rows,
    }
    results = []
    for numbers in (of_ours(seen), of_reference(seen)):
        judged = pair(as_table(seen, numbers, clip), truth, frames).of("car")
        figures = [category_figures(judged.above(score)) for score in (0.5, 0.6, 0.7, 0.8, 0.9)]
        results.append((numbers, max(one.hota for one in figures), max(one.idf1 for one in figures)))
    return results


needs_kitti = pytest.mark.skipif(
    not KITTI.exists(), reason="needs gt/kitti_tracking of the shared folder beside the checkout"
)


@needs_kitti
@pytest.mark.parametrize("clip", ["kitti-0010", "kitti-0018"])
def test_real_cars_are_told_apart_alike(clip):
    (ours, our_hota, our_idf1), (theirs, their_hota, their_idf1) = on_kitti(clip)
    assert same_pairs(ours, theirs) >= 0.97
    assert same_steps(ours, theirs) >= 0.97
    assert our_hota == pytest.approx(their_hota, abs=0.01)
    assert our_idf1 == pytest.approx(their_idf1, abs=0.01)


@needs_kitti
def test_where_the_camera_turns_ours_loses_fewer():
    """The one kind of clip where they part: the reference's slow filter loses cars that sweep through the picture."""
    (ours, our_hota, our_idf1), (theirs, their_hota, their_idf1) = on_kitti("kitti-0004")
    assert same_steps(ours, theirs) >= 0.8
    assert our_hota > their_hota + 0.05
    assert our_idf1 > their_idf1 + 0.05
