"""The scale of an unknown tool's scores, by what lasts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.labels.hindsight.persistence import HIGHEST, LOWEST, lasting, score_bias, tells
from transforms.labels.sightings import NO_TRACK, Sightings

TENTH_NS = 100_000_000


def clip(tracks_of_frames, tenths=None):
    """A clip with, for every frame, the numbers of the tracks that are seen in it."""
    frames = [frame for frame, tracks in enumerate(tracks_of_frames) for _ in tracks]
    tracks = [track for tracks in tracks_of_frames for track in tracks]
    count = len(frames)
    times = np.arange(len(tracks_of_frames)) if tenths is None else np.array(tenths)
    seen = Sightings.detected(
        times * TENTH_NS,
        np.ones(len(times), bool),
        np.array(frames, np.int32),
        np.tile(np.array([0, 0, 10, 10], np.float32), (count, 1)),
        np.full(count, 0.5, np.float32),
        np.full(count, 4, np.uint8),
    )
    seen.tracks[:] = tracks
    return seen


def test_a_track_of_a_second_lasts_and_a_shorter_one_does_not():
    assert lasting(clip([[0]] * 11)).all()
    assert not lasting(clip([[0]] * 10)).any()
    # times whose differences are not exact in seconds
    assert lasting(clip([[0]] * 11, tenths=np.arange(11) + 16_000_000_007)).all()


def test_a_track_of_two_boxes_does_not_last():
    assert not lasting(clip([[0], [0]], tenths=[0, 50])).any()
    assert lasting(clip([[0], [0], [0]], tenths=[0, 25, 50])).all()


def test_what_flickers_does_not_last():
    three_of_four = clip([[0] if frame % 4 else [] for frame in range(1, 13)])
    assert lasting(three_of_four).all()
    assert not lasting(clip([[0] if frame % 2 else [] for frame in range(1, 13)])).any()


def test_frames_that_no_network_saw_are_no_gaps():
    seen = clip([[0] if frame % 2 == 0 else [] for frame in range(13)])
    seen.seen[1::2] = False
    assert lasting(seen).all()


def test_tracks_are_told_apart_and_rows_without_one_never_last():
    seen = clip([[0, NO_TRACK, 1] if frame < 5 else [0, NO_TRACK] for frame in range(11)])
    assert lasting(seen).tolist() == [track == 0 for track in seen.tracks.tolist()]
    assert lasting(clip([[], []])).tolist() == []


def test_short_clips_tell_nothing():
    assert tells(clip([[]] * 31))
    assert not tells(clip([[]] * 30))
    assert not tells(clip([]))


def total(log_odds, bias):
    return (1 / (1 + np.exp(-(log_odds + bias)))).sum()


@given(
    st.integers(200, 400).flatmap(
        lambda count: st.tuples(
            st.lists(st.floats(-4, 4), min_size=count, max_size=count), st.integers(0, count)
        )
    )
)
def test_scores_add_up_to_the_rows_that_last(drawn):
    log_odds, last = np.array(drawn[0]), np.arange(len(drawn[0])) < drawn[1]
    bias = score_bias(log_odds, last)
    assert LOWEST <= bias <= HIGHEST
    if not drawn[1]:
        assert bias == 0.0
    elif total(log_odds, LOWEST) < drawn[1] < total(log_odds, HIGHEST):
        assert total(log_odds, bias) == pytest.approx(drawn[1], abs=1e-3)
    else:
        assert bias == pytest.approx(LOWEST if total(log_odds, LOWEST) >= drawn[1] else HIGHEST)


def test_of_few_rows_nothing_is_concluded():
    assert score_bias(np.full(199, 2.0), np.zeros(199, bool)) == 0.0
    assert score_bias(np.full(200, 9.0), np.arange(200) < 1) == pytest.approx(LOWEST)
    assert score_bias(np.full(200, -2.0), np.ones(200, bool)) == pytest.approx(HIGHEST)


def test_where_nothing_lasts_nothing_is_concluded():
    assert score_bias(np.full(400, 1.0), np.zeros(400, bool)) == 0.0


@pytest.mark.parametrize(("step_s", "told"), [(0.5, True), (0.6, False), (2.0, False)])
def test_a_clip_that_is_looked_at_too_seldom_tells_nothing(step_s, told):
    assert tells(clip([[0]] * 30, np.arange(30) * round(10 * step_s))) is told
