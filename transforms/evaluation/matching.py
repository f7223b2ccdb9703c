"""Matching labels with truth by falling score, as COCO does it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.evaluation.overlaps import CategoryOverlaps, uncontested
from transforms.evaluation.pairing import Boxes

IOU_THRESHOLDS: Final = np.linspace(0.5, 0.95, 10)
"""COCO's ten thresholds."""

MATCH_IOU: Final = IOU_THRESHOLDS[:1]
"""The threshold at which a label is called right, float64[1]."""

MISSED: Final = 0
"""Outcome: the label finds nothing."""
RIGHT: Final = 1
"""Outcome: the label finds a true box that no better one has found."""
LEFT_OUT: Final = 2
"""Outcome: the label counts neither way."""

OutcomeArray = npt.NDArray[np.int8]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matching:
    """What becomes of every label.

    Attributes:
        outcomes: MISSED, RIGHT or LEFT_OUT at every threshold, int8[T, N].
        found: row of the true box that each label finds at the first threshold, int64[N], -1 = none.
        truth: boxes that should be found.
    """

    outcomes: OutcomeArray
    found: npt.NDArray[np.int64]
    truth: int


def match(
    labels: Boxes,
    overlaps: CategoryOverlaps,
    thresholds: FloatArray,
    areas: tuple[float, float] | None = None,
) -> Matching:
    """Gives every label, best score first, the free true box it overlaps most; else a free neutral one.

    Args:
        labels: the labels that `overlaps` was made of.
        overlaps: what they overlap.
        thresholds: least IoU of a match, float64[T], ascending.
        areas: area of the labels that count, square pixels, both ends included: others count only where they
            are right. None = any.
    """
    outcomes = np.full((len(thresholds), len(labels)), MISSED, dtype=np.int8)
    outcomes[overlaps.covered[None] >= thresholds[:, None]] = LEFT_OUT
    if areas is not None:
        size = np.maximum(labels.boxes[:, 2:] - labels.boxes[:, :2], 0.0).prod(axis=1)
        outcomes[:, (size < areas[0]) | (size > areas[1])] = LEFT_OUT
    found = np.full(len(labels), -1, dtype=np.int64)

    truth = overlaps.truth.take(overlaps.truth.overlaps >= thresholds[0])
    neutral = overlaps.neutral.take(overlaps.neutral.overlaps >= thresholds[0])
    rows = np.concatenate([truth.labels, neutral.labels])
    # True and neutral boxes numbered in one row, so that one look tells whether anything is contested.
    others = np.concatenate([truth.others, neutral.others + overlaps.truth_count])
    values = np.concatenate([truth.overlaps, neutral.overlaps])

    alone = uncontested(rows, others)
    outcome = np.where(others[alone] < overlaps.truth_count, RIGHT, LEFT_OUT).astype(np.int8)
    outcomes[:, rows[alone]] = np.where(
        values[alone] >= thresholds[:, None], outcome, outcomes[:, rows[alone]]
    )
    is_true = alone & (others < overlaps.truth_count)
    found[rows[is_true]] = others[is_true]

    contested: dict[int, list[tuple[int, float]]] = {}
    for row, other, value in zip(
        rows[~alone].tolist(), others[~alone].tolist(), values[~alone].tolist(), strict=True
    ):
        contested.setdefault(row, []).append((other, value))
    asked = np.array(sorted(contested), dtype=np.int64)
    asked = asked[np.argsort(-labels.scores[asked], kind="stable")]
    for step, threshold in enumerate(thresholds.tolist()):
        taken: set[int] = set()
        for row in asked.tolist():
            other = _best(contested[row], taken, threshold, overlaps.truth_count)
            if other is not None:
                taken.add(other)
                is_right = other < overlaps.truth_count
                outcomes[step, row] = RIGHT if is_right else LEFT_OUT
                if is_right and not step:
                    found[row] = other
    return Matching(outcomes, found, overlaps.truth_count)


def _best(
    candidates: list[tuple[int, float]], taken: set[int], threshold: float, truth_count: int
) -> int | None:
    """The free box with most overlap, true ones before neutral ones."""
    best, best_key = None, (False, 0.0)
    for other, overlap in candidates:
        key = (other < truth_count, overlap)
        if overlap >= threshold and key > best_key and other not in taken:
            best, best_key = other, key
    return best
