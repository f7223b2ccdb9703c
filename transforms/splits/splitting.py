"""Splitting a data set, or bringing its splits up to date, beside its labels."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from transforms.splits.drives import drives_of
from transforms.splits.figures import drive_hours, split_figures, tie_figures
from transforms.splits.rule import HELD_OUT, SPLITS, Drive, Placed, place, torn
from transforms.splits.table import TABLE, SplitsError, read_splits, splits_by_version, splits_table
from transforms.splits.versions import (
    DEFAULT_SHARES,
    DEFAULT_TIES,
    TIES,
    SplitUsageError,
    SplitVersion,
    make_version,
)
from transforms.tables.commits import committed_shards, read_commit
from transforms.tables.files import read_parquet
from transforms.tables.layout import DUPLICATES, table_file
from transforms.tables.replacing import replace_whole
from transforms.tables.schemas import CLIPS, EVENTS
from transforms.tables.store import LocalStore

_MOST_OF_IT: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a user asks for; what is not said stays as the version has it, or is the default.

    Attributes:
        name: of the version; None: one that tells ties and shares.
        by: the ties.
        shares: of train, val and test.
        base: a data set whose places come first, or None.
    """

    name: str | None = None
    by: str | None = None
    shares: str | None = None
    base: Path | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """A data set that was split.

    Attributes:
        version: the version.
        placed: where its drives are.
        new: drives that had no split before.
        figures: what each split holds: see `split_figures`.
        ties: what each tie would make of it: see `tie_figures`.
        torn: what ties, but stands in several splits, by tie.
        versions: names of all versions of the data set.
    """

    version: SplitVersion
    placed: list[Placed]
    new: int
    figures: dict[str, dict[str, Any]]
    ties: dict[str, dict[str, Any]]
    torn: Counter[str]
    versions: list[str]

    def notes(self) -> list[str]:
        """What a user should know of it."""
        notes = []
        shares = dict(zip(SPLITS, self.version.shares, strict=True))
        empty = [name for name in SPLITS if shares[name] and not self.figures[name]["drives"]]
        own = self.ties[self.version.tied_by]
        if empty and self.placed:
            notes.append(
                f"no drive is in {' or '.join(empty)}: {own['groups']} groups, of which the largest has "
                f"{own['largest_share']:.0%} of the camera-hours; --by chooses other ties"
            )
        elif own["largest_share"] > _MOST_OF_IT:
            notes.append(
                f"one group has {own['largest_share']:.0%} of the camera-hours, and goes together: shares of the rest are "
                "rough; --by chooses other ties"
            )
        if held := self.figures[HELD_OUT]["drives"]:
            notes.append(
                f"{held} of {len(self.placed)} drives are in no split (none): they are tied to drives of several"
            )
        if self.torn:
            kinds = ", ".join(f"{count} by {name}" for name, count in sorted(self.torn.items()))
            notes.append(
                f"{self.torn.total()} ties go from one split to another ({kinds}): drives have grown since they were placed"
            )
        return notes


def split(root: Path, wanted: Wanted, *, dry_run: bool) -> Split:
    """Places the drives of a data set, those that have a split by the same version as before.

    Args:
        root: the data set's folder, finished, locked by the caller.
        wanted: what the user asks for.
        dry_run: only tell.

    Raises:
        SplitUsageError: it makes no sense, or is something else than what the version has been so far.
        SplitsError: a table of splits cannot be read.
        NotADatasetError: the data set's manifest is missing.
    """
    store = LocalStore(root)
    said = splits_by_version(read_splits(store))
    base = _of_base(wanted.base) if wanted.base else {}
    version = _version(wanted, [*said, *base])
    if wanted.base and version not in base:
        names = ", ".join(sorted(item.name for item in base)) or "none"
        raise SplitUsageError(
            f"{wanted.base}: no version {version.name} of splits there (there are: {names})"
        )
    own = said.get(version, [])
    known = {item.drive_id for item in own}
    earlier = [*own, *(item for item in base.get(version, ()) if item.drive_id not in known)]
    drives = _drives(store)
    placed = place(drives, earlier, version)
    said[version] = placed
    old = {item.drive_id for item in earlier}
    done = Split(
        version=version,
        placed=placed,
        new=sum(item.drive_id not in old and item.rule != "kept" for item in placed),
        figures=split_figures(root, splits_table({version: placed})),
        ties=tie_figures(drives, drive_hours(root), version),
        torn=torn(drives, placed, version.ties),
        versions=sorted(item.name for item in said),
    )
    if not dry_run:
        replace_whole(store, TABLE, splits_table(said))
    return done


def _of_base(base: Path) -> dict[SplitVersion, list[Placed]]:
    try:
        return splits_by_version(read_splits(LocalStore(base)))
    except SplitsError as error:
        raise SplitsError(f"{base}: {error}") from error


def _version(wanted: Wanted, known: list[SplitVersion]) -> SplitVersion:
    """The version that is meant: a known name stands for its ties and shares."""
    if wanted.name is not None:
        for version in known:
            if version.name != wanted.name:
                continue
            asked = make_version(
                wanted.name,
                version.tied_by if wanted.by is None else wanted.by,
                version.shares_text if wanted.shares is None else wanted.shares,
            )
            if asked != version:
                raise SplitUsageError(
                    f"version {wanted.name} is by {version.tied_by} with shares {version.shares_text}: "
                    "give another one a name of its own (--version)"
                )
            return version
    return make_version(
        wanted.name,
        DEFAULT_TIES if wanted.by is None else wanted.by,
        DEFAULT_SHARES if wanted.shares is None else wanted.shares,
    )


def _drives(store: LocalStore) -> list[Drive]:
    commits = (read_commit(store, name) for name in committed_shards(store))
    shards = [commit for commit in commits if commit is not None]
    copies = _read(store, table_file("clips", DUPLICATES), CLIPS)
    return drives_of(store, shards, copies, _read(store, table_file("events"), EVENTS), TIES)


def _read(store: LocalStore, path: str, schema: pa.Schema) -> pa.Table:
    try:
        return read_parquet(store.read(path))
    except FileNotFoundError:
        return schema.empty_table()
