"""What `forget` and `prune` have in common: a removal that was cut short, and what is told of one."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from pipelines.blurring import is_required
from pipelines.changing import changing
from pipelines.outcome import Outcome, UsageError
from transforms.removal.exported import ForgottenExport
from transforms.removal.known import KnownClip
from transforms.removal.removing import Removed, remove, resume, was_cut_short
from transforms.removal.selecting import Selection
from transforms.storage import open_stream

_SHOWN = 10
"""Clips that are named one by one where a person reads; --json names all."""

_EXPORTS = {
    "written anew": "export: {0} ({1}): written anew without them",
    "deleted": "export: {0} ({1}): deleted",
    "left": "note: {0}: no {1} export of this data set is there any more that can be written anew or deleted: wherever it is, it may hold them: delete it",
}


def remove_selected(
    root: Path, choose: Callable[[], Selection | None], *, dry_run: bool, word: str
) -> Outcome:
    """Removes clips from a data set under its lock; one that was cut short is finished first.

    Args:
        root: the data set's folder.
        choose: finds what is to go; None where nothing more is, once an earlier removal has been finished.
        dry_run: only tell, without the lock: nothing is written.
        word: what is done, in the past tense.

    Raises:
        UsageError: there is no data set.
        JobError: another command is writing it, or it is of another schema.
    """
    sealed = "remove from the data set that it was made of, then run `clipmill compact` again"
    with changing(root, sealed, dry_run=dry_run):
        notes = []
        resumed = None
        if dry_run and was_cut_short(root):
            notes.append("a removal was cut short: the same command without --dry-run finishes it first")
        elif not dry_run:
            resumed = resume(root, open_stream, must_blur=is_required())
        if resumed is not None:
            notes.append(
                f"a removal of {_count(len(_files(resumed)), 'file')} that was cut short is finished"
            )
        try:
            selection = choose()
        except UsageError:
            if resumed is None:
                raise
            # what the same command has removed is not found again
            selection = None
        removed = (
            None
            if selection is None
            else remove(root, selection, open_stream, dry_run=dry_run, must_blur=is_required())
        )
    return _outcome(root, selection or resumed, removed, notes, dry_run=dry_run, word=word)


def _files(selection: Selection) -> dict[str, KnownClip]:
    """One entry a file, the one that knows most of it."""
    return {clip.uri: clip for clip in sorted(selection.clips, key=lambda clip: len(clip.content_sha256))}


def _is_there(uri: str) -> bool:
    if "://" not in uri:
        return Path(uri).exists()
    try:
        open_stream(uri).close()
    except (OSError, ValueError):
        return False
    return True


def _outcome(
    root: Path,
    selection: Selection | None,
    removed: Removed | None,
    notes: list[str],
    *,
    dry_run: bool,
    word: str,
) -> Outcome:
    files = _files(selection) if selection else {}
    clips = [
        {"clip_id": files[uri].clip_id or None, "uri": uri, "file_is_there": _is_there(uri)}
        for uri in sorted(files)
    ]
    removed = removed or Removed(
        rows={}, shards_removed=0, shards_rewritten=0, records=0, pictures=0, exports=()
    )
    data = {
        "dataset": str(root),
        "dry_run": dry_run,
        "clips": clips,
        "rows": dict(removed.rows),
        "shards": {"removed": removed.shards_removed, "rewritten": removed.shards_rewritten},
        "records": removed.records,
        "pictures": removed.pictures,
        "exports": [asdict(found) for found in removed.exports],
        "notes": notes,
    }
    rows = ", ".join(f"{count} {name}" for name, count in removed.rows.items()) or "none"
    lines = [
        f"{root}: {'would have ' if dry_run else ''}{word} {_count(len(clips), 'file')}",
        *(f"  {clip['uri']}" for clip in clips[:_SHOWN]),
        *([f"  and {len(clips) - _SHOWN} more"] if len(clips) > _SHOWN else []),
        f"rows: {rows}",
        (
            f"shards: {removed.shards_removed} removed, {removed.shards_rewritten} written anew without them; "
            f"{_count(removed.records, 'record')} of runs and {_count(removed.pictures, 'picture')}"
        ),
        *(_told(found) for found in removed.exports),
        *(f"note: {note}" for note in notes),
    ]
    there = [str(clip["uri"]) for clip in clips if clip["file_is_there"]]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        lines.append(
            f"note: {there[0]}{more}: the clips themselves are still there, and the next label over them labels them "
            "again; delete or move them"
        )
    return Outcome(data, ("\n".join(lines),))


def _told(found: ForgottenExport) -> str:
    told = _EXPORTS[found.fate].format(found.output, found.form)
    return f"{told}: it cannot be written anew without them: {found.reason}" if found.reason else told


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
