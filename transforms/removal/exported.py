"""Exports of a data set that hold clips which are to go: written anew without them, or deleted."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from transforms.exports.exporting import absolute, export
from transforms.exports.folder import ForeignFolderError, finish_killed, remove_export
from transforms.exports.labelled_set import LabelledSet
from transforms.exports.places import fault_of_place
from transforms.exports.record import FoundExport, read_record
from transforms.exports.remembered import RememberedExport, forget_export, remembered
from transforms.tables.store import LocalStore

Fate = Literal["written anew", "deleted", "left"]


@dataclass(frozen=True, slots=True)
class ForgottenExport:
    """An export that a removal came upon.

    Attributes:
        output: absolute path of its folder.
        form: its format.
        fate: what became of it; `left` where what stands at its place cannot be told to be it, or cannot be removed.
    """

    output: str
    form: str
    fate: Fate


def forget_in_exports(
    root: Path, clip_ids: Collection[str], open_stream: Callable[[str], BinaryIO], *, dry_run: bool
) -> list[ForgottenExport]:
    """Takes clips out of every export of a data set that is remembered and holds them.

    Args:
        root: the data set's folder, which no longer holds the clips.
        clip_ids: ids of the clips.
        open_stream: opens a clip's URI: images of the clips that stay are decoded anew.
        dry_run: only tell what would become of them.

    Returns:
        Those that hold any of the clips, or that are not where they were written.
    """
    store = LocalStore(root)
    found = []
    for item in remembered(store):
        fate = _forget_in(root, item, clip_ids, open_stream, dry_run=dry_run)
        if fate is not None:
            found.append(ForgottenExport(item.output, item.form, fate))
        if fate == "deleted" and not dry_run:
            forget_export(store, item.output)
    return found


def _forget_in(
    root: Path,
    item: RememberedExport,
    clip_ids: Collection[str],
    open_stream: Callable[[str], BinaryIO],
    *,
    dry_run: bool,
) -> Fate | None:
    """What becomes of one export; a place that cannot be dealt with keeps none of the others."""
    place = Path(item.output)
    try:
        # where exports are may have been written by anybody
        if fault_of_place(root, place):
            return "left"
        if not dry_run:
            # what a killed export left beside may hold them as well
            finish_killed(place)
        there = read_record(place)
        if there is None or there.settings.form != item.form or not there.is_of(root):
            return "left"
        if there.clip_ids.isdisjoint(clip_ids):
            return None
        if not there.clip_ids.issubset(clip_ids) and (
            dry_run or _write_anew(root, place, there, clip_ids, open_stream)
        ):
            return "written anew"
        if not dry_run:
            remove_export(place)
    except (ForeignFolderError, OSError, ValueError):
        return "left"
    return "deleted"


def _write_anew(
    root: Path,
    place: Path,
    there: FoundExport,
    clip_ids: Collection[str],
    open_stream: Callable[[str], BinaryIO],
) -> bool:
    """Exports again without the clips; False where that cannot be: then the export has to go."""
    asked = there.settings.clips
    settings = replace(there.settings, clips=tuple(clip for clip in asked if clip not in clip_ids))
    if asked and not settings.clips:
        return False
    try:
        export(LabelledSet(LocalStore(root), root), absolute(root), place, settings, open_stream)
    except Exception:  # noqa: BLE001 - whatever speaks against it: what stands there holds them and has to go
        return False
    return True
