import pytest
from pydantic import ValidationError

from transforms.budget.facts.parallelism import Parallelism


def test_the_facts_are_those_of_the_papers(facts):
    rules = facts.parallelism
    # s b h (34 + 5 a s / h), arXiv:2205.05198
    assert (rules.layer_bytes.p50, rules.score_bytes.p50, rules.checkpoint_bytes.p50) == (34, 5, 2)
    # two bytes of weights and twelve of the optimiser leave two to four for gradients
    kept = rules.weight_bytes.p50 + rules.optimiser_bytes.p50
    state = facts.training.state_bytes
    assert (state.p10 - kept, state.p90 - kept) == (2, 4)
    assert 1 + rules.forward_share.p50 == pytest.approx(4 / 3)
    assert rules.head_size.p50 == 12_288 / 96 == 16_384 / 128
    assert rules.scale_up_efficiency.p50 == 0.65
    assert (rules.scale_out_efficiency.p10, rules.scale_out_efficiency.p90) == (0.90, 0.95)


def test_rules_can_be_a_key(facts):
    assert hash(facts.parallelism) == hash(facts.parallelism.model_copy())


def test_every_supposition_is_marked(facts):
    rules = facts.parallelism
    supposed = {
        name for name in Parallelism.model_fields if getattr(getattr(rules, name), "kind", "") == "assumed"
    }
    assert supposed == {
        "gathered_layers",
        "graph_checkpoints",
        "memory_reserve",
        "gradient_overlap",
        "update_passes",
        "tie",
        "worth_of_doubling",
    }


def test_another_unit_is_refused(facts):
    told = facts.parallelism.model_dump()
    told["layer_bytes"]["unit"] = "GB"
    with pytest.raises(ValidationError, match="the unit is 'GB', not 'B'"):
        Parallelism.model_validate(told)
