"""Average precision against pycocotools and by hand."""

import contextlib
import io

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.evaluation.ap import average_precision, category_precision, mean_precision
from transforms.evaluation.pairing import pair

BOX = (0.0, 0.0, 100.0, 100.0)
FAR = (500.0, 0.0, 600.0, 100.0)
# Neutral boxes are told to pycocotools as boxes of an area that is out of its range.
HUGE = 1e12


def scene(seed, frames=12):
    """Truth (with neutral boxes and regions) and labels that err, as rows of the tables."""
    generator = np.random.default_rng(seed)
    truth, labels = [], []
    for frame in range(frames):
        lows = generator.uniform(0, 250, (7, 2))
        for place, low in enumerate(lows):
            size = generator.uniform(20, 90, 2)
            kind = ("car", "car", "car", "person", "person", "van", "dontcare")[place]
            truth.append(("clip", frame, kind, place, (*low, *(low + size)), 1.0))
            for _ in range(generator.integers(0, 3)):
                noisy = np.concatenate([low, low + size]) + generator.uniform(-0.2, 0.2, 4) * size.min()
                category = generator.choice(["car", "person"]) if place > 4 else kind
                labels.append(("clip", frame, str(category), 0, tuple(noisy), float(generator.random())))
    return truth, labels


def of_pycocotools(truth, labels, category):
    """COCO's own figures of one category: AP and AP50."""
    coco = pytest.importorskip("pycocotools.coco", reason="needs the dev extra: pycocotools")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")

    def wide(box):
        return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]

    annotations = []
    for _, frame, kind, _, box, _ in truth:
        if kind in {category, "dontcare"} or (kind, category) == ("van", "car"):
            x, y, width, height = wide(box)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": frame,
                    "category_id": 1,
                    "bbox": [x, y, width, height],
                    "area": HUGE if kind == "van" else width * height,
                    "iscrowd": int(kind == "dontcare"),
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        known = coco.COCO()
        known.dataset = {
            "images": [{"id": frame} for frame in sorted({row[1] for row in truth})],
            "annotations": annotations,
            "categories": [{"id": 1}],
        }
        known.createIndex()
        found = known.loadRes(
            [
                {"image_id": frame, "category_id": 1, "bbox": wide(box), "score": score}
                for _, frame, kind, _, box, score in labels
                if kind == category
            ]
        )
        judge = cocoeval.COCOeval(known, found, "bbox")
        judge.params.areaRng, judge.params.areaRngLbl, judge.params.maxDets = [[0, 1e10]], ["all"], [1000]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][:, :, 0, 0, 0]
    return precision.mean(), precision[0].mean(), precision[5].mean()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("category", ["car", "person"])
def test_equals_pycocotools(table, seed, category):
    truth, labels = scene(seed)
    # float32, as the tables hold them, on both sides.
    labels = [(*row[:4], tuple(np.float32(row[4]).tolist()), float(np.float32(row[5]))) for row in labels]
    truth = [(*row[:4], tuple(np.float32(row[4]).tolist()), row[5]) for row in truth]
    ours = average_precision(pair(table(*labels), table(*truth)))[category]
    theirs = of_pycocotools(truth, labels, category)
    assert (ours.ap, ours.ap50, ours.ap75) == pytest.approx(theirs, abs=1e-9)
    assert 0 < ours.ap < ours.ap50 < 1


def test_perfect_and_empty_labels(table):
    truth = table(("a", 0, "car", 0, BOX, 1), ("a", 1, "car", 0, FAR, 1))
    best = average_precision(pair(truth, truth))["car"]
    assert (best.ap, best.ap50, best.recall50, best.truth, best.labels) == (1.0, 1.0, 1.0, 2, 2)
    worst = average_precision(pair(table(), truth))["car"]
    assert (worst.ap, worst.ap50, worst.recall50, worst.labels) == (0.0, 0.0, 0.0, 0)


def test_without_truth_there_is_nothing_to_judge(table):
    frames = pa.table({"clip_id": ["a"], "timestamp_ns": [0]})
    pairing = pair(table(("a", 0, "car", 0, BOX, 1)), table(), frames)
    assert average_precision(pairing) == {}
    assert mean_precision({}) is None
    assert category_precision(pairing.of("car")).ap == 0.0


def test_a_second_label_of_the_same_box_is_false(table):
    truth = table(("a", 0, "car", 0, BOX, 1), ("a", 0, "car", 1, FAR, 1))
    labels = table(("a", 0, "car", 0, BOX, 0.9), ("a", 0, "car", 0, BOX, 0.8), ("a", 0, "car", 0, FAR, 0.7))
    # Precision 1 up to recall 1/2 (51 of the 101 points), then 2/3.
    assert average_precision(pair(labels, truth))["car"].ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)


@pytest.mark.parametrize(
    ("truth_category", "label_box"),
    [("van", FAR), ("dontcare", (500.0, 20.0, 530.0, 50.0))],
)
def test_neutral_boxes_and_regions_count_neither_way(table, truth_category, label_box):
    labels = table(("a", 0, "car", 0, label_box, 0.9), ("a", 0, "car", 1, BOX, 0.5))
    car = ("a", 0, "car", 0, BOX, 1)
    neutral = ("a", 0, truth_category, 1, FAR, 1)
    assert average_precision(pair(labels, table(car, neutral)))["car"].ap == 1.0
    assert average_precision(pair(labels, table(car)))["car"].ap50 == pytest.approx(0.5)


def test_a_true_box_goes_before_a_neutral_one(table):
    truth = table(("a", 0, "van", 1, BOX, 1), ("a", 0, "car", 0, (0, 0, 100, 90), 1))
    found = average_precision(pair(table(("a", 0, "car", 0, BOX, 0.9)), truth))["car"]
    assert found.ap50 == 1.0


def test_mean_counts_categories_alike(table):
    truth = table(("a", 0, "car", 0, BOX, 1), ("a", 1, "car", 0, BOX, 1), ("a", 0, "bus", 1, FAR, 1))
    labels = table(("a", 0, "car", 0, BOX, 1), ("a", 1, "car", 0, BOX, 1))
    mean = mean_precision(average_precision(pair(labels, truth)))
    assert (mean.ap, mean.ap50, mean.ap75, mean.recall50, mean.truth, mean.labels) == (
        0.5,
        0.5,
        0.5,
        0.5,
        3,
        2,
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.1, 3))
def test_only_the_order_of_scores_matters(seed, power):
    truth, labels = scene(seed, frames=3)
    names = ("clip_id", "timestamp_ns", "category", "x_min_px", "y_min_px", "x_max_px", "y_max_px", "score")

    def as_table(rows, power):
        flat = [(clip, time, kind, *box, score**power) for clip, time, kind, _, box, score in rows]
        return pa.table(dict(zip(names, zip(*flat, strict=True), strict=True)))

    once, again = (average_precision(pair(as_table(labels, p), as_table(truth, 1))) for p in (1.0, power))
    assert once == again
    assert all(0 <= figures.ap <= figures.ap50 <= figures.recall50 + 0.01 for figures in once.values())
