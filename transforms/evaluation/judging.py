"""One category's labels, judged once for all figures."""

from dataclasses import dataclass

from transforms.evaluation.matching import IOU_THRESHOLDS, Matching, match
from transforms.evaluation.overlaps import CategoryOverlaps, category_overlaps
from transforms.evaluation.pairing import CategoryPairing


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of the labels of one category.

    Attributes:
        category: labels and truth.
        overlaps: what the labels overlap.
        matching: outcomes at COCO's thresholds.
    """

    category: CategoryPairing
    overlaps: CategoryOverlaps
    matching: Matching


def judge(category: CategoryPairing) -> Judgement:
    """Judges the labels of one category.

    Args:
        category: labels and truth.
    """
    overlaps = category_overlaps(category)
    return Judgement(category, overlaps, match(category.labels, overlaps, IOU_THRESHOLDS))
