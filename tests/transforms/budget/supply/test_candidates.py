import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainings import DETECTOR, GPT_3, LLAMA_3, SEVEN_BILLION, graph, split, transformer

from transforms.budget.supply.candidates import (
    enumerate_candidates,
    leanest_candidates,
    pipelines,
    tensor_widths,
    with_all_replicas,
)

counts = st.integers(1, 40_000)
batches = st.floats(0.2, 5000)


def flat(candidates):
    shape = np.broadcast(*candidates.columns).shape
    return candidates.where(np.ones(shape, dtype=bool))


def test_pipelines_divide_layers_or_nearly():
    assert list(pipelines(1)) == [(1, 1)]
    # 126 layers: 16 stages of 8, the last of 6, as Llama 3 was trained
    assert (16, 8) in list(pipelines(126))
    assert [stages for stages, _ in pipelines(12)] == [1, 2, 3, 4, 6, 12]


@given(st.integers(1, 200))
def test_no_pipeline_has_an_empty_stage(layers):
    for stages, depth in pipelines(layers):
        assert stages * depth >= layers > (stages - 1) * depth


def test_tensor_parallelism_splits_heads():
    assert tensor_widths(SEVEN_BILLION, 128) == [1, 2, 4, 8, 16, 32]
    assert tensor_widths(transformer(1e9, 24, 1856, 16_384, 1), 128) == [1, 2, 4, 8]
    assert tensor_widths(transformer(1e6, 2, 64, 128, 1), 128) == [1]
    assert tensor_widths(DETECTOR, 128) == [1]


@given(counts, batches, st.sampled_from([1, 8, 72]))
def test_candidates_stay_within_accelerators_and_batch(accelerators, batch, linked):
    training = transformer(7e9, 32, 4096, 4096, batch)
    found = flat(enumerate_candidates(training, accelerators, [1, 2, 4, 8], linked))
    assert found.data.size
    assert found.accelerators.max() <= accelerators
    samples = found.data * found.micro_batch * found.micro_batches
    assert (samples <= max(batch, 1)).all()
    # no replica could take another micro-batch
    assert (samples + found.data * found.micro_batch > training.samples).all()
    assert (found.data >= 1).all()
    assert ((found.interleave == 1) | (found.micro_batches >= found.pipeline)).all()
    assert (np.ceil(32 / found.pipeline) % found.interleave == 0).all()


@given(counts, batches)
def test_the_widest_data_parallelism_is_among_them(accelerators, batch):
    training = transformer(7e9, 32, 4096, 4096, batch)
    found = flat(enumerate_candidates(training, accelerators, [1], 8))
    plain = found.where((found.pipeline == 1) & (found.micro_batch == 1))
    assert plain.data.max() == min(accelerators, training.samples)


def test_a_graph_is_neither_cut_nor_recomputed_selectively():
    found = flat(enumerate_candidates(DETECTOR, 64, tensor_widths(DETECTOR, 128), 8))
    assert set(found.tensor) == set(found.pipeline) == set(found.interleave) == {1}
    assert set(found.recomputation) == {0, 2}
    assert found.micro_batch.max() == 256


def test_too_few_accelerators_for_a_width_give_no_candidates():
    assert enumerate_candidates(GPT_3, 4, [8, 16], 8).data.size == 0
    assert enumerate_candidates(GPT_3, 4, [], 8).data.size == 0


def test_rows_and_masks():
    found = enumerate_candidates(LLAMA_3, 256, [8], 8)
    some = found.rows(np.arange(len(found.data)) < 3)
    assert some.data.shape == (3, 1, 1)
    assert some.zero_stage.shape == (1, 4, 1)
    mask = np.zeros((3, 4, 3), dtype=bool)
    mask[2, 1, 0] = True
    one = some.where(mask)
    assert (one.data.item(), one.zero_stage.item()) == (found.data[2].item(), 1)


def test_sharing_out_needs_replicas():
    assert split(zero_stage=0).makes_sense.all()
    assert not split(zero_stage=1).makes_sense.any()
    assert split(zero_stage=1, data=2).makes_sense.all()


@given(counts, st.integers(1, 5000))
def test_all_replicas_that_make_a_difference(accelerators, batch):
    training = transformer(7e9, 32, 4096, 4096, batch)
    one = split(tensor=2, data=1, micro_batches=batch)
    found = with_all_replicas(training, one, accelerators * 2)
    widest = min(accelerators, batch)
    # whatever the number of replicas, one among them takes as few micro-batches
    for data in {1, 2, 3, widest // 2, widest} - {0}:
        if data <= widest:
            same = found.data[found.micro_batches == batch // data]
            assert same.max() >= data
    assert found.data.max() == widest


def test_all_replicas_of_an_interleaved_pipeline_leave_it_enough_micro_batches():
    one = split(pipeline=8, interleave=2, data=2, micro_batches=32)
    found = with_all_replicas(transformer(7e9, 32, 4096, 4096, 64), one, 10_000)
    assert found.micro_batches.min() == 8


def test_the_leanest_have_single_samples():
    lean = leanest_candidates([1, 2], graph(1e6, 1e6, 100), np.array([[[7.0]]]))
    assert lean.micro_batches.item() == pytest.approx(14)
    assert lean.tensor.ravel().tolist() == [1, 2]
