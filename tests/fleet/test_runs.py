from dataclasses import replace

import pytest
from fleet.limits import limits, loads
from fleet.page import numbers
from fleet.run import serial_costs, simulate
from fleet.splitting import advised, split
from hypothesis import given, settings
from hypothesis import strategies as st

MEASURED, ASSUMED = numbers()
ROUND = replace(
    MEASURED,
    **dict.fromkeys(("start_s", "probe_byte_s", "record_s"), 0.0),
    list_s=0.001,
    probe_s=0.1,
    plan_s=0.01,
    begin_s=0.002,
    finish_s=0.004,
    label_s=0.25,
    shard_costs=(1.0,),
)
QUIET = replace(ASSUMED, losses_per_core_hour=0.0, hanging_share=0.0, slow_core_share=0.0)


def stages(run):
    return {stage.name: stage.seconds for stage in run.stages}


def test_what_each_stage_of_a_small_job_takes():
    # 2 camera-hours are 120 clips and 30 shards of a minute with four cameras: 60 s each on one core
    run = simulate(2, 10, ROUND, QUIET, seed=0, object_store=False)
    assert stages(run) == pytest.approx(
        {
            "start": 0,
            "listing": 0.12,
            "probing": 1.2,
            "planning": 1.2,
            "beginning": 0.06,
            "labelling": 180,
            "retries": 0,
            "stragglers": 0,
            "finishing": 0.12,
            "client's report": 0,
        }
    )
    assert run.useful_s == 1800
    assert run.efficiency == pytest.approx(1800 / (10 * 182.7))
    assert run.costliest() == ("probing", pytest.approx(1.2 / 182.7))


def test_an_object_store_takes_requests():
    here, there = (serial_costs(ROUND, ASSUMED, object_store=remote) for remote in (False, True))
    assert there.listing - here.listing == pytest.approx(4 * 0.2 / 1000)
    assert there.beginning == here.beginning
    assert there.reporting - here.reporting == pytest.approx(0.06)


def test_the_client_alone_holds_no_core():
    run = simulate(100, 10, MEASURED, ASSUMED, seed=0)
    assert run.seconds - run.held_s == pytest.approx(stages(run)["client's report"])


@given(st.floats(1, 2_000), st.integers(1, 500), st.integers(1, 500))
def test_more_cores_are_never_slower(camera_hours, cores, more):
    few, many = (
        simulate(camera_hours, count, ROUND, QUIET, seed=0, dispatch="free")
        for count in (cores, cores + more)
    )
    assert many.seconds <= few.seconds * (1 + 1e-3)


def test_the_same_seed_gives_the_same_run():
    one, two = (simulate(500, 64, MEASURED, ASSUMED, seed=7) for _ in range(2))
    assert one == two
    assert simulate(500, 64, MEASURED, ASSUMED, seed=8) != one


def test_limits_are_where_the_numbers_put_them():
    known = {limit.name: limit for limit in limits(ROUND, ASSUMED)}
    # 60 clips a camera-hour, 200,000 of which are remembered
    assert known["known clips"].at == pytest.approx(200_000 / 60)
    # a core-hour labels four camera-hours; ten losses at 1e-4 an hour are 1e5 core-hours
    assert known["restarts"].at == pytest.approx(4e5)
    heavy = replace(ROUND, finish_bytes=1e6)
    heavier = {limit.name: limit for limit in limits(heavy, ASSUMED)}
    assert heavier["memory to finish"].at == pytest.approx(16e9 / 1e6 / 15)
    # at that many cores one stage after the other takes a tenth of the time
    cores = known["serial stages"].at
    costs = serial_costs(ROUND, ASSUMED, object_store=True)
    assert costs.holding / (costs.holding + 60 / cores) == pytest.approx(0.1)


def test_the_limit_that_is_reached_first_has_the_greatest_load():
    known = limits(MEASURED, ASSUMED)
    first = next(limit for limit in known if limit.grows == "camera-hours in one data set")
    load, limit = loads(first.at, 1, known)[0]
    assert (load, limit) == (1, first)
    hours, cores = advised(known, ASSUMED)
    assert loads(hours, cores, known)[0][0] <= 1


@settings(max_examples=25)
@given(st.floats(100, 1e8), st.sampled_from([1, 64, 1_000, 50_000]))
def test_a_split_stays_below_the_limits_and_does_all_the_work(camera_hours, cores):
    known = limits(MEASURED, ASSUMED)
    hours, most_cores = advised(known, ASSUMED)
    found = split(camera_hours, cores, MEASURED, QUIET, known, seed=0)
    assert camera_hours / found.data_sets <= hours * (1 + 1e-9)
    assert found.cores_each <= most_cores
    assert found.side_by_side * found.cores_each <= cores
    assert found.data_sets % found.side_by_side == 0
    assert 0 < found.efficiency <= 1
    assert found.seconds * cores >= camera_hours * 3600 * MEASURED.label_s * 0.9
