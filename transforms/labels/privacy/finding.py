"""Faces and plates found by networks, in crops of people and vehicles at the picture's full resolution."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from models.sessions import Detector
from models.taxonomy import CATEGORIES
from transforms.labels.privacy.boxes import PEOPLE, VEHICLES, PeopleAndVehicles
from transforms.labels.privacy.covering import pixels
from transforms.labels.privacy.regions import Edges, Kind, grown

Image = npt.NDArray[np.uint8]

_LOOKED_IN: Final[dict[Kind, frozenset[int]]] = {
    "face": frozenset(map(CATEGORIES.index, (*PEOPLE, *VEHICLES))),
    "plate": frozenset(map(CATEGORIES.index, VEHICLES)),
}
"""Faces are behind windscreens too."""

_ROOM: Final = 0.2
"""Share of a box's sides that its crop reaches beyond it: boxes do not always fit, and networks need surroundings."""

_MIN_SIDE_PX: Final = 24
"""Long side of the smallest box that is looked in: a face in it has 3 px, a plate 6; there is nothing to be read."""

_MOST_CROPS: Final = 100
"""Boxes of a frame that are looked in, the largest first. Bounds the time that a crowd, or a made-up table, takes."""


@dataclass(frozen=True, slots=True)
class Found:
    """A face or plate that a network found.

    Attributes:
        kind: which of them.
        time_ns: of its frame.
        box: index of the box that it lies in.
        edges: xyxy in pixels of the frame as displayed.
        model: name of the network's card.
        model_digest: sha256 of the network.
    """

    kind: Kind
    time_ns: int
    box: int
    edges: Edges
    model: str
    model_digest: str


def look(
    image: Image, time_ns: int, boxes: PeopleAndVehicles, networks: Sequence[Detector], kinds: Sequence[Kind]
) -> Iterator[Found]:
    """Looks for faces and plates in the boxes of a frame.

    Args:
        image: the frame, BGR uint8[height, width, 3].
        time_ns: its time.
        boxes: of its clip.
        networks: of the task `privacy`.
        kinds: what is looked for.
    """
    own = boxes.at(time_ns)
    corners = boxes.edges[own.start : own.stop]
    sides = (corners[:, 2:] - corners[:, :2]).max(axis=1, initial=0)
    largest = [own[place] for place in np.argsort(-sides, kind="stable")[:_MOST_CROPS].tolist()]
    for network in networks:
        names = cast("tuple[Kind, ...]", network.card.vocabulary)
        wanted = set(network.card.categories).intersection(kinds)
        for index in sorted(largest):
            category = int(boxes.categories[index])
            side = float((boxes.edges[index, 2:] - boxes.edges[index, :2]).max())
            if side < _MIN_SIDE_PX or not any(
                category in _LOOKED_IN[kind] for kind in names if kind in wanted
            ):
                continue
            for edges, kind in _look_in(image, _edges(boxes, index), network):
                if kind in wanted and category in _LOOKED_IN[kind]:
                    yield Found(kind, time_ns, index, edges, network.card.name, network.sha256)


def _edges(boxes: PeopleAndVehicles, index: int) -> Edges:
    return cast("Edges", tuple(boxes.edges[index].tolist()))


def _look_in(image: Image, box: Edges, network: Detector) -> Iterator[tuple[Edges, Kind]]:
    left, top, right, bottom = pixels(grown(box, _ROOM), image.shape[1], image.shape[0])
    width, height = right - left, bottom - top
    if width < 1 or height < 1:
        return
    plan = network.plan(width, height)
    size = (plan.image_width, plan.image_height)
    scaling = cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR
    crop = cv2.resize(image[top:bottom, left:right], size, interpolation=scaling)
    (found,) = network.detect([np.asarray(crop, np.uint8)], plan, width, height)
    names = cast("tuple[Kind, ...]", network.card.vocabulary)
    for edges, category in zip(found.boxes.tolist(), found.categories.tolist(), strict=True):
        x_min, y_min, x_max, y_max = edges
        yield (x_min + left, y_min + top, x_max + left, y_max + top), names[category]
