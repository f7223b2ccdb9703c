"""What hindsight adds, by hand."""

import numpy as np

from transforms.evaluation.additions import Added, Recovery, added_rows, all_added, recovery
from transforms.evaluation.judging import judge
from transforms.evaluation.pairing import pair

BOX = (0.0, 0.0, 100.0, 100.0)
FAR = (500.0, 0.0, 600.0, 100.0)


def car(table, labels, truth):
    return judge(pair(table(*labels), table(*truth)).of("car"))


def rows(times, score=0.9, box=BOX, track=1):
    return [("a", time, "car", track, box, score) for time in times]


def test_added_rows_are_right_wrong_or_left_out(table):
    truth = [
        *rows(range(4)),
        ("a", 3, "van", 2, FAR, 1),
        ("a", 2, "dontcare", -1, (480.0, 0.0, 700.0, 200.0), 1),
    ]
    labels = [*rows([0, 1, 2]), *rows([1, 2, 3], box=FAR), *rows([3], score=0.2)]
    sources = np.array(
        [
            "detected",
            "interpolated",
            "propagated",
            "interpolated",
            "interpolated",
            "interpolated",
            "interpolated",
        ],
        dtype=object,
    )
    found = added_rows([car(table, labels, truth)], sources, 0.5)
    assert found == {"interpolated": Added(right=1, wrong=1, left_out=2), "propagated": Added(1, 0, 0)}
    assert found["interpolated"].precision == 0.5
    assert all_added(found) == Added(2, 1, 2)
    assert Added(0, 0, 3).precision is None


def test_a_row_that_repeats_a_detection_is_wrong(table):
    judgement = car(table, [*rows([0]), *rows([0], score=0.8)], rows([0]))
    found = added_rows([judgement], np.array(["detected", "interpolated"], dtype=object), 0.5)
    assert found == {"interpolated": Added(0, 1, 0)}


def test_rows_of_people_are_not_hindsight(table):
    judgement = car(table, rows([0]), rows([0]))
    assert added_rows([judgement], np.array(["human"], dtype=object), 0.5) == {}


def test_recovery_counts_within_an_objects_life(table):
    truth = rows(range(8), track=5)
    # seen at 1 and 6, weakly at 3: frames 2 to 5 are missed, 0 and 7 lie outside of its life
    raw = car(table, [*rows([1, 6]), *rows([3], score=0.3)], truth)
    final = car(table, rows([0, 1, 2, 3, 6, 7]), truth)
    assert recovery(final, raw, 0.5) == Recovery(missed=4, recovered=2)
    assert recovery(final, raw, 0.2) == Recovery(missed=3, recovered=1)
    assert recovery(final, raw, 0.95) == Recovery(0, 0)
    assert recovery(final, raw, 0.5).share == 0.5
    assert Recovery(0, 0).share is None


def test_objects_without_a_track_have_no_life(table):
    truth = rows(range(3), track=-1)
    assert recovery(car(table, [], truth), car(table, rows([0, 2]), truth), 0.5) == Recovery(0, 0)
