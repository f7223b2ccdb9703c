"""Tracks: which detections of consecutive frames are the same object.

Two-stage association after ByteTrack (Zhang et al., ECCV 2022): confident boxes first, then tracks that are left
may go on with what the detector was unsure of. Which box goes to which track is decided by what was seen up to
that frame; only which tracks are long enough for a number is decided at the end.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from models.detections import CategoryArray, FloatArray
from transforms.labels.camera_path import CameraPath
from transforms.labels.category_likeness import likeness
from transforms.labels.kalman import BoxNoise, corrected, predicted, started, steered, to_centres, to_edges
from transforms.labels.overlap import iou

_NS_PER_S: Final = 1e9

IntArray = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSettings:
    """How detections become tracks.

    The defaults come from a search on the cars and pedestrians of KITTI tracking at 10, 5 and 2.5 Hz at once
    (tests/benchmarks/tracking.py measures them). What the least overlaps, the scores and the noise are matters
    little; a `max_gap_s` of half or twice the value costs up to .02 HOTA at 2.5 Hz.

    Attributes:
        high_score: boxes from this score on are associated first.
        new_score: a box from this score on that no track wants begins one; not below `high_score`.
        low_score: boxes below it are not looked at.
        min_iou: least overlap of a confident box with the box predicted for a track.
        min_iou_low: the same for a box below `high_score`.
        max_gap_s: a track not seen for longer ends.
        max_gap_new_s: the same for a track of one box, whose motion is unknown; the very next frame is always
            tried, as long as it lies within `max_gap_s`.
        min_detections: tracks of fewer boxes get no number.
        noise: the motion model.
    """

    high_score: float = 0.5
    new_score: float = 0.6
    low_score: float = 0.1
    min_iou: float = 0.1
    min_iou_low: float = 0.5
    max_gap_s: float = 1.0
    max_gap_new_s: float = 0.2
    min_detections: int = 2
    noise: BoxNoise = field(default_factory=BoxNoise)

    def __post_init__(self) -> None:
        """Refuses settings under which some boxes would silently be lost.

        Raises:
            ValueError: the scores are not in order.
        """
        if not self.low_score <= self.high_score <= self.new_score:
            raise ValueError(
                f"low_score {self.low_score} <= high_score {self.high_score} <= new_score {self.new_score} must hold"
            )


def track(
    timestamps_ns: IntArray,
    frame_of: npt.NDArray[np.int32],
    boxes: FloatArray,
    scores: FloatArray,
    categories: CategoryArray,
    settings: TrackerSettings | None = None,
    camera: CameraPath | None = None,
    looked_at: npt.NDArray[np.bool_] | None = None,
    velocities: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.int32]:
    """Numbers the objects of one clip.

    The result depends on the detections only, not on their order within a frame.

    Args:
        timestamps_ns: time of every frame, int64[F], in the order shown; equal times and gaps of any length may occur.
        frame_of: index of every detection's frame, int32[N], in any order.
        boxes: xyxy edges in pixels, float32[N, 4].
        scores: the network's own confidence, float32[N], 0..1.
        categories: indices into `CATEGORIES`, uint8[N]; larger ones are categories of their own.
        settings: None = the defaults.
        camera: how the camera moved the picture, if that is known.
        looked_at: frames that detections could come from, bool[F]; None = all.
        velocities: of every box's centre and size, pixels a second, beside the camera's motion, float64[N, 4]; NaN
            where it was not measured, None = nowhere.

    Returns:
        Track number of every detection, int32[N]: 0, 1, ... in order of first appearance, -1 = no track.

    >>> times = np.array([0, 100_000_000])
    >>> boxes = np.array([[0, 0, 10, 10], [50, 0, 60, 10], [51, 0, 61, 10]], dtype=np.float32)
    >>> track(times, np.array([0, 0, 1]), boxes, np.full(3, 0.9), np.full(3, 4, dtype=np.uint8)).tolist()
    [-1, 0, 0]
    """
    settings = settings or TrackerSettings()
    edges = boxes.T
    # Best score first, and every further column so that no two different boxes tie.
    order = np.lexsort((categories, edges[3], edges[2], edges[1], edges[0], -scores, frame_of))
    bounds = np.searchsorted(frame_of[order], np.arange(len(timestamps_ns) + 1)).tolist()
    measured = None if velocities is None else velocities[order]
    tracker = _Tracker(
        boxes[order].astype(np.float64), scores[order], categories[order], settings, camera, measured
    )
    previous_ns = 0
    # A frame that is shown before an earlier one's time counts as shown at that time.
    for frame, time_ns in enumerate(np.maximum.accumulate(timestamps_ns).tolist()):
        start, stop = bounds[frame], bounds[frame + 1]
        # A frame without boxes changes nothing: the motion model takes any step at once.
        if start < stop:
            tracker.see(frame, time_ns, previous_ns, start, stop)
        if looked_at is None or looked_at[frame]:
            previous_ns = time_ns
    numbers = np.empty(len(order), dtype=np.int32)
    numbers[order] = _long_enough(tracker.numbers, settings.min_detections)
    return numbers


def _long_enough(numbers: IntArray, min_detections: int) -> npt.NDArray[np.int32]:
    """Numbers anew, without gaps, the tracks that have enough boxes."""
    tracked = np.flatnonzero(numbers >= 0)
    _, inverse, counts = np.unique(numbers[tracked], return_inverse=True, return_counts=True)
    enough = counts >= min_detections
    renumbered = np.where(enough, np.cumsum(enough) - 1, -1)
    result = np.full(len(numbers), -1, dtype=np.int32)
    result[tracked] = renumbered[inverse]
    return result


@dataclass(frozen=True, slots=True)
class _Tracks:
    """The tracks that may go on, in order of their birth.

    Attributes:
        numbers: provisional numbers, int64[T], ascending.
        categories: category each was last seen as, uint8[T].
        seen_in: frame in which each was last seen, int64[T].
        seen_ns: when that was, int64[T].
        counts: boxes so far, int64[T].
        states: what is known of each at `seen_ns`, float64[5, T, 4].
    """

    numbers: IntArray
    categories: CategoryArray
    seen_in: IntArray
    seen_ns: IntArray
    counts: IntArray
    states: npt.NDArray[np.float64]

    def take(self, rows: npt.NDArray[np.bool_]) -> "_Tracks":
        return _Tracks(
            self.numbers[rows],
            self.categories[rows],
            self.seen_in[rows],
            self.seen_ns[rows],
            self.counts[rows],
            self.states[:, rows],
        )

    def joined(self, others: "_Tracks") -> "_Tracks":
        return _Tracks(
            np.concatenate([self.numbers, others.numbers]),
            np.concatenate([self.categories, others.categories]),
            np.concatenate([self.seen_in, others.seen_in]),
            np.concatenate([self.seen_ns, others.seen_ns]),
            np.concatenate([self.counts, others.counts]),
            np.concatenate([self.states, others.states], axis=1),
        )


class _Tracker:
    """Goes through the frames of a clip and writes down who is who.

    Attributes:
        numbers: provisional track number of every detection, int64[N], -1 = none.
    """

    def __init__(
        self,
        boxes: npt.NDArray[np.float64],
        scores: FloatArray,
        categories: CategoryArray,
        settings: TrackerSettings,
        camera: CameraPath | None,
        velocities: npt.NDArray[np.float64] | None,
    ) -> None:
        self._boxes = boxes
        self._centres = to_centres(boxes)
        self._losses = -scores
        self._categories = categories
        self._settings = settings
        self._camera = camera
        self._velocities = velocities
        self._next_number = 0
        self.numbers: IntArray = np.full(len(boxes), -1, dtype=np.int64)
        self._tracks = self._begun(np.empty(0, dtype=np.intp), 0, 0)

    def see(self, frame: int, time_ns: int, previous_ns: int, start: int, stop: int) -> None:
        """Takes in a frame.

        Args:
            frame: its index.
            time_ns: its time.
            previous_ns: the time of the frame before, which may have been empty.
            start: the frame's first detection, in order of falling score.
            stop: one past its last.
        """
        settings = self._settings
        losses = self._losses[start:stop]
        new, high, low = (
            start + int(np.searchsorted(losses, -least, side="right"))
            for least in (settings.new_score, settings.high_score, settings.low_score)
        )
        self._end(time_ns, previous_ns)
        wanted = self._go_on(frame, time_ns, start, high, low) if len(self._tracks.numbers) else _NOTHING
        free = np.ones(new - start, dtype=bool)
        free[wanted[wanted < new] - start] = False
        born = start + np.flatnonzero(free)
        if len(born):
            self._tracks = self._tracks.joined(self._begun(born, frame, time_ns))

    def _begun(self, born: IndexArray, frame: int, time_ns: int) -> _Tracks:
        """Tracks that begin with these detections."""
        numbers = np.arange(self._next_number, self._next_number + len(born))
        self._next_number += len(born)
        self.numbers[born] = numbers
        return _Tracks(
            numbers,
            self._categories[born],
            np.full(len(born), frame, dtype=np.int64),
            np.full(len(born), time_ns, dtype=np.int64),
            np.ones(len(born), dtype=np.int64),
            self._steered(started(self._centres[born], self._settings.noise), born),
        )

    def _end(self, time_ns: int, previous_ns: int) -> None:
        """Drops the tracks that were not seen for too long."""
        tracks, settings = self._tracks, self._settings
        gap_s = (time_ns - tracks.seen_ns) / _NS_PER_S
        young = tracks.counts == 1
        lasting = ~young | (gap_s <= settings.max_gap_new_s) | (tracks.seen_ns >= previous_ns)
        lasting &= gap_s <= settings.max_gap_s
        if not lasting.all():
            self._tracks = tracks.take(lasting)

    def _go_on(self, frame: int, time_ns: int, start: int, high: int, low: int) -> IndexArray:
        """Continues tracks with detections start to low (from high on: unsure); returns those used."""
        tracks, settings = self._tracks, self._settings
        elapsed_s = (time_ns - tracks.seen_ns) / _NS_PER_S
        forecast = predicted(tracks.states, elapsed_s, settings.noise)
        if self._camera is not None:
            forecast = self._camera.moved(forecast, tracks.seen_in, np.full_like(tracks.seen_in, frame))
        overlaps = iou(to_edges(forecast[0]), self._boxes[start:low])
        overlaps *= likeness(tracks.categories, self._categories[start:low])
        rows, columns = _assigned(overlaps[:, : high - start], settings.min_iou)
        if high < low:
            left = np.ones(len(overlaps), dtype=bool)
            left[rows] = False
            rest = np.flatnonzero(left)
            more_rows, more_columns = _assigned(overlaps[rest, high - start :], settings.min_iou_low)
            rows = np.concatenate([rows, rest[more_rows]])
            columns = np.concatenate([columns, more_columns + (high - start)])
        used = columns + start
        self.numbers[used] = tracks.numbers[rows]
        tracks.categories[rows] = self._categories[used]
        tracks.seen_in[rows] = frame
        tracks.seen_ns[rows] = time_ns
        tracks.counts[rows] += 1
        states = corrected(forecast[:, rows], self._centres[used], settings.noise)
        tracks.states[:, rows] = self._steered(states, used)
        return used

    def _steered(self, states: npt.NDArray[np.float64], rows: IndexArray) -> npt.NDArray[np.float64]:
        """States of tracks after these detections, with what is known of the detections' velocities."""
        if self._velocities is None:
            return states
        return steered(states, self._velocities[rows], self._settings.noise)


_NOTHING: Final[IndexArray] = np.empty(0, dtype=np.intp)


def _assigned(overlaps: npt.NDArray[np.floating], least: float) -> tuple[IndexArray, IndexArray]:
    """The pairs of greatest total overlap, none of them below the least.

    Args:
        overlaps: of tracks and boxes, float[T, D].
        least: pairs below it are never made.

    Returns:
        Rows and columns, intp[K] each, rows ascending.
    """
    gated = np.where(overlaps >= least, overlaps, 0.0)
    rows, columns = linear_sum_assignment(gated, maximize=True)
    made = gated[rows, columns] > 0
    return rows[made], columns[made]
