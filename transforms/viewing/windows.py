"""The labels and the telemetry of one clip in a window of time, in columns: a drive of an hour never travels at once."""

import math
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.viewing.viewed_set import ViewedClip, ViewedSet

__all__ = ["MOST_NS", "window"]

MOST_NS: Final = 60_000_000_000
"""Longest window that is given at once."""

_EDGES: Final = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
_RAW_EDGES: Final = tuple(f"raw_{edge}" for edge in _EDGES)
_TEXTS: Final = ("track_id", "category", "label_source", "category_raw", "model_digest")
_BOXES: Final = ("detection_id", "timestamp_ns", *_TEXTS, *_EDGES, "score", *_RAW_EDGES, "score_raw")
_TELEMETRY: Final = (
    "timestamp_ns",
    "vehicle_speed_mps",
    "steering_wheel_angle",
    "gear_state",
    "autopilot_state",
    "brake_applied",
    "blinker_on_left",
    "blinker_on_right",
)
_SHOWN_ID: Final = 12
"""First letters of a detection's id: enough for `clipmill explain`, and a third of the bytes."""


def window(viewed: ViewedSet, clip: ViewedClip, start_ns: int, stop_ns: int) -> dict[str, Any]:
    """What is drawn over a clip in `[start_ns, stop_ns)` of its own time.

    Args:
        viewed: the data set.
        clip: the clip.
        start_ns: begin of the window.
        stop_ns: its end; at most `MOST_NS` later.

    Returns:
        `frames`: timestamps of the labelled frames, and which of all frames are damaged. `boxes`: one list a column,
        ordered by time; texts are places in `texts`, -1 = null; a box's edges are four numbers in a row, in pixels as
        displayed, null where the network gave none. `telemetry`: one list a column. `objects`: by track.

    Raises:
        ValueError: the window is empty or too long.
        ChangedError: the data set has changed.
    """
    if not 0 < stop_ns - start_ns <= MOST_NS:
        raise ValueError(f"a window of {stop_ns - start_ns} ns: ask for at least 1 and at most {MOST_NS}")
    shards = viewed.shards_of(clip, start_ns, stop_ns)
    conditions = [
        ("clip_id", "=", clip.clip_id),
        ("timestamp_ns", ">=", start_ns),
        ("timestamp_ns", "<", stop_ns),
    ]
    frames = viewed.rows("frames", shards, ("timestamp_ns", "sample_index", "is_damaged"), conditions)
    boxes = viewed.rows("detections", shards, _BOXES, conditions).sort_by("timestamp_ns")
    # a box without an end cannot be drawn, and JSON has no word for it
    for name in (*_EDGES, "score"):
        boxes = boxes.filter(pc.is_finite(boxes[name]))
    telemetry = viewed.rows("telemetry", shards, _TELEMETRY, conditions).sort_by("timestamp_ns")
    labelled = frames.filter(pc.and_(pc.is_valid(frames["sample_index"]), pc.invert(frames["is_damaged"])))
    tracks = sorted({track for track in boxes["track_id"].to_pylist() if track is not None})
    return {
        "start_ns": start_ns,
        "stop_ns": stop_ns,
        "frames": {
            "labelled_ns": labelled.sort_by("timestamp_ns")["timestamp_ns"].to_pylist(),
            "damaged_ns": frames.filter(frames["is_damaged"])["timestamp_ns"].to_pylist(),
        },
        "boxes": _box_columns(boxes, viewed.networks),
        "objects": _objects(viewed, clip, tracks),
        "telemetry": {
            name: _numbers(telemetry[name], 3)
            if pa.types.is_floating(telemetry[name].type)
            else telemetry[name].to_pylist()
            for name in _TELEMETRY
        },
    }


def _box_columns(boxes: pa.Table, networks: dict[str, str]) -> dict[str, Any]:
    texts: dict[str, int] = {}

    def places(values: Sequence[str | None]) -> list[int]:
        return [-1 if value is None else texts.setdefault(value, len(texts)) for value in values]

    columns: dict[str, Any] = {name: places(boxes[name].to_pylist()) for name in _TEXTS[:-1]}
    columns["network"] = places(
        [networks.get(sha256, sha256) for sha256 in map(str, boxes["model_digest"].to_pylist())]
    )
    return {
        "timestamp_ns": boxes["timestamp_ns"].to_pylist(),
        "detection": [str(detection)[:_SHOWN_ID] for detection in boxes["detection_id"].to_pylist()],
        **columns,
        "edges": _edges(boxes, _EDGES),
        "raw_edges": _edges(boxes, _RAW_EDGES),
        "score": _numbers(boxes["score"], 4),
        "score_raw": _numbers(boxes["score_raw"], 4),
        "texts": list(texts),
    }


def _edges(boxes: pa.Table, names: Sequence[str]) -> list[float | None]:
    columns = [_numbers(boxes[name], 1) for name in names]
    return [edge for edges in zip(*columns, strict=True) for edge in edges]


def _numbers(column: "pa.ChunkedArray[Any]", digits: int) -> list[float | None]:
    return [
        None if value is None or not math.isfinite(value) else round(value, digits)
        for value in column.to_pylist()
    ]


def _objects(viewed: ViewedSet, clip: ViewedClip, tracks: list[str]) -> dict[str, str]:
    if not tracks:
        return {}
    rows = viewed.whole(
        "objects",
        ("track_id", "object_id"),
        [("drive_id", "=", clip.drive_id), ("track_id", "in", tracks)],
    )
    return {str(row["track_id"]): str(row["object_id"]) for row in rows.to_pylist()}
