"""Beam's metrics of a run: what runners show while a pipeline goes on; docs/operations.md lists them."""

from collections.abc import Mapping
from typing import Any, Final

from apache_beam.metrics.metric import Metrics

NAMESPACE: Final = "clipmill"

COUNTERS: Final = (
    "clips_known",
    "clips_probed",
    "clips_unreadable",
    "shards_kept",
    "shards_taken_over",
    "shards_written",
    "shards_failed",
    "frames",
    "detections",
    "clip_failures",
)
DISTRIBUTIONS: Final = (
    "shard_milliseconds",
    "decode_milliseconds",
    "detect_milliseconds",
    "track_milliseconds",
)

_COUNTERS: Final = {name: Metrics.counter(NAMESPACE, name) for name in COUNTERS}
_DISTRIBUTIONS: Final = {name: Metrics.distribution(NAMESPACE, name) for name in DISTRIBUTIONS}


def count(name: str, number: int = 1) -> None:
    """Adds to a counter. Beam hears only the bundle's own thread: threads of ours must not call this.

    Args:
        name: one of `COUNTERS`.
        number: what is added.
    """
    _COUNTERS[name].inc(number)


def count_shard(record: Mapping[str, Any] | None, failures: int) -> None:
    """Counts a shard; as `count`, in the bundle's own thread.

    Args:
        record: what was noted of the work on it, None where it could stand as it was.
        failures: its clips that failed.
    """
    if record is None:
        count("shards_kept")
        return
    if record["state"] == "taken_over":
        count("shards_taken_over")
        return
    count("shards_written" if record["frames"] else "shards_failed")
    count("frames", record["frames"])
    count("detections", record["detections"])
    count("clip_failures", failures)
    for name, key in zip(DISTRIBUTIONS, ("seconds", "decode_s", "detect_s", "track_s"), strict=True):
        _DISTRIBUTIONS[name].update(round(1e3 * record[key]))
