"""What breaks first when jobs grow, at which size, and what to set then."""

from dataclasses import dataclass
from math import inf, isfinite
from typing import Final, Literal

from fleet.costs import Assumed, Measured
from fleet.dispatch import MINUTE_S
from fleet.run import serial_costs

from transforms.clips.memory import MAX_CLIPS
from transforms.tables.schemas import SHARD_TABLES

LOST_SHARE: Final = 0.1
"""A stage in which one process works may cost this share of the cluster's time."""

Grows = Literal["camera-hours in one data set", "cores on one data set", "cores in all"]

Then = Literal["slow", "the job fails", "that command fails"]


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that a job runs into.

    Attributes:
        name: what is scarce.
        what: what happens.
        grows: what it comes with.
        at: how much of that.
        then: what that means for the job.
        setting: what to do.
    """

    name: str
    what: str
    grows: Grows
    at: float
    then: Then
    setting: str

    @property
    def breaks(self) -> bool:
        """Whether a job on a cluster fails of it."""
        return self.then == "the job fails"


def limits(measured: Measured, assumed: Assumed) -> list[Limit]:
    """All that is known to break, by what it grows with, the first one first.

    Args:
        measured: what was measured.
        assumed: what was not.
    """
    shards_per_camera_hour = 3600 / MINUTE_S / assumed.cameras
    shard_core_s = measured.label_s * MINUTE_S * assumed.cameras
    core_hours = measured.label_s  # for each camera-hour
    costs = serial_costs(measured, assumed, object_store=True)
    writes = measured.files_per_shard + 1
    page_s = len(SHARD_TABLES) * assumed.page_s / assumed.page_keys
    split = "split the inputs, by car and month, into a data set each"
    hours: Grows = "camera-hours in one data set"
    each: Grows = "cores on one data set"
    everything: Grows = "cores in all"
    found = [
        Limit(
            "known clips",
            f"{MAX_CLIPS:,} clips are remembered, the next run reads the others again",
            hours,
            MAX_CLIPS / (3600 / MINUTE_S),
            then="slow",
            setting=split,
        ),
        Limit(
            "restarts",
            f"{assumed.restart_attempts} workers are lost, and Flink gives the job up",
            hours,
            assumed.restart_attempts / (assumed.losses_per_core_hour * core_hours),
            then="the job fails",
            setting="`restart-strategy.type: failure-rate`, or more `attempts`; the same command again goes on",
        ),
        Limit(
            "memory to finish",
            "the worker that finishes the data set is out of memory",
            hours,
            _sized(assumed.worker_bytes, measured.finish_bytes) / shards_per_camera_hour,
            then="the job fails",
            setting=f"{split}; or `--worker_machine_type` with more memory",
        ),
        Limit(
            "memory to begin",
            "the worker that begins the run is out of memory",
            hours,
            _sized(assumed.worker_bytes, measured.begin_bytes) / shards_per_camera_hour,
            then="the job fails",
            setting=f"{split}; or `--worker_machine_type` with more memory",
        ),
        Limit(
            "memory to plan",
            "a dry run, or a run in one process, is out of memory",
            hours,
            _sized(assumed.worker_bytes, measured.plan_bytes) / (3600 / MINUTE_S),
            then="that command fails",
            setting=f"{split}; `--dry-run` on one of them",
        ),
        Limit(
            "client's report",
            "the client reads what the run noted of each shard, one after the other, for a day",
            hours,
            86_400 / costs.reporting / shards_per_camera_hour,
            then="slow",
            setting=f"{split}; the data set is whole before: `clipmill verify`",
        ),
        Limit(
            "verify",
            "`clipmill verify` takes a day",
            hours,
            86_400 / measured.verify_s / shards_per_camera_hour,
            then="slow",
            setting=f"{split}, and verify them side by side",
        ),
        Limit(
            "small files",
            "a million files: whoever reads by glob waits for listings",
            hours,
            1e6 / measured.files_per_shard / shards_per_camera_hour,
            then="slow",
            setting="`clipmill compact` after each run: one file a table and day",
        ),
        Limit(
            "serial stages",
            f"listing, beginning and finishing hold the cores for {LOST_SHARE:.0%} of the time",
            each,
            LOST_SHARE / (1 - LOST_SHARE) * shard_core_s / costs.holding,
            then="slow",
            setting="fewer workers (`--parallelism`, `--max_num_workers`) on more data sets side by side",
        ),
        Limit(
            "listing what is there",
            f"a run that goes on lists what is committed once a bundle, for {LOST_SHARE:.0%} of the time",
            each,
            LOST_SHARE / (1 - LOST_SHARE) * shard_core_s / page_s,
            then="slow",
            setting="fewer workers on more data sets side by side",
        ),
        Limit(
            "reading",
            "the store gives no more bytes: each clip is read to probe it and to label it",
            everything,
            assumed.read_bytes_per_s / (2 * assumed.bytes_per_camera_hour / (core_hours * 3600)),
            then="slow",
            setting="ask for a higher quota, several regions; `--max_num_workers` below it",
        ),
        Limit(
            "writing",
            "the store takes no more writes, where it has not parted its prefixes yet",
            everything,
            assumed.writes_per_s / (writes / shard_core_s),
            then="slow",
            setting="outputs below different prefixes; start with fewer workers (`THROUGHPUT_BASED`)",
        ),
    ]
    order: list[Grows] = [hours, each, everything]
    # what was too small to measure is no limit
    found = [limit for limit in found if isfinite(limit.at)]
    return sorted(found, key=lambda limit: (order.index(limit.grows), limit.at))


def _sized(whole: float, each: float) -> float:
    return whole / each if each else inf


def loads(camera_hours: float, cores: int, known: list[Limit]) -> list[tuple[float, Limit]]:
    """How far one data set is into each limit, 1 = reached, the worst first."""
    grown: dict[Grows, float] = {
        "camera-hours in one data set": camera_hours,
        "cores on one data set": cores,
        "cores in all": cores,
    }
    return sorted(
        ((grown[limit.grows] / limit.at, limit) for limit in known), key=lambda load: load[0], reverse=True
    )
