"""Candidates of one picture to detections in the frame."""

from typing import Final

import numpy as np
import numpy.typing as npt

from models.card import ModelCard
from models.detections import Detections, FloatArray
from models.families.candidates import Candidates
from models.resizing import ResizePlan
from models.suppression import suppress
from models.taxonomy import CATEGORIES

_FARTHEST_PX: Final = np.float32(1e6)
"""Bound of coordinates before areas are multiplied: float32 holds the square."""

_BONNET_WIDTH_SHARE: Final = 0.6
_BOTTOM_MARGIN_SHARE: Final = 0.01
_CAR: Final = CATEGORIES.index("car")


def category_table(card: ModelCard) -> npt.NDArray[np.int16]:
    """Category index of every class of the network, -1 where it is dropped, int16[classes]."""
    return np.array(
        [
            card.vocabulary.index(card.class_map[name]) if name in card.class_map else -1
            for name in card.classes
        ],
        dtype=np.int16,
    )


def finish(
    found: Candidates,
    card: ModelCard,
    categories_of: npt.NDArray[np.int16],
    plan: ResizePlan,
    frame_width: int,
    frame_height: int,
) -> Detections:
    """Maps classes to categories, suppresses doubles and brings boxes to the frame, best score first.

    Suppression works on categories: two classes of a network that mean the same category are one object.

    Args:
        found: what the network found in the picture.
        card: its card.
        categories_of: the card's `category_table`.
        plan: how the frame became the input.
        frame_width: in px, as displayed.
        frame_height: in px, as displayed.
    """
    known = (found.classes >= 0) & (found.classes < len(categories_of))
    categories = np.where(known, categories_of[np.where(known, found.classes, 0)], np.int16(-1))
    mapped = np.flatnonzero(categories >= 0)
    categories, scores = categories[mapped], found.scores[mapped]
    boxes = _to_frame(found.boxes[mapped], plan, frame_width, frame_height)
    if card.nms_iou is None:
        order = np.argsort(-scores, kind="stable")
    else:
        order = suppress(boxes, scores, categories, card.nms_iou)
    boxes, scores, categories = boxes[order], scores[order], categories[order]
    raw_bottoms = boxes[:, 3]
    clipped = np.clip(boxes, 0, np.array([frame_width, frame_height] * 2, dtype=np.float32))
    widths = clipped[:, 2] - clipped[:, 0]
    kept = (widths > 0) & (clipped[:, 1] < clipped[:, 3])
    if card.drop_own_bonnet:
        at_bottom = raw_bottoms >= (1 - _BOTTOM_MARGIN_SHARE) * frame_height
        kept &= ~((categories == _CAR) & at_bottom & (widths > _BONNET_WIDTH_SHARE * frame_width))
    return Detections(clipped[kept], scores[kept], categories[kept].astype(np.uint8))


def _to_frame(boxes: FloatArray, plan: ResizePlan, frame_width: int, frame_height: int) -> FloatArray:
    """Input pixels to frame pixels; each axis has its own factor, because scaled sides are whole pixels."""
    shift = np.array([plan.pad_left, plan.pad_top] * 2, dtype=np.float32)
    factor = np.array(
        [frame_width / plan.image_width, frame_height / plan.image_height] * 2, dtype=np.float32
    )
    placed: FloatArray = (boxes - shift) * factor
    return placed.clip(-_FARTHEST_PX, _FARTHEST_PX)
