"""One category a track."""

import numpy as np
import pytest
from hypothesis import given
from sighted import CAR, PERSON, TRUCK, box, sightings, tracked_clips

from transforms.labels.hindsight.voting import LEAST_SHARE, vote


def told(*votes):
    """Categories after the vote of a track's (category, score)."""
    rows = [(frame, 0, box(50, 50), score, category) for frame, (category, score) in enumerate(votes)]
    return vote(sightings(rows, np.arange(len(rows)) / 10)).categories.tolist()


def test_most_of_the_scores_decide():
    assert told((CAR, 0.9), (TRUCK, 0.2), (CAR, 0.8)) == [CAR] * 3
    # two unsure boxes do not outvote a sure one
    assert told((TRUCK, 0.1), (CAR, 0.9), (TRUCK, 0.1)) == [CAR] * 3


@pytest.mark.parametrize(("score", "decided"), [(0.25, True), (0.26, False)])
def test_a_quarter_against_it_is_the_most_that_a_decision_bears(score, decided):
    assert LEAST_SHARE == 0.75
    assert told((CAR, 0.75), (TRUCK, score)) == ([CAR, CAR] if decided else [CAR, TRUCK])


def test_boxes_without_any_score_decide_nothing():
    assert told((TRUCK, 0.0), (CAR, 0.0)) == [TRUCK, CAR]


def test_every_track_is_its_own_and_rows_without_one_stay():
    rows = [
        (0, 3, box(50, 50), 0.9, CAR),
        (1, 3, box(50, 50), 0.2, TRUCK),
        (0, 8, box(90, 50), 0.9, 130),
        (1, 8, box(90, 50), 0.1, PERSON),
        (1, None, box(9, 50), 0.1, PERSON),
    ]
    assert vote(sightings(rows, [0.0, 0.1])).categories.tolist() == [CAR, 130, CAR, 130, PERSON]


@given(tracked_clips())
def test_of_one_category_nothing_changes(seen):
    assert np.array_equal(vote(seen).categories, seen.categories)
    assert vote(seen).categories.dtype == np.uint8
