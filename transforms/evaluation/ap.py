"""Average precision, as COCO defines it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.evaluation.pairing import CategoryPairing, Pairing
from transforms.labels.overlap import covered, iou

IOU_THRESHOLDS: Final = np.linspace(0.5, 0.95, 10)
"""COCO's ten thresholds."""

_RECALLS: Final = np.linspace(0.0, 1.0, 101)
_MISSED: Final = 0
_RIGHT: Final = 1
_LEFT_OUT: Final = 2

OutcomeArray = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """Figures of one category, or of the mean of categories.

    Attributes:
        ap: mean over the IoU thresholds .50 to .95.
        ap50: at IoU .50.
        ap75: at IoU .75.
        recall50: share of the truth that is found at IoU .50, at any score.
        truth: boxes that should be found.
        labels: boxes that were judged.
    """

    ap: float
    ap50: float
    ap75: float
    recall50: float
    truth: int
    labels: int


def average_precision(pairing: Pairing) -> dict[str, AveragePrecision]:
    """Average precision of every category of the truth.

    Args:
        pairing: labels with scores, and truth.

    Returns:
        Category → figures; categories without a true box are not there.
    """
    return {category: category_precision(pairing.of(category)) for category in pairing.categories()}


def mean_precision(figures: dict[str, AveragePrecision]) -> AveragePrecision | None:
    """The mean over categories, each counting the same; None where there is none.

    Args:
        figures: what `average_precision` gives.
    """
    if not figures:
        return None
    every = list(figures.values())
    return AveragePrecision(
        ap=float(np.mean([one.ap for one in every])),
        ap50=float(np.mean([one.ap50 for one in every])),
        ap75=float(np.mean([one.ap75 for one in every])),
        recall50=float(np.mean([one.recall50 for one in every])),
        truth=sum(one.truth for one in every),
        labels=sum(one.labels for one in every),
    )


def category_precision(category: CategoryPairing) -> AveragePrecision:
    """Average precision of one category: 101-point interpolation, no limit of boxes a frame.

    A label is matched with the true box it overlaps most among those not yet taken by a better score; a label
    that finds only a neutral box or lies in a region is left out.

    Args:
        category: labels with scores, and truth.
    """
    outcomes = np.zeros((len(IOU_THRESHOLDS), len(category.labels.scores)), dtype=np.int8)
    for frame in category.frames():
        rows = np.arange(frame.labels.start, frame.labels.stop)
        rows = rows[np.argsort(-category.labels.scores[rows], kind="stable")]
        boxes = category.labels.boxes[rows]
        outcomes[:, rows] = _match(
            iou(boxes, category.truth.boxes[frame.truth]),
            iou(boxes, category.neutral.boxes[frame.neutral]),
            covered(boxes, category.regions.boxes[frame.regions]),
        )
    order = np.argsort(-category.labels.scores, kind="stable")
    truth = len(category.truth.scores)
    curves = [_interpolated(outcomes[step, order], truth) for step in range(len(IOU_THRESHOLDS))]
    return AveragePrecision(
        ap=float(np.mean(curves)),
        ap50=curves[0],
        ap75=curves[5],
        recall50=float((outcomes[0] == _RIGHT).sum() / truth) if truth else 0.0,
        truth=truth,
        labels=len(order),
    )


def _match(
    with_truth: npt.NDArray[np.floating],
    with_neutral: npt.NDArray[np.floating],
    with_regions: npt.NDArray[np.floating],
) -> OutcomeArray:
    """What becomes of the labels of one frame at every threshold, best score first: int8[T, N]."""
    outcomes = np.empty((len(IOU_THRESHOLDS), len(with_truth)), dtype=np.int8)
    free_truth = np.ones((len(IOU_THRESHOLDS), with_truth.shape[1]), dtype=bool)
    free_neutral = np.ones((len(IOU_THRESHOLDS), with_neutral.shape[1]), dtype=bool)
    most_covered = with_regions.max(axis=1, initial=0.0)
    for label in range(len(with_truth)):
        right = _take(with_truth[label], free_truth)
        # Only a label that finds nothing true may use a neutral box up.
        neutral = _take(with_neutral[label], free_neutral, ~right)
        left_out = neutral | (most_covered[label] >= IOU_THRESHOLDS)
        outcomes[:, label] = np.where(right, _RIGHT, np.where(left_out, _LEFT_OUT, _MISSED))
    return outcomes


def _take(
    overlaps: npt.NDArray[np.floating],
    free: npt.NDArray[np.bool_],
    wanted: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.bool_]:
    """Gives a label the free box it overlaps most, at every threshold where it overlaps enough.

    Args:
        overlaps: IoU of the label with every box, float[M].
        free: which boxes are still free at every threshold, bool[T, M]; those taken are struck out.
        wanted: thresholds at which the label may take a box, bool[T]; None = all.

    Returns:
        Where it got one, bool[T].
    """
    if not (overlaps >= IOU_THRESHOLDS[0]).any():
        return np.zeros(len(IOU_THRESHOLDS), dtype=bool)
    open_to = np.where(free & (overlaps >= IOU_THRESHOLDS[:, None]), overlaps, 0.0)
    best = open_to.argmax(axis=1)
    hit: npt.NDArray[np.bool_] = open_to.max(axis=1) > 0
    if wanted is not None:
        hit &= wanted
    steps = np.flatnonzero(hit)
    free[steps, best[steps]] = False
    return hit


def _interpolated(outcomes: OutcomeArray, truth: int) -> float:
    """Area under the precision envelope at 101 recalls; `outcomes` int8[N], best score first."""
    right = np.cumsum(outcomes == _RIGHT)
    wrong = np.cumsum(outcomes == _MISSED)
    if not truth or not len(right) or not right[-1]:
        return 0.0
    recall = right / truth
    precision = right / np.maximum(right + wrong, 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.where(places < len(envelope), envelope[places.clip(max=len(envelope) - 1)], 0.0).mean())
