import re
import tomllib
from datetime import date

import pytest

from transforms.budget.demand.fleet import vehicle_hours
from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import load_facts
from transforms.budget.sweeps.spec import SweepSpec


def test_lists_are_read_value_by_value(spec):
    sweep = spec.resolve()
    assert (sweep.draws, sweep.seed, sweep.own) == (60, 0, "")
    assert sweep.grid.network == ("driving", "driving-10b")
    assert sweep.grid.as_of == (date(2024, 1, 31), date(2025, 12, 31))
    assert sweep.grid.allocation == ("25%", "4096")
    assert (sweep.grid.vehicles, sweep.grid.keep_rate) == ((1e3, 1e5), (1.0,))
    assert sweep.grid.count == 2 * 2 * 2 * 2 * 2 * 2


def test_what_is_left_out_is_as_budget_has_it():
    facts = load_facts()
    grid = SweepSpec.parse({"dataset": "out"}).resolve().grid
    assert grid.workload == tuple(facts.workloads)
    assert grid.cluster == ("colossus", "cortex", "dojo")
    assert grid.as_of == (facts.newest,)
    assert (grid.network, grid.allocation, grid.vehicles, grid.precision) == ((None,),) * 4


def test_toml_may_write_dates_and_counts_without_quotes():
    text = 'dataset = "out"\n[grid]\nas_of = [2025-06-30]\nallocation = [4096, "5%"]'
    grid = SweepSpec.parse(tomllib.loads(text)).resolve().grid
    assert (grid.as_of, grid.allocation) == ((date(2025, 6, 30),), ("4096", "5%"))


def test_a_rig_is_an_hour_of_one_vehicle(spec):
    figures = spec.rig.figures()
    assert (figures.camera_hours, vehicle_hours(figures), figures.clips) == (8.0, 1.0, 0)
    assert {(camera.width, camera.height, camera.fps_mean) for camera in figures.cameras} == {
        (1280, 960, 36.0)
    }


NETWORK = """
[networks.mine]
title = "mine"
formula = "transformer"
utilisation = "video"
source = "made for this test"
as_of = 2025-01-01
kind = "assumed"
parameters = { value = 2e9, unit = "parameters" }
active_parameters = { value = 2e9, unit = "parameters" }
layers = { value = 24, unit = "1" }
width = { value = 2_624, unit = "1" }
attention = { value = 6, unit = "1" }
"""


def test_facts_of_the_users_own_travel_as_text(tmp_path, values):
    path = tmp_path / "mine.toml"
    path.write_text(NETWORK)
    values["grid"]["network"] = ["driving", str(path)]
    sweep = SweepSpec.parse(values).resolve()
    path.unlink()
    assert sweep.grid.network == ("driving", "mine")
    assert load_facts(sweep.own).networks["mine"].parameters.p50 == 2e9


def test_a_model_is_counted_and_travels_as_text(values):
    values["grid"] |= {"workload": ["autopilot"], "network": ["camera-detector", "demo"]}
    sweep = SweepSpec.parse(values).resolve()
    assert sweep.grid.network == ("camera-detector", "demo")
    network = load_facts(sweep.own).networks["demo"]
    assert (network.formula, network.kind) == ("graph", "estimate")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"dataset": "out"}, "give one of dataset and [rig]"),
        ({"rig": None}, "give one of dataset and [rig]"),
        ({"draws": 5}, "draws: Input should be greater than or equal to 10"),
        ({"draws": "many"}, "draws: Input should be a valid integer"),
        ({"seed": -1}, "seed: Input should be greater than or equal to 0"),
        ({"sead": 1}, "sead: Extra inputs are not permitted"),
        ({"rig": {"cameras": 8, "width": 1280, "height": 960}}, "rig.fps: Field required"),
        ({"rig": {"cameras": 0, "width": 1280, "height": 960, "fps": 36}}, "rig.cameras: Input should be"),
        ({"grid": {"workload": ["fsd"]}}, "a [rig] has recorded nothing: give vehicles, hours_per_day, days"),
    ],
)
def test_what_is_wrong_with_a_spec_is_told(values, changed, told):
    with pytest.raises(BudgetUsageError, match=re.escape(told)) as caught:
        SweepSpec.parse(values | changed)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "given", "told"),
    [
        ("workload", [], "grid.workload: Tuple should have at least 1 item"),
        ("workload", "fsd", "grid.workload: Input should be a valid tuple"),
        ("workload", ["skynet"], "grid.workload: workload 'skynet' is unknown"),
        ("workload", ["fsd", "FSD"], "grid.workload: FSD stands twice"),
        ("network", ["nowhere.toml"], "grid.network: network 'nowhere.toml' is unknown and no file"),
        ("cluster", ["skynet"], "grid.cluster: cluster 'skynet' is unknown"),
        ("as_of", ["soon"], "grid.as_of: as-of 'soon'"),
        ("as_of", [True], "grid.as_of.0: Input should be a valid string"),
        ("allocation", ["half"], "grid.allocation: allocation 'half'"),
        ("allocation", ["25%", "25.0%"], "grid.allocation: 25.0% stands twice"),
        ("allocation", [0], "grid.allocation: allocation '0'"),
        ("vehicles", [0], "grid.vehicles: vehicles 0: give a number above 0"),
        ("vehicles", [float("nan")], "grid.vehicles: vehicles nan: give a number above 0"),
        ("vehicles", ["1e3"], "grid.vehicles.0: Input should be a valid number"),
        ("hours_per_day", [25], "grid.hours_per_day: hours_per_day 25: give a number above 0, 24 at most"),
        ("keep_rate", [1.5], "grid.keep_rate: keep_rate 1.5"),
        ("days", None, "grid: a fleet needs vehicles, hours_per_day, days: days missing"),
        ("precision", ["fp4"], "grid.precision.0: Input should be 'bf16' or 'fp8'"),
        ("speed", [1], "grid.speed: Extra inputs are not permitted"),
        ("days", [1 + at / 1000 for at in range(40_000)], "grid: 2,560,000 scenarios; 1,000,000 at most"),
    ],
)
def test_what_is_wrong_with_a_grid_is_told(values, key, given, told):
    values["grid"][key] = given
    with pytest.raises(BudgetUsageError, match=re.escape(told)) as caught:
        SweepSpec.parse(values).resolve()
    assert "\n" not in str(caught.value)


def test_what_cannot_be_trained_is_told_before_anything_runs(values):
    values["grid"] |= {"workload": ["fsd", "grok"], "network": ["driving", "camera-detector"]}
    with pytest.raises(BudgetUsageError, match="grid: workload grok trains on text"):
        SweepSpec.parse(values).resolve()
