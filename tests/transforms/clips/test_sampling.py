from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.clips.sampling import Sampler, Sampling

RATES = st.one_of(st.integers(1, 240).map(str), st.decimals("0.01", "240", places=2).map(str))
TIMES = st.lists(st.integers(0, 20_000_000_000), min_size=1, max_size=80, unique=True).map(sorted)


def taken(sampling, times, keyframes=()):
    sampler = Sampler(sampling)
    out = []
    for number, time_ns in enumerate(times):
        keep, index = sampler.take(time_ns, is_keyframe=number in keyframes)
        if keep:
            out.append((number, index))
    return out


@given(RATES, TIMES)
def test_rates_follow_the_rule_word_by_word(text, times):
    fps = Fraction(text)
    due = [round(k * 10**9 / fps) for k in range(int(20 * fps) + 2)]
    firsts: dict[int, int] = {}
    for k, due_ns in enumerate(due):
        if due_ns <= times[-1]:
            firsts[next(number for number, time_ns in enumerate(times) if time_ns >= due_ns)] = k
    assert dict(taken(Sampling.parse(text), times)) == firsts


@given(RATES, st.integers(0, 10**15))
def test_index_at_is_the_largest_that_is_due(text, time_ns):
    sampling = Sampling.parse(text)
    index = sampling.index_at(time_ns)
    assert sampling.due_ns(index) <= time_ns < sampling.due_ns(index + 1)


def test_before_the_first_sample_there_is_none():
    assert Sampling.parse("5").index_at(-1) == -1
    assert Sampling.parse("5").index_at(-(10**12)) == -1
    assert Sampling.parse("999999999/1").index_at(0) == 0


def test_a_rate_above_the_clips_own_takes_all_frames():
    times = [0, 40_000_000, 80_000_000]
    assert taken(Sampling.parse("100"), times) == [(0, 0), (1, 4), (2, 8)]


def test_samples_of_two_cameras_meet_by_index():
    wide = {index: number for number, index in taken(Sampling.parse("5"), range(0, 10**9, 27_777_778))}
    slow = {index: number for number, index in taken(Sampling.parse("5"), range(0, 10**9, 90_000_000))}
    assert sorted(wide) == sorted(slow) == [0, 1, 2, 3, 4]


def test_frames_that_do_not_advance_are_kept_without_index():
    times = [0, 234, 150, 234, 300]
    assert taken(Sampling("fps", Fraction(10**9, 100)), times) == [
        (0, 0),
        (1, 2),
        (2, None),
        (3, None),
        (4, 3),
    ]
    assert taken(Sampling.parse("all"), times) == [(number, number) for number in range(5)]
    assert taken(Sampling.parse("keyframes"), times, {0, 2, 4}) == [(0, 0), (2, None), (4, 1)]


def test_the_way_to_the_window_counts_for_rates_alone():
    for text, expected in (("5", (False, None)), ("all", (True, 0)), ("keyframes", (True, 0))):
        sampler = Sampler(Sampling.parse(text))
        sampler.take(190_000_000 + 10_000_000, is_keyframe=True, in_window=False)
        assert sampler.take(230_000_000, is_keyframe=True) == expected


@pytest.mark.parametrize(
    "text", ["0", "-1", "", "five", "nan", "1e999999999", "1/0", "0/5", "5fps", "\u0665", "1 0"]
)
def test_nonsense_is_refused_with_advice(text):
    with pytest.raises(ValueError, match="all or keyframes"):
        Sampling.parse(text)


def test_rates_are_exact():
    assert Sampling.parse("30000/1001").fps == Fraction(30000, 1001)
    assert Sampling.parse("2.5") == Sampling("fps", Fraction(5, 2))
    assert Sampling.parse(".5").fps == Fraction(1, 2)
