"""Faces and plates in pictures that are drawn of a data set: what is blurred in the frames of one clip."""

from typing import Any, Final

from transforms.labels.privacy.boxes import PeopleAndVehicles
from transforms.labels.privacy.clip_regions import ClipRegions, Frames
from transforms.labels.privacy.settings import Blur, load_networks

_BOXES: Final = """SELECT timestamp_ns, track_id, category, x_min_px, y_min_px, x_max_px, y_max_px, score
    FROM detections WHERE clip_id = ?"""


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
    return ClipRegions(PeopleAndVehicles.from_table(rows), blur.kinds, load_networks(blur), frames)
