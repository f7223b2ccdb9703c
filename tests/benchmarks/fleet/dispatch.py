"""How long many shards take on many cores: exactly for some thousands, from samples for billions.

A lost worker costs the shard in hand and no other: what was committed is not labelled again. So retries are part of a
shard's own time, and so is a clip that hangs a decoder.
"""

import heapq
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from fleet.costs import Assumed, Measured
from numpy.typing import NDArray

from transforms.clips.shards import MINUTE_NS
from transforms.set_aside import MAX_ATTEMPTS, Patience

Dispatch = Literal["free", "dealt"]
"""Each free core takes the next shard; or each core has been dealt its shards before."""

FloatArray = NDArray[np.float64]

MINUTE_S: Final = MINUTE_NS / 1e9
EXACT_SHARDS: Final = 20_000
"""More are not handed out one by one."""
_SAMPLE: Final = 200_000
"""Shards that stand for all others where there are more."""


@dataclass(frozen=True, slots=True)
class Span:
    """What labelling many shards takes.

    Attributes:
        useful_s: core-seconds if nothing fails.
        retried_s: core-seconds of what is done again or waited for.
        even_s: time if all cores were busy to the end.
        seconds: time until the last shard is done.
    """

    useful_s: float
    retried_s: float
    even_s: float
    seconds: float


def span(
    shards: int,
    cores: int,
    dispatch: Dispatch,
    measured: Measured,
    assumed: Assumed,
    rng: np.random.Generator,
) -> Span:
    """Labels shards on cores.

    Up to `EXACT_SHARDS` every shard is drawn and handed out. Above, a sample of shards stands for all. Free cores are
    then busy to the end but for the shard that each has in hand when the last one is handed out: what is left of it
    is drawn from shards by their length. Dealt cores have sums of many shards: normal ones.

    Args:
        shards: how many.
        cores: how many; some of them are slow.
        dispatch: how shards find cores.
        measured: what they cost.
        assumed: what goes wrong.
        rng: where draws come from.
    """
    useful, seconds = shard_seconds(min(shards, max(EXACT_SHARDS, _SAMPLE)), measured, assumed, rng)
    speeds = core_speeds(cores, assumed)
    if shards <= EXACT_SHARDS:
        useful, seconds = useful[:shards], seconds[:shards]
        ends = free(seconds, speeds) if dispatch == "free" else dealt(seconds, speeds)
    elif dispatch == "free":
        ends = _free_by_sample(seconds, shards, speeds, rng)
    else:
        each = np.full(cores, shards // cores) + (np.arange(cores) < shards % cores)
        sums = each * seconds.mean() + np.sqrt(each) * seconds.std() * rng.standard_normal(cores)
        ends = float((np.maximum(sums, 0) / speeds).max())
    scale = shards / len(seconds)
    total = float(seconds.sum()) * scale
    even = total / float(speeds.sum())
    return Span(float(useful.sum()) * scale, total - float(useful.sum()) * scale, even, max(ends, even))


def core_speeds(cores: int, assumed: Assumed) -> FloatArray:
    """Speed of each core, float64[cores], over that of the core that was measured; the slow ones stand last."""
    speeds = np.ones(cores)
    speeds[cores - round(cores * assumed.slow_core_share) :] = assumed.slow_core_speed
    return speeds


def shard_seconds(
    count: int, measured: Measured, assumed: Assumed, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draws what shards take on one core of speed 1.

    Args:
        count: how many.
        measured: what they cost.
        assumed: what goes wrong.
        rng: where draws come from.

    Returns:
        (seconds if nothing fails, seconds with clips that hang and workers that are lost), float64[count] each.
    """
    mean = measured.label_s * MINUTE_S * assumed.cameras
    useful = mean * rng.choice(np.asarray(measured.shard_costs), count)
    hangs = rng.random(count) < assumed.hanging_share * assumed.cameras
    # each attempt ends somewhere in the shard, on average in its middle, and then nobody hears of it for a while
    patience_s = Patience().limits(MINUTE_S).stall_s
    seconds = useful + hangs * MAX_ATTEMPTS * (patience_s + useful / 2)
    return useful, with_losses(seconds, assumed.losses_per_core_hour / 3600, assumed.restart_s, rng)


def with_losses(
    seconds: FloatArray, losses_per_s: float, restart_s: float, rng: np.random.Generator
) -> FloatArray:
    """Adds what is done again after workers were lost.

    Args:
        seconds: what shards take, float64[N].
        losses_per_s: workers lost for each core and second.
        restart_s: until a lost worker's place is filled.
        rng: where draws come from.

    Returns:
        Seconds with the parts that were lost, float64[N]. How far a shard had come is drawn evenly, which holds while
        losses are much rarer than shards.
    """
    losses = rng.geometric(np.exp(-losses_per_s * seconds)) - 1
    return seconds + losses * (seconds * rng.random(len(seconds)) + restart_s)


def free(seconds: FloatArray, speeds: FloatArray) -> float:
    """When the last shard is done if each core that gets free takes the next one.

    Args:
        seconds: what the shards take, float64[N].
        speeds: of the cores, float64[C].
    """
    cores = [(0.0, core) for core in range(len(speeds))]
    last = 0.0
    for work in seconds:
        at, core = heapq.heappop(cores)
        at += float(work / speeds[core])
        last = max(last, at)
        heapq.heappush(cores, (at, core))
    return last


def dealt(seconds: FloatArray, speeds: FloatArray) -> float:
    """When the last shard is done if shards were dealt to the cores in turn, before anybody knew what they take.

    Args:
        seconds: what the shards take, float64[N].
        speeds: of the cores, float64[C].
    """
    core = np.arange(len(seconds)) % len(speeds)
    return float((np.bincount(core, weights=seconds, minlength=len(speeds)) / speeds).max())


def _free_by_sample(seconds: FloatArray, shards: int, speeds: FloatArray, rng: np.random.Generator) -> float:
    """As `free`, for more shards than are drawn."""
    if shards <= len(speeds):
        # each core has one shard at most
        return float((rng.choice(seconds, shards) / speeds[:shards]).max())
    # long shards are in hand more often, and may be at any point
    in_hand = rng.choice(seconds, len(speeds), p=seconds / seconds.sum())
    left = in_hand * rng.random(len(speeds))
    handed_out = max(0.0, float(seconds.mean()) * shards - float(left.sum())) / float(speeds.sum())
    return handed_out + float((left / speeds).max())
