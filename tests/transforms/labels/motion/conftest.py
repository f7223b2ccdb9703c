"""Pictures whose motion is known: a wide textured one, seen through a similarity."""

import cv2
import numpy as np
import pytest

from transforms.labels.motion.trails import PointTracker


@pytest.fixture(scope="session")
def texture():
    """uint8[size, size]: blobs of all sizes, a scene for each seed."""

    def make(seed=1, size=800):
        rng = np.random.default_rng(seed)
        layers = [
            cv2.resize(rng.normal(size=(size // cell, size // cell)), (size, size)) for cell in (5, 10, 40)
        ]
        scene = np.sum(layers, axis=0)
        return np.clip(110 + 32 * scene, 0, 255).astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def view():
    """What a window sees of a scene that is moved by a 2 x 3 matrix, uint8[height, width]."""

    def make(scene, matrix=((1, 0, 0), (0, 1, 0)), width=320, height=180):
        matrix = np.array(matrix, float)
        # cv2 counts from the middle of the first pixel
        matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
        centre = np.array([[1, 0, -(scene.shape[1] - width) / 2], [0, 1, -(scene.shape[0] - height) / 2]])
        whole = np.vstack([matrix, [0, 0, 1]]) @ np.vstack([centre, [0, 0, 1]])
        return cv2.warpAffine(scene, whole[:2], (width, height), flags=cv2.INTER_LINEAR)

    return make


@pytest.fixture(scope="session")
def trail_of():
    """The one trail through pictures of which the first and the last are anchors."""

    def make(pictures, frame_size=None, times_ms=None):
        height, width = pictures[0].shape
        tracker = PointTracker(*(frame_size or (width, height)))
        times_ms = range(0, 40 * len(pictures), 40) if times_ms is None else times_ms
        for index, (picture, time_ms) in enumerate(zip(pictures, times_ms, strict=True)):
            tracker.add(picture, int(time_ms * 1e6), is_anchor=index in {0, len(pictures) - 1})
        (trail,) = tracker.finish()
        return trail

    return make
