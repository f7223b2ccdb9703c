"""What never moves while the car does is no object: its own bonnet, a mirror, a mark on the glass."""

from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.camera_path import CameraPath
from transforms.labels.hindsight.grids import track_order
from transforms.labels.overlap import iou
from transforms.labels.sightings import Sightings

LEAST_S: Final = 5.0
"""Shorter tracks are not judged: a car ahead may keep its distance for some seconds."""

LEAST_OVERLAP: Final = 0.9
"""All but a few boxes of a track that stands overlap its median box by this much."""

_FEW: Final = 0.05
"""Share of the boxes that may lie elsewhere: now and then a network takes a bonnet and what is before it for one."""

_EDGE_SHARE: Final = 0.02
"""What belongs to the car reaches the edge of the picture, within this share of its sides."""

_MOVING_SHARE: Final = 0.004
"""The picture moves where its corners move by more than this share of its diagonal from one frame that the network
looked at to the next."""

_MOVING_TIME: Final = 0.5
"""Share of a track's life for which the picture moves: what stands while the car waits tells nothing."""


def standing(seen: Sightings, camera: CameraPath, extent: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Rows of tracks that stand still at the picture's edge while the picture moves, bool[N].

    Args:
        seen: a clip with tracks, with the boxes as detected.
        camera: how the camera moved the picture; the whole way from one frame that the network looked at to the next
            is the last step of it.
        extent: xyxy edges of the picture in pixels, float64[4].
    """
    width, height = extent[2:] - extent[:2]
    result = np.zeros(len(seen.tracks), bool)
    moving = camera.speeds(width, height) > _MOVING_SHARE * np.hypot(width, height)
    order = track_order(seen)
    if not len(order):
        return result
    _, starts = np.unique(seen.tracks[order], return_index=True)
    for rows in np.split(order, starts[1:]):
        first, last = int(seen.frames[rows[0]]), int(seen.frames[rows[-1]])
        lasts = (seen.timestamps_ns[last] - seen.timestamps_ns[first]) / 1e9 >= LEAST_S
        steps = seen.seen[first + 1 : last + 1]
        if not lasts or moving[first:last][steps].mean() < _MOVING_TIME:
            continue
        boxes = seen.boxes[rows].astype(np.float64)
        median = np.median(boxes, axis=0)
        margin = np.array([width, height]) * _EDGE_SHARE
        at_edge = (median[:2] <= extent[:2] + margin).any() or (median[2:] >= extent[2:] - margin).any()
        result[rows] = at_edge and np.quantile(iou(boxes, median[None]), _FEW) >= LEAST_OVERLAP
    return result
