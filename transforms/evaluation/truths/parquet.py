"""Parquet: clip_id, timestamp_ns, category, track_id, x_min_px, y_min_px, x_max_px, y_max_px.

`occluded` or `visibility` may be there too. A folder holds truth.parquet or any number of files;
frames.parquet in it (clip_id, timestamp_ns) names the frames that were labelled.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.evaluation.pairing import BOX_COLUMNS
from transforms.evaluation.truths.files import Files, TruthError, TruthFile
from transforms.evaluation.truths.truth import (
    MOST_ROWS,
    Truth,
    checked_boxes,
    occlusion_by_visibility,
    occlusion_of,
)

_FRAMES: Final = "frames.parquet"
_WHOLE: Final = "truth.parquet"
_NEGATIVE: Final = re.compile(r"-\d+(\.0)?")
_TYPES: Final[Mapping[str, pa.DataType]] = {
    "clip_id": pa.string(),
    "file": pa.string(),
    "light": pa.string(),
    "timestamp_ns": pa.int64(),
    "category": pa.string(),
    "track_id": pa.string(),
    **dict.fromkeys(BOX_COLUMNS, pa.float64()),
    "occluded": pa.float64(),
    "visibility": pa.float64(),
    "action": pa.string(),
    "sequence": pa.int64(),
}
_NEEDED: Final = ("clip_id", "timestamp_ns", "category", *BOX_COLUMNS)


def read(files: Files, fps: float | None) -> Truth:  # noqa: ARG001 - every reader is asked the same way
    """Reads Parquet files of one schema.

    Args:
        files: the files.
        fps: not needed: frames are timed.

    Raises:
        TruthError: a file cannot be read, lacks a column or holds a broken box.
    """
    paths = [path for path in sorted(files) if path.endswith(".parquet")]
    if _WHOLE in paths:
        chosen = [_WHOLE]
    else:
        chosen = [path for path in paths if PurePosixPath(path).name != _FRAMES] or paths
    tables = [read_boxes(files[path]) for path in chosen]
    if sum(table.num_rows for table in tables) > MOST_ROWS:
        raise TruthError(
            f"{files[chosen[0]].name}: more than {MOST_ROWS} boxes in all; evaluate part of the clips"
        )
    frames = read_frames(files[_FRAMES]) if _FRAMES in files and chosen != [_FRAMES] else None
    return Truth("parquet", pa.concat_tables(tables), frames)


def read_boxes(file: TruthFile) -> pa.Table:
    """The boxes of one file.

    Args:
        file: the file.

    Raises:
        TruthError: as `read`.
    """
    table = columns_of(file, _NEEDED, ("track_id", "occluded", "visibility"))
    columns: dict[str, Sequence[object]] = {
        name: table[name].to_pylist() for name in ("clip_id", "timestamp_ns", "category")
    }
    if "track_id" in table.column_names:
        # -1 is how tools without null say that there is no track
        columns["track_id"] = [
            None if track is None or _NEGATIVE.fullmatch(track) else track
            for track in table["track_id"].to_pylist()
        ]
    if "occluded" in table.column_names:
        columns["occlusion"] = [occlusion_of(level) for level in table["occluded"].to_pylist()]
    elif "visibility" in table.column_names:
        columns["occlusion"] = [occlusion_by_visibility(share) for share in table["visibility"].to_pylist()]
    # null becomes NaN, which is refused with its row
    corners = np.stack([np.array(table[name].to_pylist(), dtype=np.float64) for name in BOX_COLUMNS], axis=1)
    return checked_boxes(columns, corners, lambda row: f"{file.name}: row {row + 1}")


def read_frames(file: TruthFile) -> pa.Table:
    """clip_id and timestamp_ns of frames.

    Args:
        file: the file.

    Raises:
        TruthError: the file cannot be read, lacks a column or a value.
    """
    table = columns_of(file, ("clip_id", "timestamp_ns"))
    for name in table.column_names:
        if table[name].null_count:
            raise TruthError(f"{file.name}: {table[name].null_count} rows lack {name}")
    return table


def columns_of(file: TruthFile, needed: tuple[str, ...], welcome: tuple[str, ...] = ()) -> pa.Table:
    """Some columns of a Parquet file, as the types that truth has.

    Args:
        file: the file.
        needed: columns that must be there.
        welcome: columns that are taken where they are there.

    Raises:
        TruthError: the file is no Parquet file, has too many rows, lacks a column or has one of another kind.
    """
    if not file.bytes:
        raise TruthError(f"{file.name}: empty")
    try:
        with file.open() as stream, pq.ParquetFile(stream) as source:
            known = source.schema_arrow.names
            if missing := [name for name in needed if name not in known]:
                raise TruthError(f"{file.name}: no column {', '.join(missing)}; there are {', '.join(known)}")
            if source.metadata.num_rows > MOST_ROWS:
                raise TruthError(
                    f"{file.name}: {source.metadata.num_rows} rows; at most {MOST_ROWS} are read"
                )
            table = source.read([*needed, *(name for name in welcome if name in known)])
    except (pa.ArrowException, OSError) as error:
        raise TruthError(f"{file.name}: not a sound Parquet file ({str(error).splitlines()[0]})") from error
    for index, name in enumerate(table.column_names):
        column = table[name]
        if pa.types.is_boolean(column.type):
            column = pc.cast(column, pa.int8())
        try:
            table = table.set_column(index, name, pc.cast(column, _TYPES[name]))
        except (pa.ArrowException, ValueError) as error:
            message = str(error).splitlines()[0]
            raise TruthError(f"{file.name}: column {name} is {column.type}: {message}") from error
    return table
