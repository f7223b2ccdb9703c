"""What is said of the objects of one clip by one network: rows that hindsight changes and adds to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from models.detections import CategoryArray, FloatArray

NO_TRACK: Final = -1
ADDED: Final = -1
"""`origins` of a row that no network saw."""

LABEL_SOURCES: Final = ("detected", "interpolated", "propagated", "extrapolated", "human")
"""How a row came to be, in the order of the indices that travel inside the process (uint8)."""
DETECTED, INTERPOLATED, PROPAGATED, EXTRAPOLATED, _ = range(len(LABEL_SOURCES))

IntArray = npt.NDArray[np.int64]
RowArray = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sightings:
    """Boxes of one clip by one network, sorted by frame.

    Attributes:
        timestamps_ns: time of every frame that may carry labels, int64[F], never falling.
        frames: index of each row's frame, int32[N], ascending.
        boxes: xyxy edges in pixels, float32[N, 4].
        scores: float32[N], 0..1.
        categories: taxonomy indices, uint8[N].
        tracks: track numbers, `NO_TRACK` for none, int32[N].
        sources: indices into `LABEL_SOURCES`, uint8[N].
        origins: index of the detection a row came from, `ADDED` for none, int32[N].
        seen: frames that the network looked at, bool[F].
    """

    timestamps_ns: IntArray
    frames: RowArray
    boxes: FloatArray
    scores: FloatArray
    categories: CategoryArray
    tracks: RowArray
    sources: npt.NDArray[np.uint8]
    origins: RowArray
    seen: npt.NDArray[np.bool_]

    @classmethod
    def detected(
        cls,
        timestamps_ns: IntArray,
        seen: npt.NDArray[np.bool_],
        frames: RowArray,
        boxes: FloatArray,
        scores: FloatArray,
        categories: CategoryArray,
    ) -> Self:
        """What the network said, without tracks; a frame that is shown before an earlier one's time counts as of that time.

        Args:
            timestamps_ns: int64[F], in the order shown.
            seen: frames that the network looked at, bool[F].
            frames: int32[N], ascending.
            boxes: float32[N, 4].
            scores: float32[N].
            categories: uint8[N].
        """
        count = len(frames)
        return cls(
            timestamps_ns=np.maximum.accumulate(timestamps_ns),
            frames=frames,
            boxes=boxes,
            scores=scores,
            categories=categories,
            tracks=np.full(count, NO_TRACK, np.int32),
            sources=np.full(count, DETECTED, np.uint8),
            origins=np.arange(count, dtype=np.int32),
            seen=seen,
        )

    @property
    def is_detected(self) -> npt.NDArray[np.bool_]:
        """Which rows the network saw, bool[N]."""
        result: npt.NDArray[np.bool_] = self.sources == DETECTED
        return result

    @property
    def times_s(self) -> npt.NDArray[np.float64]:
        """Time of every row's frame in seconds, float64[N]."""
        return self.timestamps_ns[self.frames] / 1e9

    @property
    def step_s(self) -> float:
        """Median distance of the frames that the network looked at in seconds; 1 where there are fewer than two."""
        steps = np.diff(self.timestamps_ns[self.seen])
        return float(np.median(steps[steps > 0])) / 1e9 if (steps > 0).any() else 1.0

    def take(self, rows: npt.NDArray[np.bool_]) -> "Sightings":
        """These rows only.

        Args:
            rows: bool[N].
        """
        return replace(
            self,
            frames=self.frames[rows],
            boxes=self.boxes[rows],
            scores=self.scores[rows],
            categories=self.categories[rows],
            tracks=self.tracks[rows],
            sources=self.sources[rows],
            origins=self.origins[rows],
        )

    def with_added(self, additions: Sequence["Additions"]) -> "Sightings":
        """The same with more rows.

        Args:
            additions: the rows; what they are like are rows of these sightings.
        """
        additions = [part for part in additions if len(part.frames)]
        if not additions:
            return self
        frames = np.concatenate([self.frames, *(part.frames for part in additions)]).astype(np.int32)
        likes = np.concatenate([part.likes for part in additions])
        order = np.argsort(frames, kind="stable")
        sources = [np.full(len(part.frames), part.source, np.uint8) for part in additions]
        return replace(
            self,
            frames=frames[order],
            boxes=np.concatenate([self.boxes, *(part.boxes for part in additions)]).astype(np.float32)[order],
            scores=np.concatenate([self.scores, *(part.scores for part in additions)]).astype(np.float32)[
                order
            ],
            categories=np.concatenate([self.categories, self.categories[likes]])[order],
            tracks=np.concatenate([self.tracks, self.tracks[likes]])[order],
            sources=np.concatenate([self.sources, *sources])[order],
            origins=np.concatenate([self.origins, np.full(len(likes), ADDED, np.int32)])[order],
        )


@dataclass(frozen=True, slots=True)
class Additions:
    """Rows that hindsight adds.

    Attributes:
        frames: int[A].
        boxes: xyxy edges in pixels, float[A, 4].
        scores: float[A], 0..1.
        likes: the row that each follows from, whose track and category it takes, int[A].
        source: index into `LABEL_SOURCES`.
    """

    frames: npt.NDArray[np.integer]
    boxes: npt.NDArray[np.floating]
    scores: npt.NDArray[np.floating]
    likes: npt.NDArray[np.integer]
    source: int
