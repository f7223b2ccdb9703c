"""A quick look at how well a detector does, for the training log.

The figures that are published come from `tests/benchmarks/demo_detector.py`, which uses the product's own decoding
and evaluation on other scenes; this one is small and close to it.
"""

import cv2
import numpy as np
import numpy.typing as npt
import torch

from models.training.frames import PAD_VALUE, FrameStore, LabelledFrame
from models.training.network import DemoDetector, cells, decode

_NMS_IOU = 0.6
_MIN_SCORE = 0.02
_BEST_CELLS = 300
_MATCH_IOU = 0.5

FloatArray = npt.NDArray[np.float32]


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Overlap of every pair of boxes, float32[N, M], of xyxy boxes float32[N, 4] and float32[M, 4]."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    inner = sides.clip(0).prod(2)
    union = (a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1) - inner
    return np.asarray(inner / np.maximum(union, 1e-9), np.float32)


def letterbox(image: npt.NDArray[np.uint8], long_side: int) -> tuple[npt.NDArray[np.uint8], float]:
    """The frame scaled to the given long side and padded right and below to multiples of 32; and the scale."""
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    inner_height, inner_width = round(height * scale), round(width * scale)
    result = np.full((-(-inner_height // 32) * 32, -(-inner_width // 32) * 32, 3), PAD_VALUE, np.uint8)
    result[:inner_height, :inner_width] = cv2.resize(
        image, (inner_width, inner_height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return result, scale


def detect(
    detector: DemoDetector, image: npt.NDArray[np.uint8], long_side: int
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
    """Boxes in pixels of the frame float32[N, 4], scores float32[N] and classes int64[N], best first."""
    shaped, scale = letterbox(image, long_side)
    height, width = shaped.shape[:2]
    with torch.no_grad():
        raw = detector(torch.from_numpy(shaped).permute(2, 0, 1)[None].float())
        every = decode(raw, *cells(height, width))[0].numpy() / scale
        score, class_of = (raw[0, :, 4:5].sigmoid() * raw[0, :, 5:].sigmoid()).max(1)
    order = np.argsort(-score.numpy(), kind="stable")[:_BEST_CELLS]
    order = order[score.numpy()[order] >= _MIN_SCORE]
    boxes, scores, classes = every[order], score.numpy()[order], class_of.numpy()[order]
    boxes[:, 0::2] = boxes[:, 0::2].clip(0, image.shape[1])
    boxes[:, 1::2] = boxes[:, 1::2].clip(0, image.shape[0])
    suppresses = (iou(boxes, boxes) > _NMS_IOU) & (classes[:, None] == classes)
    kept = np.ones(len(boxes), bool)
    for index in range(len(boxes)):
        if kept[index]:
            kept[index + 1 :] &= ~suppresses[index, index + 1 :]
    return boxes[kept], scores[kept], classes[kept]


def average_precision(scores: FloatArray, right: npt.NDArray[np.bool_], truth_count: int) -> float:
    """Area under the precision-recall curve, precision made to fall with recall."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    recall = np.concatenate([[0.0], hits / max(truth_count, 1)])
    precision = hits / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * falling).sum())


def judge(
    boxes: FloatArray, classes: npt.NDArray[np.int64], frame: LabelledFrame
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which detections (best first) find an object, and which count at all, bool[N] each."""
    right, counts = np.zeros(len(boxes), bool), np.ones(len(boxes), bool)
    overlap = iou(boxes, frame.boxes)
    free = np.ones(len(frame.boxes), bool)
    for index in range(len(boxes)):
        fitting = overlap[index] * (frame.classes == classes[index]) * free
        if fitting.size and fitting.max() >= _MATCH_IOU:
            free[fitting.argmax()] = False
            right[index] = True
        elif ((overlap[index] >= _MATCH_IOU) & (frame.classes < 0)).any():
            counts[index] = False
    return right, counts


def validate(
    detector: DemoDetector, store: FrameStore, places: list[tuple[int, int]], long_side: int
) -> list[float]:
    """AP at IoU 0.5 of every class; not a number where there is no object of it.

    Args:
        detector: in evaluation mode.
        store: the frames.
        places: which of them to look at.
        long_side: of the network's input, pixels.
    """
    found: list[tuple[npt.NDArray[np.int64], FloatArray, npt.NDArray[np.bool_]]] = []
    truth = np.zeros(detector.class_count, np.int64)
    for place in places:
        frame = store.read(*place)
        boxes, scores, classes = detect(detector, frame.image, long_side)
        right, counts = judge(boxes, classes, frame)
        found.append((classes[counts], scores[counts], right[counts]))
        truth += np.bincount(frame.classes[frame.classes >= 0], minlength=detector.class_count)
    class_of, score, right = (np.concatenate(column) for column in zip(*found, strict=True))
    return [
        average_precision(score[class_of == number], right[class_of == number], int(count))
        if count
        else float("nan")
        for number, count in enumerate(truth)
    ]
