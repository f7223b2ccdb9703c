import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.calibration import LEAST_SLOPE, MOST_OFFSET, MOST_SLOPE, Calibration, Curve, calibrated
from models.card import ModelCard, known_cards, load_card
from models.card_text import card_text
from models.taxonomy import CATEGORIES

CAR, PERSON = CATEGORIES.index("car"), CATEGORIES.index("person")
IDENTITY = Curve(a=1, b=1, c=0)

slopes = st.floats(LEAST_SLOPE, MOST_SLOPE)
curves = st.builds(Curve, a=slopes, b=slopes, c=st.floats(-MOST_OFFSET, MOST_OFFSET))
calibrations = st.builds(
    Calibration,
    fallback=curves,
    categories=st.dictionaries(st.sampled_from(["car", "person"]), curves),
    source=st.text(max_size=30),
)
scores = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30)


def test_equal_slopes_without_an_offset_change_nothing():
    given_scores = np.array([0.0, 0.05, 0.5, 0.9, 1.0])
    assert IDENTITY.probabilities(given_scores) == pytest.approx(given_scores, abs=2e-7)


def test_the_formula():
    # a ln .25 - b ln .75 + c
    curve = Curve(a=2, b=3, c=0.5)
    odds = 2 * math.log(0.25) - 3 * math.log(0.75) + 0.5
    assert curve.probabilities([0.25])[0] == pytest.approx(1 / (1 + math.exp(-odds)))


def test_every_category_has_its_own_curve_or_that_of_all():
    calibration = Calibration(fallback=IDENTITY, categories={"car": Curve(a=1, b=1, c=math.log(9))})
    found = calibrated(np.full(3, 0.5, np.float32), np.array([CAR, PERSON, CAR], np.uint8), calibration)
    assert found == pytest.approx([0.9, 0.5, 0.9])
    assert found.dtype == np.float32


def test_no_rows_are_no_rows():
    found = calibrated(np.zeros(0, np.float32), np.zeros(0, np.uint8), Calibration(fallback=IDENTITY))
    assert (found.shape, found.dtype) == ((0,), np.float32)


@given(calibrations, scores, st.data())
def test_probabilities_keep_the_order_within_a_category(calibration, values, data):
    categories = np.array(
        data.draw(st.lists(st.sampled_from([CAR, PERSON, 8]), min_size=len(values), max_size=len(values))),
        np.uint8,
    )
    given_scores = np.array(values, np.float32)
    found = calibrated(given_scores, categories, calibration)
    assert (found >= 0).all()
    assert (found <= 1).all()
    for category in set(categories.tolist()):
        rows = categories == category
        order = np.argsort(given_scores[rows], kind="stable")
        assert (np.diff(found[rows][order]) >= 0).all()


@given(curves, st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_curve_rises_strictly(curve, one, other):
    low, high = sorted((one, other))
    first, second = curve.probabilities([low, high])
    # where a probability is not 0 or 1 to the last bit, a clear step of the score is one of the probability
    if high - low > 1e-6 and 1e-12 < first < 1 - 1e-12:
        assert second > first


@pytest.mark.parametrize("score", [-1.0, 0.0, 1.0, 2.0])
def test_scores_at_the_ends_and_beyond_stay_within(score):
    for curve in (Curve(a=MOST_SLOPE, b=MOST_SLOPE, c=MOST_OFFSET), Curve(a=20, b=20, c=-MOST_OFFSET)):
        with np.errstate(all="raise", under="ignore"):
            found = curve.probabilities([score])
        assert 0 <= found[0] <= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fallback": {"a": 0, "b": 1, "c": 0}}, "fallback.a"),
        ({"fallback": {"a": 1, "b": -1, "c": 0}}, "fallback.b"),
        ({"fallback": {"a": 1, "b": 1, "c": math.nan}}, "finite"),
        ({"fallback": {"a": 1, "b": math.inf, "c": 0}}, "fallback.b"),
        ({"fallback": {"a": 1, "b": 1}}, "fallback.c"),
        ({"categories": {"lorry": {"a": 1, "b": 1, "c": 0}}}, "'lorry' is no category"),
        ({"categories": {"bus": {"a": 1, "b": 1, "c": 0}}}, "does not look for 'bus'"),
        ({"categories": {"car": {"a": 1, "b": 1, "c": 51}}}, "categories.car.c"),
        ({"curves": {}}, "curves"),
        ({"source": "x" * 1001}, "source"),
    ],
)
def test_a_card_refuses_a_calibration_that_does_not_go(make_card, change, message):
    with pytest.raises(ValidationError, match=message):
        make_card(calibration={"fallback": {"a": 1, "b": 1, "c": 0}, **change})


@given(calibration=calibrations)
def test_a_calibration_comes_back_from_toml(calibration, tmp_path_factory):
    card = known_cards()["demo"].model_copy(update={"calibration": calibration})
    path = tmp_path_factory.getbasetemp() / "card.toml"
    path.write_text(card_text(card), encoding="utf-8")
    assert load_card(path) == card


@pytest.mark.parametrize("name", sorted(known_cards()))
def test_every_known_card_comes_back_from_its_text(name, tmp_path):
    card = known_cards()[name]
    (tmp_path / "card.toml").write_text(card_text(card), encoding="utf-8")
    assert load_card(tmp_path / "card.toml") == card


def test_names_that_toml_reads_otherwise_come_back(make_card, tmp_path):
    odd = ["a b", 'quo"te', "", "tab\there", "ünï", "x.y", "\x7f", "-", "😀"]
    card = make_card(classes=odd, class_map=dict.fromkeys(odd, "car"), notes="two\nlines")
    (tmp_path / "card.toml").write_text(card_text(card), encoding="utf-8")
    assert load_card(tmp_path / "card.toml") == card


def test_a_card_may_say_coco_with_a_map_of_its_own(make_card, tmp_path):
    card = make_card(classes="coco-80", class_map={"dog": "animal"})
    (tmp_path / "card.toml").write_text(card_text(card), encoding="utf-8")
    assert load_card(tmp_path / "card.toml") == card
    assert 'classes = "coco-80"' in card_text(card)


def test_only_a_calibrations_numbers_shape_results(make_card):
    from models.refs import ModelRef

    def digest(card: ModelCard) -> str:
        return ModelRef(card, "/a", "0" * 64, 96, "cpu").digest

    curve = {"a": 1, "b": 1, "c": 0}
    plain = make_card(calibration={"fallback": curve, "source": "24 clips"})
    assert digest(plain) == digest(make_card(calibration={"fallback": curve}))
    assert digest(plain) != digest(make_card())
    assert digest(plain) != digest(make_card(calibration={"fallback": {**curve, "c": 1}}))
    assert digest(plain) != digest(make_card(calibration={"fallback": curve, "categories": {"car": curve}}))
