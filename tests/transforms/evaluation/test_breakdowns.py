"""Breakdowns against pycocotools' ranges of area, and by hand."""

import contextlib
import io

import numpy as np
import pytest

from transforms.evaluation.breakdowns import SIZES, by_frame, by_size, by_truth
from transforms.evaluation.judging import judge
from transforms.evaluation.pairing import pair

BOX = (0.0, 0.0, 50.0, 50.0)
FAR = (500.0, 0.0, 550.0, 50.0)


def judged(labels, truth, frames=None):
    pairing = pair(labels, truth, frames)
    return {name: judge(pairing.of(name)) for name in pairing.categories()}


def scene(seed, frames=15):
    """Boxes of all sizes, and labels that err, as rows."""
    generator = np.random.default_rng(seed)
    truth, labels = [], []
    for frame in range(frames):
        for place in range(6):
            low, size = (
                generator.uniform(0, 300, 2),
                generator.choice([20, 33, 60, 97, 140]) * generator.uniform(0.7, 1.3, 2),
            )
            box = np.float32([*low, *(low + size)])
            truth.append(("clip", frame, "dontcare" if not place else "car", place, tuple(box.tolist()), 1.0))
            for _ in range(generator.integers(0, 3)):
                noisy = np.float32(box + generator.uniform(-0.2, 0.2, 4) * size.min())
                score = float(np.float32(generator.random()))
                labels.append(("clip", frame, "car", 0, tuple(noisy.tolist()), score))
    return truth, labels


def of_pycocotools(truth, labels):
    """COCO's AP50 and recall at IoU .5 of the three ranges."""
    coco = pytest.importorskip("pycocotools.coco", reason="needs the dev extra: pycocotools")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")

    def wide(box):
        return [box[0], box[1], box[2] - box[0], box[3] - box[1]]

    annotations = [
        {
            "id": number,
            "image_id": frame,
            "category_id": 1,
            "bbox": wide(box),
            "area": wide(box)[2] * wide(box)[3],
            "iscrowd": int(kind == "dontcare"),
        }
        for number, (_, frame, kind, _, box, _) in enumerate(truth, 1)
    ]
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
                for _, frame, _, _, box, score in labels
            ]
        )
        judge_ = cocoeval.COCOeval(known, found, "bbox")
        judge_.params.areaRng = [list(SIZES[name]) for name in SIZES]
        judge_.params.areaRngLbl, judge_.params.maxDets = list(SIZES), [1000]
        judge_.evaluate()
        judge_.accumulate()
    return {
        name: (judge_.eval["precision"][0, :, 0, place, 0].mean(), judge_.eval["recall"][0, 0, place, 0])
        for place, name in enumerate(SIZES)
    }


@pytest.mark.parametrize("seed", range(5))
def test_sizes_equal_pycocotools(table, seed):
    truth, labels = scene(seed)
    found = by_size(judged(table(*labels), table(*truth)))
    theirs = of_pycocotools(truth, labels)
    assert [group.name for group in found] == list(SIZES)
    for group in found:
        assert (group.mean.ap50, group.mean.recall50) == pytest.approx(theirs[group.name], abs=1e-9)
        assert 0 < group.mean.ap50 < 1
        assert group.categories["car"] == group.mean


def test_frames_of_a_group_are_judged_alone(table):
    truth = table(*[("a", t, "car", 0, BOX, 1) for t in range(4)], ("a", 0, "bus", 1, FAR, 1))
    labels = table(("a", 0, "car", 0, BOX, 0.9), ("a", 1, "car", 0, FAR, 0.95), ("a", 2, "car", 0, BOX, 0.8))
    front, rear = by_frame(judged(labels, truth), np.array(["rear", "front", "front", None], dtype=object))
    assert (front.name, rear.name) == ("front", "rear")
    # one of two found, and the false one stands before it
    assert (front.mean.truth, front.mean.recall50) == (2, 0.5)
    assert front.mean.ap50 == pytest.approx(51 / 101 / 2)
    # the car there is found, the bus is not
    assert (rear.mean.truth, rear.mean.ap50, rear.mean.recall50) == (2, 0.5, 0.5)
    assert rear.categories["car"].ap50 == 1.0
    assert list(front.categories) == ["car"]


def test_truth_of_other_groups_counts_neither_way_and_false_labels_count(table):
    truth = table(("a", 0, "car", 0, BOX, 1), ("a", 0, "car", 1, FAR, 1))
    groups = np.array(["none", "partly"], dtype=object)
    both = table(("a", 0, "car", 0, BOX, 0.9), ("a", 0, "car", 0, FAR, 0.95))
    found = by_truth(judged(both, truth), groups, ("none", "partly", "largely"))
    assert [(group.name, group.mean.truth, group.mean.ap50) for group in found] == [
        ("none", 1, 1.0),
        ("partly", 1, 1.0),
    ]
    false = table(("a", 0, "car", 0, BOX, 0.9), ("a", 0, "car", 0, (900.0, 0.0, 950.0, 50.0), 0.95))
    found = by_truth(judged(false, truth), groups, ("none", "partly"))
    assert [group.mean.ap50 for group in found] == [0.5, 0.0]
