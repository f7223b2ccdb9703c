"""The labels of a unit as arrays, from rows of `frames` and `detections`."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.loading.index import LoadedClip
from transforms.loading.samples import CATEGORIES, FrameLabels, LoadingError, Selection

_EDGES: Final = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")

BOX_COLUMNS: Final = (
    "frame_id",
    "timestamp_ns",
    "detection_id",
    "track_id",
    "category",
    *_EDGES,
    "score",
    "model_digest",
)
"""Columns of `detections` that labels are made of."""

_ROW: Final = "row"


def asked_boxes(
    pieces: Iterable[pa.Table], frames: pa.Table, selection: Selection, model: str
) -> pa.Table | None:
    """The boxes that are asked for, by frame and then by `detection_id`.

    Args:
        pieces: rows of `detections`.
        frames: rows of `frames`.
        selection: which boxes are asked for.
        model: sha256 of the network whose labels are given; "" = of all.

    Returns:
        Their rows with the place of their frame in a column `row`; None where there are none.
    """
    kept = [_asked(piece, selection, model) for piece in pieces]
    if not kept:
        return None
    boxes = pa.concat_tables(kept)
    place = pc.index_in(boxes["frame_id"], value_set=frames["frame_id"].combine_chunks())
    boxes = boxes.append_column(_ROW, place).filter(pc.is_valid(place))
    return boxes.sort_by([(_ROW, "ascending"), ("detection_id", "ascending")])


def _asked(boxes: pa.Table, selection: Selection, model: str) -> pa.Table:
    score = boxes["score"]
    # as the column has them: .7 as a double lies above the .7 of a float
    wanted = pc.and_(
        pc.greater_equal(score, pa.scalar(selection.min_score, pa.float32())),
        pc.greater(score, pa.scalar(0, pa.float32())),
    )
    for name, values in (("category", selection.categories), ("model_digest", (model,) if model else ())):
        if values:
            wanted = pc.and_(wanted, pc.is_in(boxes[name], value_set=pa.array(values, pa.string())))
    return boxes.filter(wanted)


class Labelled:
    """The labelled frames of a unit, in the order of time.

    Args:
        frames: their rows of `frames`.
        boxes: as `asked_boxes` gives them.
        clip: their clip.
        size: width and height that the pictures are scaled to, in pixels; None: as displayed.

    Attributes:
        pts: the PTS of each.
        times: the time of each in ns.
        labels: the labels of each.
    """

    def __init__(
        self, frames: pa.Table, boxes: pa.Table | None, clip: LoadedClip, size: tuple[int, int] | None
    ) -> None:
        self.pts: list[int] = frames["pts"].to_numpy().tolist()
        self.times: list[int] = frames["timestamp_ns"].to_numpy().tolist()
        self.labels: list[FrameLabels] = []
        scale = np.ones((len(self.pts), 1, 4), np.float32)
        if size is not None:
            across = size[0] / frames["width"].to_numpy()
            down = size[1] / frames["height"].to_numpy()
            scale = np.stack([across, down, across, down], axis=1)[:, None].astype(np.float32)
        if boxes is None:
            boxes = pa.table(
                {name: pa.array([], _TYPES.get(name, pa.float32())) for name in (*BOX_COLUMNS, _ROW)}
            )
        edges = np.stack([boxes[name].to_numpy() for name in _EDGES], axis=1)
        if not np.isfinite(edges).all():
            raise LoadingError(f"clip {clip.clip_id}: a box without an end; see clipmill verify")
        categories = pc.index_in(boxes["category"], value_set=pa.array(CATEGORIES)).to_numpy()
        if not np.isfinite(categories).all():
            raise LoadingError(f"clip {clip.clip_id}: a category outside the taxonomy; see clipmill verify")
        categories = categories.astype(np.int32)
        scores = boxes["score"].to_numpy()
        track_ids = [track or "" for track in boxes["track_id"].to_pylist()]
        detection_ids = list(map(str, boxes["detection_id"].to_pylist()))
        cuts = np.searchsorted(boxes[_ROW].to_numpy(), np.arange(len(self.pts) + 1)).tolist()
        for place, frame_id in enumerate(map(str, frames["frame_id"].to_pylist())):
            own = slice(cuts[place], cuts[place + 1])
            self.labels.append(
                FrameLabels(
                    frame_id=frame_id,
                    clip_id=clip.clip_id,
                    drive_id=clip.drive_id,
                    camera=clip.camera,
                    timestamp_ns=self.times[place],
                    boxes=edges[own] * scale[place],
                    categories=categories[own],
                    # what is given may be written to; the columns may not
                    scores=scores[own].copy(),
                    track_ids=tuple(track_ids[own]),
                    detection_ids=tuple(detection_ids[own]),
                )
            )


_TYPES: Final = {
    **dict.fromkeys(("frame_id", "detection_id", "track_id", "category", "model_digest"), pa.string()),
    "timestamp_ns": pa.int64(),
    _ROW: pa.int32(),
}
"""Types of the columns that are no float32."""
