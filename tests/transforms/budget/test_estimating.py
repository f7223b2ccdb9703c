from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.budget.costs import UNITS
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.errors import BudgetUsageError
from transforms.budget.estimates import Estimate, estimates_from_table, estimates_table
from transforms.budget.estimating import estimate, estimate_flops
from transforms.budget.supply.phases import Allocation
from transforms.tables.budget_schema import BUDGET

DRAWS = 200
hours = st.floats(0.01, 1e9)
driven_by_data = st.sampled_from(["fsd", "autopilot", "optimus"])


def on(camera_hours, workload, cluster="colossus", **options):
    return estimate(DatasetFigures.of_hours(camera_hours), [workload], [cluster], draws=DRAWS, **options)


def flops(value, kind="language", accelerator="H100", **options):
    return estimate_flops(value, kind, accelerator, draws=DRAWS, **options)


def named(answer, name):
    return next(assumption for assumption in answer.assumptions if assumption.name == name)


def test_all_workloads_on_the_pools_of_the_target_clusters(figures):
    answers = estimate(figures)
    assert [
        (answer.workload, answer.cluster, answer.accelerator, answer.accelerator_count) for answer in answers
    ] == [
        (workload, *pool)
        for workload in ("fsd", "autopilot", "optimus", "grok")
        for pool in (
            ("colossus", "H100-SXM", 150_000),
            ("colossus", "H200-SXM", 50_000),
            ("colossus", "GB200", 30_000),
            ("cortex", "H100-SXM", 50_000),
            ("cortex", "H200-SXM", 16_000),
            ("dojo", "D1", 3000),
        )
    ]
    assert all(answer.feasible and answer.as_of == date(2026, 5, 6) for answer in answers)


def test_the_json_form(figures):
    data = estimate(figures, ["fsd"], ["cortex"], draws=DRAWS)[0].as_json()
    assert list(data) == [
        "workload", "cluster", "phase", "as_of", "accelerator", "accelerator_count", "quantities", "feasible",
        "reasons", "evidence", "assumptions",
    ]  # fmt: skip
    assert (data["phase"], data["as_of"], data["evidence"]) == ("phase 1", "2026-05-06", 0)
    assert {name: quantity["unit"] for name, quantity in data["quantities"].items()} == UNITS
    assert all(set(quantity) == {"p10", "p50", "p90", "unit"} for quantity in data["quantities"].values())
    assert all(set(item) == {"name", "value", "unit", "kind", "source"} for item in data["assumptions"])
    kinds = {item["name"]: item["kind"] for item in data["assumptions"]}
    assert (kinds["camera_hours"], kinds["bf16_dense"], kinds["passes"]) == (
        "measured",
        "published",
        "assumed",
    )


def test_the_tokens_are_those_of_the_cameras(figures):
    answer = estimate(figures, ["fsd"], ["cortex"], draws=DRAWS)[0]
    # 100 h of 1280 x 960 (768 tokens) and 300 h of 1920 x 1080 (576 tokens), both at 6.25 Hz
    assert named(answer, "video_tokens").p50 == pytest.approx((100 * 768 + 300 * 576) * 6.25 * 3600)


def test_a_camera_slower_than_the_network_gives_what_it_has():
    slow = DatasetFigures.of_hours(1.0, width=512, height=288, fps_mean=1.0)
    assert named(estimate(slow, ["fsd"], ["cortex"])[0], "video_tokens").p50 == 3600 * 576


def test_labelled_frames_drive_autopilot(figures):
    answer = estimate(figures, ["autopilot"], ["cortex"], draws=DRAWS)[0]
    assert (named(answer, "labelled_frames").p50, named(answer, "labelled_frames").kind) == (
        1_000_000,
        "measured",
    )
    twice = estimate(replace(figures, frames=2_000_000), ["autopilot"], ["cortex"], draws=DRAWS)[0]
    ratio = twice.quantities["accelerator_hours"].p50 / answer.quantities["accelerator_hours"].p50
    assert ratio == pytest.approx(2)


@settings(max_examples=25, deadline=None)
@given(hours, st.floats(1.01, 1e4), driven_by_data)
def test_accelerator_hours_are_linear_in_camera_hours(camera_hours, factor, workload):
    (one, *_), (other, *_) = on(camera_hours, workload), on(camera_hours * factor, workload)
    for name in ("accelerator_hours", "training_days", "energy_mwh", "carbon_t", "water_m3", "cost_usd"):
        assert other.quantities[name].p50 == pytest.approx(factor * one.quantities[name].p50, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(1e10, 1e28), st.floats(1, 1e3), st.sampled_from(["language", "vision", "video"]))
def test_more_flops_never_cost_less(value, factor, kind):
    less, more = flops(value, kind), flops(value * factor, kind)
    for name in UNITS:
        for quantile in ("p10", "p50", "p90"):
            assert getattr(less.quantities[name], quantile) <= getattr(more.quantities[name], quantile)
        assert less.quantities[name].p10 <= less.quantities[name].p50 <= less.quantities[name].p90


@settings(max_examples=25, deadline=None)
@given(hours, st.integers(1, 100_000), st.integers(1, 50_000), driven_by_data)
def test_more_accelerators_take_fewer_days_and_the_same_hours(camera_hours, count, more, workload):
    small, large = (
        on(camera_hours, workload, allocation=Allocation(count=size))[0] for size in (count, count + more)
    )
    assert small.quantities["accelerator_hours"] == large.quantities["accelerator_hours"]
    assert small.quantities["training_days"].p50 > large.quantities["training_days"].p50


def test_llama_3_takes_about_the_hours_it_took():
    # 30.84 M H100-hours published for 3.8e25 FLOPs
    answer = flops(3.8e25, accelerator="H100-SXM-80GB", count=16_384, parameters=405e9)
    found = answer.quantities["accelerator_hours"]
    assert found.p10 < 30.84e6 < found.p90
    assert found.p50 == pytest.approx(3.8e25 / (989.4e12 * 0.34 * 3600), rel=0.01)
    assert found.p90 == pytest.approx(3.8e25 / (989.4e12 * 0.26 * 3600), rel=0.02)
    assert answer.quantities["training_days"].p50 == pytest.approx(found.p50 / 24 / 16_384)
    assert (answer.workload, answer.cluster, answer.phase, answer.feasible, answer.reasons) == (
        None,
        None,
        None,
        True,
        (),
    )
    assert (answer.accelerator, answer.accelerator_count, answer.evidence) == ("H100-SXM", 16_384, 15)


def test_small_language_networks_reach_less():
    small, large = (flops(1e20, parameters=size) for size in (4e8, 4e9))
    assert named(small, "utilisation").p50 == 0.22
    assert named(large, "utilisation").p50 == 0.34
    assert small.evidence == 3


def test_without_a_count_the_days_are_those_of_one():
    answer = flops(1e24, parameters=1e12)
    assert (answer.accelerator_count, answer.feasible) == (1, True)
    assert "no count given" in answer.reasons[0]
    assert named(answer, "accelerator_count").kind == "default"


@pytest.mark.parametrize(
    ("value", "options"),
    [(0, {}), (-1, {}), (float("nan"), {}), (1e20, {"count": 0}), (1e20, {"parameters": float("inf")})],
)
def test_numbers_that_are_none_are_refused(value, options):
    with pytest.raises(BudgetUsageError, match="is not a positive number"):
        flops(value, **options)


def test_an_accelerator_without_published_trainings_has_no_evidence_and_does_not_beat_the_others():
    for kind in ("language", "vision", "video"):
        unproven, proven = flops(1e22, kind, "D1"), flops(1e22, kind, "H100")
        assert unproven.evidence == 0
        share = [
            1e22 / (peak * answer.quantities["accelerator_hours"].p50 * 3600)
            for answer, peak in ((unproven, (362e12 * 376e12) ** 0.5), (proven, 989.4e12))
        ]
        assert share[0] <= share[1] * 1.001


def test_targets_share_their_draws():
    h100, gb200 = (
        answer.quantities["accelerator_hours"] for answer in (on(1e5, "fsd")[0], on(1e5, "fsd")[2])
    )
    ratios = [getattr(h100, quantile) / getattr(gb200, quantile) for quantile in ("p10", "p50", "p90")]
    # exactly the ratio of the peaks: what both do not know does not blur their comparison
    assert ratios == pytest.approx([2500 / 989.4] * 3)


def test_an_estimate_does_not_depend_on_what_is_asked_beside_it(figures):
    alone = estimate(figures, ["grok"], ["dojo"], draws=DRAWS)
    assert alone[0] in estimate(figures, draws=DRAWS)


def test_the_seed_matters_a_little(figures):
    one, other = (
        estimate(figures, ["fsd"], ["dojo"], seed=seed)[0].quantities["cost_usd"] for seed in (0, 1)
    )
    assert one != other
    assert one.p50 == pytest.approx(other.p50, rel=0.1)


def test_before_the_first_phase_nothing_is_estimated(figures):
    (answer,) = estimate(figures, ["fsd"], ["colossus"], as_of=date(2024, 1, 1), draws=DRAWS)
    assert (answer.feasible, answer.quantities, answer.phase, answer.accelerator) == (False, None, None, None)
    assert answer.reasons[0].endswith("the first is first workload of 2024-08-11")
    assert (answer.as_json()["quantities"], answer.assumed_share) == (None, 0.0)


def test_a_cluster_of_unknown_accelerators(figures, facts):
    dojo = facts.clusters["dojo"]
    unknown = dojo.model_copy(update={"phases": dojo.phases[1:]})
    facts = facts.model_copy(update={"clusters": {"dojo": unknown}})
    (answer,) = estimate(figures, ["fsd"], ["dojo"], facts=facts, draws=DRAWS)
    assert answer.reasons[0] == "Dojo has no phase of known accelerators on 2026-05-06: none is"


def test_memory_that_does_not_suffice_is_told():
    answer = on(1.0, "grok", allocation=Allocation(count=8))[0]
    assert not answer.feasible
    assert answer.reasons[0] == (
        "memory: weights, gradients and optimiser of 3.14e+11 parameters need 5,024 GB, 8 x H100-SXM have 640 GB"
    )
    assert answer.quantities is not None


def test_more_than_a_pool_holds_is_told():
    answer = on(1.0, "fsd", "cortex", allocation=Allocation(count=20_000))[1]
    assert (answer.accelerator_count, answer.feasible) == (16_000, False)
    assert answer.reasons[0] == "20,000 accelerators asked for, the pool has 16,000: counted with those"


def test_an_empty_data_set_trains_only_what_reads_text():
    empty = DatasetFigures(0.0, 0, 0, ())
    answers = {answer.workload: answer for answer in estimate(empty, clusters=["dojo"], draws=DRAWS)}
    for workload in ("fsd", "autopilot", "optimus"):
        assert answers[workload].quantities is None
        assert answers[workload].reasons[0] == "the data set holds nothing to train on: no camera-hours"
    assert answers["grok"].feasible


def test_two_things_of_one_name_are_refused(figures, tmp_path):
    (tmp_path / "dojo.toml").write_text(
        'title = "Mine"\nplace = "austin"\n[[phases]]\nname = "a"\nas_of = 2026-01-01\nstatus = "s"\nin_service = true\n'
        'kind = "assumed"\nsource = "mine"\n'
    )
    with pytest.raises(BudgetUsageError, match="two different things are called 'dojo'"):
        estimate(figures, ["fsd"], ["dojo", str(tmp_path / "dojo.toml")])
    assert len(estimate(figures, ["fsd", "FSD"], ["dojo", "Dojo"], draws=DRAWS)) == 1


def test_rows_and_back(figures):
    answers = [*estimate(figures, draws=DRAWS), *estimate(figures, as_of=date(2023, 1, 1), draws=DRAWS)]
    table = estimates_table(answers)
    assert table.schema == BUDGET
    assert table.num_rows == len(answers) * len(UNITS)
    table.validate(full=True)
    assert list(estimates_from_table(table)) == answers


def test_no_estimates_are_no_rows():
    assert estimates_table([]).num_rows == 0
    assert list(estimates_from_table(estimates_table([]))) == []


def test_the_share_of_assumed_inputs(figures):
    answer = estimate(figures, ["grok"], ["cortex"], draws=DRAWS)[0]
    assert isinstance(answer, Estimate)
    kinds = [assumption.kind for assumption in answer.assumptions]
    assert answer.assumed_share == kinds.count("assumed") / len(kinds) > 0
