"""Which frames the networks see when they go where the picture changes.

A call of the networks falls due whenever a fixed rate would have made one. It waits until the picture has departed
from the one that they saw last, or a while has passed; a call that falls due meanwhile is saved for good. So what
stands costs almost nothing, and what moves is seen as often as at the fixed rate.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.clips.sampling import Sampling
from transforms.labels.motion.thumbnails import Thumbnail, thumbnail

__all__ = ["LEAST_CHANGE", "LONGEST_WAIT_NS", "AdaptiveSampler", "change", "picture_clock"]

LEAST_CHANGE: Final = 0.4
"""On rendered clips people and cars that pass a standing camera make .5 to 2 within a quarter of a second, a moving
camera 1.1 to 3; the noise of a sensor at night and in rain, as coded, reaches .31 with nothing moving."""

LONGEST_WAIT_NS: Final = 2_000_000_000
"""The networks look again after this time even if nothing has changed."""

_PATCH: Final = 8
"""Sides of the part of a thumbnail whose change counts: what moves is small beside what stands."""

_FAINT: Final = 2.0
"""Contrast in grey levels below which it is noise that a thumbnail shows."""


def change(before: Thumbnail, now: Thumbnail) -> float:
    """How far a picture has departed from another, in the part where it has done so most.

    Args:
        before: the other, float32[h, w].
        now: the picture, the same shape.

    Returns:
        Root mean square of the difference in that part as a share of the pictures' contrast; 0 for equal ones.

    >>> change(np.zeros((16, 48), np.float32), np.zeros((16, 48), np.float32))
    0.0
    """
    most = float(cv2.blur(np.square(now - before), (_PATCH, _PATCH)).max())
    contrast = (float(np.square(before).mean()) + float(np.square(now).mean())) / 2
    return float(np.sqrt(most / (contrast + _FAINT**2)))


@dataclass(slots=True)
class AdaptiveSampler:
    """Goes through a clip's frames in the decoder's order and says which ones the networks see.

    Up to any frame they see no more of them than the rate would have taken. From `restart_ns` on nothing counts
    that was before, so whoever begins there is told the same.

    Attributes:
        sampling: the rate.
        start_ns: where it begins, in the clip's time.
        restart_ns: where it forgets all that was before, in the clip's time; nowhere unless after `start_ns`.
    """

    sampling: Sampling
    start_ns: int
    restart_ns: int
    _highest_ns: int = field(init=False)
    _last_index: int = field(init=False)
    _is_due: bool = field(init=False)
    _seen_ns: int = field(init=False)
    _seen: Thumbnail | None = field(init=False)

    def __post_init__(self) -> None:
        """Begins."""
        self._begin(self.start_ns)

    def wants(self, time_ns: int, luma: npt.NDArray[np.uint8]) -> bool:
        """Decides about the next frame.

        Args:
            time_ns: its time since the clip's first shown frame; one that is not above all before is not wanted.
            luma: the frame, small, uint8[height, width].
        """
        if time_ns <= self._highest_ns:
            return False
        if self._highest_ns < self.restart_ns <= time_ns and self.start_ns < self.restart_ns:
            self._begin(self.restart_ns)
        self._highest_ns = time_ns
        index = self.sampling.index_at(time_ns)
        self._is_due |= index > self._last_index
        self._last_index = index
        if not self._is_due:
            return False
        picture = thumbnail(luma)
        if not self._is_news(time_ns, picture):
            return False
        self._is_due = False
        self._seen_ns, self._seen = time_ns, picture
        return True

    def _begin(self, time_ns: int) -> None:
        self._highest_ns = time_ns - 1
        self._last_index = self.sampling.index_at(time_ns - 1)
        self._is_due = False
        self._seen_ns, self._seen = time_ns, None

    def _is_news(self, time_ns: int, picture: Thumbnail) -> bool:
        if self._seen is None or self._seen.shape != picture.shape:
            return True
        return time_ns - self._seen_ns >= LONGEST_WAIT_NS or change(self._seen, picture) >= LEAST_CHANGE


def picture_clock(
    timestamps_ns: npt.NDArray[np.int64], seen: npt.NDArray[np.bool_], sampling: Sampling
) -> npt.NDArray[np.int64]:
    """Time as the picture goes: it passes more slowly where a call of the networks waited for a change.

    What is known of tracks in seconds, such as how long one may stay unseen, holds for things that move. Where
    nothing did, two calls are as near to each other as the rate would have had them.

    Args:
        timestamps_ns: time of every frame, int64[F], never falling.
        seen: frames that the networks saw, bool[F].
        sampling: the rate at which calls fall due.

    Returns:
        Times, int64[F], never falling. From one seen frame to the next passes at most what it takes to the first
        frame a step of the rate later, so that calls that did not wait keep their own times.

    >>> times = np.arange(5) * 1_000_000_000
    >>> picture_clock(times, np.array([True, False, False, False, True]), Sampling.parse("1")).tolist()
    [0, 250000000, 500000000, 750000000, 1000000000]
    """
    places = np.flatnonzero(seen)
    if len(places) < 2:  # noqa: PLR2004 - a step takes two
        return timestamps_ns
    own = timestamps_ns[places]
    steps = np.diff(own)
    prompt = np.searchsorted(timestamps_ns, own[:-1] + sampling.due_ns(1))
    prompt_ns = timestamps_ns[np.minimum(prompt, places[1:])] - own[:-1]
    # frames before the first seen one and after the last keep the clip's own pace
    step = np.clip(np.searchsorted(places, np.arange(len(timestamps_ns)), side="right") - 1, 0, len(steps))
    past = timestamps_ns - own[step]
    pace = np.append(prompt_ns / np.maximum(steps, 1), 1.0)[step]
    pace[: places[0]] = 1.0
    begun = np.concatenate([[0], np.cumsum(prompt_ns)])
    clock: npt.NDArray[np.int64] = own[0] + begun[step] + np.rint(past * pace).astype(np.int64)
    return clock
