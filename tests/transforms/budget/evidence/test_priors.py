import pytest

from transforms.budget.evidence.backtest import Card, backtest
from transforms.budget.evidence.prediction import predict
from transforms.budget.evidence.priors import utilisation_prior
from transforms.budget.evidence.work import measured


def test_a_prior_is_the_prediction_of_an_unseen_family(facts):
    prior, card = utilisation_prior(facts, "language", None)
    found = predict(measured(facts.runs, facts.utilisation["language"], facts), facts)
    assert (prior.p10, prior.p50, prior.p90) == (found.p10, found.p50, found.p90)
    assert (prior.unit, prior.kind) == ("share", "estimate")
    assert prior.as_of.isoformat() == "2023-12-31"
    assert prior.source == "an unseen family, predicted from the published ones: 25 runs, 10 in number"
    assert card == backtest(facts.runs, facts).cards["language"]
    assert card.factor == pytest.approx((prior.p90 / prior.p10) ** 0.5)


@pytest.mark.parametrize(
    ("kind", "quantiles"),
    [
        ("language", (0.240, 0.346, 0.497)),
        ("language_small", (0.150, 0.269, 0.484)),
        ("vision", (0.067, 0.132, 0.261)),
    ],
)
def test_priors_of_the_bundled_runs(facts, kind, quantiles):
    prior, _ = utilisation_prior(facts, kind, None)
    assert (prior.p10, prior.p50, prior.p90) == pytest.approx(quantiles, abs=0.001)


def test_small_language_networks_have_their_own(facts):
    large, small = (utilisation_prior(facts, "language", size) for size in (1e9, 9.9e8))
    assert (large[1].kind, small[1].kind) == ("language", "language_small")
    assert small[0].p50 < large[0].p50
    assert utilisation_prior(facts, "vision", 1e6)[1].kind == "vision"


def test_what_is_assumed_has_an_empty_card(facts):
    prior, card = utilisation_prior(facts, "video", 1e9)
    assert prior is facts.utilisation["video"].mfu
    assert (prior.kind, card) == ("assumed", Card.empty("video"))


def test_the_same_facts_are_not_worked_out_twice(facts):
    assert utilisation_prior(facts, "vision", None)[0] is utilisation_prior(facts, "vision", 5e9)[0]
    fewer = facts.model_copy(update={"runs": tuple(run for run in facts.runs if run.family != "yolov5")})
    assert utilisation_prior(fewer, "vision", None)[1].families == 2
    assert utilisation_prior(facts, "vision", None)[1].families == 3
