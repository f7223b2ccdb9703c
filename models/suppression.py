"""Class-wise non-maximum suppression."""

from typing import Final

import numpy as np
import numpy.typing as npt

from models.detections import FloatArray

MAX_CANDIDATES: Final = 1000
"""Boxes that are compared with each other; the lowest scores beyond it are dropped. Bounds a frame's memory."""


def suppress(
    boxes: FloatArray, scores: FloatArray, groups: npt.NDArray[np.integer], max_iou: float
) -> npt.NDArray[np.intp]:
    """Greedy suppression: a box falls when a better one of its group overlaps it by more than `max_iou`.

    Args:
        boxes: xyxy edges, float32[N, 4].
        scores: float32[N].
        groups: boxes of different groups do not suppress each other, integer[N].
        max_iou: intersection over union, 0..1.

    Returns:
        Indices of the boxes that stay, best score first (of equal ones the first), intp[K].
    """
    order = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    if len(order) <= 1:
        return order
    sorted_boxes = boxes[order]
    x_min, y_min, x_max, y_max = np.ascontiguousarray(sorted_boxes.T)
    areas = (x_max - x_min) * (y_max - y_min)
    widths = np.minimum.outer(x_max, x_max) - np.maximum.outer(x_min, x_min)
    heights = np.minimum.outer(y_max, y_max) - np.maximum.outer(y_min, y_min)
    np.maximum(widths, 0, out=widths)
    np.maximum(heights, 0, out=heights)
    shared = np.multiply(widths, heights, out=widths)
    # shared / union > max_iou, without the division
    overlaps = shared * (1 + max_iou) > max_iou * np.add.outer(areas, areas)
    sorted_groups = groups[order]
    overlaps &= np.equal.outer(sorted_groups, sorted_groups)
    np.fill_diagonal(overlaps, val=False)
    stays = np.ones(len(order), dtype=np.bool_)
    for index in np.flatnonzero(overlaps.any(axis=1)):
        if stays[index]:
            stays[index + 1 :] &= ~overlaps[index, index + 1 :]
    return order[stays]
