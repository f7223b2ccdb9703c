"""Corrections of a data set as truth: the frames that people looked at, and what they left standing in them.

Where a frame stands in several files, the one that was taken in last says what is true of it.
"""

from typing import Final

import numpy as np
import pyarrow as pa

from transforms.evaluation.pairing import BOX_COLUMNS
from transforms.evaluation.truths.files import Files, TruthError
from transforms.evaluation.truths.parquet import columns_of
from transforms.evaluation.truths.truth import Truth, checked_boxes

_FRAME: Final = ("clip_id", "timestamp_ns")
_SAID: Final = ("action", "sequence")
_WITH_A_BOX: Final = frozenset({"keep", "change", "add"})


def is_corrections(files: Files) -> bool:
    """Whether these are the table of corrections of a data set.

    Args:
        files: the files.
    """
    if len(files) != 1 or not next(iter(files)).endswith(".parquet"):
        return False
    try:
        columns_of(next(iter(files.values())), _SAID)
    except TruthError:
        return False
    return True


def read(files: Files, fps: float | None) -> Truth:  # noqa: ARG001 - every reader is asked the same way
    """Reads the table of corrections.

    Args:
        files: its file.
        fps: not needed: frames are timed.

    Raises:
        TruthError: the file cannot be read, lacks a column or holds a broken box.
    """
    (file,) = files.values()
    table = columns_of(file, (*_FRAME, *_SAID, "category", *BOX_COLUMNS))
    if not table.num_rows:
        raise TruthError(f"{file.name}: nobody has corrected anything; see docs/corrections.md")
    frames = list(zip(*(table[name].to_pylist() for name in _FRAME), strict=True))
    said = list(zip(*(table[name].to_pylist() for name in _SAID), strict=True))
    last: dict[tuple[str, int], int] = {}
    for frame, (_, sequence) in zip(frames, said, strict=True):
        last[frame] = max(sequence, last.get(frame, sequence))
    rows = [
        row
        for row, (frame, (action, sequence)) in enumerate(zip(frames, said, strict=True))
        if action in _WITH_A_BOX and sequence == last[frame]
    ]
    drawn = table.take(pa.array(rows, pa.int64()))
    corners = np.stack([np.array(drawn[name].to_pylist(), dtype=np.float64) for name in BOX_COLUMNS], axis=1)
    columns = {name: drawn[name].to_pylist() for name in (*_FRAME, "category")}
    boxes = checked_boxes(columns, corners, lambda row: f"{file.name}: row {rows[row] + 1}")
    looked_at = {
        "clip_id": pa.array([clip for clip, _ in last], pa.string()),
        "timestamp_ns": pa.array([time_ns for _, time_ns in last], pa.int64()),
    }
    return Truth("corrections", boxes, pa.table(looked_at))
