"""Tracks of whole tables: any tool's detections, text categories, many clips."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.detections import CategoryArray
from models.taxonomy import CATEGORIES
from transforms.labels.tracking import TrackerSettings, track

ALIASES: Final[Mapping[str, str]] = {
    "pedestrian": "person",
    "cyclist": "rider",
    "van": "car",
    "lorry": "truck",
    "tram": "train",
}
"""Other names of the taxonomy's categories."""

_FIRST_FOREIGN: Final = 128


def category_codes(names: Sequence[str]) -> CategoryArray:
    """Category indices of texts, so that categories outside the taxonomy stay apart from each other.

    Args:
        names: categories as text, any number of times.

    Returns:
        uint8[N]: the taxonomy's index; for names outside it 128, 129, ... in their alphabetical order.

    Raises:
        ValueError: more than 128 names outside the taxonomy.

    >>> category_codes(["car", "zebra", "van", "moose"]).tolist()
    [4, 129, 4, 128]
    """
    code_of = {name: CATEGORIES.index(name) for name in CATEGORIES}
    code_of |= {alias: code_of[name] for alias, name in ALIASES.items()}
    foreign = sorted(set(names) - code_of.keys())
    if len(foreign) > _FIRST_FOREIGN:
        raise ValueError(
            f"{len(foreign)} categories outside the taxonomy; at most {_FIRST_FOREIGN} can be tracked"
        )
    code_of |= {name: _FIRST_FOREIGN + place for place, name in enumerate(foreign)}
    return np.array([code_of[name] for name in names], dtype=np.uint8)


def track_table(
    detections: pa.Table, frames: pa.Table, settings: TrackerSettings | None = None
) -> npt.NDArray[np.int64]:
    """Numbers the objects of every clip of a table.

    Args:
        detections: clip_id, timestamp_ns, category, x_min_px, y_min_px, x_max_px, y_max_px, score; any order.
        frames: clip_id, timestamp_ns of all frames that were looked at, those without a detection included.
        settings: None = the defaults.

    Returns:
        Track number of every row, int64[N], unique over all clips; -1 = no track.
    """
    clips = np.array(detections["clip_id"].to_pylist(), dtype=object)
    times = detections["timestamp_ns"].to_numpy()
    corners = [detections[name].to_numpy() for name in ("x_min_px", "y_min_px", "x_max_px", "y_max_px")]
    boxes = np.stack(corners, axis=1).astype(np.float32)
    scores = detections["score"].to_numpy()
    categories = category_codes([str(name) for name in detections["category"].to_pylist()])
    frame_clips = np.array(frames["clip_id"].to_pylist(), dtype=object)
    frame_times = frames["timestamp_ns"].to_numpy()
    numbers = np.full(detections.num_rows, -1, dtype=np.int64)
    following = 0
    for clip in sorted(set(clips.tolist())):
        rows = np.flatnonzero(clips == clip)
        own = np.union1d(frame_times[frame_clips == clip], times[rows])
        frame_of = np.searchsorted(own, times[rows]).astype(np.int32)
        found = track(own, frame_of, boxes[rows], scores[rows], categories[rows], settings)
        numbers[rows] = np.where(found >= 0, found + following, -1)
        following += int(found.max()) + 1
    return numbers
