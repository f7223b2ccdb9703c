"""Failures: how often they stop a training, how often to checkpoint, and how much progress is left."""

from typing import Final

import numpy as np

from transforms.budget.arrays import Number

LEAST_GOODPUT: Final = 0.1
"""The first-order formula needs failures much rarer than checkpoints and restarts; where they are not, it
falls below 0. Nobody would go on with such a training, so the days of one are told with this bound."""


def mean_time_between_failures_h(rate_per_hour: Number, count: float) -> Number:
    """Mean time between failures that stop a training: any one accelerator stops all.

    Args:
        rate_per_hour: failures of an accelerator-hour.
        count: accelerators that train together.

    Returns:
        Hours of wall time.

    >>> round(mean_time_between_failures_h(2.0e-5, 16_384), 2)
    3.05
    """
    return 1 / (rate_per_hour * count)


def failures_expected(wall_hours: Number, mtbf_h: Number) -> Number:
    """Failures within a training's wall time.

    Args:
        wall_hours: from start to end, restarts included.
        mtbf_h: mean time between failures, in hours.

    >>> round(failures_expected(54 * 24.0, mean_time_between_failures_h(2.0e-5, 16_384)))
    425
    """
    return wall_hours / mtbf_h


def checkpoint_interval_s(write_s: Number, mtbf_s: Number) -> Number:
    """Best time between checkpoints: √(2·δ·M) (Young 1974; Daly 2006).

    Args:
        write_s: time that writing a checkpoint takes from the training, in seconds.
        mtbf_s: mean time between failures, in seconds.

    Returns:
        Seconds.

    >>> checkpoint_interval_s(30.0, 6000.0)
    600.0
    """
    interval: Number = (2 * write_s * mtbf_s) ** 0.5
    return interval


def goodput(write_s: Number, restart_s: Number, mtbf_s: Number) -> Number:
    """Share of the wall time that is progress, checkpoints being written at the best interval.

    1 - (√(2·δ/M) + R/M): half of the root is the writing of checkpoints, half of it is work that a failure
    throws away, R/M is waiting for the restart.

    Args:
        write_s: time that writing a checkpoint takes from the training, in seconds.
        restart_s: from a failure until the training goes on, in seconds.
        mtbf_s: mean time between failures, in seconds.

    Returns:
        A share, not below `LEAST_GOODPUT`.

    >>> print(f"{goodput(30.0, 600.0, 3.05 * 3600):.0%} {goodput(5.0, 180.0, 3.05 * 3600):.0%}")
    87% 95%
    """
    share = 1 - ((2 * write_s / mtbf_s) ** 0.5 + restart_s / mtbf_s)
    bounded: Number = np.maximum(share, LEAST_GOODPUT)
    return bounded
