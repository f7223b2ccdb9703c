import csv
import os
import time
from pathlib import Path
from statistics import median

import pytest

from transforms.budget.errors import BudgetUsageError
from transforms.budget.evidence.backtest import Card, backtest, predicted_rows
from transforms.budget.evidence.prediction import predict
from transforms.budget.evidence.reading import read_runs
from transforms.budget.evidence.rederive import load_published
from transforms.budget.evidence.work import measured

SHARED = Path(os.environ.get("CLIPMILL_SHARED", Path(__file__).resolve().parents[5] / "shared"))


@pytest.fixture
def found(facts):
    return backtest(facts.runs, facts)


def test_every_kind_has_its_own_card(facts, found):
    assert tuple(found.cards) == tuple(facts.utilisation)
    language, vision = found.cards["language"], found.cards["vision"]
    assert (language.runs, language.families, language.strata) == (25, 10, ("llm", "llm_step"))
    assert (vision.runs, vision.families, vision.strata) == (13, 3, ("vit_clip", "conv_small"))
    assert found.cards["video"] == Card.empty("video") == Card("video", (), 0, 0, None, None, None)
    small = found.cards["language_small"]
    assert (small.runs, small.families, small.median_error, small.coverage) == (3, 1, None, None)


def test_left_out_families_are_predicted_well_enough(found):
    assert found.strata["llm"].median_error <= 0.15
    assert found.cards["language"].median_error <= 0.20
    assert found.cards["vision"].median_error <= 0.25
    for card in (found.cards["language"], found.cards["vision"], found.strata["llm"]):
        assert 0.7 <= card.coverage <= 0.9


def test_the_survey_alone_gives_the_same(facts, found):
    path = SHARED / "facts" / "training_runs.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    runs = read_runs(path)
    assert len(runs) == len(list(csv.DictReader(path.open())))
    assert backtest(runs, facts) == found


def test_runs_that_no_prior_has_seen_are_predicted_as_the_cards_say(facts):
    runs = load_published().runs
    assert not {run.name for run in runs} & {run.name for run in facts.runs}
    unseen = backtest(runs, facts, facts.runs)
    language = [row for row in unseen.rows if row.kind == "language"]
    vision = [row for row in unseen.rows if row.kind == "vision"]
    assert (len(language), len(vision), unseen.untested) == (16, 7, {})
    assert median(row.error for row in language) < 0.25
    assert 0.7 <= sum(row.inside for row in language) / 16 <= 0.9
    assert median(row.error for row in vision) < 0.5
    assert sum(row.inside for row in vision) >= 5


def test_rows_are_predicted_without_their_family(facts, found):
    (row,) = [row for row in found.rows if row.name == "BLOOM-176B"]
    known = measured(facts.runs, facts.utilisation["language"], facts)
    prediction = predict([item for item in known if item.run.family != "bloom"], facts)
    hours = row.flops / (312e12 * 3600)
    assert row.predicted == pytest.approx(hours / prediction.p50)
    assert (row.p10, row.p90) == pytest.approx((hours / prediction.p90, hours / prediction.p10))
    assert row.error == abs(row.predicted / row.actual - 1)
    assert row.utilisation == pytest.approx(hours / row.actual)
    assert row.inside is (row.p10 <= row.actual <= row.p90)


def test_steps_lose_nothing_but_their_prediction_does(facts, found):
    (row,) = [row for row in found.rows if row.name == "Korthikanti-22B-seqsel"]
    known = measured(facts.runs, facts.utilisation["language"], facts)
    prediction = predict([item for item in known if item.run.family != "korthikanti"], facts)
    hours = row.flops / (312e12 * 3600)
    assert row.predicted == pytest.approx(hours / prediction.p50 * prediction.whole_over_step)


def test_cards_are_of_the_rows(found):
    rows = [row for row in found.rows if row.kind == "vision"]
    card = found.cards["vision"]
    assert card.median_error == median(row.error for row in rows)
    assert card.coverage == sum(row.inside for row in rows) / len(rows)
    assert found.strata["vit_clip"].runs == 4
    assert found.strata["vit_clip"].kind == "vision"


def test_what_is_not_predicted_says_why(facts, found, make_run):
    assert found.untested["Pythia-70M"] == "no other family of language_small to predict it from"
    assert found.untested["T5-11B"] == "no kind of network rests on stratum energy_only"
    runs = [
        make_run("silent", samples=None),
        make_run("impossible", hours=1000),
        make_run("odd", stratum="diffusion"),
        make_run("alone"),
    ]
    assert backtest(runs, facts).untested == {
        "silent": "neither samples nor FLOPs are published",
        "impossible": "337% of the accelerators' peak: its FLOPs or hours cannot be right",
        "odd": "no kind of network rests on stratum diffusion",
        "alone": "no other family of language to predict it from",
    }


def test_a_kind_without_runs_gets_no_card_of_another(facts, make_run):
    found = backtest([make_run("a", "one"), make_run("b", "two")], facts)
    assert (found.cards["language"].runs, found.cards["language"].families) == (2, 2)
    assert found.cards["vision"] == Card.empty("vision")
    assert found.cards["language"].median_error == pytest.approx(0, abs=1e-3)


def test_an_unknown_accelerator_is_told(facts, make_run):
    with pytest.raises(BudgetUsageError, match="run mine: accelerator 'abacus' is unknown"):
        backtest([make_run(accelerator="abacus")], facts)


def test_the_bundled_runs_take_no_time(facts):
    def seconds():
        begin = time.process_time()
        backtest(facts.runs, facts)
        return time.process_time() - begin

    # 11 ms on one core; measuring coverage makes it several times that
    assert min(seconds() for _ in range(5)) < 0.1


def test_json_holds_cards_and_rows(found):
    data = found.as_json()
    assert data["kinds"]["language"] == {
        "kind": "language",
        "strata": ["llm", "llm_step"],
        "runs": 25,
        "families": 10,
        "median_error": found.cards["language"].median_error,
        "coverage": 0.84,
        "factor": found.cards["language"].factor,
    }
    assert len(data["rows"]) == 38
    assert set(data["rows"][0]) == {
        *("name", "kind", "stratum", "family", "tier", "accelerator", "flops", "utilisation"),
        *("predicted", "p10", "p90", "actual", "unit", "error", "inside"),
    }


def test_vision_is_predicted_together_for_a_reason(facts, found):
    convolutions = facts.utilisation["vision"].model_copy(update={"strata": ("conv_small",)})
    alone = facts.model_copy(update={"utilisation": {"vision": convolutions}})
    rows = predicted_rows("vision", facts.runs, facts.runs, alone)
    assert median(row.error for row in rows) > found.strata["conv_small"].median_error
