from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainings import GPT_3, GROK_1, RULES, SEVEN_BILLION, machine, split, transformer

from transforms.budget.supply.communication import (
    Links,
    expert_seconds,
    gradient_seconds,
    pipeline_seconds,
    tensor_seconds,
)

# a gigabyte a second within a server of eight, a tenth between them
LINKS = Links(fast=1e9, slow=1e8, linked=8)


def numbers(*values):
    return [np.array([float(value)]) for value in values]


def test_links_of_h100():
    links = Links.of(machine("H100-SXM"), RULES)
    # one direction of 900 GB/s at 0.65; 400 Gbit/s at the middle of 0.90 and 0.95
    assert links.fast == pytest.approx(292.5e9)
    assert links.slow == pytest.approx(50e9 * (0.90 * 0.95) ** 0.5)
    assert links.linked == 8


def test_links_that_are_missing_or_unknown():
    links = Links.of(machine("D1"), RULES)
    assert links.linked == 1
    assert links.slow == pytest.approx(12.5e9 * (0.90 * 0.95) ** 0.5)
    assert Links.of(machine("TPUv4"), RULES).slow == inf


@pytest.mark.parametrize(
    ("ranks", "together", "seconds"),
    [
        (1, 8, 0),
        # 7/8 of a gigabyte inside
        (8, 8, 0.875),
        (8, 1, 8.75),
        # the same inside, then half of it through eight network cards
        (16, 8, 0.875 + 0.5 * 10 / 8),
        (2, 8, 0.5),
    ],
)
def test_rings_by_hand(ranks, together, seconds):
    assert LINKS.ring(*numbers(ranks, together, 1e9)).item() == pytest.approx(seconds)


@given(st.integers(1, 4096), st.sampled_from([1, 2, 8]))
def test_a_ring_carries_a_volume_once_at_most(ranks, together):
    seconds = LINKS.ring(*numbers(ranks, together, 1e9)).item()
    assert 0 <= seconds < 1 + 10 / together


def test_tensor_parallelism_by_hand():
    # four all-reductions of 2048 · 12,288 elements of two bytes in each of 12 layers
    volume = 2048 * 12_288 * 2
    one = split(tensor=8, pipeline=8)
    expected = 12 * 4 * 2 * 7 / 8 * volume / 1e9
    assert tensor_seconds(GPT_3, one, LINKS, RULES).item() == pytest.approx(expected)
    again = replace(one, recomputation=np.array([2.0]))
    assert tensor_seconds(GPT_3, again, LINKS, RULES).item() == pytest.approx(expected * 6 / 4)
    assert tensor_seconds(GPT_3, split(pipeline=8), LINKS, RULES).item() == 0


def test_tensor_parallelism_wider_than_a_server_goes_at_the_networks_rate():
    wide = tensor_seconds(GPT_3, split(tensor=16), LINKS, RULES).item()
    assert wide == pytest.approx(96 * 4 * 2 * 15 / 16 * 2048 * 12_288 * 2 / 1e8)


def test_pipelines_by_hand():
    volume = 2048 * 12_288 * 2 / 4
    within = pipeline_seconds(GPT_3, split(tensor=4, pipeline=2), LINKS, RULES).item()
    assert within == pytest.approx(2 * volume / 1e9)
    across = pipeline_seconds(GPT_3, split(tensor=4, pipeline=2, data=2), LINKS, RULES).item()
    assert across == pytest.approx(2 * volume / 1e8)
    interleaved = pipeline_seconds(GPT_3, split(tensor=4, pipeline=4, interleave=3), LINKS, RULES).item()
    assert interleaved == pytest.approx(3 * across)
    assert pipeline_seconds(GPT_3, split(tensor=4), LINKS, RULES).item() == 0


def test_experts_by_hand():
    # two experts a token, four exchanges a layer, seven of eight tokens go elsewhere
    tokens = 8192 * 6144 * 2 * 2
    within = expert_seconds(GROK_1, split(data=64), LINKS, RULES).item()
    assert within == pytest.approx(64 * 4 * 7 / 8 * tokens / 1e9)
    across = expert_seconds(GROK_1, split(tensor=8, data=64), LINKS, RULES).item()
    assert across == pytest.approx(64 * 4 * 7 / 8 * tokens / 8 / 1e8)
    assert expert_seconds(GROK_1, split(tensor=8), LINKS, RULES).item() == 0
    assert expert_seconds(SEVEN_BILLION, split(data=64), LINKS, RULES).item() == 0


def test_gradients_by_hand():
    # the textbook all-reduction: 2 (n - 1) / n of three bytes a parameter, one replica a server
    one = split(tensor=8, data=16)
    expected = 2 * 15 / 16 * 7e9 / 8 * 3 / 1e8
    assert gradient_seconds(SEVEN_BILLION, one, LINKS, RULES).item() == pytest.approx(expected)
    assert gradient_seconds(SEVEN_BILLION, split(tensor=8), LINKS, RULES).item() == 0


def test_replicas_of_one_server_share_its_network():
    # 3 bytes a parameter there and back: 7/8 inside, half through eight cards
    found = gradient_seconds(SEVEN_BILLION, split(data=16), LINKS, RULES).item()
    assert found == pytest.approx(2 * (7 / 8 * 21 + 0.5 * 210 / 8))


@pytest.mark.parametrize(
    ("stage", "micro_batches", "bytes_a_parameter"),
    [(0, 4, 4), (1, 4, 4), (2, 1, 4), (2, 4, 2 * 4 + 2), (3, 1, 6), (3, 4, 4 * 6)],
)
def test_traffic_of_zero_by_hand(stage, micro_batches, bytes_a_parameter):
    # weights and gradients of two bytes: ZeRO 3 moves 1.5 times what an all-reduction does
    training = transformer(7e9, 32, 4096, 4096, 1024, state_bytes=16)
    one = split(tensor=8, data=16, zero_stage=stage, micro_batches=micro_batches)
    expected = 15 / 16 * 7e9 / 8 * bytes_a_parameter / 1e8
    assert gradient_seconds(training, one, LINKS, RULES).item() == pytest.approx(expected)


def test_gradients_of_experts_are_reduced_among_their_copies():
    # 16 replicas hold 8 experts twice; of the weights at work they hold 16 copies
    found = gradient_seconds(GROK_1, split(tensor=8, data=16), LINKS, RULES).item()
    active, resting = 82e9 / 8 * 3, 232e9 / 8 / 8 * 3
    assert found == pytest.approx(2 * (15 / 16 * active + 1 / 2 * resting) / 1e8)
