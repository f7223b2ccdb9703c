"""What is known of a track as a whole: the columns of the `tracks` table."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.detections import CategoryArray, FloatArray

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tracklets:
    """Columns of K tracks, in order of their numbers.

    Attributes:
        numbers: track numbers, int64[K], ascending.
        first_ns: time of the first detection, int64[K].
        last_ns: time of the last detection, int64[K].
        detected: detections, int64[K].
        score: mean of the better half of the scores (rounded up), float64[K]: what an object reaches when it is
            well seen.
        categories: the category with the most votes, the smaller index of equals, uint8[K].
        votes: sum of the votes' weights by category, float64[K, C].
    """

    numbers: IntArray
    first_ns: IntArray
    last_ns: IntArray
    detected: IntArray
    score: npt.NDArray[np.float64]
    categories: CategoryArray
    votes: npt.NDArray[np.float64]

    def vote_entries(self) -> tuple[npt.NDArray[np.int32], CategoryArray, npt.NDArray[np.float64]]:
        """The votes that are not 0, as an Arrow map column is laid out.

        Returns:
            Offsets int32[K + 1], category of every entry uint8[E], its weight float64[E]; within a track by category.
        """
        rows, categories = np.nonzero(self.votes)
        offsets = np.searchsorted(rows, np.arange(len(self.numbers) + 1))
        return offsets.astype(np.int32), categories.astype(np.uint8), self.votes[rows, categories]


def summarise(
    numbers: npt.NDArray[np.integer],
    timestamps_ns: IntArray,
    scores: FloatArray,
    categories: CategoryArray,
    weights: FloatArray | None = None,
) -> Tracklets:
    """Sums up every track.

    Args:
        numbers: track number of every detection, int[N], -1 = none; any order.
        timestamps_ns: time of every detection, int64[N].
        scores: float32[N], 0..1.
        categories: category indices, uint8[N].
        weights: of each detection's vote, float32[N]; None = its score.

    Returns:
        The tracks that have a detection; they need not be numbered without gaps.

    >>> found = summarise(np.array([7, -1, 7]), np.array([20, 0, 10]), np.array([0.5, 0.9, 0.25]),
    ...                   np.array([4, 4, 5], dtype=np.uint8))
    >>> found.numbers.tolist(), found.first_ns.tolist(), found.detected.tolist(), found.score.tolist()
    ([7], [10], [2], [0.5])
    """
    tracked = np.flatnonzero(numbers >= 0)
    losses = -scores[tracked].astype(np.float64)
    # Sorted by value as well, so that sums do not depend on the order of the rows.
    order = tracked[np.lexsort((categories[tracked], timestamps_ns[tracked], losses, numbers[tracked]))]
    unique, starts, counts = np.unique(numbers[order], return_index=True, return_counts=True)
    row_of = np.repeat(np.arange(len(unique)), counts)
    own_scores, own_times = scores[order].astype(np.float64), timestamps_ns[order]
    half = (counts + 1) // 2
    better = np.arange(len(order)) - starts[row_of] < half[row_of]
    votes = np.zeros((len(unique), int(categories.max(initial=0)) + 1))
    np.add.at(votes, (row_of, categories[order]), own_scores if weights is None else weights[order])
    first, last = np.full(len(unique), np.iinfo(np.int64).max), np.full(len(unique), np.iinfo(np.int64).min)
    np.minimum.at(first, row_of, own_times)
    np.maximum.at(last, row_of, own_times)
    return Tracklets(
        numbers=unique.astype(np.int64),
        first_ns=first,
        last_ns=last,
        detected=counts.astype(np.int64),
        score=np.bincount(row_of[better], own_scores[better], len(unique)) / half,
        categories=votes.argmax(axis=1).astype(np.uint8),
        votes=votes,
    )
