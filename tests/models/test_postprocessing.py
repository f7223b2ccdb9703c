import numpy as np

from models.families.candidates import Candidates
from models.postprocessing import category_table, finish
from models.resizing import ResizePlan
from models.taxonomy import CATEGORIES

_CAR, _PERSON, _TRUCK = (CATEGORIES.index(name) for name in ("car", "person", "truck"))
_SAME = ResizePlan(100, 50, 128, 64, 0, 0)


def _finish(card, rows, plan=_SAME, frame=(100, 50)):
    boxes = np.array([row[0] for row in rows], np.float32).reshape(-1, 4)
    scores = np.array([row[1] for row in rows], np.float32)
    classes = np.array([row[2] for row in rows], np.intp)
    return finish(Candidates(boxes, scores, classes), card, category_table(card), plan, *frame)


def test_padding_and_scale_are_undone_on_each_axis(make_card):
    plan = ResizePlan(
        image_width=50, image_height=20, input_width=64, input_height=64, pad_left=7, pad_top=22
    )
    found = _finish(make_card(), [([7, 22, 57, 42], 0.9, 0), ([17, 27, 27, 32], 0.8, 1)], plan, (200, 100))
    np.testing.assert_allclose(found.boxes, [[0, 0, 200, 100], [40, 25, 80, 50]])
    assert found.categories.tolist() == [_CAR, _PERSON]
    assert (found.boxes.dtype, found.scores.dtype, found.categories.dtype) == (
        np.float32,
        np.float32,
        np.uint8,
    )


def test_boxes_are_clipped_sorted_and_empty_ones_dropped(make_card):
    found = _finish(
        make_card(),
        [
            ([-10, -10, 20, 20], 0.5, 0),
            ([90, 40, 130, 70], 0.7, 0),
            ([-30, 0, -10, 20], 0.9, 0),  # left of the frame
            ([10, 50, 20, 60], 0.9, 0),  # below it
            ([30, 30, 30, 40], 0.9, 0),  # no width
            ([np.nan, 0, 10, 10], 0.9, 0),
            ([np.inf, 0, np.inf, 10], 0.9, 0),
        ],
    )
    assert found.boxes.tolist() == [[90, 40, 100, 50], [0, 0, 20, 20]]
    np.testing.assert_array_equal(found.scores, np.float32([0.7, 0.5]))


def test_unmapped_and_unknown_classes_are_dropped(make_card):
    card = make_card(classes=["auto", "chair"], class_map={"auto": "car"})
    rows = [([0, 0, 10, 10], 0.9, index) for index in (-1, 0, 1, 2)]
    assert _finish(card, rows).categories.tolist() == [_CAR]
    assert _finish(card, []).boxes.shape == (0, 4)


def test_suppression_works_on_categories(make_card):
    card = make_card(
        classes=["sedan", "van", "lorry"], class_map={"sedan": "car", "van": "car", "lorry": "truck"}
    )
    rows = [([0, 0, 10, 10], 0.9, 0), ([0, 0, 10, 10], 0.8, 1), ([0, 0, 10, 10], 0.7, 2)]
    assert _finish(card, rows).categories.tolist() == [_CAR, _TRUCK]
    without = card.model_copy(update={"nms_iou": None})
    assert _finish(without, rows).categories.tolist() == [_CAR, _CAR, _TRUCK]


def test_the_own_bonnet_is_dropped(make_card):
    rows = [
        ([10, 40, 90, 50], 0.9, 0),  # wide and at the bottom: the bonnet
        ([10, 40, 90, 50], 0.8, 1),  # but no car
        ([30, 20, 80, 50], 0.7, 0),  # at the bottom, but only half as wide
        ([5, 5, 95, 35], 0.6, 0),  # wide, but not at the bottom
    ]
    assert len(_finish(make_card(nms_iou=None), rows).scores) == 4
    found = _finish(make_card(nms_iou=None, drop_own_bonnet=True), rows)
    np.testing.assert_array_equal(found.scores, np.float32([0.8, 0.7, 0.6]))
