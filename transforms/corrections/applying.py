"""Corrections put into a data set, so that whoever is killed meanwhile can finish.

The shards that change are first written aside with the table of corrections; then a note says which; only then is
anything replaced. Every step after the note may be done again until the note is gone.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from transforms.corrections.correction import Correction
from transforms.corrections.outcomes import conflicts_of, corrected
from transforms.corrections.overlay import overlaid
from transforms.corrections.table import (
    MOST_CORRECTIONS,
    TABLE,
    Corrections,
    CorrectionsError,
    Group,
    corrections_table,
    groups_digest,
    read_corrections,
)
from transforms.labels.ingredients import CORRECTED, label_digest
from transforms.removal.finishing import finish, whole_without
from transforms.removal.selecting import Selection
from transforms.tables.aside import commits_of, put_the_rest_in_place, rows_of
from transforms.tables.commits import ShardSummary, commit_shard, encode, file_metadata
from transforms.tables.digests import canonical_json
from transforms.tables.layout import CORRECTING, CORRECTING_NOTE, table_file
from transforms.tables.schemas import DETECTIONS
from transforms.tables.store import LocalStore, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an application came to.

    Attributes:
        shards: names of the shards that changed.
        conflicts: correction_id → why it does not stand as it was said; of all corrections of the data set.
    """

    shards: Sequence[str]
    conflicts: dict[str, str]


def apply(root: Path, new: Sequence[Correction], *, dry_run: bool = False) -> Applied:
    """Adds corrections to a data set, and to the labels that they concern.

    Args:
        root: the data set's folder, locked by the caller.
        new: what is said anew, numbered after what is there.
        dry_run: only tell.

    Raises:
        CorrectionsError: there are too many, or a shard holds other corrections than the table tells.
    """
    store, aside = LocalStore(root), LocalStore(root / CORRECTING)
    every = (*read_corrections(store), *new)
    if len(every) > MOST_CORRECTIONS:
        raise CorrectionsError(
            f"{root}: {len(every)} corrections in all; at most {MOST_CORRECTIONS} are kept: split the data set"
        )
    # what no table can hold is refused before anything is written
    content = encode(corrections_table(every), file_metadata())
    commits = commits_of(store)
    by_shard = Corrections(every)
    before: dict[str, str] = {}
    for name, commit in commits.items():
        groups = by_shard.groups(name, [clip for clip, _ in commit.clips])
        if groups_digest(groups) == commit.made_from.get(CORRECTED):
            continue
        summary, tables = _shard(store, commit, groups)
        commits[name], before[name] = summary, commit.label_digest
        if not dry_run:
            commit_shard(aside, summary, tables)
    conflicts = conflicts_of(every, commits.values())
    if not dry_run:
        aside.write(table_file(TABLE), content)
        aside.write(CORRECTING_NOTE, canonical_json({"before": before}).encode())
        resume(root)
    return Applied(shards=tuple(before), conflicts=conflicts)


def resume(root: Path) -> bool:
    """Finishes an application; leftovers of one that had not begun to replace anything are thrown away.

    Args:
        root: the data set's folder, locked by the caller.

    Returns:
        Whether there was one to finish.

    Raises:
        CorrectionsError: what was written aside is not whole.
    """
    store, aside = LocalStore(root), LocalStore(root / CORRECTING)
    try:
        before = json.loads(aside.read(CORRECTING_NOTE))["before"]
    except FileNotFoundError:
        _tidy(root)
        return False
    if not aside.sizes(TABLE):
        raise CorrectionsError(
            f"{root / CORRECTING}: the table of corrections that {CORRECTING_NOTE} tells of is gone: put it back from a copy, or "
            "remove the folder and take the last corrected file in again"
        )
    every = read_corrections(aside)
    put_the_rest_in_place(store, aside, before)
    commits = commits_of(store)
    tables = whole_without(store, Selection(clips=()), {})
    tables[TABLE] = corrections_table(every, conflicts_of(every, commits.values()))
    finish(store, [commits[name] for name in sorted(commits)], tables)
    _tidy(root)
    return True


def _shard(
    store: Store, commit: ShardSummary, groups: Sequence[Group]
) -> tuple[ShardSummary, dict[str, pa.Table]]:
    """A shard with corrections that it does not have yet: those it has come first."""
    held = commit.made_from.get(CORRECTED)
    done = next((count for count in range(len(groups)) if groups_digest(groups[:count]) == held), None)
    if done is None:
        raise CorrectionsError(
            f"the shard {commit.name} holds other corrections than the table tells: label its clips again first"
        )
    tables = rows_of(store, commit.name)
    made = overlaid(
        tables["detections"], tables["frames"], groups[done:], [model.sha256 for model in commit.models]
    )
    made_from = {**commit.made_from, CORRECTED: str(groups_digest(groups))}
    summary = replace(
        corrected(commit, made), files=(), made_from=made_from, label_digest=label_digest(made_from)
    )
    return summary, {**tables, "detections": made.detections.cast(DETECTIONS)}


def _tidy(root: Path) -> None:
    """Removes what was written aside, the note first: what it tells of is whole as long as it is there."""
    folder = root / CORRECTING
    (folder / CORRECTING_NOTE).unlink(missing_ok=True)
    if folder.is_dir():
        shutil.rmtree(folder)
