"""Exports of a data set that hold clips which are to go: written anew without them, or deleted."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from transforms.exports.exporting import absolute, export
from transforms.exports.folder import ForeignFolderError, finish_killed, remove_export
from transforms.exports.labelled_set import LabelledSet
from transforms.exports.places import fault_of_place
from transforms.exports.record import read_record
from transforms.exports.remembered import RememberedExport, forget_export, remembered
from transforms.exports.settings import ExportSettings
from transforms.labels.privacy.settings import Blur
from transforms.tables.store import LocalStore

Fate = Literal["written anew", "deleted", "left"]


@dataclass(frozen=True, slots=True)
class ForgottenExport:
    """An export that a removal came upon.

    Attributes:
        output: absolute path of its folder.
        form: its format.
        fate: what became of it; `left` where what stands at its place cannot be told to be it, or cannot be removed.
        reason: why it was deleted, where clips of it are still in the data set; else "".
    """

    output: str
    form: str
    fate: Fate
    reason: str = ""


def forget_in_exports(
    root: Path,
    clip_ids: Collection[str],
    open_stream: Callable[[str], BinaryIO],
    *,
    dry_run: bool,
    must_blur: bool,
) -> list[ForgottenExport]:
    """Takes clips out of every export of a data set that is remembered and holds them.

    Args:
        root: the data set's folder, which no longer holds the clips.
        clip_ids: ids of the clips.
        open_stream: opens a clip's URI: images of the clips that stay are decoded anew.
        dry_run: only tell what would become of them.
        must_blur: images are blurred by rule where the export's own settings leave faces or plates as they are.

    Returns:
        Those that hold any of the clips, or that are not where they were written.
    """
    store = LocalStore(root)
    found = []
    for item in remembered(store):
        told = _forget_in(root, item, clip_ids, open_stream, dry_run=dry_run, must_blur=must_blur)
        if told is None:
            continue
        found.append(told)
        if told.fate == "deleted" and not dry_run:
            forget_export(store, item.output)
    return found


def _forget_in(
    root: Path,
    item: RememberedExport,
    clip_ids: Collection[str],
    open_stream: Callable[[str], BinaryIO],
    *,
    dry_run: bool,
    must_blur: bool,
) -> ForgottenExport | None:
    """What becomes of one export; a place that cannot be dealt with keeps none of the others."""
    place = Path(item.output)
    left = ForgottenExport(item.output, item.form, "left")
    reason = ""
    try:
        # where exports are may have been written by anybody
        if fault_of_place(root, place):
            return left
        if not dry_run:
            # what a killed export left beside may hold them as well
            finish_killed(place)
        there = read_record(place)
        if there is None or there.settings.form != item.form or not there.is_of(root):
            return left
        if there.clip_ids.isdisjoint(clip_ids):
            return None
        settings = _without(there.settings, clip_ids, must_blur=must_blur)
        if settings is not None and not there.clip_ids.issubset(clip_ids):
            reason = "" if dry_run else _written_anew(root, place, settings, open_stream)
            if not reason:
                return replace(left, fate="written anew")
        if not dry_run:
            remove_export(place)
    except (ForeignFolderError, OSError, ValueError):
        return left
    return replace(left, fate="deleted", reason=reason)


def _without(
    settings: ExportSettings, clip_ids: Collection[str], *, must_blur: bool
) -> ExportSettings | None:
    """The settings of an export without clips; None where it was of nothing else."""
    clips = tuple(clip for clip in settings.clips if clip not in clip_ids)
    if settings.clips and not clips:
        return None
    blur = Blur() if must_blur and settings.images and not settings.blur.is_whole else settings.blur
    return replace(settings, clips=clips, blur=blur)


def _written_anew(
    root: Path, place: Path, settings: ExportSettings, open_stream: Callable[[str], BinaryIO]
) -> str:
    """Exports again; why that cannot be, and the export has to go, or ""."""
    try:
        export(LabelledSet(LocalStore(root), root), absolute(root), place, settings, open_stream)
    except Exception as error:  # noqa: BLE001 - whatever speaks against it: what stands there holds them and has to go
        return " ".join(str(error).split()) or type(error).__name__
    return ""
