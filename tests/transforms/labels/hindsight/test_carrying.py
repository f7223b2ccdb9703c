"""Labels for the frames between those that the network looked at."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sighted import CAR, TRUCK, box, sightings, tracked_clips, trail

from transforms.labels.hindsight.carrying import LEAST_BELIEF, carry_between
from transforms.labels.hindsight.rescoring import logits, probabilities
from transforms.labels.sightings import NO_TRACK, PROPAGATED

LOOKED = [True, False, False, False, True, False, False, False, True, False, False]
TIMES_S = np.arange(len(LOOKED)) / 25
SPANS = [(0, 4), (4, 8), (8, 10)]


def trails(spans=SPANS, move=(3.0, 0.0)):
    return [trail(first, TIMES_S[first : last + 1], move) for first, last in spans]


def clip(*more):
    rows = [(0, 5, box(100, 100), 0.9, CAR), (4, 5, box(112, 100), 0.6, CAR), (8, 5, box(124, 100), 0.7, CAR)]
    return sightings([*rows, *more], TIMES_S, LOOKED)


def test_a_track_is_in_every_frame_from_its_first_box_to_where_points_end():
    added = carry_between(clip(), trails())
    assert added.source == PROPAGATED
    assert sorted(added.frames.tolist()) == [1, 2, 3, 5, 6, 7, 9, 10]
    order = np.argsort(added.frames)
    expected = [box(100 + 3 * frame, 100) for frame in (1, 2, 3, 5, 6, 7, 9, 10)]
    assert added.boxes[order] == pytest.approx(np.array(expected), abs=0.05)
    assert added.likes[order].tolist() == [0, 0, 0, 1, 1, 1, 2, 2]


def test_scores_pass_from_the_one_to_the_other_and_stay_beyond_the_last():
    added = carry_between(clip(), trails())
    order = np.argsort(added.frames)
    own = logits(np.array([0.9, 0.6, 0.7]))
    passed = [*np.linspace(own[0], own[1], 5)[1:-1], *np.linspace(own[1], own[2], 5)[1:-1], own[2], own[2]]
    assert added.scores[order] == pytest.approx(probabilities(np.array(passed)), rel=1e-4)


def test_rows_that_were_there_stay_as_they_are():
    seen = clip((4, None, box(300, 200), 0.9, TRUCK))
    more = seen.with_added([carry_between(seen, trails())])
    kept = more.is_detected
    for name in ("frames", "boxes", "scores", "categories", "tracks", "origins"):
        assert np.array_equal(getattr(more, name)[kept], getattr(seen, name)), name


def carried(seen, number=None, spans=SPANS):
    """Frames and the rows that they were carried from, of one track."""
    added = carry_between(seen, trails(spans))
    own = seen.tracks[added.likes] == (NO_TRACK if number is None else number)
    return sorted(zip(added.frames[own].tolist(), added.likes[own].tolist(), strict=True))


def test_a_box_without_a_counterpart_stands_for_its_half_of_the_time():
    seen = sightings([(4, None, box(112, 100), 0.9)], TIMES_S, LOOKED)
    added = carry_between(seen, trails())
    order = np.argsort(added.frames)
    # halfway itself goes to the later box
    assert added.frames[order].tolist() == [2, 3, 5]
    assert added.boxes[order] == pytest.approx(
        np.array([box(100 + 3 * frame, 100) for frame in (2, 3, 5)]), abs=0.05
    )
    assert added.scores == pytest.approx([0.9] * 3)


def test_boxes_without_a_track_are_not_taken_for_one_object():
    seen = sightings([(frame, None, box(100 + 3 * frame, 100), 0.9) for frame in (0, 4, 8)], TIMES_S, LOOKED)
    assert carried(seen) == [(1, 0), (2, 1), (3, 1), (5, 1), (6, 2), (7, 2), (9, 2), (10, 2)]


def test_a_box_that_is_hardly_believed_is_not_carried_and_is_no_counterpart():
    seen = replace(clip(), scores=np.array([0.9, LEAST_BELIEF - 0.01, 0.7], np.float32))
    assert carried(seen, 5) == [(1, 0), (6, 2), (7, 2), (9, 2), (10, 2)]


def test_a_track_that_ends_or_pauses_goes_halfway():
    rows = [
        (0, 1, box(100, 100), 0.9),
        (8, 1, box(124, 100), 0.9),
        (0, 2, box(300, 100), 0.9),
        (4, 2, box(312, 100), 0.9),
    ]
    seen = sightings(rows, TIMES_S, LOOKED)
    assert carried(seen, 1) == [(1, 0), (6, 3), (7, 3), (9, 3), (10, 3)]
    assert carried(seen, 2) == [(1, 1), (2, 1), (3, 1), (5, 2)]


def test_nothing_is_carried_where_no_points_were_followed():
    assert carry_between(clip(), []).frames.tolist() == []
    assert sorted(carry_between(clip(), trails([(4, 8)])).frames.tolist()) == [5, 6, 7]


def test_nothing_is_carried_over_a_cut():
    """A cut before frame 6: the trail of the old scene ends at 5, that of the new one begins at 6."""
    added = carry_between(clip(), trails([(0, 4), (4, 5), (6, 8), (8, 10)]))
    # up to the cut the box of the old scene goes on with the points in it, that of the new one goes back to the cut
    assert sorted(zip(added.frames.tolist(), added.likes.tolist(), strict=True)) == [
        *((frame, 0) for frame in (1, 2, 3)),
        (5, 1),
        *((frame, 2) for frame in (6, 7, 9, 10)),
    ]
    at = [added.frames.tolist().index(frame) for frame in (5, 6)]
    assert added.boxes[at] == pytest.approx(np.array([box(115, 100), box(118, 100)]), abs=0.05)


def test_where_every_frame_was_looked_at_nothing_is_between():
    seen = sightings([(0, 0, box(100, 100), 0.9), (1, 0, box(103, 100), 0.9)], [0.0, 0.04])
    assert carry_between(seen, [trail(0, [0.0, 0.04])]).frames.tolist() == []


@settings(max_examples=60)
@given(tracked_clips(), st.integers(0, 9))
def test_what_always_holds(seen, seed):
    rng = np.random.default_rng(seed)
    times_s, looked = seen.timestamps_ns / 1e9, np.flatnonzero(seen.seen).tolist()
    spans = itertools.pairwise(sorted({0, *looked, len(times_s) - 1}))
    followed = [
        trail(first, times_s[first : last + 1], rng.uniform(-5, 5, 2))
        for first, last in spans
        if rng.random() < 0.8
    ]
    added = carry_between(seen, followed)
    assert np.isfinite(added.boxes).all()
    assert ((added.scores > 0) & (added.scores < 1)).all()
    found = list(zip(added.frames.tolist(), added.likes.tolist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == {place for one in followed for place in expected(seen, one)}


def expected(seen, one):
    """Frames and rows that one trail carries into them, row by row."""
    begins, ends = seen.seen[one.first], seen.seen[one.last]
    rows = [
        [row for row in np.flatnonzero(seen.frames == frame) if seen.scores[row] >= LEAST_BELIEF]
        for frame in (one.first, one.last)
    ]
    both = {track for track in seen.tracks[rows[0]] if track >= 0} & set(seen.tracks[rows[1]])
    for frame in range(one.first, one.last + 1):
        is_late = one.shares[frame - one.first] >= 0.5
        if not seen.seen[frame]:
            yield from (
                (frame, row)
                for row in rows[0]
                if seen.tracks[row] in both or (begins and not (ends and is_late))
            )
            yield from (
                (frame, row)
                for row in rows[1]
                if seen.tracks[row] not in both and ends and (is_late or not begins)
            )
