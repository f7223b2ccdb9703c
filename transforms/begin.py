"""Stage: what is no longer true goes, and the plan is noted, before the first shard is labelled."""

import json
from collections.abc import Iterator, Sequence

import apache_beam as beam
from apache_beam.pvalue import AsList, PCollection

from models.refs import ModelRef
from transforms.clips.shards import Duplicate, ShardPlan
from transforms.labels.ingredients import ingredients, label_digest
from transforms.labels.settings import LabelSettings
from transforms.plan import PLAN
from transforms.storage import open_store
from transforms.tables.beginning import Planned, begin
from transforms.tables.digests import digest
from transforms.tables.layout import run_file

Clip = tuple[str, str]
"""clip_id and URI."""


class BeginRun(beam.PTransform[tuple[PCollection[ShardPlan], PCollection[Duplicate]], PCollection[int]]):
    """Clears the way for a run, and notes how much there is to do for whoever watches it.

    Takes (shards, duplicates) of the plan.

    Args:
        settings: options of labelling.
        models: the networks.
        output: the data set.
        run_id: the run.

    Returns:
        One element, the number of shards, once they may be written.
    """

    def __init__(self, settings: LabelSettings, models: Sequence[ModelRef], output: str, run_id: str) -> None:
        super().__init__()
        self._settings = settings
        self._models = tuple(models)
        self._output = output
        self._run_id = run_id

    def expand(self, planned: tuple[PCollection[ShardPlan], PCollection[Duplicate]]) -> PCollection[int]:
        """Brings names and digests to one worker."""
        shards, duplicates = planned
        sides = {
            "wanted": AsList(shards | "Digests" >> beam.Map(_wanted, self._settings, self._models)),
            "kept": AsList(shards | "Kept" >> beam.FlatMap(clips_of)),
            "copies": AsList(duplicates | "Copies" >> beam.Map(copy_of)),
        }
        names = [model.card.name for model in self._models]
        return (
            shards.pipeline
            | "Once" >> beam.Create([names])
            | "Begin" >> beam.Map(_begin, self._output, self._run_id, **sides)
        )


def clips_of(shard: ShardPlan) -> Iterator[Clip]:
    """The clips that a shard labels."""
    for part in shard.parts:
        yield part.clip.clip_id, part.clip.uri


def copy_of(duplicate: Duplicate) -> Clip:
    """A duplicate under the id of what it is a copy of."""
    return duplicate.duplicate_of, duplicate.clip.uri


def _wanted(shard: ShardPlan, settings: LabelSettings, models: tuple[ModelRef, ...]) -> tuple[str, str]:
    return shard.name, label_digest(ingredients(shard, settings, models))


def _begin(
    models: list[str],
    output: str,
    run_id: str,
    wanted: list[tuple[str, str]],
    kept: list[Clip],
    copies: list[Clip],
) -> int:
    store = open_store(output)
    pending = begin(store, Planned(dict(wanted), kept, copies), run_id, models)
    plan = {"shards": len(wanted), "pending": pending, "label_digest": digest(sorted(wanted))}
    store.write(run_file(run_id, PLAN), json.dumps(plan).encode())
    return len(wanted)
