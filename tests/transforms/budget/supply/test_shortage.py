import pytest
from trainings import DRIVING, GROK_1, RULES, SEVEN_BILLION, graph, machine, transformer

from transforms.budget.supply.shortage import find_shortage

A100 = machine("A100-SXM-80GB")
D1 = machine("D1")


def test_seven_billion_on_one_accelerator():
    found = find_shortage(SEVEN_BILLION, A100, 1, RULES, 0.5)
    # all state, inputs of 32 layers, and one layer's activations; a tenth of the memory is kept free
    held = 7e9 * 17 + 4096 * 4096 * (2 * 32 + 34)
    assert found.leanest.memory_bytes == pytest.approx(held)
    assert (found.leanest.zero_stage, found.leanest.recomputation) == (0, "full")
    assert found.memory_needed_bytes == pytest.approx(held / 0.9)
    assert found.accelerators_needed == 2


def test_grok_on_64_accelerators():
    found = find_shortage(GROK_1, machine("H100-SXM"), 64, RULES, 0.5)
    assert found.leanest.accelerators == 64
    # 5.3 TB over 72 GB is 74: the next number that layers and heads divide
    assert 5.338e12 / 72e9 < found.accelerators_needed == 80


def test_a_network_of_driving_on_dojo():
    found = find_shortage(DRIVING, D1, 4, RULES, 0.2)
    assert found.memory_needed_bytes > D1.memory_bytes
    assert found.accelerators_needed == 8


def test_no_number_of_accelerators_holds_a_sample_that_is_too_large():
    found = find_shortage(graph(25e6, 1e12, 512), A100, 100, RULES, 0.1)
    assert found.accelerators_needed is None
    assert found.leanest.recomputation == "full"
    # a quarter of a sample's activations, at least
    assert found.memory_needed_bytes > 0.25e12 / 0.9


def test_a_small_batch_bounds_the_replicas_that_could_share():
    # a graph cannot be cut: two samples a step let two replicas share its state
    found = find_shortage(graph(20e9, 1e9, 2), A100, 100, RULES, 0.5)
    assert found.accelerators_needed is None
    # whole weights of 40 GB, 300 GB of the rest shared out, and a quarter of a sample: 300 / (72 - 40.25)
    assert find_shortage(graph(20e9, 1e9, 64), A100, 2, RULES, 0.5).accelerators_needed == 10


def test_fewer_accelerators_than_a_cut_needs_are_not_counted_on():
    found = find_shortage(transformer(175e9, 96, 12_288, 2048, 1536), A100, 7, RULES, 0.5)
    assert found.leanest.accelerators <= 7
