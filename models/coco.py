"""The 80 classes of COCO, which most public detectors share, and where they go in the taxonomy."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

COCO_CLASSES: Final[tuple[str, ...]] = (
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    *("traffic light", "fire hydrant", "stop sign", "parking meter", "bench"),
    *("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
    *("backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard"),
    *("sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket"),
    *("bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl"),
    *("banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake"),
    *("chair", "couch", "potted plant", "bed", "dining table", "toilet"),
    *("tv", "laptop", "mouse", "remote", "keyboard", "cell phone"),
    *("microwave", "oven", "toaster", "sink", "refrigerator"),
    *("book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush"),
)
"""In the order of the networks' class indices."""

_ANIMALS: Final = (*("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),)

COCO_CLASS_MAP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "person": "person",
        "bicycle": "bicycle",
        "motorcycle": "motorcycle",
        "car": "car",
        "truck": "truck",
        "bus": "bus",
        "train": "train",
        "traffic light": "traffic_light",
        "stop sign": "traffic_sign",
        **dict.fromkeys(_ANIMALS, "animal"),
        # Aeroplanes, boats and things of indoors are dropped: on roads they are nearly always mistakes (lane dashes).
        **dict.fromkeys(("fire hydrant", "parking meter"), "other"),
    }
)
"""COCO class to category of the taxonomy; classes that are not here are dropped."""
