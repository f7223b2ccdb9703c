"""Where faces and plates are without a network: in the upper part of people, in the lower part of vehicles.

Rules look at no pixel, so they miss no face that is turned aside, in the dark or too small for a network; they cover
backs of heads and doors as well. The shares are measured on rendered scenes (`tests/benchmarks/privacy_recall.py`) and leave
room for boxes that do not fit.
"""

from typing import Final

from models.taxonomy import CATEGORIES
from transforms.labels.privacy.boxes import PEOPLE, VEHICLES
from transforms.labels.privacy.regions import Edges, Region

HEADS: Final = "heads-rule-1"
"""Name of the rule that covers heads; its number is raised when it changes."""

PLATES: Final = "plates-rule-1"
"""Name of the rule that covers the lower parts of vehicles."""

_HEAD_OF_PERSON: Final = 0.30
_HEAD_OF_RIDER: Final = 0.40
"""Share of the box's height from the top down: a head takes an eighth of a grown person, more of a child."""

_HEAD_TO_WIDTH: Final = 0.75
"""Of a person of whom little more than the bust is in view the head reaches down to this share of the width."""

_CUT_BONNET: Final = 0.1
_BONNET: Final = 0.40
"""Share of a vehicle's height from the top down where no plate is; where the frame cuts its roof off, there is less."""

_ROOM: Final = 0.12
"""Share of the box's sides that regions reach beyond it."""

_EDGE_PX: Final = 2.0
"""Boxes that come so close to the frame's edge may be cut by it."""

_PEOPLE: Final = frozenset(map(CATEGORIES.index, PEOPLE))
_VEHICLES: Final = frozenset(map(CATEGORIES.index, VEHICLES))
_RIDER: Final = CATEGORIES.index("rider")


def head(edges: Edges, category: int) -> Region | None:
    """The upper part of a person or rider.

    Args:
        edges: xyxy of the box in pixels.
        category: index of the taxonomy.

    Returns:
        None where it is neither.

    >>> head((100.0, 100.0, 140.0, 200.0), CATEGORIES.index("person")).edges
    (95.2, 88.0, 144.8, 130.0)
    """
    if category not in _PEOPLE:
        return None
    x_min, y_min, x_max, y_max = edges
    width, height = x_max - x_min, y_max - y_min
    if category == _RIDER:
        deep = _HEAD_OF_RIDER * height
    else:
        deep = max(_HEAD_OF_PERSON * height, min(height, _HEAD_TO_WIDTH * width))
    aside, above = _ROOM * width, _ROOM * height
    return Region("face", (x_min - aside, y_min - above, x_max + aside, y_min + deep), HEADS)


def lower_part(edges: Edges, category: int) -> Region | None:
    """The part of a vehicle in which its plates are, whichever side is seen.

    Args:
        edges: xyxy of the box in pixels.
        category: index of the taxonomy.

    Returns:
        None where it is none.

    >>> lower_part((100.0, 100.0, 200.0, 200.0), CATEGORIES.index("car")).edges
    (88.0, 140.0, 212.0, 212.0)
    """
    if category not in _VEHICLES:
        return None
    x_min, y_min, x_max, y_max = edges
    height = y_max - y_min
    top = y_min + (_CUT_BONNET if y_min < _EDGE_PX else _BONNET) * height
    aside = _ROOM * (x_max - x_min)
    return Region("plate", (x_min - aside, top, x_max + aside, y_max + _ROOM * height), PLATES)
