import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import LEAST_SLOPE, Curve
from models.taxonomy import CATEGORIES
from transforms.evaluation.calibrating import (
    LEAST_ROWS,
    TooFewRowsError,
    fit,
    gains,
    halves,
    held_out,
    lacking,
)
from transforms.evaluation.judged_rows import JudgedRows

CAR, BUS, PERSON = (CATEGORIES.index(name) for name in ("car", "bus", "person"))
TRUE = {CAR: Curve(a=0.6, b=2.5, c=-1.0), PERSON: Curve(a=2.0, b=0.8, c=0.7)}


def drawn(category, count, seed=0, clips=8, curve=None):
    """Rows whose outcomes follow a curve."""
    random = np.random.default_rng([seed, category])
    scores = random.uniform(0.05, 0.98, count)
    right = random.random(count) < (curve or TRUE[category]).probabilities(scores)
    return rows_of(category, scores, right, clips)


def rows_of(category, scores, right, clips=8):
    count = len(scores)
    return JudgedRows(
        clips=np.array([f"clip-{number % clips}" for number in range(count)], dtype=object),
        categories=np.full(count, category, np.uint8),
        scores=np.asarray(scores, dtype=np.float64),
        right=np.asarray(right, dtype=np.bool_),
        detected=np.ones(count, np.bool_),
    )


def joined(*parts):
    return JudgedRows(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("clips", "categories", "scores", "right", "detected")
        )
    )


@pytest.mark.parametrize("category", TRUE)
def test_the_curve_that_made_the_outcomes_is_found(category):
    curve = fit(drawn(category, 20_000)).categories[CATEGORIES[category]]
    asked = np.linspace(0.05, 0.98, 50)
    assert curve.probabilities(asked) == pytest.approx(TRUE[category].probabilities(asked), abs=0.03)


def test_scores_that_are_probabilities_stay():
    curve = fit(drawn(CAR, 20_000, curve=Curve(a=1, b=1, c=0))).categories["car"]
    assert (curve.a, curve.b, curve.c) == (
        pytest.approx(1, abs=0.1),
        pytest.approx(1, abs=0.1),
        pytest.approx(0, abs=0.1),
    )


def test_a_category_with_few_rows_has_the_curve_of_all():
    few = drawn(PERSON, 30)
    rows = joined(drawn(CAR, 4000), few)
    assert min(few.right.sum(), (~few.right).sum()) < LEAST_ROWS
    calibration = fit(rows, "of a test")
    assert set(calibration.categories) == {"car"}
    assert calibration.curve(PERSON) == calibration.fallback
    assert calibration.fallback != calibration.categories["car"]
    assert lacking(rows, calibration) == {"person": f"{few.right.sum()} right and {(~few.right).sum()} wrong"}
    assert calibration.source == "of a test"


def test_too_few_rows_are_an_error_that_counts_them():
    with pytest.raises(TooFewRowsError, match=r"^0 right and 0 wrong rows are too few .* \(20 of either\)"):
        fit(rows_of(CAR, [], []))
    with pytest.raises(TooFewRowsError, match=r"^19 right and 100 wrong"):
        fit(rows_of(CAR, [0.5] * 119, [True] * 19 + [False] * 100))


def test_scores_that_tell_the_wrong_way_round_give_a_flat_curve_that_still_rises():
    scores = np.linspace(0.01, 0.99, 400)
    curve = fit(rows_of(CAR, scores, scores < 0.5)).categories["car"]
    assert curve.a == curve.b == LEAST_SLOPE
    assert curve.probabilities([0.9])[0] > curve.probabilities([0.1])[0]


def test_scores_that_part_right_from_wrong_do_not_become_certainty():
    scores = np.concatenate([np.full(50, 0.2), np.full(50, 0.8)])
    curve = fit(rows_of(CAR, scores, scores > 0.5)).categories["car"]
    low, high = curve.probabilities([0.2, 0.8])
    # Platt's targets are 51/52 and 1/52
    assert (low, high) == (pytest.approx(1 / 52, abs=1e-3), pytest.approx(51 / 52, abs=1e-3))


@given(st.sets(st.text(max_size=5), min_size=1, max_size=20))
def test_halves_differ_by_a_clip_at_most_and_do_not_depend_on_order(names):
    clips = np.array(sorted(names) * 2, dtype=object)
    first = halves(clips)
    counts = [len(set(clips[half].tolist())) for half in (first, ~first)]
    assert counts[0] - counts[1] in {0, 1}
    assert not set(clips[first].tolist()) & set(clips[~first].tolist())
    assert (halves(clips[::-1])[::-1] == first).all()


def test_what_is_reported_is_of_clips_that_the_fit_has_not_seen():
    """Outcomes that only the clip tells: a fit that saw them would look better than it is."""
    rows = joined(drawn(CAR, 2000), drawn(PERSON, 2000))
    first = halves(rows.clips)
    found = held_out(rows)
    assert found is not None
    for half in (first, ~first):
        calibration = fit(rows.take(~half))
        place = half & (rows.categories == CAR)
        assert (found[place] == calibration.curve(CAR).probabilities(rows.scores[place])).all()


def test_gains_count_and_fall():
    rows = joined(drawn(CAR, 4000), drawn(PERSON, 3000))
    whole, by_category = gains(rows)
    assert (whole.rows, by_category["car"].rows, by_category["person"].rows) == (7000, 4000, 3000)
    assert whole.right == rows.right.sum() == sum(gain.right for gain in by_category.values())
    for gain in (whole, *by_category.values()):
        assert gain.before > 0.05
        assert gain.after < 0.04


def test_one_clip_leaves_nothing_to_hold_out():
    whole, by_category = gains(drawn(CAR, 500, clips=1))
    assert whole.before is not None
    assert whole.after is None
    assert by_category["car"].after is None
