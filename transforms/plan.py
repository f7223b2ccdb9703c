"""Stage: duplicates away, drives found, shards cut."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput

from transforms.clips.refs import ClipRef
from transforms.clips.shards import Duplicate, ShardPlan, drive_key, plan_drives, split_duplicates

DUPLICATES: Final = "duplicates"
KEPT: Final = "kept"

PLAN: Final = "plan.json"
"""File of a run that tells how many shards there are, how many of them are to be worked on, and the digest of the label
digests of all."""


class PlanShards(
    beam.PTransform[PCollection[ClipRef], tuple[PCollection[ShardPlan], PCollection[Duplicate]]]
):
    """Turns clips into the units of work.

    Args:
        context_ns: how much of the previous minute a shard sees.

    Returns:
        (PCollection of ShardPlan, PCollection of Duplicate).
    """

    def __init__(self, context_ns: int) -> None:
        super().__init__()
        self._context_ns = context_ns

    def expand(self, clips: PCollection[ClipRef]) -> tuple[PCollection[ShardPlan], PCollection[Duplicate]]:
        """Groups by content, then by car."""
        sorted_out = (
            clips
            | "By content" >> beam.GroupBy(_content)
            | "Keep one" >> beam.FlatMap(_split).with_outputs(KEPT, DUPLICATES)
        )
        shards = (
            sorted_out[KEPT]
            | "By car" >> beam.GroupBy(drive_key)
            | "Cut" >> beam.FlatMap(_plan, self._context_ns)
        )
        return shards, sorted_out[DUPLICATES]


def _content(clip: ClipRef) -> str:
    return clip.content_sha256


def _split(group: tuple[str, Iterable[ClipRef]]) -> Iterator[Any]:
    kept, duplicates = split_duplicates(group[1])
    yield TaggedOutput(KEPT, kept)
    for duplicate in duplicates:
        yield TaggedOutput(DUPLICATES, duplicate)


def _plan(group: tuple[str, Iterable[ClipRef]], context_ns: int) -> Iterator[ShardPlan]:
    yield from plan_drives(group[1], context_ns)
