"""A corrected file: which clips it is about, and what it says of their labels."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import duckdb

from transforms.corrections.comparing import Told, compare
from transforms.corrections.corrected_files import CorrectedFile, CorrectedFileError, FileClip
from transforms.corrections.correction import Correction
from transforms.exports.frames import Clip
from transforms.exports.labelled_set import LabelledSet
from transforms.exports.settings import ExportSettings

_ASKED: Final = 100
"""Labels by which the clip of a file is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a file says of a data set.

    Attributes:
        clips: ids of the clips that it is about.
        frames: how many it is about.
        corrections: what it says.
    """

    clips: Sequence[str]
    frames: int
    corrections: Sequence[Correction]


def clips_of(
    data: duckdb.DuckDBPyConnection, file: CorrectedFile, name: str, asked: str | None
) -> dict[str, FileClip]:
    """What a file says, by clip.

    A file that does not name its clip is of the clip of its labels, else of the one that its task is called after.

    Args:
        data: the data set, opened for SQL.
        file: the file.
        name: what messages call it.
        asked: the clip that the user names, or None.

    Raises:
        CorrectedFileError: the clip cannot be told.
    """
    if "" not in file.clips:
        return dict(file.clips)
    told = file.clips[""]
    ids = sorted({box.detection_id for boxes in told.boxes.values() for box in boxes if box.detection_id})
    found = (
        asked or _clip_of_labels(data, ids[:: max(1, len(ids) // _ASKED)]) or _clip_of_names(data, told.names)
    )
    if found is None:
        raise CorrectedFileError(
            f"{name}: of which clip is it? none of its labels is in the data set, and its task is not called after a clip; "
            "name it with --clip, or see docs/corrections.md"
        )
    return {found: told}


def _clip_of_labels(data: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> str | None:
    found = data.execute(
        "SELECT clip_id FROM detections WHERE list_contains(?::VARCHAR[], detection_id) GROUP BY ALL ORDER BY count(*) DESC",
        [list(ids)],
    ).fetchone()
    return None if found is None else str(found[0])


def _clip_of_names(data: duckdb.DuckDBPyConnection, names: Sequence[str]) -> str | None:
    found = data.execute(
        "SELECT DISTINCT clip_id FROM clips WHERE duplicate_of IS NULL"
        " AND list_bool_or([contains(name, clip_id) FOR name IN ?::VARCHAR[]])",
        [list(names)],
    ).fetchall()
    return str(found[0][0]) if len(found) == 1 else None


def labels_of_clip(data: duckdb.DuckDBPyConnection, clip_id: str) -> frozenset[str]:
    """Ids of every label of a clip.

    Args:
        data: the data set, opened for SQL.
        clip_id: the clip.
    """
    found = data.execute("SELECT detection_id FROM detections WHERE clip_id = ?", [clip_id]).fetchall()
    return frozenset(str(row[0]) for row in found)


def take_in(
    data: duckdb.DuckDBPyConnection,
    labels: LabelledSet,
    told: Mapping[str, FileClip],
    settings: ExportSettings,
    about: Told,
) -> Taken:
    """What a file says of clips.

    Args:
        data: the data set, opened for SQL.
        labels: the same, opened for export.
        told: what the file says, by clip.
        settings: which boxes were exported.
        about: by whom and when.

    Raises:
        CorrectedFileError: a clip has no labels, or the file is about other frames or labels.
        ExportError: the labels cannot be read.
    """
    every = replace(settings, clips=tuple(sorted(told)), cameras=())
    clips = labels.chosen(every)
    if missing := told.keys() - {clip.clip_id for clip in clips}:
        raise CorrectedFileError(f"{about.source}: the data set has no labelled frame of clip {min(missing)}")
    found = [
        item
        for clip in clips
        for item in _of_clip(
            labels, clip, told[clip.clip_id], every, about, labels_of_clip(data, clip.clip_id)
        )
    ]
    frames = sum(len(item.boxes) for item in told.values())
    return Taken(clips=[clip.clip_id for clip in clips], frames=frames, corrections=found)


def _of_clip(
    labels: LabelledSet,
    clip: Clip,
    told: FileClip,
    settings: ExportSettings,
    about: Told,
    known: Collection[str],
) -> list[Correction]:
    frames = list(labels.frames(clip, settings))
    return compare(clip.clip_id, frames, told, known, settings.model or None, about)
