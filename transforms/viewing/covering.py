"""Faces and plates in the viewer's stills: only labelled frames are shown then, for of no other is it known who is there."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from transforms.labels.privacy.boxes import BOX_COLUMNS, PeopleAndVehicles
from transforms.labels.privacy.clip_regions import ClipRegions
from transforms.labels.privacy.covering import blurred
from transforms.labels.privacy.settings import Blur, load_networks
from transforms.viewing.viewed_set import ViewedClip, ViewedSet

__all__ = ["StillCover", "still_cover"]

_NEAR_NS: Final = 60_000_000_000
"""A labelled frame is looked for this long before and after a time; what is farther away tells nothing of it."""


@dataclass(frozen=True, slots=True)
class StillCover:
    """Blurs a labelled frame; it goes along into the process that decodes the clip.

    Attributes:
        time_ns: of the frame, since the clip's first shown one.
        boxes: people and vehicles in it.
        blur: what is blurred, and by which networks.
    """

    time_ns: int
    boxes: PeopleAndVehicles
    blur: Blur

    def __call__(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The frame as it may leave.

        Args:
            image: as displayed, at full resolution, BGR uint8[height, width, 3].

        Raises:
            ModelError: a network cannot be had.
        """
        networks = load_networks(self.blur)
        regions = ClipRegions(self.boxes, self.blur, networks, lambda: [(self.time_ns, image)])
        return blurred(image, regions.at(self.time_ns))


def still_cover(viewed: ViewedSet, clip: ViewedClip, at_ns: int, blur: Blur) -> StillCover | None:
    """What is shown of a clip at a time, and how it is blurred.

    Frames between labelled ones would show whom no label knows: people who are labelled in neither, or who
    left the picture in between.

    Args:
        viewed: the data set.
        clip: the clip.
        at_ns: time since its first shown frame.
        blur: what is blurred.

    Returns:
        Of the last labelled frame up to the time, or else of the first one after it; None where none is near.

    Raises:
        ChangedError: the data set has changed.
        DamagedError: a table cannot be read.
    """
    start, stop = max(0, at_ns - _NEAR_NS), at_ns + _NEAR_NS
    shards = viewed.shards_of(clip, start, stop)
    near = [
        ("clip_id", "=", clip.clip_id),
        ("timestamp_ns", ">=", start),
        ("timestamp_ns", "<", stop),
    ]
    frames = viewed.rows("frames", shards, ("timestamp_ns", "sample_index", "is_damaged"), near)
    labelled = frames.filter(pc.and_(pc.is_valid(frames["sample_index"]), pc.invert(frames["is_damaged"])))
    times = np.sort(labelled["timestamp_ns"].to_numpy())
    if not len(times):
        return None
    shown = int(times[max(0, int(np.searchsorted(times, at_ns, side="right")) - 1)])
    rows = viewed.rows(
        "detections",
        viewed.shards_of(clip, shown, shown + 1),
        BOX_COLUMNS,
        [("clip_id", "=", clip.clip_id), ("timestamp_ns", "=", shown)],
    )
    return StillCover(shown, PeopleAndVehicles.from_table(rows), blur)
