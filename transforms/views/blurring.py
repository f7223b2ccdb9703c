"""Faces and plates in pictures that are drawn of a data set: what is blurred in the frames of one clip."""

from collections.abc import Callable, Collection
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from transforms.labels.privacy.boxes import PeopleAndVehicles
from transforms.labels.privacy.clip_regions import ClipRegions, Frames
from transforms.labels.privacy.covering import blurred
from transforms.labels.privacy.settings import Blur, load_networks

_BOXES: Final = """SELECT clip_id, timestamp_ns, track_id, category, x_min_px, y_min_px, x_max_px, y_max_px,
    category_raw, raw_x_min_px, raw_y_min_px, raw_x_max_px, raw_y_max_px FROM detections
    WHERE clip_id IN (SELECT unnest($clips))"""

_AT: Final = " AND timestamp_ns IN (SELECT unnest($times))"

_LABELLED: Final = """SELECT clip_id, timestamp_ns FROM frames
    WHERE sample_index IS NOT NULL AND NOT is_damaged AND clip_id IN (SELECT unnest($clips))"""


def clip_regions(data: Any, clip_id: str, blur: Blur, frames: Frames) -> ClipRegions:
    """What is to be blurred in frames of a clip.

    Args:
        data: the data set, as `transforms.tables.queries.connect` gives it.
        clip_id: the clip.
        blur: what is blurred, and by which networks.
        frames: gives time in ns and picture of every frame that may leave, in the order of time; called only where a
            network looks.

    Raises:
        ModelError: a network cannot be had.
    """
    rows = data.sql(_BOXES, params={"clips": [clip_id]}).to_arrow_table()
    return ClipRegions(PeopleAndVehicles.from_table(rows), blur, load_networks(blur), frames)


def frame_cover(
    data: Any, blur: Blur, frames: Collection[tuple[str, int]]
) -> Callable[[str, int, npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]:
    """What blurs single frames of many clips; their labels are read at once, however many clips there are.

    Args:
        data: the data set, as `transforms.tables.queries.connect` gives it.
        blur: what is blurred, and by which networks.
        frames: clip and time in ns of every frame that may come.

    Returns:
        Takes a clip's id, the time of one of its labelled frames in ns and the frame as displayed, BGR
        uint8[height, width, 3], and gives the frame as it may leave; raises `ValueError` for a time that has no labels,
        or that is not among `frames`.
    """
    if not blur.kinds:
        return lambda _clip_id, _time_ns, image: image
    chosen = {"clips": [clip_id for clip_id, _ in frames], "times": [time_ns for _, time_ns in frames]}
    labelled = set(data.sql(_LABELLED + _AT, params=chosen).fetchall()).intersection(frames)
    rows = data.sql(_BOXES + _AT, params=chosen).to_arrow_table()

    def cover(clip_id: str, time_ns: int, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        if (clip_id, time_ns) not in labelled:
            raise ValueError(f"{clip_id}: no labelled frame at {time_ns} ns: who is in it is not known")
        own = rows.filter(
            (pc.field("clip_id") == pc.scalar(clip_id)) & (pc.field("timestamp_ns") == pc.scalar(time_ns))
        )
        boxes = PeopleAndVehicles.from_table(own)
        regions = ClipRegions(boxes, blur, load_networks(blur), lambda: [(time_ns, image)])
        return blurred(image, regions.at(time_ns))

    return cover
