"""Real networks on real frames; skipped where the files are not there."""

import time

import cv2
import numpy as np
import pytest

from models.errors import ModelUsageError
from models.networks import Network
from models.registry import find_model
from models.sessions import load_detector
from models.taxonomy import CATEGORIES

_FILES = {
    "yolox-nano": "yolox_nano_416.onnx",
    "nanodet": "object_detection_nanodet_2022nov.onnx",
    "picodet-s": "picodet_s_416_coco.onnx",
}


def _detect(path, frame, size=None):
    detector = load_detector(find_model(str(path), size=size))
    height, width = frame.shape[:2]
    plan = detector.plan(width, height)
    image = cv2.resize(frame, (plan.image_width, plan.image_height), interpolation=cv2.INTER_AREA)
    return detector.detect([image], plan, width, height)[0]


def _iou(box, other):
    shared = np.prod(np.maximum(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0))
    return shared / (np.prod(box[2:] - box[:2]) + np.prod(other[2:] - other[:2]) - shared)


@pytest.mark.parametrize("name", _FILES)
def test_the_black_car_is_found_where_it_is(shared_model, shared_frame, name):
    found = _detect(shared_model(_FILES[name]), shared_frame("udacity_project_028s_1280x720.mp4", 30))
    # read off the picture by eye
    car = np.array([897, 410, 1112, 532], np.float32)
    cars = [
        box
        for box, category in zip(found.boxes, found.categories, strict=True)
        if CATEGORIES[category] == "car"
    ]
    assert _iou(cars[0], car) > 0.8
    assert found.scores[0] > 0.5
    assert (np.diff(found.scores) <= 0).all()


@pytest.mark.parametrize("name", _FILES)
def test_the_lorry_in_a_portrait_frame(shared_model, shared_frame, name):
    found = _detect(shared_model(_FILES[name]), shared_frame("mapillary_london_1376x1840_hevc.mp4", 40))
    lorry = np.array([780, 780, 1376, 1560], np.float32)
    trucks = [
        box
        for box, category in zip(found.boxes, found.categories, strict=True)
        if CATEGORIES[category] == "truck"
    ]
    assert _iou(trucks[0], lorry) > 0.7


def test_a_larger_input_finds_more(shared_model, shared_frame):
    frame = shared_frame("muchlisin_dusk_highway_640x360.mp4", 100)
    path = shared_model(_FILES["yolox-nano"])
    assert len(_detect(path, frame, 960).scores) > 2 * len(_detect(path, frame).scores)


@pytest.mark.parametrize("name", ["FastestDet.onnx", "twinlitenetplus_nano_384x640.onnx"])
def test_networks_of_other_kinds_are_not_taken_for_detectors(shared_model, name):
    with pytest.raises(ModelUsageError, match="fit none of the families"):
        find_model(str(shared_model(name)))


def test_our_own_share_of_a_frame_is_small(shared_model, shared_frame, monkeypatch):
    detector = load_detector(find_model(str(shared_model(_FILES["yolox-nano"]))))
    frame = shared_frame("udacity_project_028s_1280x720.mp4", 30)
    plan = detector.plan(1280, 720)
    image = cv2.resize(frame, (plan.image_width, plan.image_height))
    outputs = Network.run(detector.network, np.zeros((1, 3, 256, 416), np.float32), 416, 256)
    monkeypatch.setattr(Network, "run", lambda *_: outputs)
    seconds = []
    for _ in range(50):
        start = time.thread_time()
        detector.detect([image], plan, 1280, 720)
        seconds.append(time.thread_time() - start)
    assert min(seconds) < 1e-3
