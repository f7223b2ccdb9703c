import pytest

from transforms.budget.evidence.comparing import compare


def test_mfus_of_steps_are_those_published(facts):
    found = [item for item in compare(facts.runs, facts) if item.like_for_like]
    assert len(found) == 10
    assert all(item.ratio == pytest.approx(1, abs=0.005) for item in found)


def test_what_trainings_publish_is_told_with_its_convention(facts):
    found = {(item.name, item.quantity): item for item in compare(facts.runs, facts)}
    palm = found["PaLM-540B", "mfu"]
    assert (palm.published, palm.convention) == (0.462, "full attention, of all hours; published of steps")
    assert palm.ratio == pytest.approx(0.669, abs=0.001)
    assert found["PaLM-540B", "flops"].ratio == pytest.approx(1.009, abs=0.001)
    # published with recomputation: a forward pass more than three
    assert found["OPT-175B", "flops"].ratio == pytest.approx(3 / 4, abs=0.01)
    assert found["PaLM-540B", "flops"].as_json()["convention"] == "causal attention, no recomputation"


def test_runs_without_samples_are_not_compared(facts, make_run):
    told = {"mfu": {"value": 0.4, "unit": "share"}, "train_flops": {"value": 1e20, "unit": "FLOP"}}
    assert compare([make_run(samples=None, **told)], facts) == ()
    assert len(compare([make_run(**told)], facts)) == 2
