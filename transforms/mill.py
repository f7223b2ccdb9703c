"""Stage: one shard at a time, decode → label → track → write → commit."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import apache_beam as beam
from apache_beam.pvalue import AsSingleton, PCollection

from models.registry import ModelRef
from transforms.access import StorageFlags
from transforms.budget.demand.figures import Tally, tally_clips, tally_frames, total
from transforms.clips.shards import ShardPlan
from transforms.concurrent import ConcurrentMap
from transforms.corrections.outcomes import corrected
from transforms.corrections.overlay import overlaid
from transforms.judge import Judge
from transforms.labels.ingredients import label_digest
from transforms.labels.settings import LabelSettings
from transforms.metrics import count_shard
from transforms.set_aside import Patience, label_apart
from transforms.storage import open_store
from transforms.tables.commits import (
    ModelFacts,
    ShardSummary,
    commit_shard,
    take_over_shard,
    without_links,
)
from transforms.tables.digests import canonical_json
from transforms.tables.layout import run_file

if TYPE_CHECKING:
    from transforms.labels.labelling import ShardRows

PROGRESS: Final = "shards"
"""Folder of a run that gets one small file for each shard that it worked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MillOptions:
    """How shards are made.

    Attributes:
        settings: options of labelling.
        models: the networks.
        patience: what one clip may cost.
        base: another data set whose shards are taken over where they are what would be made, or None.
        retries_failed: whether shards with failures are made again though nothing has changed.
        storage: how URLs are reached.
    """

    settings: LabelSettings
    models: tuple[ModelRef, ...]
    patience: Patience
    base: str | None = None
    retries_failed: bool = False
    storage: StorageFlags = ()

    def judge(self, output: str) -> Judge:
        """What says whether a shard of a data set must be made."""
        return Judge(self.settings, self.models, output, self.base, retries_failed=self.retries_failed)


class MillShards(beam.PTransform[PCollection[ShardPlan], PCollection[ShardSummary]]):
    """Labels shards and commits them; a shard that is there already is only read.

    Args:
        options: how shards are made.
        output: the data set.
        run_id: the run that timings are noted under.
        threads: shards worked on at once in one process.
        begun: a singleton that is there when shards may be written.
    """

    def __init__(
        self, options: MillOptions, output: str, run_id: str, threads: int, begun: PCollection[int]
    ) -> None:
        super().__init__()
        self._mill = Mill(options, output, run_id)
        self._threads = threads
        self._begun = begun

    def expand(self, shards: PCollection[ShardPlan]) -> PCollection[ShardSummary]:
        """Spreads the shards over the workers."""
        return (
            shards
            | "After begin" >> beam.Map(_first, AsSingleton(self._begun))
            | "Spread" >> beam.Reshuffle()
            | "Mill" >> beam.ParDo(ConcurrentMap(self._mill, self._threads, self._mill.prepare))
            | "Count" >> beam.Map(_counted)
        )


def _first(shard: ShardPlan, _begun: object) -> ShardPlan:
    return shard


@dataclass(frozen=True, slots=True)
class Milled:
    """A shard that is committed.

    Attributes:
        summary: its commit, without links.
        record: what was noted of the work on it, None where it could stand as it was.
    """

    summary: ShardSummary
    record: dict[str, Any] | None


def _counted(milled: Milled) -> ShardSummary:
    """A stage of its own: unlike the mill's threads it is in the bundle's thread, which is the one that Beam hears."""
    count_shard(milled.record, len(milled.summary.failures))
    return milled.summary


class Mill:
    """Makes one shard.

    Args:
        options: how shards are made.
        output: the data set.
        run_id: the run that timings are noted under.
    """

    def __init__(self, options: MillOptions, output: str, run_id: str) -> None:
        self._options = options
        self._output = output
        self._run_id = run_id
        self._judge = options.judge(output)

    def prepare(self) -> None:
        """Lists what is committed, once a bundle."""
        self._judge.prepare()

    def __call__(self, plan: ShardPlan) -> Milled:
        """Labels and commits a shard, or gives the summary of the committed one.

        Raises:
            OSError: the output cannot be written.
        """
        found = self._judge(plan)
        if found.standing:
            return Milled(found.standing, None)
        started = time.perf_counter()
        options = self._options
        store = open_store(self._output)
        record: dict[str, Any]
        if found.in_base and options.base and take_over_shard(store, open_store(options.base), found.in_base):
            summary = found.in_base
            record = {"state": "taken_over"}
        else:
            rows = label_apart(plan, options.models, options.settings, options.patience, options.storage)
            made = overlaid(
                rows.tables["detections"],
                rows.tables["frames"],
                found.corrections,
                [model.sha256 for model in options.models],
            )
            tables = {**rows.tables, "detections": made.detections}
            labelled = summarise(plan, found.made_from, rows, options.models)
            summary = commit_shard(store, corrected(labelled, made), tables)
            record = {"state": "written", **asdict(rows.timings), "read_bytes": read_bytes(plan)}
        record |= {
            "shard": plan.name,
            "reasons": found.reasons,
            "seconds": time.perf_counter() - started,
            "ended": time.time(),
            "frames": sum(summary.frames_labelled.values()),
            "detections": summary.counts["detections"],
            "camera_ns": sum(duration_ns for *_, duration_ns, _shown in summary.tally.cameras),
        }
        store.write(run_file(self._run_id, f"{PROGRESS}/{plan.name}.json"), canonical_json(record).encode())
        return Milled(without_links(summary), record)


def read_bytes(plan: ShardPlan) -> int:
    """Bytes of the clips' files that a shard is read from: of each file the share of its time that is needed."""
    stretches = [(part.clip, part.stop_ns - part.start_ns) for part in plan.parts]
    stretches += [
        (part.context.clip, part.context.stop_ns - part.context.start_ns)
        for part in plan.parts
        if part.context
    ]
    return sum(round(clip.bytes * min(1.0, length / max(1, clip.duration_ns))) for clip, length in stretches)


def summarise(
    plan: ShardPlan, made_from: dict[str, str], rows: "ShardRows", models: Sequence[ModelRef]
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
