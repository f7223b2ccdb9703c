import numpy as np
import pytest

from models.families.boxes import PlainBoxes

_SCORES = np.array([[0.9, 0.2, 0.5], [0.1, 0.8, 0.1]], np.float32)
_LABELS = np.array([[0, 1, 1], [1, 1, 0]], np.int64)
_BOXES = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
_OUTPUTS = {"labels": _LABELS, "boxes": _BOXES, "scores": _SCORES}


def test_boxes_scores_and_labels_are_taken_as_they_are(make_card):
    found = PlainBoxes().decode(make_card(family="boxes"), _OUTPUTS, 0, 64, 96)
    np.testing.assert_array_equal(found.boxes, _BOXES[0, [0, 2]])
    np.testing.assert_array_equal(found.scores, np.float32([0.9, 0.5]))
    assert found.classes.tolist() == [0, 1]
    assert PlainBoxes().decode(make_card(family="boxes"), _OUTPUTS, 1, 64, 96).scores.tolist() == [
        np.float32(0.8)
    ]


def test_shares_of_the_sides_around_a_centre_and_background_first(make_card):
    card = make_card(
        family="boxes",
        outputs={"box_format": "cxcywh", "box_unit": "share", "first_label": 1, "count": "num"},
    )
    outputs = {
        "boxes": np.array([[0.5, 0.25, 0.5, 0.25], [0.1, 0.1, 0.1, 0.1]], np.float32),
        "scores": np.array([0.9, 0.8], np.float32),
        "labels": np.array([2.0, 1.0], np.float32),
        "num": np.array([[1]], np.int32),
    }
    found = PlainBoxes().decode(card, outputs, 0, 64, 96)
    # width 96, height 64: centre (48, 16), size 48 x 16
    np.testing.assert_allclose(found.boxes, [[24, 8, 72, 24]])
    assert found.classes.tolist() == [1]


@pytest.mark.parametrize(
    ("shapes", "fits"),
    [
        ({"boxes": (1, 5, 4), "scores": (1, 5), "labels": (1, 5)}, True),
        ({"boxes": (5, 4), "scores": (5,), "labels": (5,)}, True),
        ({"num_dets": (1, 1), "det_boxes": (1, 5, 4), "det_scores": (1, 5), "det_classes": (1, 5)}, True),
        ({"boxes": (2, 5, 4), "scores": (2, 5), "labels": (2, 5)}, False),
        ({"boxes": (1, 5, 4), "scores": (1, 5, 80), "labels": (1, 5)}, False),
        ({"boxes": (1, 6, 4), "scores": (1, 5), "labels": (1, 5)}, False),
        ({"boxes": (1, 5, 4), "scores": (1, 5)}, False),
        ({"boxes_a": (1, 5, 4), "boxes_b": (1, 5, 4), "scores": (1, 5), "labels": (1, 5)}, False),
    ],
)
def test_fit(make_card, shapes, fits):
    assert PlainBoxes().fits(make_card(family="boxes"), shapes, 1, 64, 96) is fits


def test_fit_needs_the_count_that_the_card_names(make_card):
    card = make_card(family="boxes", outputs={"count": "num"})
    shapes = {"boxes": (1, 5, 4), "scores": (1, 5), "labels": (1, 5)}
    assert not PlainBoxes().fits(card, shapes, 1, 64, 96)
    assert PlainBoxes().fits(card, {**shapes, "num": (1,)}, 1, 64, 96)
    assert PlainBoxes().expected(card, 64, 96) == "boxes [1, N, 4], scores [1, N], labels [1, N], num [1]"
