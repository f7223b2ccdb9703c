"""How fast things move of themselves, by the points in their boxes: known of one box alone, before it has a track.

What passes at speed is a box's width further when the network looks again, and no motion so far leads there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from transforms.labels.camera_path import CameraPath
from transforms.labels.kalman import to_centres
from transforms.labels.motion.extending import Extended, carry_backward, carry_forward
from transforms.labels.motion.trails import Trail
from transforms.labels.sightings import Sightings

__all__ = ["PointVelocities"]

FloatArray = npt.NDArray[np.float64]

_LEAST_CONFIDENCE: Final = 0.5
"""Of a box whose points are few, or of many minds, nothing is said. At .3 rendered scenes lose .001 AP50, at .7 the
boxes that pass fastest have no velocity any more."""

_NS_PER_S: Final = 1e9


@dataclass(frozen=True, slots=True)
class PointVelocities:
    """Velocities of boxes, beside what the camera does to the picture.

    Attributes:
        ahead: on the way to the next frame that the network looked at: of centre x, centre y, width and height, in
            pixels a second, float64[N, 4]; NaN where the points do not tell.
        back: the same on the way to the frame before, in time that runs backwards, float64[N, 4].
    """

    ahead: FloatArray
    back: FloatArray

    @classmethod
    def measured(cls, seen: Sightings, trails: Sequence[Trail], camera: CameraPath) -> Self:
        """Measures them.

        Args:
            seen: detections of a clip.
            trails: points followed, over all frames of the clip; those between two frames that the network looked
                at are used.
            camera: how the camera moved the picture.
        """
        ahead, back = (np.full((len(seen.frames), 4), np.nan) for _ in range(2))
        starts = np.searchsorted(seen.frames, np.arange(len(seen.seen) + 1))
        reverse, final = camera.reversed(), len(seen.seen) - 1
        for trail in trails:
            first, last = trail.first, trail.last
            elapsed_s = float(seen.timestamps_ns[last] - seen.timestamps_ns[first]) / _NS_PER_S
            if not (seen.seen[first] and seen.seen[last] and elapsed_s > 0):
                continue
            ends = trail.between_ends()
            early, late = (slice(starts[frame], starts[frame + 1]) for frame in (first, last))
            stood = camera.moved_boxes(seen.boxes[early], first, last)
            led = carry_forward(ends, seen.boxes[early], points_only=True)
            ahead[early] = _told(led, -1, stood) / elapsed_s
            stood = reverse.moved_boxes(seen.boxes[late], final - last, final - first)
            led = carry_backward(ends, seen.boxes[late], points_only=True)
            back[late] = _told(led, 0, stood) / elapsed_s
        return cls(ahead, back)


def _told(carried: Extended, frame: int, stood: FloatArray) -> FloatArray:
    """How far points lead beyond where boxes that stand still would be, float64[N, 4]; NaN where they do not tell."""
    sure = carried.confidence[frame] >= _LEAST_CONFIDENCE
    apart = to_centres(carried.boxes[frame].astype(np.float64)) - stood
    return np.where(sure[:, None], apart, np.nan)
