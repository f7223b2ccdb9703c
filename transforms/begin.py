"""Stage: what is no longer true goes, and the plan is noted, before the first shard is labelled."""

import json
from collections.abc import Iterator, Sequence

import apache_beam as beam
from apache_beam.pvalue import AsList, PCollection

from transforms.clips.shards import Duplicate, ShardPlan
from transforms.judge import Judgement
from transforms.labels.ingredients import label_digest
from transforms.plan import PLAN
from transforms.storage import open_store
from transforms.tables.beginning import Planned, begin
from transforms.tables.digests import digest
from transforms.tables.layout import run_file

Clip = tuple[str, str]
"""clip_id and URI."""


class BeginRun(beam.PTransform[tuple[PCollection[Judgement], PCollection[Duplicate]], PCollection[int]]):
    """Clears the way for a run, and notes how much there is to do for whoever watches it.

    Takes (judgements of all planned shards, duplicates).

    Args:
        models: names of the networks.
        output: the data set.
        run_id: the run.

    Returns:
        One element, the number of shards, once they may be written.
    """

    def __init__(self, models: Sequence[str], output: str, run_id: str) -> None:
        super().__init__()
        self._models = tuple(models)
        self._output = output
        self._run_id = run_id

    def expand(self, planned: tuple[PCollection[Judgement], PCollection[Duplicate]]) -> PCollection[int]:
        """Brings names and digests to one worker."""
        judged, duplicates = planned
        sides = {
            "shards": AsList(judged | "Shards" >> beam.Map(_named)),
            "copies": AsList(duplicates | "Copies" >> beam.Map(copy_of)),
        }
        return (
            judged.pipeline
            | "Once" >> beam.Create([self._models])
            | "Begin" >> beam.Map(_begin, self._output, self._run_id, **sides)
        )


def clips_of(shard: ShardPlan) -> Iterator[Clip]:
    """The clips that a shard labels."""
    for part in shard.parts:
        yield part.clip.clip_id, part.clip.uri


def copy_of(duplicate: Duplicate) -> Clip:
    """A duplicate under the id of what it is a copy of."""
    return duplicate.duplicate_of, duplicate.clip.uri


Shard = tuple[str, str, bool, tuple[Clip, ...]]
"""Name, label digest that it is to have, whether it can stay as it is, and its clips."""


def _named(judgement: Judgement) -> Shard:
    plan = judgement.plan
    return (
        plan.name,
        label_digest(judgement.made_from),
        judgement.standing is not None,
        tuple(clips_of(plan)),
    )


def _begin(
    models: Sequence[str], output: str, run_id: str, shards: Sequence[Shard], copies: Sequence[Clip]
) -> int:
    store = open_store(output)
    planned = Planned(
        wanted=dict(shard[:2] for shard in shards),
        work={name for name, _, stands, _ in shards if not stands},
        kept=[clip for *_, clips in shards for clip in clips],
        copies=copies,
    )
    begin(store, planned, run_id, models)
    label_digests = digest(sorted(planned.wanted.items()))
    plan = {"shards": len(shards), "pending": len(planned.work), "label_digest": label_digests}
    store.write(run_file(run_id, PLAN), json.dumps(plan).encode())
    return len(shards)
