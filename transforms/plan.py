"""Stage: duplicates away, drives found, shards cut."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.combiners import Count

from transforms.clips.refs import ClipRef
from transforms.clips.shards import Duplicate, ShardPlan, drive_key, plan_drives, split_duplicates
from transforms.storage import open_store
from transforms.tables.layout import run_file

DUPLICATES: Final = "duplicates"
KEPT: Final = "kept"

PLAN: Final = "plan.json"
"""File of a run that tells how many shards there are."""


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


class WritePlan(beam.PTransform[PCollection[ShardPlan], PCollection[int]]):
    """Notes how much there is to do, for whoever watches the run.

    Args:
        output: the data set.
        run_id: the run.

    Returns:
        One element, when the plan is there.
    """

    def __init__(self, output: str, run_id: str) -> None:
        super().__init__()
        self._output = output
        self._run_id = run_id

    def expand(self, shards: PCollection[ShardPlan]) -> PCollection[int]:
        """Counts the shards."""
        return (
            shards
            | "Count" >> Count.Globally()
            | "Write" >> beam.Map(_write_plan, self._output, self._run_id)
        )


def _write_plan(shards: int, output: str, run_id: str) -> int:
    open_store(output).write(run_file(run_id, PLAN), json.dumps({"shards": shards}).encode())
    return shards
