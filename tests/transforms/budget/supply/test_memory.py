import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainings import DETECTOR, GROK_1, MEASURED, RULES, SEVEN_BILLION, measured, split, transformer

from transforms.budget.supply.memory import (
    activation_bytes,
    expert_groups,
    memory_bytes,
    score_bytes,
    state_bytes,
    state_parts,
    usable_bytes,
)

GPT_3 = transformer(175e9, 96, 12_288, 2048, 1536, state_bytes=16)


@pytest.mark.parametrize(
    ("state", "parts"),
    [(16, (2, 2, 12)), (17, (2, 3, 12)), (18, (2, 4, 12)), (8, (2, 2, 4)), (3, (2, 1, 0)), (1, (1, 0, 0))],
)
def test_parts_of_the_state_add_up(state, parts):
    found = state_parts(transformer(1e9, 1, 1, 1, 1, state_bytes=state), RULES)
    assert found == parts
    assert sum(found) == state


@pytest.mark.parametrize(("state", "gigabytes"), [(16, 112), (18, 126)])
def test_seven_billion_do_not_fit_80_gb_unshared(state, gigabytes):
    training = transformer(7e9, 32, 4096, 4096, 1024, state_bytes=state)
    assert state_bytes(training, split(), RULES).item() == pytest.approx(gigabytes * 1e9)


@pytest.mark.parametrize(
    ("stage", "gigabytes"),
    [
        (0, 3.5 * 16),
        (1, 3.5 * (2 + 2 + 12 / 4)),
        (2, 3.5 * (2 + 2 / 4 + 12 / 4)),
        # a quarter of everything, and the whole weights of 2 of 32 layers
        (3, 3.5 * (16 / 4 + 2 * 2 / 32)),
    ],
)
def test_zero_by_hand(stage, gigabytes):
    training = transformer(7e9, 32, 4096, 4096, 1024, state_bytes=16)
    held = state_bytes(training, split(tensor=2, data=4, zero_stage=stage), RULES)
    assert held.item() == pytest.approx(gigabytes * 1e9)


def test_the_deepest_stage_counts():
    # 126 layers on 16 stages: 8 of them on all but the last
    training = transformer(126e9, 126, 1, 1, 1, state_bytes=16)
    assert state_bytes(training, split(pipeline=16), RULES).item() == pytest.approx(8e9 * 16)


def test_zero_3_on_one_layer_holds_all_its_weights():
    training = transformer(1e9, 1, 128, 1, 8, state_bytes=16)
    held = state_bytes(training, split(data=8, zero_stage=3), RULES)
    assert held.item() == pytest.approx(1e9 * (16 / 8 + 2))


def test_experts_are_spread_over_replicas():
    # 314 / 82 · 2 = 7.7: about 8 experts
    assert expert_groups(GROK_1, RULES, np.array([1.0, 4.0, 64.0])).tolist() == [1, 4, 8]
    assert expert_groups(SEVEN_BILLION, RULES, np.array([64.0])).tolist() == [1]
    held = state_bytes(GROK_1, split(data=64), RULES)
    assert held.item() == pytest.approx((82e9 + 232e9 / 8) * 17)
    shared = state_bytes(GROK_1, split(data=64, zero_stage=1), RULES)
    assert shared.item() == pytest.approx((82e9 + 232e9 / 8) * 5 + 314e9 / 64 * 12)


@pytest.mark.parametrize(
    ("recomputation", "per_element"),
    [
        # 5 a s / h of GPT-3 is 80
        ("none", (34 + 80) * 12 * 8),
        ("selective", 34 * 12 * 8),
        ("full", 2 * 12 * 8 + 34),
    ],
)
def test_activations_by_hand(recomputation, per_element):
    one = split(tensor=8, pipeline=8, micro_batches=64, recomputation=recomputation)
    elements = 2048 * 12_288 / 8
    assert activation_bytes(GPT_3, one, RULES).item() == pytest.approx(elements * per_element)


def test_interleaving_holds_more():
    plain = split(tensor=8, pipeline=8, micro_batches=64)
    interleaved = split(tensor=8, pipeline=8, interleave=3, micro_batches=64)
    ratio = activation_bytes(GPT_3, interleaved, RULES) / activation_bytes(GPT_3, plain, RULES)
    assert ratio.item() == pytest.approx(1 + 7 / 24)


def test_few_micro_batches_are_all_that_is_in_flight():
    few, many = split(pipeline=8, micro_batches=2), split(pipeline=8, micro_batches=64)
    ratio = activation_bytes(GPT_3, few, RULES) / activation_bytes(GPT_3, many, RULES)
    assert ratio.item() == pytest.approx(2 / 8)


def test_scores_by_hand():
    # 5 bytes a head and pair of tokens: 96 heads, 2048² pairs, 12 layers a stage
    one = split(tensor=8, pipeline=8, recomputation="none")
    assert score_bytes(GPT_3, one, RULES).item() == pytest.approx(5 * 96 * 2048**2 * 12 / 8)
    assert score_bytes(GPT_3, split(recomputation="full"), RULES).item() == 0


def test_activations_of_a_graph():
    assert activation_bytes(DETECTOR, split(micro_batch=4, recomputation="none"), RULES).item() == 10e9
    assert activation_bytes(DETECTOR, split(micro_batch=4, recomputation="full"), RULES).item() == 2.5e9


@pytest.mark.parametrize("name", MEASURED)
def test_published_trainings_on_a100_fit(name):
    training, one, _ = measured(name)
    held = memory_bytes(training, one, RULES).item()
    assert 0.6 < held / usable_bytes(80e9, RULES) < 1


def test_published_trainings_on_a100_need_selective_recomputation():
    # Figure 1 of arXiv:2205.05198: without it the larger three pass 80 GB
    training, _, _ = measured("Korthikanti-530B-seqsel")
    one = split(tensor=8, pipeline=35, interleave=3, micro_batches=280, recomputation="none")
    assert memory_bytes(training, one, RULES).item() > 80e9


def test_a_tenth_stays_free():
    assert usable_bytes(80e9, RULES) == pytest.approx(72e9)


widths = st.sampled_from([1, 2, 4, 8])


@given(
    widths, widths, st.integers(1, 512), st.integers(1, 64), st.sampled_from(["none", "selective", "full"])
)
def test_more_sharing_never_needs_more(tensor, pipeline, data, micro_batches, recomputation):
    def held(**change):
        base = {
            "tensor": tensor,
            "pipeline": pipeline,
            "data": data,
            "micro_batches": micro_batches,
            "recomputation": recomputation,
        }
        return memory_bytes(SEVEN_BILLION, split(**{**base, **change}), RULES).item()

    assert held(tensor=2 * tensor) < held()
    assert held(zero_stage=1) <= held()
    assert held(zero_stage=2) <= held(zero_stage=1)
    assert held(zero_stage=3, data=data + 1) <= held(zero_stage=3)
    assert held(micro_batch=2) > held()
