"""Which labels overlap which true boxes, and one-to-one choices among them.

Pairs that do not overlap are never held, and pairs that nobody contests are chosen without an assignment:
most frames need none.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from transforms.evaluation.pairing import Boxes, CategoryPairing

_BLOCK: Final = 2_000_000
"""Pairs of boxes that are compared at once: about 200 MB of intermediate arrays."""

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Labels and boxes of the truth that overlap.

    Attributes:
        labels: row of the label, int64[P], ascending.
        others: row of the other box, int64[P].
        overlaps: intersection over union, float64[P], above 0.
    """

    labels: IntArray
    others: IntArray
    overlaps: FloatArray

    def take(self, rows: BoolArray) -> "Pairs":
        """These pairs only.

        Args:
            rows: which to keep, bool[P].
        """
        return Pairs(self.labels[rows], self.others[rows], self.overlaps[rows])


@dataclass(frozen=True, slots=True)
class CategoryOverlaps:
    """All that matching needs to know of one category.

    Attributes:
        truth: labels and true boxes.
        neutral: labels and boxes that count neither way.
        covered: share of every label that lies in the region that covers most of it, float64[N].
        truth_count: true boxes.
        neutral_count: boxes that count neither way.
    """

    truth: Pairs
    neutral: Pairs
    covered: FloatArray
    truth_count: int
    neutral_count: int

    def among(self, wanted: BoolArray) -> "CategoryOverlaps":
        """The same where only some of the true boxes should be found; the others count neither way.

        Args:
            wanted: true boxes that should be found, bool[M].
        """
        is_wanted = wanted[self.truth.others]
        kept, rest = self.truth.take(is_wanted), self.truth.take(~is_wanted)
        place = np.cumsum(wanted) - 1
        return CategoryOverlaps(
            truth=Pairs(kept.labels, place[kept.others], kept.overlaps),
            neutral=Pairs(
                np.concatenate([self.neutral.labels, rest.labels]),
                np.concatenate([self.neutral.others, rest.others + self.neutral_count]),
                np.concatenate([self.neutral.overlaps, rest.overlaps]),
            ),
            covered=self.covered,
            truth_count=int(wanted.sum()),
            neutral_count=self.neutral_count + len(wanted),
        )


def category_overlaps(category: CategoryPairing) -> CategoryOverlaps:
    """Compares the labels of one category with the truth, frame by frame.

    Args:
        category: labels and truth.
    """
    covered = np.zeros(len(category.labels))
    for labels, regions in _blocks(category.labels, category.regions):
        shared, own, _ = _areas(category.labels.boxes[labels], category.regions.boxes[regions])
        np.maximum.at(covered, labels, np.divide(shared, own, out=np.zeros_like(shared), where=own > 0))
    return CategoryOverlaps(
        truth=overlapping(category.labels, category.truth),
        neutral=overlapping(category.labels, category.neutral),
        covered=covered,
        truth_count=len(category.truth),
        neutral_count=len(category.neutral),
    )


def overlapping(labels: Boxes, others: Boxes) -> Pairs:
    """Boxes of the same frame that overlap.

    Args:
        labels: boxes, sorted by frame.
        others: the same.
    """
    found = []
    for first, second in _blocks(labels, others):
        shared, own, area = _areas(labels.boxes[first], others.boxes[second])
        union = own + area - shared
        overlaps = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
        hit = overlaps > 0
        found.append((first[hit], second[hit], overlaps[hit]))
    if not found:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    first, second, overlaps = (np.concatenate(column) for column in zip(*found, strict=True))
    return Pairs(first, second, overlaps)


def _blocks(labels: Boxes, others: Boxes) -> list[tuple[IntArray, IntArray]]:
    """Every pair of a label and another box of its frame, in blocks: rows int64[P] and int64[P]."""
    starts = np.searchsorted(others.frames, labels.frames, side="left")
    counts = np.searchsorted(others.frames, labels.frames, side="right") - starts
    ends = np.cumsum(counts)
    blocks = []
    begin = 0
    while begin < len(counts):
        before = int(ends[begin - 1]) if begin else 0
        stop = max(int(np.searchsorted(ends, before + _BLOCK, side="right")), begin + 1)
        own = counts[begin:stop]
        first = np.repeat(np.arange(begin, stop), own)
        within = np.arange(len(first)) - np.repeat(ends[begin:stop] - own - before, own)
        blocks.append((first, np.repeat(starts[begin:stop], own) + within))
        begin = stop
    return blocks


def _areas(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shared area and both areas of box i and box i in square pixels, float64[P] each."""
    sides = np.minimum(first[:, 2:], second[:, 2:]) - np.maximum(first[:, :2], second[:, :2])
    np.maximum(sides, 0.0, out=sides)
    one, two = (np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0).prod(axis=1) for boxes in (first, second))
    return sides.prod(axis=1), one, two


def uncontested(first: IntArray, second: IntArray) -> BoolArray:
    """Pairs whose two boxes are in no other pair, bool[P].

    Args:
        first: row of one box, int64[P].
        second: row of the other, int64[P].
    """
    if not len(first):
        return np.zeros(0, dtype=bool)
    alone: BoolArray = (np.bincount(first)[first] == 1) & (np.bincount(second)[second] == 1)
    return alone


def assign(frames: IntArray, first: IntArray, second: IntArray, worth: FloatArray) -> BoolArray:
    """Chooses pairs so that no box is in two of them and their summed worth is greatest.

    Args:
        frames: frame of every pair, int64[P], ascending.
        first: row of one box, int64[P].
        second: row of the other, int64[P].
        worth: what each pair is worth, float64[P], at least 0.

    Returns:
        The chosen pairs, bool[P]; pairs worth nothing are never chosen.
    """
    chosen = uncontested(first, second) & (worth > 0)
    contested = np.flatnonzero(~uncontested(first, second))
    if not len(contested):
        return chosen
    edges = np.flatnonzero(np.diff(frames[contested])) + 1
    for pairs in np.split(contested, edges):
        chosen[pairs] = best_pairs(first[pairs], second[pairs], worth[pairs])
    return chosen


def best_pairs(first: IntArray, second: IntArray, worth: FloatArray) -> BoolArray:
    """The one-to-one choice of greatest worth among the pairs of one frame, bool[P].

    Args:
        first: row of one box, int64[P].
        second: row of the other, int64[P].
        worth: what each pair is worth, float64[P].
    """
    # A frame has few pairs: dictionaries number them faster than numpy.unique.
    row_of: dict[int, int] = {}
    column_of: dict[int, int] = {}
    row = [row_of.setdefault(one, len(row_of)) for one in first.tolist()]
    column = [column_of.setdefault(one, len(column_of)) for one in second.tolist()]
    place = np.full((len(row_of), len(column_of)), -1, dtype=np.int64)
    table = np.zeros(place.shape)
    place[row, column] = np.arange(len(first))
    table[row, column] = worth
    rows, columns = linear_sum_assignment(table, maximize=True)
    picked = place[rows, columns]
    chosen = np.zeros(len(first), dtype=bool)
    chosen[picked[(picked >= 0) & (table[rows, columns] > 0)]] = True
    return chosen
