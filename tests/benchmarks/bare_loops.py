"""What a user would write by hand: the least that does the same work, to compare with."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import cv2
import numpy as np
import onnxruntime
from av.video.reformatter import Interpolation, VideoReformatter

STRIDES = (8, 16, 32)
MIN_SCORE = 0.1
NMS_IOU = 0.45
PAD = 114


def bare_pool(
    clips: list[Path],
    network: bytes,
    fps: float,
    size: int,
    interpolation: Interpolation,
    categories: np.ndarray,
    threads: int = 2,
) -> tuple[list[tuple[str, int]], int]:
    """PyAV and onnxruntime in a pool of threads, rectangular input, nothing else.

    Args:
        categories: category of each of the network's classes, -1 = not wanted; boxes are suppressed by category.

    Returns:
        (file name, pts) of every sampled frame, and the number of boxes.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    with ThreadPoolExecutor(threads) as pool:
        results = list(
            pool.map(lambda path: _one_clip(path, session, fps, size, interpolation, categories), clips)
        )
    return sorted(item for frames, _ in results for item in frames), sum(boxes for _, boxes in results)


def _one_clip(
    path: Path,
    session: onnxruntime.InferenceSession,
    fps: float,
    size: int,
    interpolation: Interpolation,
    categories: np.ndarray,
) -> tuple[list[tuple[str, int]], int]:
    frames, boxes = [], 0
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        reformatter = VideoReformatter()
        for frame in sampled(container, stream, fps):
            scale = size / max(frame.width, frame.height)
            width, height = round(frame.width * scale), round(frame.height * scale)
            small = reformatter.reformat(frame, width, height, "yuv420p", interpolation=interpolation)
            image = small.to_ndarray(format="bgr24")
            padded = np.full((-(-height // 32) * 32, -(-width // 32) * 32, 3), PAD, np.uint8)
            padded[:height, :width] = image
            (output,) = session.run(None, {"images": cv2.dnn.blobFromImage(padded)})
            boxes += count_boxes(output[0], padded.shape[0], padded.shape[1], categories)
            frames.append((path.name, frame.pts))
    return frames, boxes


def sampled(
    container: av.container.InputContainer, stream: av.VideoStream, fps: float
) -> Iterator[av.VideoFrame]:
    """The first frame at or after each k / fps."""
    first, highest, taken = None, None, -1
    for frame in container.decode(stream):
        first = frame.pts if first is None else first
        if highest is not None and frame.pts <= highest:
            continue
        highest = frame.pts
        seconds = (frame.pts - first) * frame.time_base
        slot = int(seconds * fps + 1e-9)
        if slot > taken:
            taken = slot
            yield frame


def count_boxes(output: np.ndarray, height: int, width: int, categories: np.ndarray) -> int:
    """YOLOX's boxes of wanted classes from a score of 0.1 on, after suppression by category."""
    scores = output[:, 4:5] * output[:, 5:]
    classes = scores.argmax(1)
    best = scores[np.arange(len(scores)), classes]
    classes = categories[classes]
    keep = np.flatnonzero((best >= MIN_SCORE) & (classes >= 0))
    if not len(keep):
        return 0
    grids, steps = [], []
    for stride in STRIDES:
        ys, xs = np.mgrid[: height // stride, : width // stride]
        grids.append(np.stack([xs, ys], -1).reshape(-1, 2))
        steps.append(np.full((grids[-1].shape[0], 1), stride))
    grid, step = np.concatenate(grids)[keep], np.concatenate(steps)[keep]
    centres, sides = (output[keep, :2] + grid) * step, np.exp(output[keep, 2:4]) * step
    rectangles = np.hstack([centres - sides / 2, sides])
    chosen = cv2.dnn.NMSBoxesBatched(
        rectangles.tolist(), best[keep].tolist(), classes[keep].tolist(), MIN_SCORE, NMS_IOU
    )
    return len(chosen)


def naive_loop(clips: list[Path], network: Path, fps: float) -> int:
    """The loop of the tutorials: cv2.VideoCapture, a session as it comes, 416 x 416, one clip at a time.

    Returns:
        Sampled frames.
    """
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    frames = 0
    for path in clips:
        capture = cv2.VideoCapture(str(path))
        taken = -1
        while True:
            good, image = capture.read()
            if not good:
                break
            seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            slot = int(seconds * fps + 1e-6)
            if slot <= taken:
                continue
            taken = slot
            scale = min(416 / image.shape[0], 416 / image.shape[1])
            small = cv2.resize(image, (round(image.shape[1] * scale), round(image.shape[0] * scale)))
            padded = np.full((416, 416, 3), PAD, np.uint8)
            padded[: small.shape[0], : small.shape[1]] = small
            blob = padded.transpose(2, 0, 1)[None].astype(np.float32)
            (output,) = session.run(None, {"images": blob})
            count_boxes(output[0], 416, 416, np.arange(80))
            frames += 1
        capture.release()
    return frames
