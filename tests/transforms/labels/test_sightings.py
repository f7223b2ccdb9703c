"""Rows of what a network said, taken, added to and timed."""

import numpy as np
import pytest
from sighted import CAR, TRUCK, box, sightings

from transforms.labels.sightings import (
    ADDED,
    DETECTED,
    EXTRAPOLATED,
    INTERPOLATED,
    LABEL_SOURCES,
    NO_TRACK,
    PROPAGATED,
    Additions,
    Sightings,
)


def detected(times_ns, frames, looked=None):
    count = len(frames)
    return Sightings.detected(
        np.array(times_ns, np.int64),
        np.ones(len(times_ns), bool) if looked is None else np.array(looked, bool),
        np.array(frames, np.int32),
        np.arange(4 * count, dtype=np.float32).reshape(count, 4),
        np.linspace(0.1, 0.9, count, dtype=np.float32),
        np.full(count, CAR, np.uint8),
    )


def added(frames, likes, source=INTERPOLATED):
    count = len(frames)
    return Additions(
        np.array(frames), np.full((count, 4), 7.0), np.full(count, 0.25), np.array(likes, np.int64), source
    )


def test_sources_are_named_in_the_order_of_their_indices():
    named = [LABEL_SOURCES[index] for index in (DETECTED, INTERPOLATED, PROPAGATED, EXTRAPOLATED)]
    assert named == ["detected", "interpolated", "propagated", "extrapolated"]


def test_what_the_network_said_has_no_tracks_and_is_its_own_origin():
    seen = detected([0, 100, 200], [0, 0, 2])
    assert seen.tracks.tolist() == [NO_TRACK] * 3
    assert seen.origins.tolist() == [0, 1, 2]
    assert seen.is_detected.all()


def test_a_frame_shown_before_an_earlier_ones_time_counts_as_of_that_time():
    seen = detected([0, 300, 200, 400], [1, 2, 3])
    assert seen.timestamps_ns.tolist() == [0, 300, 300, 400]
    assert seen.times_s.tolist() == [3e-7, 3e-7, 4e-7]


@pytest.mark.parametrize(
    ("times_ns", "looked", "expected_s"),
    [
        ([], [], 1.0),
        ([5], [True], 1.0),
        ([0, 0, 0], [True] * 3, 1.0),
        ([0, 2 * 10**8, 6 * 10**8, 8 * 10**8], [True] * 4, 0.2),
        ([0, 10**8, 4 * 10**8], [True, False, True], 0.4),
        ([0, 0, 10**8], [True] * 3, 0.1),
    ],
)
def test_the_step_is_the_median_distance_of_the_frames_looked_at(times_ns, looked, expected_s):
    assert detected(times_ns, [], looked).step_s == pytest.approx(expected_s)


def test_rows_are_taken_with_all_that_is_known_of_them():
    seen = sightings([(0, 3, box(10, 10), 0.5, CAR), (1, None, box(20, 10), 0.7, TRUCK)], [0.0, 0.1])
    taken = seen.take(np.array([False, True]))
    assert (taken.frames.tolist(), taken.tracks.tolist(), taken.origins.tolist()) == ([1], [NO_TRACK], [1])
    assert (taken.categories.tolist(), taken.scores.tolist()) == ([TRUCK], [np.float32(0.7)])
    assert taken.boxes.tolist() == [list(box(20, 10))]
    assert taken.timestamps_ns is seen.timestamps_ns


def test_added_rows_stand_in_their_frames_after_those_that_were_there():
    rows = [(0, 3, box(10, 10), 0.5, CAR), (2, 3, box(20, 10), 0.7, CAR), (2, 4, box(90, 10), 0.9, TRUCK)]
    seen = sightings(rows, [0.0, 0.1, 0.2])
    more = seen.with_added([added([1], [0]), added([2, 0], [2, 2], EXTRAPOLATED)])
    assert more.frames.tolist() == [0, 0, 1, 2, 2, 2]
    assert more.origins.tolist() == [0, ADDED, ADDED, 1, 2, ADDED]
    assert more.tracks.tolist() == [3, 4, 3, 3, 4, 4]
    assert more.categories.tolist() == [CAR, TRUCK, CAR, CAR, TRUCK, TRUCK]
    assert more.sources.tolist() == [DETECTED, EXTRAPOLATED, INTERPOLATED, DETECTED, DETECTED, EXTRAPOLATED]
    assert more.boxes[2].tolist() == [7.0] * 4
    assert (more.boxes.dtype, more.scores.dtype, more.frames.dtype) == (np.float32, np.float32, np.int32)


def test_nothing_added_changes_nothing():
    seen = detected([0, 100], [0, 1])
    assert seen.with_added([]) is seen
    assert seen.with_added([added([], [])]) is seen
