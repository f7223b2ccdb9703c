from dataclasses import replace

import pytest
from trainings import GROK_1, RULES, SEVEN_BILLION, machine, split

from transforms.budget.supply.reasons import change, describe, missing, reasons_of
from transforms.budget.supply.shortage import find_shortage
from transforms.budget.supply.steps import layout_of

A100 = machine("A100-SXM-80GB")
BEST = layout_of(SEVEN_BILLION, A100, split(data=8, micro_batches=128, zero_stage=1), RULES, 0.5)


def said(training=SEVEN_BILLION, on=A100, best=BEST, runner_up=None):
    return list(reasons_of(training, on, 8, RULES, best, runner_up))


def test_a_layout_in_words():
    assert describe(BEST) == (
        "tensor 1 x pipeline 1 x data 8, ZeRO 1, selective recomputation, micro-batches 128 x 1"
    )
    deep = split(pipeline=8, interleave=4, micro_batches=8, recomputation="none")
    assert describe(layout_of(SEVEN_BILLION, A100, deep, RULES, 0.5)) == (
        "tensor 1 x pipeline 8 (interleaved 4 times) x data 1, ZeRO 0, no recomputation, micro-batches 8 x 1"
    )


def test_what_is_said_of_the_best():
    use, memory, step = said()
    assert use.startswith("8 of 8 accelerators: tensor 1 x")
    assert memory == (
        "memory: 63.8 GB of 72 GB usable: 45.5 GB of the 119 GB of weights, gradients and optimiser, and activations"
    )
    assert step == "step: 2.59 min, 98% of it useful work; 2% recomputation"


def test_nothing_is_lost_without_a_word_too_many():
    bare = replace(A100, memory_bytes_per_s=None)
    alone = layout_of(SEVEN_BILLION, bare, split(recomputation="none"), RULES, 0.5)
    assert said(best=alone)[2].endswith(" min, 100% of it useful work")


@pytest.mark.parametrize(
    ("change_of", "words"),
    [
        ({"step_seconds": BEST.step_seconds * 1.001}, "about as fast, but less simple"),
        (
            {"step_seconds": BEST.step_seconds * 0.9, "data": 16},
            "0.90 x as long a step, on 2.00 x as many accelerators",
        ),
        (
            {"step_seconds": BEST.step_seconds * 1.25, "bubble": 0.2, "efficiency": BEST.efficiency / 1.25},
            "1.25 x as long a step, most of it for stages waiting for one another",
        ),
        (
            {"step_seconds": BEST.step_seconds * 2},
            "2.00 x as long a step, most of it for fewer accelerators",
        ),
    ],
)
def test_the_runner_up_is_compared(change_of, words):
    told = said(runner_up=replace(BEST, **change_of))[3]
    assert told.startswith("next best: tensor 1 x")
    assert told.endswith(f": {words}")


def test_what_else_there_is_to_know():
    wide = layout_of(GROK_1, A100, split(tensor=16, data=8), RULES, 0.5)
    told = said(GROK_1, replace(A100, scale_out_bytes_per_s=None), wide)
    assert told[3] == "tensor parallelism crosses the network, as a last resort: nothing else fits"
    assert told[4].startswith("mixture of experts: the 232 billion weights that rest on a token")
    assert told[5] == "no network bandwidth is known: traffic over it is not counted"


def test_what_is_missing():
    found = find_shortage(SEVEN_BILLION, A100, 1, RULES, 0.5)
    need, lean = missing(SEVEN_BILLION, A100, 1, RULES, found)
    assert need == (
        "memory: no layout over 1 accelerator fits: the leanest needs 121 GB on each, 72 GB of 80 GB are usable"
    )
    assert lean == (
        "the leanest (tensor 1 x pipeline 1 x data 1, ZeRO 0, full recomputation, micro-batches 1024 x 1) holds "
        "119 GB of the 119 GB of weights, gradients and optimiser, and 1.64 GB of activations"
    )
    # rounded up: what is told is enough
    assert change(found) == "2 accelerators, or accelerators of 135 GB"
    assert found.memory_needed_bytes < 135e9


def test_what_is_missing_where_more_do_not_help():
    found = replace(find_shortage(SEVEN_BILLION, A100, 1, RULES, 0.5), accelerators_needed=None)
    told = list(missing(SEVEN_BILLION, A100, 1, RULES, found))
    assert told[-1] == "more of these accelerators do not help: a step of 1,024 samples has no work for them"
    assert change(found) == "accelerators of 135 GB"
    assert change(replace(found, accelerators_needed=1)) == "1 accelerator, or accelerators of 135 GB"
