from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.budget.costs import UNITS
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.evaluating import evaluate
from transforms.budget.questions.growth import Growth, days_for

positive = st.floats(1e-3, 1e6)


def of(fixed, growing, reading, goodput):
    return Growth(*(np.array([float(value)]) for value in (fixed, growing, reading, goodput)))


def test_computing_and_reading_by_hand():
    growth = of(4, 2, 3, 0.5)
    # computing takes (4 + 2) / 0.5, reading 3 / 0.5
    assert growth.multiple(np.array([12.0])).item() == 1
    # computing 4 + 2·5, reading 3·5
    assert growth.multiple(np.array([30.0])).item() == 5
    # 4 days of computing what is fixed take 8
    assert growth.multiple(np.array([8.0])).item() == 0
    assert growth.multiple(np.array([1.0])).item() == 0


@given(st.floats(0, 1e6), positive, st.floats(0, 1e6), st.floats(0.1, 1), positive)
def test_a_multiple_is_what_its_days_allow(fixed, growing, reading, goodput, multiple):
    growth = of(fixed, growing, reading, goodput)
    days = max(fixed + growing * multiple, reading * multiple) / goodput
    # what is fixed hides what grows by less than a rounding error
    assert growth.multiple(np.array([days])).item() == pytest.approx(
        multiple, rel=1e-6, abs=1e-14 * fixed / growing
    )


@pytest.mark.parametrize("workload", ["fsd", "autopilot", "optimus", "grok"])
@settings(max_examples=10, deadline=None)
@given(st.floats(0.01, 1e4))
def test_the_closed_form_is_what_an_evaluation_gives(asked, workload, factor):
    found = evaluate(asked.scenario(workload), asked.draws)
    more = evaluate(asked.scenario(workload, hours=1e5 * factor), asked.draws)
    growth = Growth.of(found)
    assert growth.grows
    assert growth.multiple(more.values["training_days"]) == pytest.approx(factor, rel=1e-6)
    assert growth.multiple(found.values["training_days"]) == pytest.approx(1, rel=1e-6)
    for name in UNITS:
        assert days_for(found, name, more.values[name]) == pytest.approx(
            more.values["training_days"], rel=1e-9
        )


def test_without_a_count_nothing_fails(asked):
    found = evaluate(asked.of_flops(), asked.draws)
    assert Growth.of(found).goodput == pytest.approx(found.interruptions.beyond_evidence)


def test_what_a_data_set_has_it_has_more_of(figures):
    twice = figures.times(2)
    assert (twice.camera_hours, twice.clips, twice.frames) == (800.0, 48_000, 2_000_000)
    assert (twice.detections, twice.tracks, twice.bytes) == (10_000_000, 80_000, 2 * 10**12)
    assert [camera.hours for camera in twice.cameras] == [200.0, 600.0]
    assert figures.times(1) == replace(figures, origin="scaled")


def test_a_little_of_a_labelled_data_set_is_labelled(figures):
    assert figures.times(1e-9).frames == 1
    assert DatasetFigures.of_hours(1.0).times(1e-9).frames == 0
