"""The vectorised filter against the textbook's matrices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.labels.kalman import BoxNoise, corrected, predicted, started, steered, to_centres, to_edges

NOISE = BoxNoise(measurement=0.07, velocity_per_s=0.8, acceleration=1.7, point_velocity_per_s=0.6)

centres = st.tuples(*[st.floats(20, 400)] * 4)


def test_centres_and_edges_are_inverse():
    edges = np.array([[0.0, 10.0, 30.0, 50.0], [5.0, 5.0, 6.0, 6.0]])
    assert to_centres(edges).tolist() == [[15.0, 30.0, 30.0, 40.0], [5.5, 5.5, 1.0, 1.0]]
    assert np.array_equal(to_edges(to_centres(edges)), edges)


def test_a_box_predicted_to_shrink_away_keeps_a_pixel():
    assert to_edges(np.array([[10.0, 10.0, -5.0, 0.2]])).tolist() == [[9.5, 9.5, 10.5, 10.5]]


doubts = st.floats(0.5, 6)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(centres, st.floats(0, 2), doubts), min_size=2, max_size=6))
def test_equals_the_matrix_form(steps):
    first, doubt = np.array(steps[0][0]), steps[0][2]
    states = started(first[None], NOISE, np.array([doubt]))
    place = np.concatenate([first, np.zeros(4)])
    side = (first[2] + first[3]) / 2
    spread = np.diag([(NOISE.measurement * side * doubt) ** 2] * 4 + [(NOISE.velocity_per_s * side) ** 2] * 4)
    observe = np.eye(4, 8)
    for measured, elapsed_s, doubt in ((np.array(one), step, doubt) for one, step, doubt in steps[1:]):
        motion = np.eye(8) + elapsed_s * np.eye(8, k=4)
        drift = (NOISE.acceleration * max((place[2] + place[3]) / 2, 1.0)) ** 2
        block = drift * np.array([[elapsed_s**3 / 3, elapsed_s**2 / 2], [elapsed_s**2 / 2, elapsed_s]])
        place, spread = motion @ place, motion @ spread @ motion.T + np.kron(block, np.eye(4))
        states = predicted(states, np.array([elapsed_s]), NOISE)
        assert states[0, 0] == pytest.approx(place[:4])

        noise = np.eye(4) * (NOISE.measurement * doubt * (measured[2] + measured[3]) / 2) ** 2
        gain = spread @ observe.T @ np.linalg.inv(observe @ spread @ observe.T + noise)
        place, spread = place + gain @ (measured - observe @ place), (np.eye(8) - gain @ observe) @ spread
        states = corrected(states, measured[None], NOISE, np.array([doubt]))
        assert states[0, 0] == pytest.approx(place[:4], rel=1e-6, abs=1e-6)
        assert states[1, 0] == pytest.approx(place[4:], rel=1e-6, abs=1e-5)
        assert states[2, 0] == pytest.approx(np.diag(spread)[:4], rel=1e-5)
        assert states[4, 0] == pytest.approx(np.diag(spread)[4:], rel=1e-5)


@settings(deadline=None, max_examples=60)
@given(centres, centres, st.floats(0, 2), st.tuples(*[st.floats(-500, 500) | st.just(np.nan)] * 4))
def test_a_measured_velocity_equals_the_matrix_form(first, second, elapsed_s, velocities):
    states = predicted(started(np.array([first]), NOISE), np.array([elapsed_s]), NOISE)
    states = corrected(states, np.array([second]), NOISE)
    told = steered(states, np.array([velocities]), NOISE)
    for side, velocity in enumerate(velocities):
        place, speed, *spread = states[:, 0, side]
        spread = np.array([[spread[0], spread[1]], [spread[1], spread[2]]])
        expected = np.array([place, speed])
        if not np.isnan(velocity):
            size = max((states[0, 0, 2] + states[0, 0, 3]) / 2, 1.0)
            observe = np.array([[0.0, 1.0]])
            total = observe @ spread @ observe.T + (NOISE.point_velocity_per_s * size) ** 2
            gain = spread @ observe.T / total
            expected = expected + gain[:, 0] * (velocity - speed)
            spread = (np.eye(2) - gain @ observe) @ spread
        assert told[:2, 0, side] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert told[2:, 0, side] == pytest.approx(
            [spread[0, 0], spread[0, 1], spread[1, 1]], rel=1e-9, abs=1e-9
        )


def test_without_doubt_every_measurement_is_as_noisy_as_the_settings_say():
    first, second = np.random.default_rng(4).uniform(20, 200, (2, 5, 4))
    ones = np.ones(5)
    states = predicted(started(first, NOISE), ones, NOISE)
    assert np.array_equal(started(first, NOISE, ones), started(first, NOISE))
    assert np.array_equal(corrected(states, second, NOISE, ones), corrected(states, second, NOISE))
    # what is doubted more moves a track less
    moved = [np.abs(corrected(states, second, NOISE, doubt * ones)[0] - states[0]) for doubt in (0.5, 1, 4)]
    assert (moved[0] > moved[1]).all()
    assert (moved[1] > moved[2]).all()


def test_tracks_do_not_touch_each_other():
    generator = np.random.default_rng(2)
    first, second = generator.uniform(20, 200, (2, 7, 4))
    elapsed_s = generator.uniform(0, 1, 7)
    together = corrected(predicted(started(first, NOISE), elapsed_s, NOISE), second, NOISE)
    for row in range(7):
        part = slice(row, row + 1)
        alone = corrected(predicted(started(first[part], NOISE), elapsed_s[part], NOISE), second[part], NOISE)
        assert np.array_equal(together[:, part], alone)


def test_no_time_changes_nothing_and_steps_add_up():
    states = started(np.array([[100.0, 50.0, 40.0, 30.0]]), NOISE)
    states = corrected(
        predicted(states, np.array([0.1]), NOISE), np.array([[110.0, 52.0, 40.0, 30.0]]), NOISE
    )
    assert np.array_equal(predicted(states, np.array([0.0]), NOISE), states)
    halfway = predicted(states, np.array([0.2]), NOISE)
    # The size stands still here, so the noise of both halves is the same.
    assert predicted(halfway, np.array([0.3]), NOISE) == pytest.approx(
        predicted(states, np.array([0.5]), NOISE)
    )


def test_velocity_is_learnt_whatever_the_rate():
    for rate_hz in (2.5, 10.0, 36.0):
        states = started(np.array([[0.0, 100.0, 80.0, 60.0]]), NOISE)
        for step in range(1, int(2 * rate_hz)):
            states = predicted(states, np.array([1 / rate_hz]), NOISE)
            states = corrected(states, np.array([[120.0 * step / rate_hz, 100.0, 80.0, 60.0]]), NOISE)
        assert states[1, 0] == pytest.approx([120.0, 0.0, 0.0, 0.0], abs=3.0)
