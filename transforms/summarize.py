"""Stage: what was milled becomes a data set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import AsList, PCollection

from transforms.begin import clips_of, copy_of
from transforms.budget.demand.figures import total
from transforms.budget.estimates import estimates_table
from transforms.budget.request import BudgetRequest
from transforms.clips.memory import remember
from transforms.clips.refs import ClipRef, Failure, InputFile
from transforms.clips.shards import Duplicate, ShardPlan, event_id
from transforms.corrections.outcomes import conflicts_of, told
from transforms.corrections.table import corrections_table, read_corrections
from transforms.judge import corrections_of
from transforms.labels.joining import objects_table
from transforms.labels.rows import clip_columns
from transforms.labels.settings import LabelSettings
from transforms.splits.table import kept_up
from transforms.storage import open_store
from transforms.tables.beginning import part_unplanned
from transforms.tables.commits import ShardSummary, without_links
from transforms.tables.dataset import (
    Gathered,
    distinct_failures,
    remove_orphans,
    whole_tables,
    write_dataset,
    write_manifest,
    write_whole,
)
from transforms.tables.digests import canonical_json
from transforms.tables.earlier import read_earlier
from transforms.tables.ids import stable_id
from transforms.tables.layout import run_file
from transforms.tables.schemas import CLIPS

SUMMARY = "summary.json"
"""What a run came to, for the one who started it."""


class LeftOver(
    beam.PTransform[tuple[PCollection[ShardPlan], PCollection[Duplicate]], PCollection[ShardSummary]]
):
    """Finds committed shards of earlier runs whose clips are not among this run's inputs.

    Takes (shards, duplicates) of the plan.

    Args:
        output: the data set.
    """

    def __init__(self, output: str) -> None:
        super().__init__()
        self._output = output

    def expand(
        self, planned: tuple[PCollection[ShardPlan], PCollection[Duplicate]]
    ) -> PCollection[ShardSummary]:
        """Reads their commits."""
        shards, duplicates = planned
        names = AsList(shards | "Names" >> beam.Map(_name))
        clips = AsList(
            (shards | "Clips" >> beam.FlatMap(clips_of), duplicates | "Copies" >> beam.Map(copy_of))
            | "All clips" >> beam.Flatten()
        )
        return (
            shards.pipeline
            | "Data set" >> beam.Create([self._output])
            | "Not planned" >> beam.FlatMap(_left_over, names, clips)
        )


def _name(shard: ShardPlan) -> str:
    return shard.name


def _left_over(output: str, names: Sequence[str], clips: Sequence[tuple[str, str]]) -> Sequence[ShardSummary]:
    _, left = part_unplanned(open_store(output), names, clips)
    return [without_links(summary) for summary in left]


class Summarize(beam.PTransform[Mapping[str, PCollection[Any]], PCollection[None]]):
    """Writes the whole tables, the manifest, dataset.json and the run's summary.

    Args:
        settings: options of labelling.
        inputs: files, folders, globs or URLs, absolute.
        output: the data set.
        run_id: the run.
        timezone: zone of the times in file names, or None.
        base: another data set whose corrections of these clips are taken over, or None.
    """

    def __init__(
        self,
        settings: LabelSettings,
        inputs: Sequence[str],
        output: str,
        run_id: str,
        timezone: str | None,
        base: str | None = None,
    ) -> None:
        super().__init__()
        self._finish = Finish(settings, inputs, output, run_id, timezone, base)

    def expand(self, found: Mapping[str, PCollection[Any]]) -> PCollection[None]:
        """Brings everything to one worker: references and counts only."""
        names = ("files", "clips", "summaries", "left", "duplicates", "events", "failures", "joined")
        sides = {name: AsList(found[name]) for name in names}
        root = found["summaries"].pipeline
        return root | "Once" >> beam.Create([None]) | "Finish" >> beam.Map(self._finish, **sides)


class Finish:
    """Finishes a data set.

    Args:
        settings: options of labelling.
        inputs: files, folders, globs or URLs, absolute.
        output: the data set.
        run_id: the run.
        timezone: zone of the times in file names, or None.
        base: another data set whose corrections of these clips are taken over, or None.
    """

    def __init__(
        self,
        settings: LabelSettings,
        inputs: Sequence[str],
        output: str,
        run_id: str,
        timezone: str | None,
        base: str | None = None,
    ) -> None:
        self._settings = settings
        self._inputs = tuple(inputs)
        self._output = output
        self._run_id = run_id
        self._timezone = timezone
        self._base = base

    def __call__(
        self,
        _once: None,
        *,
        files: Sequence[InputFile],
        clips: Sequence[ClipRef],
        summaries: Sequence[ShardSummary],
        left: Sequence[ShardSummary],
        duplicates: Sequence[Duplicate],
        events: Sequence[Mapping[str, Any]],
        failures: Sequence[Failure],
        joined: Sequence[tuple[str, str]],
    ) -> None:
        """Writes everything that stands beside the shards."""
        store = open_store(self._output)
        summaries = sorted(summaries, key=lambda summary: summary.name)
        shards = sorted((*summaries, *left), key=lambda summary: summary.name)
        found = Gathered(
            summaries=summaries,
            duplicates=duplicates,
            duplicate_rows=duplicate_rows(duplicates, self._settings),
            events=events,
            failures=failures,
            objects=objects_table(shards, dict(joined)),
        )
        remove_orphans(store, shards)
        earlier = read_earlier(store, shards, left, self._inputs)
        tables = whole_tables(found, left, earlier)
        figures = total(shard.tally for shard in shards).figures()
        estimates = BudgetRequest().answer(figures)
        tables["budget"] = estimates_table(estimates)
        copies = pa.concat_tables([found.duplicate_rows, earlier.duplicates]).sort_by("uri")
        tables["splits"] = kept_up(store, shards, copies, tables["events"])
        clip_ids = {clip for shard in shards for clip, _ in shard.clips}
        own = read_corrections(store)
        taken = corrections_of(self._output, self._base)[len(own) :]
        corrections = (*own, *(item for item in taken if item.clip_id in clip_ids))
        conflicts = conflicts_of(corrections, shards)
        tables["corrections"] = corrections_table(corrections, conflicts)
        whole = write_whole(store, tables, copies)
        manifest = write_manifest(store, shards, whole)
        rows: Counter[str] = Counter()
        for shard in shards:
            rows.update(shard.counts)
        rows.update({file.path.partition("/")[0]: file.rows for file in whole})
        write_dataset(store, manifest, rows, shards, self._settings.model_dump())
        remember(store, clips, {file.uri: file.version for file in files}, self._timezone)
        summary = run_summary(found, len(files)) | {
            "left_over_shards": len(left),
            "corrections": told(corrections, conflicts),
            "figures": figures.as_json(),
            "budget": [estimate.brief() for estimate in estimates],
        }
        store.write(run_file(self._run_id, SUMMARY), canonical_json(summary).encode())


def duplicate_rows(duplicates: Sequence[Duplicate], settings: LabelSettings) -> pa.Table:
    """The rows of `clips` of the duplicates, by URI."""
    parts = []
    for item in sorted(duplicates, key=lambda item: item.clip.uri):
        columns = clip_columns(
            item.clip,
            clip_id=stable_id("duplicate", item.clip.content_sha256, item.clip.uri),
            drive_id=None,
            event_id=event_id(item.clip) or None,
            duplicate_of=item.duplicate_of,
            settings=settings,
        )
        parts.append(pa.table({column.name: columns[column.name] for column in CLIPS}, CLIPS))
    return pa.concat_tables([CLIPS.empty_table(), *parts])


def run_summary(found: Gathered, files: int) -> dict[str, object]:
    """The counts of a run: of its inputs, not of what earlier runs left in the data set.

    Args:
        found: what the stages found.
        files: clips found.
    """
    frames: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for shard in found.summaries:
        frames.update(shard.frames_labelled)
        rows.update(shard.counts)
    labelled = sum(count > 0 for count in frames.values())
    listed = files + sum(failure.stage == "discover" for failure in found.failures)
    tracks = pa.array([track for shard in found.summaries for track in shard.tracks], pa.string())
    objects = found.objects.filter(pc.is_in(found.objects["track_id"], value_set=tracks))
    return {
        "clips": {
            "found": listed,
            "labelled": labelled,
            "failed": listed - labelled - len(found.duplicates),
            "duplicate": len(found.duplicates),
        },
        "frames": rows["frames"],
        "detections": rows["detections"],
        "tracks": rows["tracks"],
        "objects": pc.count_distinct(objects["object_id"]).as_py(),
        "failures": [
            {
                "uri": failure.uri,
                "stage": failure.stage,
                "error": failure.error,
                "message": failure.message,
                "retryable": failure.retryable,
            }
            for failure in distinct_failures(found)
        ],
    }
