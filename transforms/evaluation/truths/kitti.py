"""KITTI tracking text: frame, id, type, truncated, occluded, alpha, left, top, right, bottom, ...; frames from 0."""

from collections.abc import Sequence
from typing import Final

from transforms.evaluation.truths.files import Files
from transforms.evaluation.truths.rows import (
    Row,
    TextClip,
    checked_fps,
    clip_name,
    frame_number,
    number,
    read_clips,
    track_name,
)
from transforms.evaluation.truths.truth import Truth, occlusion_of

_FEWEST_FIELDS: Final = 10
_BOX: Final = slice(6, 10)


def read(files: Files, fps: float | None) -> Truth:
    """Reads KITTI tracking labels, a file a clip.

    Args:
        files: `<clip>.txt`.
        fps: frames a second.

    Raises:
        TruthError: a file cannot be read, or the rate is not known.
    """
    texts = {path: file for path, file in sorted(files.items()) if path.endswith(".txt")}
    clips = (TextClip(clip_name(path), file, checked_fps(fps, file.name)) for path, file in texts.items())
    return Truth("kitti", read_clips(clips, _row))


def _row(parts: Sequence[str]) -> Row:
    if len(parts) < _FEWEST_FIELDS:
        raise ValueError(
            f"{len(parts)} fields; frame, id, type, truncated, occluded, alpha, left, top, right, bottom are expected"
        )
    left, top, right, bottom = (
        number(part, what) for part, what in zip(parts[_BOX], ("left", "top", "right", "bottom"), strict=True)
    )
    return Row(
        frame=frame_number(parts[0], 0),
        category=parts[2].lower(),
        track=track_name(parts[1]),
        box=(left, top, right, bottom),
        occlusion=occlusion_of(number(parts[4], "occluded")),
    )
