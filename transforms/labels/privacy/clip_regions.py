"""All that is blurred in the frames of a clip: by rule, by what networks find, and by what they found nearby."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from models.sessions import Detector
from transforms.labels.privacy.boxes import PeopleAndVehicles
from transforms.labels.privacy.finding import Found, look
from transforms.labels.privacy.regions import Edges, Kind, Region, grown
from transforms.labels.privacy.rules import head, lower_part
from transforms.labels.privacy.settings import Blur

Frames = Callable[[], Iterable[tuple[int, npt.NDArray[np.uint8]]]]
"""Gives time in ns and picture of every frame that may leave; called only where a network looks."""

_ROOM: Final = 0.25
"""Share of what a network found that is blurred around it: its box ends at chin and brow."""

_ROOM_CARRIED: Final = 0.5
"""The same for what was found in another frame: heads turn, and boxes change their shape."""

_CARRIED_NS: Final = 1_000_000_000
"""How far what was found is carried along a track, to either side."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What was found in a box, in shares of the box."""

    time_ns: int
    edges: Edges
    found: Found


class ClipRegions:
    """What is to be blurred in the frames of a clip.

    Args:
        boxes: the clip's people and vehicles.
        blur: what is blurred, and whether by rule.
        networks: those that `blur` names, loaded; what they find is blurred too.
        frames: the frames that may leave, in the order of time.
    """

    def __init__(
        self,
        boxes: PeopleAndVehicles,
        blur: Blur,
        networks: Sequence[Detector] = (),
        frames: Frames = tuple,
    ) -> None:
        self._boxes = boxes
        rules = (("face", head), ("plate", lower_part)) if blur.rules else ()
        self._rules = [rule for kind, rule in rules if kind in blur.kinds]
        self._found: dict[int, list[Found]] = {}
        self._along: dict[int, dict[tuple[Kind, str], list[_Place]]] = {}
        if networks and blur.kinds:
            for time_ns, image in frames():
                for found in look(image, time_ns, boxes, networks, blur.kinds):
                    self._add(found)

    def at(self, time_ns: int) -> list[Region]:
        """The regions of a labelled frame; none where there are no labels, so that no other frame may leave.

        Args:
            time_ns: its time since the clip's first shown frame.
        """
        found = self._found.get(time_ns, [])
        regions = [
            Region(item.kind, grown(item.edges, _ROOM), item.model, item.model_digest) for item in found
        ]
        has_own = {(item.kind, item.model, item.box) for item in found}
        for index in self._boxes.at(time_ns):
            edges = self._edges(index)
            category = int(self._boxes.categories[index])
            regions += [region for rule in self._rules if (region := rule(edges, category)) is not None]
            regions += self._carried(index, edges, time_ns, has_own)
        return regions

    def _add(self, found: Found) -> None:
        self._found.setdefault(found.time_ns, []).append(found)
        track = int(self._boxes.tracks[found.box])
        if track >= 0:
            place = _Place(found.time_ns, _relative(found.edges, self._edges(found.box)), found)
            named = self._along.setdefault(track, {})
            named.setdefault((found.kind, found.model), []).append(place)

    def _edges(self, index: int) -> Edges:
        return cast("Edges", tuple(self._boxes.edges[index].tolist()))

    def _carried(
        self, index: int, edges: Edges, time_ns: int, has_own: set[tuple[Kind, str, int]]
    ) -> Iterator[Region]:
        """What was found before and after in the track of a box in which nothing was found itself."""
        for (kind, model), places in self._along.get(int(self._boxes.tracks[index]), {}).items():
            if (kind, model, index) not in has_own:
                for place in _nearest(places, time_ns):
                    moved = grown(_absolute(place.edges, edges), _ROOM_CARRIED)
                    yield Region(kind, moved, model, place.found.model_digest, carried=True)


def _nearest(places: Sequence[_Place], time_ns: int) -> Iterator[_Place]:
    """The places of the last frame before a time and of the first one after it, where they are near enough."""
    after = bisect_left(places, time_ns, key=lambda place: place.time_ns)
    for near in dict.fromkeys(places[at].time_ns for at in (after - 1, after) if 0 <= at < len(places)):
        if abs(near - time_ns) <= _CARRIED_NS:
            first = bisect_left(places, near, key=lambda place: place.time_ns)
            for place in places[first:]:
                if place.time_ns != near:
                    break
                yield place


def _relative(edges: Edges, box: Edges) -> Edges:
    width, height = box[2] - box[0], box[3] - box[1]
    return (
        (edges[0] - box[0]) / width,
        (edges[1] - box[1]) / height,
        (edges[2] - box[0]) / width,
        (edges[3] - box[1]) / height,
    )


def _absolute(shares: Edges, box: Edges) -> Edges:
    width, height = box[2] - box[0], box[3] - box[1]
    return (
        box[0] + shares[0] * width,
        box[1] + shares[1] * height,
        box[0] + shares[2] * width,
        box[1] + shares[3] * height,
    )
