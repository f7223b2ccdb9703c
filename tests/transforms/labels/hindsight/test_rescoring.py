"""Scores along tracks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sighted import box, sightings, tracked_clips

from transforms.labels.hindsight.rescoring import (
    LIFE_WEIGHT,
    NEAR_S,
    NEAR_WEIGHT,
    OWN_WEIGHT,
    TRACK_WEIGHT,
    logits,
    probabilities,
    rescore,
)


def log_odds(score):
    return np.log(score / (1 - score))


def probability(value):
    return 1 / (1 + np.exp(-value))


def scored(scores, times_s, tracks=None):
    tracks = [0] * len(scores) if tracks is None else tracks
    return sightings(
        [
            (frame, track, box(50, 50), score)
            for frame, (track, score) in enumerate(zip(tracks, scores, strict=True))
        ],
        times_s,
    )


def test_log_odds_and_probabilities_are_inverse_and_finite_at_the_ends():
    scores = np.array([0.01, 0.3, 0.5, 0.99], np.float32)
    assert logits(scores) == pytest.approx([log_odds(score) for score in (0.01, 0.3, 0.5, 0.99)], abs=1e-5)
    assert probabilities(logits(scores)) == pytest.approx(scores)
    assert logits(np.array([0, 1], np.float32)) == pytest.approx([log_odds(1e-4), log_odds(1 - 1e-4)])


@pytest.mark.parametrize("score", [0.0, 0.05, 0.4, 0.93, 1.0])
def test_a_row_without_a_track_is_a_track_of_one_box(score):
    step_s = 0.2
    alone = rescore(scored([score, 0.5], [0.0, step_s], [None, None])).scores[0]
    own = log_odds(np.clip(score, 1e-4, 1 - 1e-4))
    expected = probability((OWN_WEIGHT + NEAR_WEIGHT + TRACK_WEIGHT) * own + LIFE_WEIGHT * np.log(step_s))
    assert alone == pytest.approx(expected, rel=1e-5)
    assert rescore(scored([score, 0.5], [0.0, step_s], [3, 4])).scores[0] == alone


def test_a_track_of_three_by_hand():
    own = log_odds(np.array([0.9, 0.2, 0.6]))
    seen = scored([0.9, 0.2, 0.6], [0.0, 0.3, 0.9])
    one, two, three = np.exp(-0.5), np.exp(-0.5 * 4), np.exp(-0.5 * 9)
    near = [
        (own[0] + one * own[1] + three * own[2]) / (1 + one + three),
        (one * own[0] + own[1] + two * own[2]) / (one + 1 + two),
        (three * own[0] + two * own[1] + own[2]) / (three + two + 1),
    ]
    life_s = 3 * np.median([0.3, 0.6])
    evidence = OWN_WEIGHT * own + NEAR_WEIGHT * np.array(near) + TRACK_WEIGHT * own.mean()
    assert rescore(seen).scores == pytest.approx(
        probability(evidence + LIFE_WEIGHT * np.log(life_s)), rel=1e-5
    )
    biased = evidence + LIFE_WEIGHT * np.log(life_s) - 0.7
    assert rescore(seen, bias=-0.7).scores == pytest.approx(probability(biased), rel=1e-5)


@settings(max_examples=60)
@given(tracked_clips())
def test_equals_every_pair_of_rows_in_turn(seen):
    own, times_ns = logits(seen.scores), seen.timestamps_ns[seen.frames]
    for row, score in enumerate(rescore(seen).scores):
        mine = seen.tracks == seen.tracks[row] if seen.tracks[row] >= 0 else np.arange(len(own)) == row
        apart_ns = np.abs(times_ns - times_ns[row])
        weights = np.where(
            mine & (apart_ns <= 900_000_000), np.exp(-0.5 * (apart_ns / 1e9 / NEAR_S) ** 2), 0.0
        )
        evidence = OWN_WEIGHT * own[row] + NEAR_WEIGHT * (weights @ own) / weights.sum()
        evidence += TRACK_WEIGHT * own[mine].mean() + LIFE_WEIGHT * np.log(mine.sum() * seen.step_s)
        assert score == pytest.approx(probability(evidence), rel=1e-4, abs=1e-7)


@settings(max_examples=40)
@given(tracked_clips(), st.integers(-(10**15), 10**15))
def test_a_clip_that_begins_at_another_time_has_the_same_scores(seen, start_ns):
    later = replace(seen, timestamps_ns=seen.timestamps_ns + start_ns)
    assert np.array_equal(rescore(later).scores, rescore(seen).scores)


@settings(max_examples=40)
@given(tracked_clips(), st.data())
def test_a_higher_score_makes_no_score_lower(seen, data):
    if not len(seen.scores):
        return
    row = data.draw(st.integers(0, len(seen.scores) - 1))
    before = rescore(seen).scores
    scores = seen.scores.copy()
    scores[row] += (1 - scores[row]) / 2
    after = rescore(replace(seen, scores=scores)).scores
    assert after[row] > before[row]
    assert (after >= before).all()
    others = (seen.tracks != seen.tracks[row]) | (seen.tracks < 0)
    others[row] = False
    assert np.array_equal(after[others], before[others])


@given(tracked_clips(), st.sampled_from([0.0, 1.0]))
def test_scores_of_0_and_1_give_scores_between(seen, edge):
    scores = rescore(replace(seen, scores=np.full_like(seen.scores, edge))).scores
    assert ((scores > 0) & (scores < 1)).all()
    assert scores.dtype == np.float32


def test_an_object_seen_for_longer_is_believed_more():
    brief, long = (rescore(scored([0.5] * count, np.arange(count) / 5)).scores for count in (2, 20))
    assert long[0] > brief[0]
    assert long == pytest.approx(probability(LIFE_WEIGHT * np.log(20 / 5)), rel=1e-5)


def test_nothing_is_scored_in_nothing():
    assert rescore(sightings([], [0.0, 0.1])).scores.tolist() == []
    assert rescore(sightings([], [])).scores.tolist() == []
