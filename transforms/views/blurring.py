"""Faces and plates in pictures that are drawn of a data set: what is blurred in the frames of one clip."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transforms.labels.privacy.boxes import PeopleAndVehicles
from transforms.labels.privacy.clip_regions import ClipRegions, Frames
from transforms.labels.privacy.covering import blurred
from transforms.labels.privacy.settings import Blur, load_networks

_BOXES: Final = """SELECT timestamp_ns, track_id, category, x_min_px, y_min_px, x_max_px, y_max_px,
    category_raw, raw_x_min_px, raw_y_min_px, raw_x_max_px, raw_y_max_px FROM detections WHERE clip_id = ?"""

_LABELLED: Final = """SELECT frame_id FROM frames
    WHERE clip_id = ? AND timestamp_ns = ? AND sample_index IS NOT NULL AND NOT is_damaged"""


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
    rows = data.sql(_BOXES, params=[clip_id]).to_arrow_table()
    return ClipRegions(PeopleAndVehicles.from_table(rows), blur, load_networks(blur), frames)


def frame_cover(data: Any, blur: Blur) -> Callable[[str, int, npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]:
    """What blurs single frames of many clips.

    Args:
        data: the data set, as `transforms.tables.queries.connect` gives it.
        blur: what is blurred, and by which networks.

    Returns:
        Takes a clip's id, the time of one of its labelled frames in ns and the frame as displayed, BGR
        uint8[height, width, 3], and gives the frame as it may leave; raises `ValueError` for a time that has no labels.
    """

    def cover(clip_id: str, time_ns: int, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        if blur.kinds and not data.execute(_LABELLED, [clip_id, time_ns]).fetchall():
            raise ValueError(f"{clip_id}: no labelled frame at {time_ns} ns: who is in it is not known")
        regions = clip_regions(data, clip_id, blur, lambda: [(time_ns, image)])
        return blurred(image, regions.at(time_ns))

    return cover
