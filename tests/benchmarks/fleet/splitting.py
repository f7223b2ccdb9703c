"""A fleet's hours cut into data sets that stay below the limits, side by side on the cores there are."""

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

from fleet.costs import Assumed, Measured
from fleet.dispatch import MINUTE_S, Dispatch
from fleet.limits import Limit
from fleet.run import simulate

LEAST_SHARDS: Final = 30
"""For each core: with fewer, most cores have nothing to do while the last shards are labelled."""
_RUNS: Final = 5
"""Data sets that are simulated and stand for all others."""


@dataclass(frozen=True, slots=True)
class Split:
    """Many data sets, some of them at a time.

    Attributes:
        data_sets: how many.
        side_by_side: of them.
        cores_each: of those.
        seconds: until the last one is done.
        efficiency: labelling over what all cores could have done meanwhile.
        costliest: what beside labelling holds the cores longest, and its share of the time that they are held.
    """

    data_sets: int
    side_by_side: int
    cores_each: int
    seconds: float
    efficiency: float
    costliest: tuple[str, float]


def advised(known: list[Limit], assumed: Assumed) -> tuple[float, int]:
    """Camera-hours and cores of a data set that stays below every limit, in round numbers.

    Args:
        known: the limits.
        assumed: tells how many cameras share a shard.
    """
    hours = min(limit.at for limit in known if limit.grows == "camera-hours in one data set")
    cores = min(limit.at for limit in known if limit.grows == "cores on one data set")
    hours = _round_down(hours)
    shards = hours * 3600 / MINUTE_S / assumed.cameras
    return hours, int(_round_down(min(cores, shards / LEAST_SHARDS)))


def _round_down(number: float) -> float:
    """One digit and zeros.

    >>> _round_down(3333.3), _round_down(1999)
    (3000.0, 1000.0)
    """
    step = 10.0 ** floor(log10(number))
    return floor(number / step) * step


def split(
    camera_hours: float,
    cores: int,
    measured: Measured,
    assumed: Assumed,
    known: list[Limit],
    *,
    seed: int,
    dispatch: Dispatch = "dealt",
) -> Split:
    """Cuts a fleet's hours so that no data set is too large, and no core idle.

    All data sets are alike; a few are simulated. They go one after the other in as many lanes as there are cores for,
    and the slowest that was simulated is taken to be the last. A client's report is written while the cores work on.

    Args:
        camera_hours: of the fleet.
        cores: of all clusters together.
        measured: what was measured.
        assumed: what was not.
        known: the limits.
        seed: of the draws.
        dispatch: how shards find cores.
    """
    most_hours, most_cores = advised(known, assumed)
    side_by_side = ceil(cores / most_cores)
    cores_each = cores // side_by_side
    # no lane is left without work in the last round
    rounds = ceil(camera_hours / most_hours / side_by_side)
    data_sets = side_by_side * rounds
    runs = [
        simulate(
            camera_hours / data_sets, cores_each, measured, assumed, seed=seed + number, dispatch=dispatch
        )
        for number in range(min(_RUNS, data_sets))
    ]
    mean_s = sum(run.held_s for run in runs) / len(runs)
    slowest = max(runs, key=lambda run: run.held_s)
    after_s = slowest.seconds - slowest.held_s
    seconds = (rounds - 1) * mean_s + slowest.held_s
    useful_s = data_sets * sum(run.useful_s for run in runs) / len(runs)
    return Split(
        data_sets=data_sets,
        side_by_side=side_by_side,
        cores_each=cores_each,
        seconds=seconds + after_s,
        efficiency=useful_s / (seconds * cores),
        costliest=max((run.costliest(holds=True) for run in runs), key=lambda found: found[1]),
    )
