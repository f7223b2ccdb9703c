import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from speeds import SPEED

from transforms.budget.demand.figures import CameraFigures, DatasetFigures
from transforms.budget.demand.fleet import Fleet, scale
from transforms.budget.draws import Draws, Inputs, OneAtATime
from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import load_facts
from transforms.budget.labelling import (
    SPEED_FILE,
    SpeedRecord,
    labelling_cost,
    newest_speed,
)
from transforms.tables.store import LocalStore

RECORD = SpeedRecord(
    run_id="20260102T030405Z-c35883",
    device="cpu",
    sampling="5",
    frames=3600,
    camera_seconds=720.0,
    worker_seconds=360.0,
    decode_seconds=90.0,
    workers=2,
    cores=2,
    cpu="Made-up 1",
)
FIGURES = DatasetFigures(100.0, 6000, 1_800_000, (CameraFigures("front", 1280, 960, 30.0, 100.0),))


def speed_of(folder, record):
    store = LocalStore(folder)
    store.write(SPEED_FILE, record if isinstance(record, bytes) else record.model_dump_json().encode())
    return newest_speed(store)


def cost_of(speed=SPEED, figures=FIGURES, draws=None, **more):
    inputs = Inputs(draws or OneAtATime(()))
    return labelling_cost(speed, figures, load_facts(), inputs, **more), inputs


def test_a_record_gives_a_speed(tmp_path):
    assert speed_of(tmp_path, RECORD) == SPEED
    assert SPEED.source == "run 20260102T030405Z-c35883 of 2026-01-02 on 2 cores of Made-up 1"


@pytest.mark.parametrize(
    ("changes", "per_core", "cores"),
    [
        # 360 s of 8 workers that shared 2 cores are 90 core-seconds
        ({"workers": 8}, 40.0, 2),
        ({"workers": 1, "cores": 64}, 10.0, 1),
        ({"workers": None, "cores": None, "cpu": None}, 10.0, None),
    ],
)
def test_workers_share_cores(tmp_path, changes, per_core, cores):
    speed = speed_of(tmp_path, RECORD.model_copy(update=changes))
    assert speed is not None
    assert (speed.frames_per_second_per_core, speed.cores) == (per_core, cores)


def test_workers_elsewhere_are_told(tmp_path):
    elsewhere = speed_of(tmp_path, RECORD.model_copy(update={"workers": None, "cores": None, "cpu": None}))
    assert elsewhere is not None
    assert elsewhere.source.endswith("on several cores of unknown processors")


@pytest.mark.parametrize(
    "record",
    [
        RECORD.model_copy(update={"device": "cuda"}),
        RECORD.model_copy(update={"run_id": "yesterday"}),
        RECORD.model_copy(update={"frames": 0}),
        b"{",
        json.dumps({**RECORD.model_dump(), "more": 1}).encode(),
    ],
)
def test_records_that_say_nothing_of_cores(tmp_path, record):
    assert speed_of(tmp_path, record) is None


def test_the_sample_as_a_run_measured_it(tmp_path):
    # two cores, the bundled network
    record = SpeedRecord(
        run_id="20261123T055514Z-b93677",
        device="cpu",
        sampling="5",
        frames=237,
        camera_seconds=48.499644444,
        worker_seconds=15.881716424,
        decode_seconds=1.201892132,
        workers=2,
        cores=2,
        cpu=None,
    )
    speed = speed_of(tmp_path, record)
    assert speed is not None
    assert speed.frames_per_second_per_core == pytest.approx(14.92, abs=0.01)
    assert speed.frames_per_camera_hour == pytest.approx(17_592, abs=1)
    assert speed.decode_share == pytest.approx(0.0757, abs=1e-4)
    cost, _ = cost_of(speed)
    assert cost is not None
    assert cost.camera_hours_per_core_hour == pytest.approx(3.054, abs=0.001)


def test_no_record_no_speed(tmp_path):
    assert newest_speed(LocalStore(tmp_path)) is None


def test_costs_by_hand():
    cost, inputs = cost_of()
    assert cost is not None
    assert cost.camera_hours_per_core_hour == pytest.approx(2.0)
    as_run, every, larger = cost.modes
    assert [mode.name for mode in cost.modes] == [
        "as in the run (5 frames a second)",
        "every frame",
        "input 2 times as wide and high",
    ]
    assert [mode.frames_per_second for mode in cost.modes] == [5, 30, 5]
    # 100 camera-hours of 18,000 frames at 10 a second: 50 core-hours, a quarter of them decoding
    price = load_facts().machines["cloud-cpu"].core_hour.p50
    assert as_run.core_hours.p50 == pytest.approx(50)
    assert as_run.cost_usd.p50 == pytest.approx(50 * price)
    assert as_run.days.p50 == pytest.approx(50 / 1024 / 24)
    assert (as_run.core_hours.unit, as_run.cost_usd.unit, as_run.days.unit) == ("h", "USD", "d")
    # decoding stays, detection is six times as much; or four times, for the pixels of the larger input
    assert every.core_hours.p50 == pytest.approx(12.5 + 6 * 37.5)
    assert larger.core_hours.p50 == pytest.approx(12.5 + 4 * 37.5)
    assert [mode.decode_share for mode in cost.modes] == pytest.approx([0.25, 12.5 / 237.5, 12.5 / 162.5])
    noted = {item.name: item.kind for item in inputs.assumptions}
    assert noted == {
        "labelling_speed": "measured",
        "labelling_core_speed": "assumed",
        "labelling_core_hour": "assumed",
        "labelling_cores": "assumed",
        "larger_input_side": "assumed",
    }


def test_intervals_are_those_of_the_facts():
    cost, _ = cost_of(draws=Draws(seed=0, count=2000))
    assert cost is not None
    hours = cost.modes[0].core_hours
    assert (hours.p10, hours.p50, hours.p90) == pytest.approx((50 / 1.4, 50, 50 / 0.7), rel=0.02)
    assert cost == cost_of(draws=Draws(seed=0, count=2000))[0]
    assert cost.modes[0].cost_usd.p10 < cost.modes[0].cost_usd.p50 < cost.modes[0].cost_usd.p90


@pytest.mark.parametrize(
    ("sampling", "names"),
    [
        ("all", ["as in the run (every frame)", "input 2 times as wide and high"]),
        ("keyframes", ["as in the run (keyframes)", "every frame", "input 2 times as wide and high"]),
    ],
)
def test_other_samplings(sampling, names):
    cost, _ = cost_of(replace(SPEED, sampling=sampling))
    assert cost is not None
    assert [mode.name for mode in cost.modes] == names


def test_money_parts_between_labelling_decoding_and_training():
    cost, _ = cost_of()
    assert cost is not None
    paid = cost.modes[0].cost_usd.p50
    shares = cost.shares(3 * paid)
    assert (shares.labelling, shares.decoding, shares.training) == pytest.approx((0.1875, 0.0625, 0.75))
    assert cost.shares(0.0).training == 0
    for wrong in (float("nan"), float("inf"), -1.0):
        with pytest.raises(BudgetUsageError, match="give a number, 0 or more"):
            cost.shares(wrong)


def test_as_json():
    cost, _ = cost_of()
    assert cost is not None
    told = cost.as_json()
    assert json.loads(json.dumps(told)) == told
    assert told["run_id"] == SPEED.run_id
    assert told["modes"][0] == asdict(cost.modes[0])
    assert set(told["modes"][0]["cost_usd"]) == {"p10", "p50", "p90", "unit"}


def test_nothing_to_label():
    assert cost_of(figures=DatasetFigures(0.0, 0, 0, ()))[0] is None


def test_an_unknown_machine():
    with pytest.raises(BudgetUsageError, match="machine 'abacus' is unknown; known: cloud-cpu"):
        cost_of(machine="abacus")


@given(st.floats(1, 1e6), st.floats(0.1, 12), st.floats(1, 3650))
def test_a_fleet_costs_as_its_hours(vehicles, hours_per_day, days):
    one, two = (
        cost_of(figures=scale(FIGURES, Fleet(vehicles, hours_per_day * times, days)))[0] for times in (1, 2)
    )
    assert one is not None
    assert two is not None
    assert [mode.core_hours.p50 * 2 for mode in one.modes] == pytest.approx(
        [mode.core_hours.p50 for mode in two.modes]
    )
