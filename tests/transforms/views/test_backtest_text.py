from dataclasses import replace

import pytest

from transforms.budget.evidence.backtest import Backtest, Card, Row
from transforms.budget.evidence.comparing import Comparison
from transforms.budget.evidence.rederive import Rederived
from transforms.views.backtest_text import WIDTH, backtest_text

CARD = Card("language", ("llm", "llm_step"), 2, 2, 0.13, 0.5, 1.44)
ROW = Row(
    name="LLaMA-7B",
    kind="language",
    stratum="llm",
    family="llama1",
    tier="A",
    accelerator="A100-SXM-80GB",
    flops=4e22,
    utilisation=0.452,
    predicted=114_000.0,
    p10=81_700.0,
    p90=158_000.0,
    actual=82_432.0,
)
LONG = replace(ROW, name="A name of forty characters or even longer", family="a family of many", actual=1.5e8)
FOUND = Backtest(
    {"language": CARD, "video": Card.empty("video")},
    {"llm": replace(CARD, strata=("llm",), runs=1), "llm_step": replace(CARD, strata=("llm_step",), runs=1)},
    (ROW, LONG),
    {"Alone": "no other family", "Other": "no other family"},
)
MFU = Comparison("LLaMA-7B", "mfu", 0.5, 0.502, "like for like", like_for_like=True)
FLOPS = Comparison("OPT-175B", "flops", 4.3e23, 3.19e23, "causal attention", like_for_like=False)


def total(quantity, published, p50, p10, p90, unit):
    return Rederived("T5-11B", quantity, unit, published, p10, p50, p90, "by hand")


TOTALS = (
    total("energy", 85.7, 85.3, 85.3, 85.3, "MWh"),
    total("time_between_failures", 3.09, 3.05, 1.8, 5.09, "h"),
    total("accelerator_hours", 1.0, 1.0, 1.0, 1.0, "h"),
    total("days", 1.0, 1.0, 1.0, 1.0, "d"),
    total("goodput", 123_456.0, 2.5e24, 1e24, 5e24, "share"),
)


def test_all_of_it_in_order():
    assert backtest_text(FOUND, FOUND, (MFU, FLOPS), TOTALS, bundled=True) == (
        (
            "language: 2 published runs of 2 families; half of them are predicted within 13%, 50% lie in the 80%\n"
            "  interval; an unseen family lies within x/÷ 1.44 (80%)"
        ),
        "  of these llm: 1 run of 2 families; half of them are predicted within 13%, 50% lie in the 80%\n    interval",
        (
            "  of these llm_step: 1 run of 2 families; half of them are predicted within 13%, 50% lie in the 80%\n"
            "    interval"
        ),
        "video: no published run with hours and FLOPs: nothing tests what is assumed",
        "",
        "run                             family          hours  predicted       80% interval  error  in it",
        "LLaMA-7B                        llama1          82.4k       114k      81.7k to 158k    38%    yes",
        "A name of forty characters or e a family of      150M       114k      81.7k to 158k   100%     no",
        "",
        "not predicted: Alone, Other: no other family",
        (
            "runs that no prior has seen: language: 2 runs of 2 families; half of them are predicted within 13%,\n"
            "  50% lie in the 80% interval"
        ),
        "utilisation: at most 45.2% of the peak (LLaMA-7B)",
        "MFU of 1 measurement of steps: ours is within 0.4% of the published",
        "OPT-175B: published FLOPs 4.3e23, ours 3.19e23 (causal attention)",
        "",
        "T5-11B: energy published 85.7 MWh, worked out 85.3",
        "T5-11B: time between failures published 3.09 h, worked out 3.05 (1.8 to 5.09)",
        "T5-11B: goodput published 123k share, worked out 2.5e24 (1e24 to 5e24)",
        "docs/backtest.md tells how the predictions are made and what they rest on",
    )


def test_runs_of_ones_own_are_predicted_from_the_bundled():
    lines = backtest_text(FOUND, FOUND, (), (), bundled=False)
    assert any(line.startswith("from the bundled runs of other families: language: 2 runs") for line in lines)
    assert not [line for line in lines if line.startswith("runs that no prior has seen")]


def test_without_rows_there_is_no_peak_to_tell():
    nothing = Backtest({}, {}, (), {})
    lines = backtest_text(nothing, nothing, (), (), bundled=False)
    assert [line for line in lines if line] == [
        "run                             family          hours  predicted       80% interval  error  in it",
        "docs/backtest.md tells how the predictions are made and what they rest on",
    ]


@pytest.mark.parametrize("hours", [0.001, 1.0, 123_456.0, 9.99e11, 1e22])
def test_lines_fit(hours):
    row = replace(LONG, actual=hours, predicted=hours * 2, p10=hours, p90=hours * 3)
    lines = backtest_text(replace(FOUND, rows=(row,)), FOUND, (MFU, FLOPS), TOTALS, bundled=True)
    assert max(len(line) for text in lines for line in text.split("\n")) <= WIDTH
