"""How much boxes overlap."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def areas(boxes: FloatArray) -> FloatArray:
    """Area of every box.

    Args:
        boxes: xyxy edges in pixels, float[N, 4].

    Returns:
        Square pixels, float[N]; 0 where an edge pair is reversed.
    """
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    return sides[:, 0] * sides[:, 1]


def intersections(first: FloatArray, second: FloatArray) -> FloatArray:
    """Shared area of every pair of boxes.

    Args:
        first: xyxy edges in pixels, float[N, 4].
        second: xyxy edges in pixels, float[M, 4].

    Returns:
        Square pixels, float[N, M].
    """
    sides = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides -= np.maximum(first[:, None, :2], second[None, :, :2])
    np.maximum(sides, 0.0, out=sides)
    return sides[:, :, 0] * sides[:, :, 1]


def iou(first: FloatArray, second: FloatArray) -> FloatArray:
    """Overlap of every pair of boxes.

    Args:
        first: xyxy edges in pixels, float[N, 4].
        second: xyxy edges in pixels, float[M, 4].

    Returns:
        Intersection over union, float[N, M], 0..1; 0 where both boxes are empty.

    >>> iou(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0]])).round(3).tolist()
    [[0.333]]
    """
    shared = intersections(first, second)
    union = areas(first)[:, None] + areas(second)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def covered(boxes: FloatArray, regions: FloatArray) -> FloatArray:
    """Share of every box that lies in every region.

    Args:
        boxes: xyxy edges in pixels, float[N, 4].
        regions: xyxy edges in pixels, float[M, 4].

    Returns:
        Intersection over the box's own area, float[N, M], 0..1; 0 where the box is empty.
    """
    shared = intersections(boxes, regions)
    own = np.broadcast_to(areas(boxes)[:, None], shared.shape)
    return np.divide(shared, own, out=np.zeros_like(shared), where=own > 0)
