"""Average precision, as COCO defines it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.evaluation.matching import IOU_THRESHOLDS, MISSED, RIGHT, Matching, OutcomeArray, match
from transforms.evaluation.overlaps import category_overlaps
from transforms.evaluation.pairing import CategoryPairing, Pairing

_RECALLS: Final = np.linspace(0.0, 1.0, 101)
_AT_75: Final = 5


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
    matching = match(category.labels, category_overlaps(category), IOU_THRESHOLDS)
    return precision_of(matching, category.labels.scores)


def precision_of(matching: Matching, scores: npt.NDArray[np.float64]) -> AveragePrecision:
    """Average precision of labels that are matched at COCO's thresholds.

    Args:
        matching: outcomes at `IOU_THRESHOLDS`.
        scores: of the labels, float64[N].
    """
    order = np.argsort(-scores, kind="stable")
    outcomes, truth = matching.outcomes[:, order], matching.truth
    curves = [interpolated(row, truth) for row in outcomes]
    return AveragePrecision(
        ap=float(np.mean(curves)),
        ap50=curves[0],
        ap75=curves[_AT_75],
        recall50=recall(outcomes[0], truth),
        truth=truth,
        labels=len(order),
    )


def recall(outcomes: OutcomeArray, truth: int) -> float:
    """Share of the true boxes that are found; 0 where there is none.

    Args:
        outcomes: of the labels, int8[N].
        truth: boxes that should be found.
    """
    return float((outcomes == RIGHT).sum() / truth) if truth else 0.0


def interpolated(outcomes: OutcomeArray, truth: int) -> float:
    """Area under the precision envelope at 101 recalls.

    Args:
        outcomes: of the labels, best score first, int8[N].
        truth: boxes that should be found.
    """
    right = np.cumsum(outcomes == RIGHT)
    wrong = np.cumsum(outcomes == MISSED)
    if not truth or not len(right) or not right[-1]:
        return 0.0
    recalls = right / truth
    precision = right / np.maximum(right + wrong, 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recalls, _RECALLS, side="left")
    return float(np.where(places < len(envelope), envelope[places.clip(max=len(envelope) - 1)], 0.0).mean())
