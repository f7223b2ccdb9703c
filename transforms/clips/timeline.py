"""From the container's ticks to nanoseconds, in integers."""

from fractions import Fraction
from typing import Final

NS: Final = 1_000_000_000


def round_fraction(numerator: int, denominator: int) -> int:
    """The nearest integer, ties to even, as Python's own `round` of the exact quotient.

    >>> [round_fraction(n, 2) for n in (-3, -1, 1, 3)]
    [-2, 0, 0, 2]
    """
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def timestamp_ns(pts: int, first_pts: int, time_base: tuple[int, int]) -> int:
    """The time of a frame since the clip's first shown one.

    Args:
        pts: the frame's PTS in ticks.
        first_pts: PTS of the first shown frame.
        time_base: seconds a tick lasts, numerator and denominator.

    Returns:
        Nanoseconds; negative where the PTS lies before the first shown frame's.

    >>> timestamp_ns(3003, 0, (1, 90000))
    33366667
    """
    return round_fraction((pts - first_pts) * time_base[0] * NS, time_base[1])


def last_pts_before(time_ns: int, first_pts: int, time_base: tuple[int, int]) -> int:
    """The latest PTS whose time is certainly before `time_ns`.

    >>> last_pts_before(40_000_000, 0, (1, 25))
    0
    """
    ticks = Fraction(time_ns * time_base[1], time_base[0] * NS)
    return first_pts + -(-ticks.numerator // ticks.denominator) - 1
