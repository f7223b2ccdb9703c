from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.demand.figures import CameraFigures, DatasetFigures
from transforms.budget.demand.fleet import UPLINK_UNITS, Fleet, scale, uplink, vehicle_hours
from transforms.budget.demand.flops import frame_tokens, video_tokens
from transforms.budget.draws import Draws, Inputs, OneAtATime
from transforms.budget.errors import BudgetUsageError

HOURS = DatasetFigures.of_hours(12.0)
fleets = st.builds(Fleet, st.floats(1, 1e8), st.floats(0.1, 12), st.floats(1, 3650), st.floats(0.01, 1))


def tokens(figures):
    return sum(
        video_tokens(camera.hours, 5.0, frame_tokens(camera.width, camera.height, 512, 16), 1.0)
        for camera in figures.cameras
    )


def test_cameras_of_a_vehicle_film_at_once():
    cameras = (
        CameraFigures("back", 1280, 960, 36.0, 5.0),
        CameraFigures("front", 1280, 960, 36.0, 2.0),
        CameraFigures("front", 2896, 1876, 36.0, 4.0),
    )
    assert vehicle_hours(DatasetFigures(11.0, 3, 0, cameras)) == 6.0
    assert vehicle_hours(DatasetFigures(0.0, 0, 0, ())) == 0.0


def test_scaling_by_hand(figures):
    # 300 vehicle-hours at hand (front); 1000 x 2 x 30 x 0.1 = 6000 wanted: 20 times as many
    scaled = scale(figures, Fleet(1000, 2, 30, keep_rate=0.1))
    assert scaled.camera_hours == pytest.approx(8000)
    assert [camera.hours for camera in scaled.cameras] == pytest.approx([2000, 6000])
    assert [camera.fps_mean for camera in scaled.cameras] == [36.0, 30.0]
    assert (scaled.clips, scaled.frames, scaled.detections, scaled.tracks, scaled.bytes) == (
        480_000,
        20_000_000,
        100_000_000,
        800_000,
        20 * 10**12,
    )


def test_a_small_fleet_still_has_labelled_frames(figures):
    scaled = scale(replace(figures, frames=1, tracks=0), Fleet(1, 0.001, 1))
    assert (scaled.frames, scaled.tracks) == (1, 0)


@given(fleets, st.sampled_from(["vehicles", "hours_per_day", "days"]))
def test_doubling_any_of_them_doubles_tokens(fleet, name):
    double = replace(fleet, **{name: getattr(fleet, name) * 2})
    assert tokens(scale(HOURS, double)) == pytest.approx(2 * tokens(scale(HOURS, fleet)))


@given(fleets)
def test_the_kept_hours_are_the_scaled_vehicle_hours(fleet):
    assert vehicle_hours(scale(HOURS, fleet)) == pytest.approx(fleet.kept_hours)
    assert fleet.kept_hours <= fleet.recorded_hours


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((0, 1, 1, 1), "vehicles 0: give a number above 0, 10,000,000,000 at most"),
        ((float("nan"), 1, 1, 1), "vehicles nan"),
        ((float("inf"), 1, 1, 1), "vehicles inf"),
        ((1, 24.5, 1, 1), "hours_per_day 24.5: give a number above 0, 24 at most"),
        ((1, 1, -3, 1), "days -3"),
        ((1, 1, 1e6, 1), "days 1e.06: give a number above 0, 36,525 at most"),
        ((1, 1, 1, 0), "keep_rate 0"),
        ((1, 1, 1, 1.1), "keep_rate 1.1: give a number above 0, 1 at most"),
    ],
)
def test_no_such_fleet(values, told):
    with pytest.raises(BudgetUsageError, match=told):
        Fleet(*values)


def test_no_hours_are_no_sample(facts):
    nothing = DatasetFigures(0.0, 0, 0, (CameraFigures("front", 1, 1, 0.0, 0.0),))
    with pytest.raises(BudgetUsageError, match="no camera-hours: there is no sample"):
        scale(nothing, Fleet(1, 1, 1))
    with pytest.raises(BudgetUsageError, match="no camera-hours: there is nothing to upload"):
        uplink(facts, nothing, Fleet(1, 1, 1), Inputs(OneAtATime(())))


def test_an_uplink_by_hand(facts, figures):
    # 1e12 bytes in 300 vehicle-hours
    fleet = Fleet(1000, 2, 30, keep_rate=0.1)
    values = uplink(facts, figures, fleet, Inputs(OneAtATime(())))
    assert list(values) == list(UPLINK_UNITS)
    hourly = 1e12 / 300
    daily = facts.uplink.rate.p50 / 8 * facts.uplink.connected.p50 * 3600
    assert {name: value[0] for name, value in values.items()} == pytest.approx(
        {
            "bytes_per_vehicle_hour": hourly,
            "recorded": hourly * 60_000 / 1e15,
            "uploaded": hourly * 6_000 / 1e15,
            "upload_hours": hourly * 6 / (facts.uplink.rate.p50 / 8 * 3600),
            "upload_days": hourly * 6 / daily,
            "ingest": hourly * 6_000 * 8 / (30 * 86_400),
        }
    )


def test_sample_and_fleet_have_the_same_uplink(facts, figures):
    fleet = Fleet(1000, 2, 30, keep_rate=0.1)
    one, two = (
        uplink(facts, held, fleet, Inputs(OneAtATime(()))) for held in (figures, scale(figures, fleet))
    )
    assert {name: value[0] for name, value in one.items()} == pytest.approx(
        {name: value[0] for name, value in two.items()}
    )


def test_no_vehicle_is_connected_longer_than_a_day(facts, figures):
    always = facts.uplink.connected.model_copy(update={"p10": 20.0, "p50": 24.0, "p90": 24.0})
    told = facts.model_copy(update={"uplink": facts.uplink.model_copy(update={"connected": always})})
    inputs = Inputs(Draws(count=100))
    values = uplink(told, replace(figures, bytes=0), Fleet(1, 1, 1), inputs)
    assert np.isfinite(values["upload_days"]).all()
    assert {"camera_bitrate", "uplink_rate", "uplink_connected", "cameras"} == {
        item.name for item in inputs.assumptions
    }
