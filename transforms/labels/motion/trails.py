"""Points followed from one frame that the detector sees to the next.

At every such anchor corners are picked all over the picture; the pyramidal method of Lucas and Kanade (Bouguet,
Intel 2001) follows them up to the next anchor. A point that does not come back to where it was when it is followed
backwards is given up (Kalal et al., ICPR 2010): this takes out drops and noise. Only the paths are kept.
"""

from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.labels.motion.corners import pick_corners
from transforms.labels.motion.cuts import is_cut
from transforms.labels.motion.thumbnails import Thumbnail, leap, thumbnail

__all__ = ["PointTracker", "Trail"]

Luma = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]
Alive = npt.NDArray[np.bool_]

_WINDOW: Final = (9, 9)
"""Small, so that small things are followed and not what is behind them; other sizes cost half as much again."""

_LEVELS: Final = 4
"""Halvings of the picture: points are found again after moving by a fifth of it."""

_FEW: Final = 0.5
"""If a smaller share of points is found again, those lost are looked for where the picture as a whole has leapt to."""

_MANY: Final = 0.2
"""If a smaller share is found there, the picture has not leapt, and what was found is chance."""

_UNTIL: Final = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)
_MAX_DIFFERENCE: Final = 20.0
"""Mean difference of the windows, in grey levels, at which it is another thing that was found."""

_MAX_RETURN_PX: Final = 0.5
"""How far from its origin a point may come back to, in luma pixels."""


@dataclass(frozen=True, slots=True)
class Trail:
    """Points followed through consecutive frames; no cut lies between them.

    Attributes:
        first: index of the first frame, counted over all frames that the tracker was given.
        timestamps_ns: time of every frame, int64[F].
        positions: x and y in pixels of the frame, where pixel i covers [i, i + 1), float32[F, P, 2]; where a point
            is not alive, its last place.
        alive: whether a point was found in a frame, bool[F, P]; what is lost stays lost.
        frame_width: width of the frames in pixels, upright.
        frame_height: their height.
        grain_px: sides of a luma pixel in pixels of the frame, the larger of the two.
    """

    first: int
    timestamps_ns: npt.NDArray[np.int64]
    positions: Points
    alive: Alive
    frame_width: int
    frame_height: int
    grain_px: float

    @property
    def last(self) -> int:
        """Index of the last frame."""
        return self.first + len(self.timestamps_ns) - 1

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Share of the trail's time that has passed at every frame, float64[F], 0 to 1.

        Time stamps that go back count as standing still; if all are equal, frames count as evenly spaced.
        """
        times = np.maximum.accumulate(self.timestamps_ns)
        elapsed = (times - times[0]).astype(np.float64)
        if elapsed[-1] <= 0:
            return np.linspace(0.0, 1.0, len(times)) if len(times) > 1 else np.zeros(len(times))
        return np.asarray(elapsed / elapsed[-1], np.float64)

    def part(self, frames: slice) -> "Trail":
        """Some consecutive frames of it, with all of its points.

        Args:
            frames: counted from the trail's own first frame; neither bound is negative or past the end.
        """
        return replace(
            self,
            first=self.first + (frames.start or 0),
            timestamps_ns=self.timestamps_ns[frames],
            positions=self.positions[frames],
            alive=self.alive[frames],
        )

    def between_ends(self) -> "Trail":
        """The first frame and the last only; `last` is no longer that of the clip."""
        ends = [0, -1]
        return replace(
            self,
            timestamps_ns=self.timestamps_ns[ends],
            positions=self.positions[ends],
            alive=self.alive[ends],
        )


@dataclass(slots=True)
class _Open:
    """A trail in the making, in luma pixels counted from 0."""

    first: int
    timestamps_ns: list[int]
    positions: list[Points]
    alive: list[Alive]


@dataclass(slots=True)
class PointTracker:
    """Follows points through one clip, frame by frame.

    Trails begin at the first frame, at every anchor and at every first frame after a cut. They end at the next
    anchor, which then begins the following one; at the last frame before a cut; and at the last frame of all.
    Keeps one picture, and of the rest only points.

    Attributes:
        frame_width: width of the frames in pixels, upright.
        frame_height: their height.
        trails: those that have ended; of two frames or more.
        cuts: indices of frames that begin another scene.
    """

    frame_width: int
    frame_height: int
    trails: list[Trail] = field(default_factory=list, init=False)
    cuts: list[int] = field(default_factory=list, init=False)
    _open: _Open | None = field(default=None, init=False)
    _luma: Luma | None = field(default=None, init=False)
    _thumbnail: Thumbnail | None = field(default=None, init=False)
    _count: int = field(default=0, init=False)

    def add(self, luma: Luma, timestamp_ns: int, *, is_anchor: bool) -> bool:
        """Goes on to the next frame.

        Args:
            luma: the frame, small, uint8[height, width]; it must not be changed until the next call.
            timestamp_ns: its time.
            is_anchor: whether boxes will be known in it.

        Returns:
            Whether it begins another scene.
        """
        small = thumbnail(luma)
        cut = False
        if self._open is None or self._luma is None or self._thumbnail is None:
            self._begin(luma, timestamp_ns)
        else:
            opened = self._open
            places, found = self._step(luma, small)
            followed, kept = int(np.count_nonzero(opened.alive[-1])), int(np.count_nonzero(found))
            elapsed_ns = timestamp_ns - opened.timestamps_ns[-1]
            cut = luma.shape != self._luma.shape or is_cut(self._thumbnail, small, followed, kept, elapsed_ns)
            if cut:
                self.cuts.append(self._count)
                self._end()
                self._begin(luma, timestamp_ns)
            else:
                opened.timestamps_ns.append(timestamp_ns)
                opened.positions.append(places)
                opened.alive.append(found)
                if is_anchor:
                    self._end()
                    self._begin(luma, timestamp_ns)
        self._luma, self._thumbnail = luma, small
        self._count += 1
        return cut

    def finish(self) -> list[Trail]:
        """Ends the last trail.

        Returns:
            All trails, in order.
        """
        self._end()
        self._luma = self._thumbnail = None
        return self.trails

    def _step(self, luma: Luma, small: Thumbnail) -> tuple[Points, Alive]:
        """Finds the open trail's points in the next picture, if need be where the picture as a whole has leapt to."""
        assert self._open is not None
        assert self._luma is not None
        assert self._thumbnail is not None
        before, alive = self._open.positions[-1], self._open.alive[-1]
        places, found = _follow(self._luma, luma, before, alive)
        followed = np.count_nonzero(alive)
        if luma.shape == self._luma.shape and np.count_nonzero(found) < _FEW * followed:
            shift = np.array(leap(self._thumbnail, small)) * luma.shape[::-1]
            again, refound = _follow(self._luma, luma, before, alive & ~found, shift)
            if np.count_nonzero(refound) >= _MANY * followed:
                places[refound], found = again[refound], found | refound
        return places, found

    def _begin(self, luma: Luma, timestamp_ns: int) -> None:
        corners = pick_corners(luma)
        self._open = _Open(self._count, [timestamp_ns], [corners], [np.ones(len(corners), np.bool_)])

    def _end(self) -> None:
        opened, self._open = self._open, None
        if opened is None or self._luma is None or len(opened.positions) < 2:  # noqa: PLR2004 - a step takes two
            return
        height, width = self._luma.shape
        grain = np.array([self.frame_width / width, self.frame_height / height], np.float32)
        self.trails.append(
            Trail(
                first=opened.first,
                timestamps_ns=np.array(opened.timestamps_ns, np.int64),
                positions=(np.stack(opened.positions) + np.float32(0.5)) * grain,
                alive=np.stack(opened.alive),
                frame_width=self.frame_width,
                frame_height=self.frame_height,
                grain_px=float(grain.max()),
            )
        )


def _follow(
    before: Luma, now: Luma, places: Points, alive: Alive, shift: npt.NDArray[np.float64] | None = None
) -> tuple[Points, Alive]:
    """Finds points of one picture in the next.

    Args:
        before: uint8[height, width].
        now: the next picture.
        places: luma pixels counted from 0, float32[P, 2].
        alive: those to look for, bool[P].
        shift: how far from where they were the search begins, float64[2].

    Returns:
        Where they are now (those that are lost: where they were), float32[P, 2], and which were found, bool[P].
    """
    moved, found = places.copy(), np.zeros(len(places), np.bool_)
    if not alive.any() or before.shape != now.shape:
        return moved, found
    origin = places[alive]
    guess = origin.copy() if shift is None else (origin + shift).astype(np.float32)
    there, tracked, difference = cv2.calcOpticalFlowPyrLK(
        before,
        now,
        origin,
        guess,
        winSize=_WINDOW,
        maxLevel=_LEVELS,
        criteria=_UNTIL,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    # begins at the origin, at full size: as telling as a whole search and a quarter of its time
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        now,
        before,
        there,
        origin.copy(),
        winSize=_WINDOW,
        maxLevel=0,
        criteria=_UNTIL,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    height, width = now.shape
    kept = (tracked[:, 0] > 0) & (returned[:, 0] > 0) & (difference[:, 0] < _MAX_DIFFERENCE)
    kept &= (np.abs(back - origin) < _MAX_RETURN_PX).all(axis=1)
    kept &= ((there >= 0) & (there <= (width - 1, height - 1))).all(axis=1)
    moved[alive] = np.where(kept[:, None], there, origin)
    found[alive] = kept
    return moved, found
