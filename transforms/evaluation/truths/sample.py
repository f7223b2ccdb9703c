"""The folder `truth` of `clipmill sample`: evaluation.parquet, with frames, clips and boxes beside it."""

import pyarrow as pa

from transforms.evaluation.truths.files import Files, TruthError
from transforms.evaluation.truths.parquet import columns_of, read_boxes, read_frames
from transforms.evaluation.truths.truth import Truth, occlusion_by_visibility


def read(files: Files, fps: float | None) -> Truth:  # noqa: ARG001 - every reader is asked the same way
    """Reads a sample's truth.

    Args:
        files: the folder's files.
        fps: not needed: frames are timed.

    Raises:
        TruthError: a file is missing or cannot be read.
    """
    if missing := [name for name in ("frames.parquet", "clips.parquet") if name not in files]:
        raise TruthError(f"{files['evaluation.parquet'].name}: no {' and no '.join(missing)} beside it")
    boxes = read_boxes(files["evaluation.parquet"])
    if "boxes.parquet" in files:
        boxes = _with_occlusion(boxes, files)
    clips = columns_of(files["clips.parquet"], ("clip_id", "file"), ("light",))
    ids = [str(clip) for clip in clips["clip_id"].to_pylist()]
    names: dict[str, list[str]] = {}
    for clip, file in zip(ids, clips["file"].to_pylist(), strict=True):
        names.setdefault(clip, []).append(str(file))
    lights = clips["light"].to_pylist() if "light" in clips.column_names else []
    return Truth(
        form="sample",
        boxes=boxes,
        frames=read_frames(files["frames.parquet"]),
        files=names,
        lights={clip: str(light) for clip, light in zip(ids, lights, strict=False) if light is not None},
    )


def _with_occlusion(boxes: pa.Table, files: Files) -> pa.Table:
    """The boxes with what boxes.parquet knows of how much is hidden."""
    key = ("clip_id", "timestamp_ns", "track_id")
    known = columns_of(files["boxes.parquet"], (*key, "visibility"))
    visible = dict(zip(_keys(known, key), known["visibility"].to_pylist(), strict=True))
    occlusions = [occlusion_by_visibility(visible.get(row)) for row in _keys(boxes, key)]
    place = boxes.column_names.index("occlusion")
    return boxes.set_column(place, "occlusion", pa.array(occlusions, pa.string()))


def _keys(table: pa.Table, names: tuple[str, ...]) -> list[tuple[object, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))
