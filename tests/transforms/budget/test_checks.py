import pytest

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.request import BudgetRequest, FlopsRequest
from transforms.budget.supply.phases import Allocation


def found(hours=1e5, workload="fsd", cluster="cortex", **options):
    request = BudgetRequest(workloads=(workload,), clusters=(cluster,), draws=500, **options)
    answer = request.answer(DatasetFigures.of_hours(hours))[0]
    return {check.name: check for check in answer.detail.checks}


def test_all_checks_hold_for_a_usual_training():
    checks = found()
    assert list(checks) == [
        "utilisation",
        "tokens per parameter",
        "steps",
        "tokens per accelerator and step",
        "power against the site",
        "dollars against capital",
        "wall time against failures",
        "loader",
        "hand formula within 2 x",
    ]
    assert all(check.holds for check in checks.values())


def test_tokens_a_parameter_by_hand():
    # 1280 x 960 is 768 tokens a frame, 6.25 frames a second, three passes, a billion parameters
    tokens = 1e5 * 3600 * 6.25 * 768 * 3
    said = found()["tokens per parameter"].says
    assert float(said.split("k tokens")[0]) * 1000 == pytest.approx(tokens / 1e9, rel=0.02)


def test_a_data_set_of_a_minute_fills_no_step():
    checks = found(hours=1 / 60)
    assert not checks["steps"].holds
    assert not checks["tokens per parameter"].holds


def test_a_small_cluster_is_read_to_slowly_for_a_fast_network():
    checks = found(workload="fsd", cluster="dojo")
    assert "days of reading" in checks["loader"].says
    assert "the training wants" in checks["loader"].says


def test_power_is_that_of_the_accelerators_used():
    checks = found(workload="grok", allocation=Allocation(share=1.0))
    assert checks["power against the site"].says.endswith("of 71 to 130 MW")


def test_frames_instead_of_tokens_for_a_graph():
    checks = found(workload="autopilot")
    assert "frames per accelerator and step" in checks
    assert "tokens per parameter" not in checks


def test_without_a_count_there_is_nothing_to_fail():
    answer = FlopsRequest(flops=1e24, kind="language", accelerator="H100", draws=200).answer()
    assert [check.name for check in answer.detail.checks] == ["utilisation", "dollars against capital"]
    # a year of one accelerator costs more than the accelerator
    assert answer.quantities["training_days"].p50 > 365
    assert not {check.name: check for check in answer.detail.checks}["dollars against capital"].holds


@pytest.mark.parametrize("kind", ["language", "video"])
def test_the_hand_formula_is_the_hours_of_computing(kind):
    answer = FlopsRequest(
        flops=1e24, kind=kind, accelerator="H100", count=1024, parameters=1e10, draws=500
    ).answer()
    checks = {check.name: check for check in answer.detail.checks}
    assert checks["hand formula within 2 x"].holds
