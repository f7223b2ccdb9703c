"""From a decoded frame to the small upright pictures that labelling needs."""

from typing import Final

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

__all__ = ["LUMA_LONG_SIDE", "SCALER", "Pictures"]

SCALER: Final = Interpolation.AREA
"""How pictures are made smaller. Of the scaler's methods AREA costs least and, unlike FAST_BILINEAR (0.7 px to
the left), keeps the image in its place. Detectors see 5 to 10 % other boxes with each method."""

LUMA_LONG_SIDE: Final = 320
"""Long side of the luma picture, in pixels; smaller frames are not enlarged."""


class Pictures:
    """Scales and turns frames; keeps a scaler for each size, for setting one up costs more than using it.

    Attributes:
        rotation_deg: clockwise turn that brings a decoded picture upright: 0, 90, 180 or 270.
    """

    def __init__(self, rotation_deg: int) -> None:
        self.rotation_deg = rotation_deg
        self._scalers: dict[tuple[int, int, str], VideoReformatter] = {}

    def bgr(self, frame: VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
        """The frame in colour, in the order that networks and OpenCV take.

        Args:
            frame: a decoded frame.
            width: width of the upright picture in pixels.
            height: its height.

        Returns:
            The upright picture, uint8[height, width, 3], contiguous.
        """
        return self._colour(frame, width, height, "bgr24")

    def rgb(self, frame: VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
        """The picture of `bgr` with red first."""
        return self._colour(frame, width, height, "rgb24")

    def luma(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """The frame's luma as coded (limited range stays limited), no larger than `LUMA_LONG_SIDE`.

        Args:
            frame: a decoded frame.

        Returns:
            The upright picture, uint8[height, width], contiguous.
        """
        shrink = min(1.0, LUMA_LONG_SIDE / max(frame.width, frame.height))
        width = max(1, round(frame.width * shrink))
        height = max(1, round(frame.height * shrink))
        # asking for gray would stretch limited range to full; of the YUV formats this one has least chroma
        plane = self._scale(frame, width, height, "yuv410p").planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return self._upright(rows[:height, :width])

    def _colour(self, frame: VideoFrame, width: int, height: int, pixel_format: str) -> NDArray[np.uint8]:
        """Goes two steps: scaling as YUV and then colours costs half of both at once."""
        if self.rotation_deg % 180:
            width, height = height, width
        if not frame.format.is_rgb:
            frame = self._scale(frame, width, height, "yuv420p")
        colour = self._scale(frame, width, height, pixel_format).to_ndarray()
        return self._upright(colour.astype(np.uint8, copy=False))

    def _scale(self, frame: VideoFrame, width: int, height: int, pixel_format: str) -> VideoFrame:
        key = (width, height, pixel_format)
        # one thread: with several, the scaler gave other pixels from one call to the next
        scaler = self._scalers.get(key) or self._scalers.setdefault(key, VideoReformatter())
        return scaler.reformat(frame, width, height, pixel_format, interpolation=SCALER, threads=1)

    def _upright(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(np.rot90(picture, -self.rotation_deg // 90))
