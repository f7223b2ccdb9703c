"""What may be chosen of an export where the data set, and what stands at its place, are known."""

import argparse
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.outcome import UsageError

if TYPE_CHECKING:
    from transforms.exports.labelled_set import LabelledSet
    from transforms.exports.settings import ExportSettings

__all__ = ["known_or_refused", "narrowed", "refuse_place"]


def known_or_refused(option: str, asked: Collection[str], known: Collection[str]) -> None:
    """Refuses values of an option that there are not.

    Raises:
        UsageError: one is not known; the message lists those that are.
    """
    for name in asked:
        if name not in known:
            raise UsageError(f"{option} {name}: there is {', '.join(known) or 'none'}")


def narrowed(
    settings: "ExportSettings", labels: "LabelledSet", arguments: argparse.Namespace
) -> "ExportSettings":
    """The settings with what only the data set can tell: its cameras, clips and networks.

    Args:
        settings: what the options say.
        labels: the data set.
        arguments: the options.

    Raises:
        UsageError: the data set has no such camera, clip, network or version of splits, or several.
    """
    from transforms.removal.selecting import AmbiguousError, NotFoundError, select

    known_or_refused("--camera", settings.cameras, sorted(labels.cameras))
    if arguments.clip:
        try:
            found = select(arguments.dataset, clips=arguments.clip).clip_ids
        except (NotFoundError, AmbiguousError) as error:
            raise UsageError(str(error)) from error
        # a file that failed has no id
        chosen = labels.chosen(replace(settings, clips=tuple(found))) if found else []
        settings = replace(settings, clips=tuple(sorted(clip.clip_id for clip in chosen)))
        if not chosen:
            raise UsageError(f"--clip {arguments.clip[0]}: has no labelled frames")
    version = _split_version(settings, labels, arguments.split_version)
    return replace(settings, model=_model(labels.models, arguments.model), split_version=version)


def _split_version(settings: "ExportSettings", labels: "LabelledSet", asked: str | None) -> str:
    """The version of the splits that is told; "" where the format has no place for it or nobody has split."""
    from transforms.exports.formats import FORMATS

    if not FORMATS[settings.form].has_splits:
        return ""
    versions = sorted(labels.split_versions())
    if asked is None and len(versions) > 1:
        raise UsageError(
            f"several versions of the splits: choose one with --split-version: {', '.join(versions)}"
        )
    if asked is not None:
        known_or_refused("--split-version", [asked], versions)
    return asked or next(iter(versions), "")


def _model(models: dict[str, str], asked: str | None) -> str:
    """The sha256 of the network whose labels are exported: two networks label each object twice."""
    shortest_digest = 6
    found = [
        sha256
        for sha256, name in models.items()
        if asked in {None, name} or (asked and len(asked) >= shortest_digest and sha256.startswith(asked))
    ]
    if len(found) == 1 or (not models and asked is None):
        return found[0] if found else ""
    names = ", ".join(sorted(f"{name} ({sha256[:12]})" for sha256, name in models.items())) or "none"
    if asked is None:
        raise UsageError(f"labels of several networks: choose one with --model: {names}")
    raise UsageError(f"--model {asked}: there is {names}")


def refuse_place(dataset: Path, output: Path, form: str) -> None:
    """The export goes where nothing is, or where it has been before.

    Args:
        dataset: folder of the data set, absolute.
        output: folder of the export, absolute.
        form: its format.

    Raises:
        UsageError: something else is there, or nothing may be there.
    """
    from transforms.clips.vins import holds_vin, mask_vins
    from transforms.exports.folder import RECORD
    from transforms.exports.places import fault_of_place
    from transforms.exports.record import read_record

    if holds_vin(str(output)):
        raise UsageError(
            f"{mask_vins(str(output))} holds a vehicle identification number, which the data set would keep; "
            "rename the folder, or give a link to it (ln -s) with another name"
        )
    if fault := fault_of_place(dataset, output):
        raise UsageError(f"{output}: {fault}")
    if not output.is_dir() or not any(output.iterdir()):
        return
    found = read_record(output)
    if found is None:
        raise UsageError(
            f"{output}: not empty, and no export ({RECORD} is missing); choose a new or empty folder"
        )
    if found.settings.form != form or not found.is_of(dataset):
        raise UsageError(
            f"{output}: holds a {found.settings.form} export of {found.dataset}; choose another folder or delete it"
        )
