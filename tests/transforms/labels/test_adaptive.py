"""Which frames the networks see when they go where the picture changes."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.clips.sampling import Sampler, Sampling
from transforms.labels.adaptive import (
    LEAST_CHANGE,
    LONGEST_WAIT_NS,
    AdaptiveSampler,
    change,
    picture_clock,
)
from transforms.labels.motion.thumbnails import thumbnail

SECOND_NS = 10**9
RATES = st.one_of(st.integers(1, 60).map(str), st.decimals("0.2", "60", places=2).map(str))
TIMES = st.lists(st.integers(0, 20 * SECOND_NS), min_size=1, max_size=80, unique=True).map(sorted)
RESTARTS = st.integers(-SECOND_NS, 22 * SECOND_NS)


@functools.cache
def picture(number):
    """A picture unlike any of another number."""
    coarse = np.random.default_rng(number).integers(20, 230, (9, 16), np.uint8)
    return np.kron(coarse, np.ones((6, 6), np.uint8))


def chosen(sampling, frames, restart_ns=0, start_ns=0):
    """Numbers of the frames that the networks see, of frames (time, picture)."""
    sampler = AdaptiveSampler(sampling, start_ns, restart_ns)
    return [number for number, (time_ns, luma) in enumerate(frames) if sampler.wants(time_ns, luma)]


def taken(sampling, times):
    sampler = Sampler(sampling)
    return [
        number
        for number, time_ns in enumerate(times)
        if sampler.take(time_ns, is_keyframe=False)[1] is not None
    ]


@given(RATES, TIMES, RESTARTS, st.data())
def test_up_to_any_frame_there_are_no_more_calls_than_at_the_fixed_rate(text, times, restart_ns, data):
    shown = data.draw(st.lists(st.integers(0, 3), min_size=len(times), max_size=len(times)))
    sampling = Sampling.parse(text)
    calls = chosen(
        sampling, [(time, picture(one)) for time, one in zip(times, shown, strict=True)], restart_ns
    )
    fixed = taken(sampling, times)
    assert all(np.searchsorted(calls, at, "right") <= np.searchsorted(fixed, at, "right") for at in calls)


@given(RATES, TIMES, RESTARTS)
def test_a_picture_that_changes_everywhere_is_seen_at_the_fixed_rate(text, times, restart_ns):
    sampling = Sampling.parse(text)
    times = [0, *times] if times[0] else times
    frames = [(time, picture(number)) for number, time in enumerate(times)]
    fixed = taken(sampling, times)
    assert chosen(sampling, frames) == fixed
    # what fell due before the restart and had no frame until after it is nobody's
    begun = int(np.searchsorted(times, restart_ns))
    lost = restart_ns > 0 and begun < len(times)
    lost = lost and sampling.index_at(times[begun]) == sampling.index_at(restart_ns - 1)
    assert chosen(sampling, frames, restart_ns) == [one for one in fixed if not (lost and one == begun)]


@given(RATES, TIMES, RESTARTS)
def test_a_still_picture_is_seen_every_two_seconds_and_once_more_where_it_begins_anew(
    text, times, restart_ns
):
    calls = chosen(Sampling.parse(text), [(time, picture(0)) for time in times], restart_ns)
    at = np.array(times)[calls]
    for part in (at[at < restart_ns], at[at >= restart_ns]):
        assert (np.diff(part) >= LONGEST_WAIT_NS).all()


def test_a_still_picture_costs_one_call_in_two_seconds_at_any_rate():
    for rate in ("1", "5", "30"):
        times = [frame * SECOND_NS // 30 for frame in range(30 * 10)]
        calls = chosen(Sampling.parse(rate), [(time, picture(0)) for time in times])
        assert [times[call] for call in calls] == [second * SECOND_NS for second in (0, 2, 4, 6, 8)]


def test_a_call_that_is_due_waits_for_the_frame_that_changes_and_only_one_waits():
    """At 2 a second calls fall due in frames 0, 5, 10, 15; the picture changes in 7, then in every frame from 13 on."""
    shown = [0] * 7 + [1] * 6 + list(range(2, 9))
    frames = [(frame * 100_000_000, picture(one)) for frame, one in enumerate(shown)]
    # that of 5 in 7, that of 10 in 13; that of 15 at once
    assert chosen(Sampling.parse("2"), frames) == [0, 7, 13, 15]


def test_small_things_that_move_are_seen_and_the_noise_of_a_sensor_is_not():
    rng = np.random.default_rng(1)
    scene = np.kron(rng.integers(40, 200, (12, 20), np.uint8), np.ones((16, 16), np.uint8))
    noisy = np.clip(scene + rng.normal(0, 6, scene.shape), 0, 255).astype(np.uint8)
    walks = scene.copy()
    walks[90:130, 150:166] = 255 - walks[90:130, 150:166]
    darker = (scene * 0.9).astype(np.uint8)
    same, moved, dimmed = (change(thumbnail(scene), thumbnail(one)) for one in (noisy, walks, darker))
    assert same < LEAST_CHANGE / 4
    assert dimmed < LEAST_CHANGE
    assert moved > LEAST_CHANGE


def test_frames_whose_time_goes_back_are_not_seen_and_make_no_call_due():
    times = [0, 200, 100, 150, 210, 400]
    frames = [(time * 1_000_000, picture(number)) for number, time in enumerate(times)]
    assert chosen(Sampling.parse("5"), frames) == [0, 1, 5]


def test_a_picture_of_another_size_is_another_picture():
    frames = [(0, picture(0)), (SECOND_NS, picture(0)[:48]), (2 * SECOND_NS, picture(0)[:48])]
    assert chosen(Sampling.parse("1"), frames) == [0, 1]


STEPS_OF_WHOLE_NS = st.sampled_from(["0.5", "1", "2", "2.5", "5", "10", "20"])


@given(STEPS_OF_WHOLE_NS, TIMES)
def test_calls_that_did_not_wait_keep_their_times(text, times):
    sampling, times = Sampling.parse(text), np.array(times)
    seen = np.isin(np.arange(len(times)), taken(sampling, times.tolist()))
    assert picture_clock(times, seen, sampling).tolist() == times.tolist()


@given(RATES, st.lists(st.integers(0, 20 * SECOND_NS), max_size=60).map(sorted), st.data())
def test_no_more_time_passes_between_calls_than_the_rate_would_have_let(text, times, data):
    flags = data.draw(st.lists(st.booleans(), min_size=len(times), max_size=len(times)))
    sampling, times, seen = Sampling.parse(text), np.array(times, np.int64), np.array(flags, bool)
    clock = picture_clock(times, seen, sampling)
    assert (np.diff(clock) >= 0).all()
    assert (np.diff(clock) <= np.diff(times) + 1).all()
    own, step_ns = times[seen], sampling.due_ns(1)
    for begin, end, passed in zip(own, own[1:], np.diff(clock[seen]).tolist(), strict=False):
        later = times[times >= begin + step_ns]
        assert passed == min(end, later[0] if len(later) else end) - begin


@pytest.mark.parametrize("calls", [[], [3]])
def test_without_two_calls_time_goes_as_it_goes(calls):
    times = np.arange(6) * SECOND_NS
    assert picture_clock(times, np.isin(np.arange(6), calls), Sampling.parse("1")).tolist() == times.tolist()


def test_time_before_the_first_call_and_after_the_last_is_the_clips_own():
    times = np.arange(7) * SECOND_NS
    clock = picture_clock(times, np.isin(np.arange(7), [1, 5]), Sampling.parse("1"))
    assert (clock / SECOND_NS).tolist() == [0, 1, 1.25, 1.5, 1.75, 2, 3]
