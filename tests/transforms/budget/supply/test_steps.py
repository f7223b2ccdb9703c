from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainings import (
    DETECTOR,
    DRIVING,
    GPT_3,
    GROK_1,
    LLAMA_3,
    MEASURED,
    RULES,
    SEVEN_BILLION,
    machine,
    measured,
    split,
    transformer,
)

from transforms.budget.supply.communication import Machine
from transforms.budget.supply.steps import layout_of, time_steps

A100 = machine("A100-SXM-80GB")
H100 = machine("H100-SXM")
BARE = Machine(1e15, 80e9, None, 1, None, None)
"""No traffic and no memory traffic is counted."""


def layout(training, one, on=BARE, utilisation=0.5):
    return layout_of(training, on, one, RULES, utilisation)


def shares(found):
    return (
        found.efficiency,
        found.bubble,
        found.recomputation_share,
        found.tensor_share,
        found.pipeline_share,
        found.expert_share,
        found.gradient_share,
        found.update_share,
    )


def test_useful_work_by_hand():
    training = transformer(1e9, 16, 2048, 1000, 64, attention=0)
    found = layout(training, split(data=8, micro_batches=8, recomputation="none"))
    # 64 samples of 6e12 FLOPs on 8 accelerators of 5e14 FLOP/s
    assert found.step_seconds == pytest.approx(64 * 6e12 / 8 / 5e14)
    assert found.efficiency == 1


@pytest.mark.parametrize(("interleave", "bubble"), [(1, 7 / 32), (3, 7 / 96)])
def test_bubbles_by_hand(interleave, bubble):
    one = split(pipeline=8, interleave=interleave, micro_batches=32, recomputation="none")
    found = layout(GPT_3, one)
    # (p - 1) / (m v) of the work, as a share of both
    assert found.bubble == pytest.approx(bubble / (1 + bubble))


def test_stages_of_unequal_depth_wait():
    # 126 layers on 16 stages of 8
    found = layout(LLAMA_3, split(pipeline=16, interleave=8, micro_batches=1600, recomputation="none"))
    assert found.efficiency == pytest.approx(126 / 128 / (1 + 15 / 8 / 1600))


def test_full_recomputation_costs_a_third_more():
    plain, full = (layout(GPT_3, split(recomputation=kind)) for kind in ("none", "full"))
    assert full.step_seconds / plain.step_seconds == pytest.approx(4 / 3)
    assert full.recomputation_share == pytest.approx(1 / 4)


def test_selective_recomputation_by_hand():
    # two FLOPs a unit of width, pair of tokens and layer
    again = 2 * 24 * 1856 * 16_384**2 / DRIVING.flops
    found = layout(DRIVING, split(recomputation="selective"))
    assert found.recomputation_share == pytest.approx(again / (1 + again))


def test_kept_scores_pass_through_memory():
    found = layout(DRIVING, split(recomputation="none"), on=replace(BARE, memory_bytes_per_s=1e12))
    moved = 2 * 5 * (1856 / 128) * 16_384**2 * 24 / 1e12
    update = 2 * 17e9 / 1e12
    useful = DRIVING.flops / 5e14
    step = useful + moved + update
    assert found.recomputation_share == pytest.approx(moved / step)
    assert found.update_share == pytest.approx(update / step)


def test_a_batch_that_replicas_do_not_divide_counts_in_full():
    training = transformer(1e9, 16, 2048, 1000, 10.5, attention=0)
    # 3 replicas take 3 samples each: 9 of 10.5
    found = layout(training, split(data=3, micro_batches=3, recomputation="none"))
    assert found.step_seconds == pytest.approx(3 * 6e12 / 5e14 * 10.5 / 9)


@pytest.mark.parametrize(
    ("stage", "micro_batches", "hidden"),
    [
        # the last micro-batch's backward pass hides what it can
        (0, 8, 2 / 3),
        (1, 8, 2 / 3),
        # every backward pass, all work
        (2, 8, 8 * 2 / 3),
        (3, 8, 8),
    ],
)
def test_traffic_hides_behind_work(stage, micro_batches, hidden):
    slow = replace(BARE, scale_out_bytes_per_s=1e6)
    one = split(data=4, zero_stage=stage, micro_batches=micro_batches, recomputation="none")
    steps = time_steps(SEVEN_BILLION, slow, one, RULES, 0.5)
    free = time_steps(SEVEN_BILLION, replace(slow, scale_out_bytes_per_s=1e5), one, RULES, 0.5)
    work = steps.useful.item() / micro_batches
    # ten times the traffic, and as much of it hidden
    traffic = (free.lost["gradient_share"] - steps.lost["gradient_share"]).item() / 9
    assert traffic - steps.lost["gradient_share"].item() == pytest.approx(hidden * work, rel=1e-3)


def test_fast_networks_hide_a_part_only():
    quick = replace(BARE, scale_out_bytes_per_s=1e15)
    one = split(data=4, recomputation="none")
    steps = time_steps(SEVEN_BILLION, quick, one, RULES, 0.5)
    rate = 1e15 * RULES.scale_out_efficiency.p50
    traffic = 2 * 3 / 4 * 7e9 * 3 / rate
    assert steps.lost["gradient_share"].item() == pytest.approx(0.4 * traffic)


def test_the_optimiser_moves_its_state():
    fast = replace(BARE, memory_bytes_per_s=1e12)
    alone = time_steps(SEVEN_BILLION, fast, split(data=8), RULES, 0.5).lost["update_share"]
    assert alone.item() == pytest.approx(2 * 7e9 * 17 / 1e12)
    shared = time_steps(SEVEN_BILLION, fast, split(data=8, zero_stage=1), RULES, 0.5).lost["update_share"]
    assert shared.item() == pytest.approx(alone.item() / 8)
    experts = time_steps(GROK_1, fast, split(data=64), RULES, 0.5).lost["update_share"]
    assert experts.item() == pytest.approx(2 * (82e9 + 232e9 / 8) * 17 / 1e12)


@pytest.mark.parametrize("name", MEASURED)
def test_measured_steps(name):
    # one utilisation for all: what kernels reach varies with the width
    training, one, seconds = measured(name)
    found = layout(training, one, on=A100, utilisation=0.65)
    assert found.step_seconds == pytest.approx(seconds, rel=0.16)


def test_llama_3_as_it_was_trained():
    # tensor 8, pipeline 16, data 128: 38 to 43 % of the peak (arXiv:2407.21783 Table 4)
    one = split(tensor=8, pipeline=16, interleave=4, data=128, micro_batches=16, zero_stage=1)
    found = layout(LLAMA_3, one, on=H100, utilisation=0.65)
    assert 0.38 < 0.65 * found.efficiency < 0.43


cuts = st.sampled_from([1, 2, 4, 8, 16])


@given(
    st.sampled_from([GPT_3, LLAMA_3, GROK_1, DRIVING, SEVEN_BILLION]),
    st.sampled_from(["A100-SXM-80GB", "H100-SXM", "GB200", "D1", "TPUv4"]),
    cuts,
    cuts,
    st.integers(1, 300),
    st.integers(1, 64),
    st.integers(0, 3),
    st.sampled_from(["none", "selective", "full"]),
)
def test_shares_of_a_step_add_up(
    training, name, tensor, pipeline, data, micro_batches, zero_stage, recomputation
):
    one = split(
        tensor=tensor,
        pipeline=pipeline,
        data=data,
        micro_batches=micro_batches,
        zero_stage=zero_stage,
        recomputation=recomputation,
    )
    found = layout(training, one, on=machine(name))
    assert sum(shares(found)) == pytest.approx(1)
    assert all(0 <= share <= 1 for share in shares(found))
    assert found.efficiency > 0


def test_layouts_side_by_side_are_those_one_by_one():
    data = split(data=2, micro_batches=4, zero_stage=1)
    both = replace(data, zero_stage=np.array([[0.0], [1.0]]), data=np.array([2.0, 4.0]))
    found = time_steps(SEVEN_BILLION, H100, both, RULES, 0.5).batch
    assert found.shape == (2, 2)
    alone = layout(SEVEN_BILLION, split(data=4, micro_batches=4, zero_stage=1), on=H100)
    assert found[1, 1] == pytest.approx(alone.step_seconds)


def test_a_layout_as_json():
    found = layout(DETECTOR, split(data=8, micro_batch=4, micro_batches=16, recomputation="none"))
    told = found.as_json()
    assert told["accelerators"] == found.accelerators == 8
    assert (told["data"], told["micro_batch"], told["micro_batches"]) == (8, 4, 16)
    assert told["recomputation"] == "none"
    assert told["memory_bytes"] == pytest.approx(10e9 + 25e6 * 17)
