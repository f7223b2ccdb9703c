"""Tracking figures at a threshold and at the best."""

import pytest

from transforms.evaluation.judging import judge
from transforms.evaluation.mot import category_figures
from transforms.evaluation.pairing import pair
from transforms.evaluation.thresholds import GRID, mean_tracking, tracking

BOX = (0.0, 0.0, 100.0, 100.0)
FAR = (500.0, 0.0, 600.0, 100.0)


def scene(table, track=1):
    truth = table(*[("a", time, "car", track, BOX, 1) for time in range(4)])
    right = [("a", time, "car", 7, BOX, 0.72) for time in range(4)]
    wrong = [("a", time, "car", 8, FAR, 0.61) for time in range(4)]
    return pair(table(*right, *wrong), truth).of("car")


def test_the_best_threshold_is_the_lowest_with_the_highest_hota(table):
    category = scene(table)
    found = tracking(judge(category), 0.5)
    assert (found.best_score, found.best.hota, found.best.false) == (0.65, 1.0, 0)
    assert (found.score, found.figures.false) == (0.5, 4)
    assert list(found.curve) == list(GRID)
    for score, figures in found.curve.items():
        assert figures == category_figures(category.above(score))


def test_a_threshold_off_the_grid_is_judged_and_may_be_the_best(table):
    found = tracking(judge(scene(table)), 0.62)
    assert (found.best_score, found.score) == (0.62, 0.62)
    assert found.figures.hota == 1.0
    assert 0.62 not in found.curve


def test_without_tracks_there_are_no_figures(table):
    assert tracking(judge(scene(table, track=-1)), 0.5) is None
    rows = table(("a", 0, "car", 1, BOX, 1))
    bare = table(("a", 0, "car", -1, BOX, 1))
    assert tracking(judge(pair(bare, rows).of("car")), 0.5) is None
    # no label at all is a finding: everything was missed
    assert tracking(judge(pair(table(), rows).of("car")), 0.5).figures.missed == 1


def test_means_count_categories_alike_and_sum_switches(table):
    category = scene(table)
    one, other = category_figures(category.above(0.65)), category_figures(category)
    mean = mean_tracking([one, other])
    assert mean.mota == pytest.approx((1.0 + 0.0) / 2)
    assert mean.hota == pytest.approx((one.hota + other.hota) / 2)
    assert mean.switches == 0
    assert mean_tracking([]) is None
