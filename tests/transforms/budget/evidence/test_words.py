from transforms.budget.evidence.backtest import backtest
from transforms.budget.evidence.comparing import compare
from transforms.budget.evidence.words import (
    comparison_sentences,
    kind_sentences,
    left_out,
    stratum_sentences,
    unseen_sentences,
)


def test_one_sentence_per_kind(facts):
    language, small, vision, video = kind_sentences(backtest(facts.runs, facts))
    assert language == (
        "language: 25 published runs of 10 families; half of them are predicted within 13%, "
        "84% lie in the 80% interval; an unseen family lies within x/÷ 1.44 (80%)"
    )
    assert small == (
        "language_small: 3 published runs of 1 family; no other family to predict them from; "
        "an unseen family lies within x/÷ 1.80 (80%)"
    )
    assert vision.startswith(
        "vision: 13 published runs of 3 families; half of them are predicted within 20%, 77%"
    )
    assert video == "video: no published run with hours and FLOPs: nothing tests what is assumed"


def test_strata_are_told_where_there_are_several(facts):
    found = backtest(facts.runs, facts)
    assert [sentence.split(":")[0] for sentence in stratum_sentences(found, "language")] == [
        "llm",
        "llm_step",
    ]
    assert not list(stratum_sentences(found, "video"))


def test_unseen_runs_are_told_by_kind(facts, make_run):
    found = backtest([make_run("a", "new"), make_run("b", "newer")], facts, facts.runs)
    (sentence,) = unseen_sentences(found)
    assert sentence.startswith("language: 2 runs of 2 families; half of them are predicted within ")


def test_reasons_are_told_once():
    reasons = list(left_out({"a": "no hours", "b": "no family", "c": "no hours"}))
    assert reasons == ["not predicted: a, c: no hours", "not predicted: b: no family"]


def test_steps_are_compared_together(facts):
    first, second, *_ = comparison_sentences(compare(facts.runs, facts))
    assert first == "MFU of 10 measurements of steps: ours is within 0.4% of the published"
    assert second == (
        "PaLM-540B: published MFU 0.462, ours 0.309 (full attention, of all hours; published of steps)"
    )
