"""Removing clips from a data set so that a removal that is killed can be finished.

What stays of a shard is first written aside; then a note says what is to go; only then is anything removed. Every
step after the note may be done again, and the note goes last.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from transforms.corrections.table import Corrections, read_corrections, without_clips
from transforms.removal.exported import ForgottenExport, forget_in_exports
from transforms.removal.finishing import event_cameras, finish, unnamed, whole_without
from transforms.removal.known import clips_in_tables
from transforms.removal.mentions import Mentions
from transforms.removal.records import clean_records, remove_pictures
from transforms.removal.selecting import Selection
from transforms.removal.shrinking import shrink, shrinkings
from transforms.tables.aside import commits_of, put_in_place, put_the_rest_in_place
from transforms.tables.commits import commit_shard
from transforms.tables.digests import canonical_json
from transforms.tables.layout import REMOVAL
from transforms.tables.schemas import TABLES
from transforms.tables.store import LocalStore

_NOTE = "removal.json"

OpenStream = Callable[[str], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What a removal came to.

    Attributes:
        rows: rows removed, by table.
        shards_removed: shards of which nothing stays.
        shards_rewritten: shards that were written anew without some of their rows.
        records: files of runs that were changed or removed.
        pictures: pictures removed.
        exports: exports that held any of it, and what became of them.
    """

    rows: Mapping[str, int]
    shards_removed: int
    shards_rewritten: int
    records: int
    pictures: int
    exports: Sequence[ForgottenExport]


def remove(
    root: Path,
    selection: Selection,
    open_stream: OpenStream,
    *,
    dry_run: bool = False,
    must_blur: bool = False,
) -> Removed:
    """Removes clips and all that is known of them; what stays is sound.

    Args:
        root: the data set's folder, locked by the caller.
        selection: what is to go.
        open_stream: opens a clip's URI, for exports that are written anew.
        dry_run: only count.
        must_blur: no image of an export is written anew with faces or plates as they are.
    """
    return _remove(root, selection, frozenset(), open_stream, dry_run=dry_run, must_blur=must_blur)


def _remove(
    root: Path,
    selection: Selection,
    gone: frozenset[str],
    open_stream: OpenStream,
    *,
    dry_run: bool,
    must_blur: bool,
) -> Removed:
    """The same, with the names of shards that an earlier try has removed."""
    store, aside = LocalStore(root), LocalStore(root / REMOVAL)
    known = clips_in_tables(store)
    shards = list(commits_of(store).values())
    affected = shrinkings(store, shards, selection, known)
    staying = Corrections(without_clips(read_corrections(store), selection.clip_ids))
    rows: Counter[str] = Counter()
    rewritten = {}
    for what in affected:
        rows.update(what.shard.counts)
        if not what.is_whole:
            summary, tables = shrink(store, what, staying)
            rows.subtract(summary.counts)
            rewritten[what.shard.name] = summary if dry_run else commit_shard(aside, summary, tables)
    rows["objects"] = rows["tracks"]
    chosen = set(selection.clips)
    kept = [clip for clip in known if clip not in chosen]
    before = whole_without(store, Selection(clips=()), {})
    whole = whole_without(store, selection, event_cameras(selection, kept))
    rows.update({name: before[name].num_rows - table.num_rows for name, table in whole.items()})
    removed = {what.shard.name for what in affected if what.is_whole}
    mentions = Mentions(selection, kept, removed | gone)
    whole["corrections"] = unnamed(whole["corrections"], mentions)
    if not dry_run:
        note = {
            "selection": selection.as_json(),
            "rewritten": {what.shard.name: what.shard.label_digest for what in affected if not what.is_whole},
            "removed": sorted(removed | gone),
        }
        aside.write(_NOTE, canonical_json(note).encode())
        for stray in store.strays():
            stray.unlink(missing_ok=True)
        for name in sorted(rewritten):
            put_in_place(store, aside, name)
        finish(
            store, [rewritten.get(shard.name, shard) for shard in shards if shard.name not in removed], whole
        )
    records = clean_records(root, mentions, dry_run=dry_run)
    pictures = remove_pictures(root, selection.uris, dry_run=dry_run)
    exports = forget_in_exports(root, selection.clip_ids, open_stream, dry_run=dry_run, must_blur=must_blur)
    if not dry_run:
        _tidy(root)
    return Removed(
        rows={name: rows[name] for name in TABLES if rows[name]},
        shards_removed=len(removed),
        shards_rewritten=len(rewritten),
        records=records,
        pictures=pictures,
        exports=exports,
    )


def was_cut_short(root: Path) -> bool:
    """Whether a removal was begun and not finished."""
    return (root / REMOVAL / _NOTE).is_file()


def resume(root: Path, open_stream: OpenStream, *, must_blur: bool = False) -> Selection | None:
    """Finishes a removal that was killed; leftovers of one that had not begun to remove are thrown away.

    Args:
        root: the data set's folder, locked by the caller.
        open_stream: opens a clip's URI, for exports that are written anew.
        must_blur: as of `remove`.

    Returns:
        What it was to remove, or None where there was none.
    """
    store, aside = LocalStore(root), LocalStore(root / REMOVAL)
    try:
        note = json.loads(aside.read(_NOTE))
    except FileNotFoundError:
        _tidy(root)
        return None
    put_the_rest_in_place(store, aside, note["rewritten"])
    selection = Selection.from_json(note["selection"])
    _remove(root, selection, frozenset(note["removed"]), open_stream, dry_run=False, must_blur=must_blur)
    return selection


def _tidy(root: Path) -> None:
    """Removes what was written aside, the note last: until then the removal can be finished."""
    folder = root / REMOVAL
    for path in folder.glob("*"):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _NOTE:
            path.unlink(missing_ok=True)
    if folder.is_dir():
        (folder / _NOTE).unlink(missing_ok=True)
        folder.rmdir()
