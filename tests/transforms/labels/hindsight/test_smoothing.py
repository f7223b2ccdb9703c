"""Smoothed boxes against the textbook's matrices, track by track."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sighted import box, pan, sightings, tracked_clips

from transforms.labels.camera_path import CameraPath
from transforms.labels.hindsight.smoothing import SMOOTHING_NOISE, UNSURE, smooth, smoothed_paths
from transforms.labels.kalman import to_centres

OBSERVE = np.eye(4, 8)


def scale(centre):
    return max((centre[2] + centre[3]) / 2, 1.0)


def textbook(times_s, measured, scores, moves=None):
    """Filter and smoother of one track with 8 x 8 matrices.

    Args:
        times_s: of every frame looked at in the track's life, [L].
        measured: centre and size in each, None where it was not seen.
        scores: of each box.
        moves: the camera's shift from frame to frame, [L - 1, 2].
    """
    noise = SMOOTHING_NOISE
    size = scale(measured[0])
    doubt = 1 + UNSURE * (1 - scores[0])
    state = np.concatenate([measured[0], np.zeros(4)])
    spread = np.diag([(noise.measurement * size * doubt) ** 2] * 4 + [(noise.velocity_per_s * size) ** 2] * 4)
    forecasts, filtered, motions = [None], [(state, spread)], [None]
    for step in range(1, len(times_s)):
        elapsed_s = times_s[step] - times_s[step - 1]
        motion = np.eye(8) + elapsed_s * np.eye(8, k=4)
        drift = (noise.acceleration * scale(state)) ** 2
        block = drift * np.array([[elapsed_s**3 / 3, elapsed_s**2 / 2], [elapsed_s**2 / 2, elapsed_s]])
        state, spread = motion @ state, motion @ spread @ motion.T + np.kron(block, np.eye(4))
        if moves is not None:
            state[:2] += moves[step - 1]
        forecasts.append((state, spread))
        motions.append(motion)
        if measured[step] is not None:
            deviation = noise.measurement * scale(measured[step]) * (1 + UNSURE * (1 - scores[step]))
            total = OBSERVE @ spread @ OBSERVE.T + np.eye(4) * deviation**2
            gain = spread @ OBSERVE.T @ np.linalg.inv(total)
            state = state + gain @ (measured[step] - OBSERVE @ state)
            spread = (np.eye(8) - gain @ OBSERVE) @ spread
        filtered.append((state, spread))
    smoothed = [filtered[-1][0]]
    for step in range(len(times_s) - 1, 0, -1):
        (before, before_spread), (forecast, forecast_spread) = filtered[step - 1], forecasts[step]
        gain = before_spread @ motions[step].T @ np.linalg.inv(forecast_spread)
        smoothed.append(before + gain @ (smoothed[-1] - forecast))
    return np.array(smoothed[::-1])


def lines(seen, paths):
    """Of every track: the frames of its life, its rows by frame, and its smoothed states."""
    for path in paths:
        for line, rows in enumerate(path.grid.rows):
            own = rows[path.grid.filled[line]]
            length = int(np.searchsorted(path.grid.frames[line], seen.frames[own[-1]])) + 1
            yield path.grid.frames[line, :length], rows[:length], path.states[:, line, :length]


def assert_textbook(seen, moves=None, camera=None):
    paths = smoothed_paths(seen, camera)
    found = 0
    for frames, rows, states in lines(seen, paths):
        centres = to_centres(seen.boxes[rows].astype(np.float64))
        measured = [centre if row >= 0 else None for row, centre in zip(rows, centres, strict=True)]
        own_moves = None if moves is None else np.diff(moves[frames], axis=0)
        expected = textbook(
            seen.timestamps_ns[frames] / 1e9, measured, seen.scores[rows].astype(float), own_moves
        )
        assert states[0] == pytest.approx(expected[:, :4], rel=1e-6, abs=1e-5)
        assert states[1] == pytest.approx(expected[:, 4:], rel=1e-6, abs=1e-4)
        found += 1
    assert found == len(np.unique(seen.tracks[seen.tracks >= 0]))


def stretched(seen):
    """The same with no two frames at one time: of those the textbook's forecast has no inverse to speak of."""
    times_ns = seen.timestamps_ns + np.arange(len(seen.timestamps_ns)) * 10_000_000
    return replace(seen, timestamps_ns=times_ns)


@settings(max_examples=60)
@given(tracked_clips().map(stretched))
def test_equals_the_matrix_form(seen):
    assert_textbook(seen)


@settings(max_examples=30)
@given(tracked_clips().map(stretched), st.integers(0, 99))
def test_equals_the_matrix_form_under_a_moving_camera(seen, seed):
    steps = np.random.default_rng(seed).uniform(-30, 30, (max(len(seen.seen) - 1, 0), 2))
    places = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    assert_textbook(seen, places, pan(steps @ [1, 1j]))


def moving(count=30, rate_hz=10.0, speed=(40.0, -10.0), noise_px=0.0, scores=None, seed=1):
    rng = np.random.default_rng(seed)
    times_s = np.arange(count) / rate_hz
    scores = np.full(count, 0.9) if scores is None else scores
    rows = [
        (frame, 0, box(*(100 + np.array(speed) * time + rng.normal(0, noise_px, 2))), scores[frame])
        for frame, time in enumerate(times_s)
    ]
    return sightings(rows, times_s)


def test_an_even_motion_without_noise_stays():
    seen = moving()
    smoothed = smooth(seen, smoothed_paths(seen))
    # a new track is taken to stand still, which draws its first boxes back a little
    assert smoothed.boxes == pytest.approx(seen.boxes, abs=0.7)
    assert smoothed.boxes[8:] == pytest.approx(seen.boxes[8:], abs=0.01)


def test_a_box_that_stands_stays():
    seen = moving(speed=(0.0, 0.0))
    assert smooth(seen, smoothed_paths(seen)).boxes == pytest.approx(seen.boxes, abs=1e-4)


def test_noise_is_taken_out():
    true, noisy = moving(count=60), moving(count=60, noise_px=2.0)
    smoothed = smooth(noisy, smoothed_paths(noisy))
    before, after = (np.sqrt(((one.boxes - true.boxes) ** 2).mean()) for one in (noisy, smoothed))
    assert after < 0.75 * before


def test_a_box_of_low_score_is_drawn_to_where_the_sure_ones_point():
    scores = np.full(21, 0.99)
    scores[10] = 0.1
    off = moving(count=21, scores=scores)
    boxes = off.boxes.copy()
    boxes[10] += 8
    unsure = replace(off, boxes=boxes)
    sure = replace(unsure, scores=np.full(21, 0.99, np.float32))
    stray = [smooth(seen, smoothed_paths(seen)).boxes[10, 0] - off.boxes[10, 0] for seen in (unsure, sure)]
    assert 0 < stray[0] < 0.25 * stray[1]


@given(tracked_clips())
def test_no_track_depends_on_another(seen):
    together = smooth(seen, smoothed_paths(seen))
    for number in np.unique(seen.tracks[seen.tracks >= 0]):
        own = seen.tracks == number
        alone = seen.take(own)
        assert np.array_equal(smooth(alone, smoothed_paths(alone)).boxes, together.boxes[own])


@given(tracked_clips())
def test_only_boxes_of_tracks_change_and_all_stay_finite(seen):
    smoothed = smooth(seen, smoothed_paths(seen))
    assert np.isfinite(smoothed.boxes).all()
    assert (smoothed.boxes[:, 2:] > smoothed.boxes[:, :2]).all()
    free = seen.tracks < 0
    assert np.array_equal(smoothed.boxes[free], seen.boxes[free])
    assert smoothed.scores is seen.scores


def test_boxes_at_one_time_are_averaged():
    rows = [(0, 0, box(100, 100), 0.9), (1, 0, box(104, 100), 0.9)]
    seen = sightings(rows, [0.3, 0.3])
    smoothed = smooth(seen, smoothed_paths(seen)).boxes
    assert smoothed[0].tolist() == smoothed[1].tolist() == pytest.approx(box(102, 100))


def reversed_in_time(seen):
    count = len(seen.seen)
    return replace(
        seen,
        timestamps_ns=(seen.timestamps_ns[-1] - seen.timestamps_ns)[::-1],
        seen=seen.seen[::-1],
        frames=(count - 1 - seen.frames[::-1]).astype(np.int32),
        boxes=seen.boxes[::-1],
        scores=seen.scores[::-1],
        tracks=seen.tracks[::-1],
    )


def test_past_and_future_count_alike():
    seen = moving(count=40, noise_px=1.5, scores=np.random.default_rng(5).uniform(0.3, 1, 40))
    forward = smooth(seen, smoothed_paths(seen)).boxes
    back = reversed_in_time(seen)
    backward = smooth(back, smoothed_paths(back)).boxes[::-1]
    # the first box is where a track is taken to have stood still: at the ends the two differ by that
    assert forward[8:-8] == pytest.approx(backward[8:-8], abs=0.05)
    assert np.abs(forward - seen.boxes).max() > 1


@settings(max_examples=30)
@given(tracked_clips(), st.integers(0, 99))
def test_a_pan_of_the_whole_picture_is_taken_out(seen, seed):
    # frames at one time are one picture: the camera cannot have moved between them
    stands = np.diff(seen.timestamps_ns) == 0
    steps = np.random.default_rng(seed).integers(-40, 40, (len(stands), 2)) * ~stands[:, None]
    places = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    shift = np.tile(places[seen.frames], 2).astype(np.float32)
    panned = replace(seen, boxes=seen.boxes + shift)
    still = smooth(seen, smoothed_paths(seen)).boxes
    assert smooth(panned, smoothed_paths(panned, pan(steps @ [1, 1j]))).boxes == pytest.approx(
        still + shift, abs=0.01
    )


def test_a_zoom_of_the_camera_is_followed():
    """Boxes that only the camera makes grow are smoothed as if they stood."""
    grow = 1.02
    rows = [
        (frame, 0, box(100 * grow**frame, 80 * grow**frame, 40 * grow**frame, 30 * grow**frame), 0.9)
        for frame in range(20)
    ]
    seen = sightings(rows, np.arange(20) / 10)
    zoom = CameraPath(np.full(19, grow, np.complex128), np.zeros(19, np.complex128))
    assert smooth(seen, smoothed_paths(seen, zoom)).boxes == pytest.approx(seen.boxes, abs=0.01)
    assert np.abs(smooth(seen, smoothed_paths(seen)).boxes - seen.boxes).max() > 0.02
