"""Stage: says of every shard whether it can stay as it is, be taken over, or must be made, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.pvalue import PCollection

from models.registry import ModelRef
from transforms.clips.shards import ShardPlan
from transforms.corrections.correction import Correction
from transforms.corrections.table import (
    Corrections,
    Group,
    groups_digest,
    joined,
    read_corrections,
)
from transforms.labels.ingredients import ingredients, with_corrections
from transforms.labels.settings import LabelSettings
from transforms.metrics import count_shard
from transforms.storage import open_store
from transforms.tables.commits import ShardSummary, is_whole, read_commit, without_links
from transforms.tables.schemas import SHARD_TABLES
from transforms.tables.store import Store

Sizes = dict[str, dict[str, int]]
"""By shard table, the names and sizes of its files."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What there is of a shard.

    Attributes:
        plan: the shard.
        made_from: what it has to be made from, see `ingredients`.
        standing: the commit that can stand as it is, without links, or None.
        in_base: the base's commit that can be taken over, or None.
        reasons: why it must be made: new, damaged, failed, or what it is made from that differs (clips, options,
            models, code, corrections); empty where something can stand.
        corrections: what is applied to it.
    """

    plan: ShardPlan
    made_from: dict[str, str]
    standing: ShardSummary | None
    in_base: ShardSummary | None
    reasons: tuple[str, ...]
    corrections: Sequence[Group] = ()


class JudgeShards(beam.PTransform[PCollection[ShardPlan], PCollection[Judgement]]):
    """Says of every shard what there is of it.

    Args:
        judge: by what.
    """

    def __init__(self, judge: "Judge") -> None:
        super().__init__()
        self._judge = judge

    def expand(self, shards: PCollection[ShardPlan]) -> PCollection[Judgement]:
        """Judges where the shards are planned: there is little to it."""
        return shards | "Look" >> beam.ParDo(_Look(self._judge))


class _Look(beam.DoFn):
    def __init__(self, judge: "Judge") -> None:
        self._judge = judge

    def start_bundle(self) -> None:
        self._judge.prepare()

    def process(self, plan: ShardPlan) -> Iterator[Judgement]:
        yield self._judge(plan)


def standing(judgement: Judgement) -> Iterator[ShardSummary]:
    """The commit of a shard that can stay as it is; the mill does not see it, so it is counted here."""
    if judgement.standing:
        count_shard(None, 0)
        yield judgement.standing


def work(judgement: Judgement) -> Iterator[ShardPlan]:
    """A shard that cannot stay as it is."""
    if not judgement.standing:
        yield judgement.plan


class Judge:
    """Compares a shard with what there is of it, in the data set and in its base.

    Args:
        settings: options of labelling.
        models: the networks.
        output: the data set.
        base: another data set whose shards can be taken over, or None.
        retries_failed: whether shards with failures are made again though nothing has changed.
    """

    def __init__(
        self,
        settings: LabelSettings,
        models: tuple[ModelRef, ...],
        output: str,
        base: str | None,
        *,
        retries_failed: bool,
    ) -> None:
        self._settings = settings
        self._models = models
        self._output = output
        self._base = base
        self._retries_failed = retries_failed
        self._sizes: Sizes = {}
        self._base_sizes: Sizes = {}
        self._corrections = Corrections(())

    def prepare(self) -> None:
        """Lists what is committed, once a bundle."""
        self._sizes = _sizes(open_store(self._output))
        self._base_sizes = _sizes(open_store(self._base)) if self._base else {}
        self._corrections = Corrections(corrections_of(self._output, self._base))

    def __call__(self, plan: ShardPlan) -> Judgement:
        """What there is of a shard."""
        groups = self._corrections.groups(plan.name, [part.clip.clip_id for part in plan.parts])
        made_from = with_corrections(ingredients(plan, self._settings, self._models), groups_digest(groups))
        summary, reasons = self._look(self._output, self._sizes, plan.name, made_from)
        if not reasons:
            return Judgement(plan, made_from, without_links(summary) if summary else None, None, (), groups)
        if self._base:
            other, missing = self._look(self._base, self._base_sizes, plan.name, made_from)
            if not missing:
                return Judgement(plan, made_from, None, other, (), groups)
        return Judgement(plan, made_from, None, None, reasons, groups)

    def _look(
        self, place: str, sizes: Sizes, name: str, made_from: dict[str, str]
    ) -> tuple[ShardSummary | None, tuple[str, ...]]:
        """A shard's commit, and what speaks against it."""
        has_file = f"{name}.parquet" in sizes["frames"]
        summary = read_commit(open_store(place), name) if has_file else None
        if summary is None:
            return None, ("damaged" if has_file else "new",)
        if not summary.made_from:
            return summary, ("code",)
        # corrections may be among what it was made from and are not any more
        keys = (*made_from, *(summary.made_from.keys() - made_from.keys()))
        changed = tuple(key for key in keys if summary.made_from.get(key) != made_from.get(key))
        if not changed and not is_whole(summary, sizes):
            changed = ("damaged",)
        elif not changed and any(failure.retryable or self._retries_failed for failure in summary.failures):
            changed = ("failed",)
        return summary, changed


def corrections_of(output: str, base: str | None) -> tuple[Correction, ...]:
    """What is said of a data set's clips: in itself, and in the one that it takes shards over from.

    Args:
        output: the data set.
        base: the other one, or None.

    Raises:
        CorrectionsError: a table of corrections cannot be read.
    """
    own = read_corrections(open_store(output))
    return joined(own, read_corrections(open_store(base))) if base else own


def _sizes(store: Store) -> Sizes:
    return {table: store.sizes(table) for table in SHARD_TABLES}
