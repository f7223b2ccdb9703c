from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from transforms.clips.timeline import last_pts_before, round_fraction, timestamp_ns

TIME_BASES = st.tuples(st.integers(1, 2002), st.integers(1, 1_200_000))
PTS = st.integers(-(2**40), 2**40)


@given(st.integers(-(2**70), 2**70), st.integers(1, 2**40))
def test_rounding_is_pythons(numerator, denominator):
    assert round_fraction(numerator, denominator) == round(Fraction(numerator, denominator))


@given(PTS, PTS, TIME_BASES)
def test_timestamps_are_the_exact_rule(pts, first, time_base):
    exact = (pts - first) * Fraction(*time_base) * 10**9
    assert timestamp_ns(pts, first, time_base) == round(exact)


@given(st.integers(1, 2**62), PTS, TIME_BASES)
def test_last_pts_before_is_the_last(time_ns, first, time_base):
    pts = last_pts_before(time_ns, first, time_base)
    exact = (pts - first) * Fraction(*time_base) * 10**9
    assert exact < time_ns <= exact + Fraction(*time_base) * 10**9
