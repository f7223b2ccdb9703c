from math import sqrt

import pytest

from transforms.budget.demand.flops import FULL_ATTENTION
from transforms.budget.evidence.work import measured, reached, run_flops, whole_over_step

SHAPE = {
    "layers": {"value": 10, "unit": "1"},
    "width": {"value": 100, "unit": "1"},
    "sequence": {"value": 1000, "unit": "1"},
}


def share(value):
    return {"value": value, "unit": "share"}


def named(facts, name):
    return next(run for run in facts.runs if run.name == name)


def test_flops_by_hand(make_run):
    assert run_flops(make_run()) == 6 * 1e9 * 2e12
    assert run_flops(make_run(active_parameters={"value": 1e8, "unit": "parameters"})) == 6 * 1e8 * 2e12
    assert run_flops(make_run(**SHAPE)) == 6 * 1e9 * 2e12 + 6 * 10 * 100 * 1000 * 2e12
    assert run_flops(make_run(**SHAPE), FULL_ATTENTION) == 6 * 1e9 * 2e12 + 12 * 10 * 100 * 1000 * 2e12
    assert run_flops(make_run(forward_flops={"value": 1e9, "unit": "FLOP"})) == 3 * 1e9 * 2e12


def test_published_flops_count_where_nothing_else_is_told(make_run):
    told = {"train_flops": {"value": 3e20, "unit": "FLOP"}}
    assert run_flops(make_run(samples=None, **told)) == 3e20
    assert run_flops(make_run(samples=None)) is None
    assert run_flops(make_run(**told)) == 6 * 1e9 * 2e12


def test_utilisation_by_hand(facts, make_run):
    # 6.7e9 parameters, 1e12 tokens, 32 layers of 4096, sequences of 2048, 82,432 h of 312 TFLOP/s
    run = named(facts, "LLaMA-7B")
    flops = 6 * 6.7e9 * 1e12 + 6 * 32 * 4096 * 2048 * 1e12
    assert run_flops(run) == pytest.approx(flops)
    assert reached(run, flops, facts) == pytest.approx(flops / (82_432 * 3600 * 312e12))
    assert reached(make_run(hours=10_000), 989.4e12 * 3600 * 4000, facts) == pytest.approx(0.4)


def test_only_runs_of_the_kind_below_the_peak_are_measured(facts, make_run):
    runs = [
        make_run("whole"),
        make_run("step", stratum="llm_step"),
        make_run("other", stratum="vit_clip"),
        make_run("energy", samples=None),
        make_run("impossible", hours=1000),
    ]
    found = measured(runs, facts.utilisation["language"], facts)
    assert [(item.run.name, item.is_step) for item in found] == [("whole", False), ("step", True)]
    assert found[0].utilisation == pytest.approx(6 * 2e21 / (1e4 * 3600 * 989.4e12))


def test_a_whole_training_over_its_steps(facts, make_run):
    peak = 989.4e12 * 3600
    flops = 6 * 1e9 * 2e12
    runs = [
        make_run("a", "one", hours=flops / peak / 0.2, mfu=share(0.4)),
        make_run("b", "one", hours=flops / peak / 0.2, mfu=share(0.4)),
        make_run("c", "two", hours=flops / peak / 0.4, mfu=share(0.4)),
        make_run("d", "three", hours=flops / peak / 0.1),
        make_run("e", "four", stratum="llm_step", hours=flops / peak / 0.1, mfu=share(0.4)),
    ]
    kind = facts.utilisation["language"]
    # the families count alike: 0.5 and 1; what is a step or publishes no MFU does not count
    assert whole_over_step(measured(runs, kind, facts), facts) == pytest.approx(sqrt(0.5))
    assert whole_over_step(measured(runs[3:], kind, facts), facts) == 1


def test_published_trainings_lose_a_fifth_against_their_steps(facts):
    known = measured(facts.runs, facts.utilisation["language"], facts)
    assert whole_over_step(known, facts) == pytest.approx(0.796, abs=0.001)
    without = [item for item in known if item.run.family != "palm"]
    assert whole_over_step(without, facts) == pytest.approx(0.947, abs=0.001)


def test_no_published_run_passes_its_peak(facts):
    runs = [run for run in facts.runs if run.stratum != "energy_only"]
    known = [item for kind in facts.utilisation.values() for item in measured(runs, kind, facts)]
    assert len(known) == len(runs) == 41
    assert max(item.utilisation for item in known) < 0.6
