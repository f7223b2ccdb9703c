"""Stage: one shard at a time, decode → label → track → write → commit."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import apache_beam as beam
from apache_beam.pvalue import AsSingleton, PCollection

from models.registry import ModelRef
from transforms.budget.demand.figures import Tally, tally_clips, tally_frames, total
from transforms.clips.shards import ShardPlan
from transforms.concurrent import ConcurrentMap
from transforms.labels.ingredients import ingredients, label_digest
from transforms.labels.labelling import ShardRows
from transforms.labels.settings import LabelSettings
from transforms.set_aside import Patience, label_apart
from transforms.storage import open_store
from transforms.tables.commits import ModelFacts, ShardSummary, commit_shard, is_whole, read_commit
from transforms.tables.digests import canonical_json
from transforms.tables.layout import run_file
from transforms.tables.schemas import SHARD_TABLES

PROGRESS: Final = "shards"
"""Folder of a run that gets one small file for each shard that is done."""


class MillShards(beam.PTransform[PCollection[ShardPlan], PCollection[ShardSummary]]):
    """Labels shards and commits them; a shard that is there already is only read.

    Args:
        settings: options of labelling.
        models: the networks.
        patience: what one clip may cost.
        output: the data set.
        run_id: the run that timings are noted under.
        threads: shards worked on at once in one process.
        planned: a singleton that is there when the plan has been noted.
    """

    def __init__(
        self,
        settings: LabelSettings,
        models: Sequence[ModelRef],
        patience: Patience,
        output: str,
        run_id: str,
        threads: int,
        planned: PCollection[int],
    ) -> None:
        super().__init__()
        self._mill = Mill(settings, tuple(models), patience, output, run_id)
        self._threads = threads
        self._planned = planned

    def expand(self, shards: PCollection[ShardPlan]) -> PCollection[ShardSummary]:
        """Spreads the shards over the workers."""
        return (
            shards
            | "After plan" >> beam.Map(_first, AsSingleton(self._planned))
            | "Spread" >> beam.Reshuffle()
            | "Mill" >> beam.ParDo(ConcurrentMap(self._mill, self._threads, self._mill.prepare))
        )


def _first(shard: ShardPlan, _planned: object) -> ShardPlan:
    return shard


class Mill:
    """Makes one shard.

    Args:
        settings: options of labelling.
        models: the networks.
        patience: what one clip may cost.
        output: the data set.
        run_id: the run that timings are noted under.
    """

    def __init__(
        self,
        settings: LabelSettings,
        models: tuple[ModelRef, ...],
        patience: Patience,
        output: str,
        run_id: str,
    ) -> None:
        self._settings = settings
        self._models = models
        self._patience = patience
        self._output = output
        self._run_id = run_id
        self._sizes: dict[str, dict[str, int]] = {}

    def prepare(self) -> None:
        """Lists what is committed, once a bundle."""
        store = open_store(self._output)
        self._sizes = {table: store.sizes(table) for table in SHARD_TABLES}

    def __call__(self, plan: ShardPlan) -> ShardSummary:
        """Labels and commits a shard, or gives the summary of the committed one.

        Raises:
            OSError: the output cannot be written.
        """
        started = time.perf_counter()
        store = open_store(self._output)
        made_from = ingredients(plan, self._settings, self._models)
        wanted = label_digest(made_from)
        summary = read_commit(store, plan.name) if f"{plan.name}.parquet" in self._sizes["frames"] else None
        record: dict[str, object] = {"shard": plan.name}
        if summary and summary.label_digest == wanted and self._can_stand(summary):
            record["state"] = "skipped"
        else:
            rows = label_apart(plan, self._models, self._settings, self._patience)
            summary = commit_shard(store, summarise(plan, made_from, rows, self._models), rows.tables)
            record |= {"state": "written", **asdict(rows.timings)}
        record |= {
            "seconds": time.perf_counter() - started,
            "ended": time.time(),
            "frames": sum(summary.frames_labelled.values()),
            "detections": summary.counts["detections"],
            "camera_ns": sum(duration_ns for *_, duration_ns, _shown in summary.tally.cameras),
        }
        store.write(run_file(self._run_id, f"{PROGRESS}/{plan.name}.json"), canonical_json(record).encode())
        return summary

    def _can_stand(self, summary: ShardSummary) -> bool:
        return is_whole(summary, self._sizes) and not any(item.retryable for item in summary.failures)


def summarise(
    plan: ShardPlan, made_from: dict[str, str], rows: ShardRows, models: Sequence[ModelRef]
) -> ShardSummary:
    """The summary of a shard's rows, before they are written."""
    counts = {name: table.num_rows for name, table in rows.tables.items()}
    tally = total(
        [
            tally_clips(rows.tables["clips"]),
            tally_frames(rows.tables["frames"]),
            Tally(detections=counts["detections"], tracks=counts["tracks"]),
        ]
    )
    return ShardSummary(
        name=plan.name,
        drive_id=plan.drive_id,
        label_digest=label_digest(made_from),
        made_from=made_from,
        files=(),
        counts=counts,
        clips=tuple((part.clip.clip_id, part.clip.uri) for part in plan.parts),
        event_ids=tuple(sorted({event for event in plan.event_ids if event})),
        models=tuple(map(model_facts, models)),
        frames_labelled=rows.frames_labelled,
        tally=tally,
        tracks=rows.links.tracks,
        heads=rows.links.heads,
        tail=rows.links.tail,
        failures=rows.failures,
    )


def model_facts(model: ModelRef) -> ModelFacts:
    """What a data set tells of a network."""
    return ModelFacts(
        name=model.card.name,
        sha256=model.sha256,
        digest=model.digest,
        size=model.size,
        task=model.card.task,
        categories=model.card.categories,
    )
