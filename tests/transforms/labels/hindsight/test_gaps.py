"""Frames between two boxes of a track."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from sighted import EXTENT, TRUCK, WIDTH, box, sightings, tracked_clips

from transforms.labels.hindsight.gaps import (
    FAST_WEIGHT,
    LEAST_BELIEF,
    LONG_WEIGHT,
    MISSED_BIAS,
    SIDE_SHARE,
    at_side,
    fill_gaps,
    find_gaps,
)
from transforms.labels.hindsight.smoothing import smoothed_paths
from transforms.labels.overlap import iou
from transforms.labels.sightings import INTERPOLATED

TIMES_S = [0.0, 0.1, 0.2, 0.3, 0.4]


def log_odds(score):
    return np.log(score / (1 - score))


def probability(value):
    return 1 / (1 + np.exp(-value))


def with_gap(*others, first=0.9, last=0.8, looked=None, move=20.0):
    """A track seen in the first and the fourth of five frames."""
    rows = [(0, 0, box(100, 100), first), (3, 0, box(100 + move, 106), last), *others]
    return sightings(rows, TIMES_S, looked)


def believed(seen, length=2, share=1 / 3):
    around = (1 - share) * log_odds(float(seen.scores[0])) + share * log_odds(float(seen.scores[-1]))
    overlap = iou(seen.boxes[:1], seen.boxes[-1:])[0, 0]
    return probability(around - LONG_WEIGHT * np.log(length) - FAST_WEIGHT * (1 - overlap) + MISSED_BIAS)


def test_boxes_lie_on_the_straight_line_and_are_believed_by_the_formula():
    seen = with_gap()
    filled = fill_gaps(seen, None, 1.0, EXTENT)
    assert filled.source == INTERPOLATED
    assert filled.frames.tolist() == [1, 2]
    assert filled.likes.tolist() == [0, 0]
    assert filled.boxes == pytest.approx(np.array([box(100 + 20 / 3, 102), box(100 + 40 / 3, 104)]), abs=1e-4)
    assert filled.scores == pytest.approx([believed(seen), believed(seen, share=2 / 3)], rel=1e-5)


def test_a_frame_that_was_not_looked_at_is_no_gap_and_counts_for_none():
    seen = with_gap(looked=[True, False, True, True, True])
    filled = fill_gaps(seen, None, 1.0, EXTENT)
    assert filled.frames.tolist() == [2]
    assert filled.scores == pytest.approx([believed(seen, length=1, share=2 / 3)], rel=1e-5)


def test_boxes_lie_on_the_smoothed_path_where_there_is_one():
    seen = with_gap()
    paths = smoothed_paths(seen)
    filled = fill_gaps(seen, paths, 1.0, EXTENT)
    (path,) = paths
    assert filled.frames.tolist() == [1, 2]
    assert np.array_equal(filled.boxes, path.boxes[0, 1:3])


@pytest.mark.parametrize("begin_s", [0.0, 1.2, 4.3, 17.7])
def test_a_gap_as_long_as_may_be_is_filled_whenever_the_clip_begins(begin_s):
    rows = [(0, 0, box(50, 50), 0.9), (5, 0, box(50, 50), 0.9)]
    seen = sightings(rows, begin_s + np.arange(6) / 5)
    assert fill_gaps(seen, None, 1.0, EXTENT).frames.tolist() == [1, 2, 3, 4]
    assert fill_gaps(seen, None, 0.99, EXTENT).frames.tolist() == []


def test_what_stands_around_a_gap_tells_nothing():
    rows = [(0, 0, box(100, 100), 0.9), (3, 0, box(100, 106), 0.8)]
    front = (1, 7, (90.0, 80.0, 110.0, 140.0), 0.9, TRUCK)
    assert fill_gaps(sightings([*rows, front], TIMES_S), None, 1.0, EXTENT).scores == pytest.approx(
        fill_gaps(sightings(rows, TIMES_S), None, 1.0, EXTENT).scores
    )


@pytest.mark.parametrize("mirrored", [False, True])
def test_what_ends_at_a_side_of_the_picture_is_believed_less(mirrored):
    side = SIDE_SHARE * 40
    lefts = (side + 0.1, side - 0.1, -10.0)
    middles = [WIDTH - 20 - left if mirrored else 20 + left for left in lefts]
    clips = [sightings([(0, 0, box(x, 100), 0.9), (2, 0, box(x, 100), 0.9)], TIMES_S) for x in middles]
    inside, near, beyond = (fill_gaps(seen, None, 1.0, EXTENT).scores for seen in clips)
    # log(.9 / .1) - .9, and 2 less
    assert inside == pytest.approx([0.7853], abs=1e-4)
    assert near == pytest.approx([0.3312], abs=1e-4)
    assert beyond == pytest.approx(near)


def test_the_sides_are_those_of_the_picture_and_top_and_bottom_are_none():
    extent = np.array([100.0, 50.0, 300.0, 250.0])
    boxes = [
        (100, 90, 140, 120),
        (113, 90, 153, 120),
        (111, 90, 151, 120),
        (249, 90, 289, 120),
        (180, 50, 220, 250),
    ]
    assert at_side(np.array(boxes, float), extent).tolist() == [True, False, True, True, False]


def test_what_is_hardly_believed_is_not_added():
    unsure = with_gap(first=0.2, last=0.2, move=90.0)
    beliefs = [believed(unsure, share=share) for share in (1 / 3, 2 / 3)]
    assert max(beliefs) < LEAST_BELIEF
    assert fill_gaps(unsure, None, 1.0, EXTENT).frames.tolist() == []
    assert find_gaps(unsure, None, 1.0).frames.tolist() == [1, 2]
    half = with_gap(first=0.02, last=0.7, move=0.0)
    assert believed(half) < LEAST_BELIEF < believed(half, share=2 / 3)
    assert fill_gaps(half, None, 1.0, EXTENT).frames.tolist() == [2]


@settings(max_examples=60)
@given(tracked_clips())
def test_what_always_holds(seen):
    scenes = replace(seen, scores=np.full_like(seen.scores, 0.9))
    for paths in (None, smoothed_paths(scenes)):
        filled = fill_gaps(scenes, paths, 1.0, EXTENT)
        more = scenes.with_added([filled])
        assert seen.seen[filled.frames].all()
        assert np.isfinite(filled.boxes).all()
        assert ((filled.scores >= LEAST_BELIEF) & (filled.scores <= 1)).all()
        pairs = list(zip(more.tracks.tolist(), more.frames.tolist(), strict=True))
        tracked = [pair for pair in pairs if pair[0] >= 0]
        assert len(set(tracked)) == len(tracked)
        for frame, like in zip(filled.frames, filled.likes, strict=True):
            own = seen.frames[seen.tracks == seen.tracks[like]]
            before, after = own[own < frame].max(), own[own > frame].min()
            assert frame > seen.frames[like] == before
            assert seen.timestamps_ns[after] - seen.timestamps_ns[before] <= 10**9


@settings(max_examples=60)
@given(tracked_clips())
def test_every_short_gap_of_a_sure_track_is_filled(seen):
    sure = replace(
        seen, scores=np.full_like(seen.scores, 0.999), boxes=np.tile(box(50, 50), (len(seen.frames), 1))
    )
    more = sure.with_added([fill_gaps(sure, None, 1.0, EXTENT)])
    for number in np.unique(seen.tracks[seen.tracks >= 0]):
        had = np.sort(seen.frames[seen.tracks == number])
        wanted = set(had.tolist())
        for before, after in itertools.pairwise(had):
            if seen.timestamps_ns[after] - seen.timestamps_ns[before] <= 10**9:
                wanted |= set(np.flatnonzero(seen.seen[before:after]) + before)
        assert set(more.frames[more.tracks == number].tolist()) == wanted


def test_no_tracks_no_gaps():
    filled = fill_gaps(sightings([(0, None, box(9, 9), 0.5)], [0.0]), None, 1.0, EXTENT)
    assert filled.frames.tolist() == []
    assert filled.boxes.shape == (0, 4)
