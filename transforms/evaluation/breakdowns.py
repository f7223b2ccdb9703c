"""Precision and recall at IoU .5 by camera, light, size and occlusion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.evaluation.ap import interpolated, recall
from transforms.evaluation.judging import Judgement
from transforms.evaluation.matching import MATCH_IOU, OutcomeArray, match

SIZES: Final[Mapping[str, tuple[float, float]]] = {
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
"""COCO's ranges of area in square pixels; both ends belong to a range."""

TextArray = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Part:
    """Figures of a part of the truth, of one category or the mean of them.

    Attributes:
        truth: boxes that should be found.
        ap50: average precision at IoU .5.
        recall50: share that is found at IoU .5, at any score.
    """

    truth: int
    ap50: float
    recall50: float


@dataclass(frozen=True, slots=True)
class Group:
    """Figures of one group.

    Attributes:
        name: the group's.
        mean: over the categories that have truth in the group, each counting the same.
        categories: of each of them.
    """

    name: str
    mean: Part
    categories: Mapping[str, Part]


def by_frame(judgements: Mapping[str, Judgement], groups: TextArray) -> list[Group]:
    """Groups of frames: cameras, light.

    Args:
        judgements: by category.
        groups: group of every frame, object[F]; None = of none.
    """

    def part(judgement: Judgement, name: str) -> Part:
        labels, truth = judgement.category.labels, judgement.category.truth
        inside = groups[labels.frames] == name
        count = int((groups[truth.frames] == name).sum())
        return _part(judgement.matching.outcomes[0, inside], labels.scores[inside], count)

    return _groups(judgements, sorted({str(name) for name in groups if name is not None}), part)


def by_truth(judgements: Mapping[str, Judgement], groups: TextArray, names: Sequence[str]) -> list[Group]:
    """Groups of true boxes: occlusion. Boxes of other groups count neither way; false labels count in every group.

    Args:
        judgements: by category.
        groups: group of every row of the truth's table, object[R]; None = of none.
        names: the groups, in the order in which they are told.
    """

    def part(judgement: Judgement, name: str) -> Part:
        category = judgement.category
        overlaps = judgement.overlaps.among(groups[category.truth.rows] == name)
        outcomes = match(category.labels, overlaps, MATCH_IOU).outcomes[0]
        return _part(outcomes, category.labels.scores, overlaps.truth_count)

    return _groups(judgements, names, part)


def by_size(judgements: Mapping[str, Judgement]) -> list[Group]:
    """COCO's small, medium and large: boxes of other sizes, and labels of other sizes that are not right, are left out.

    Args:
        judgements: by category.
    """

    def part(judgement: Judgement, name: str) -> Part:
        category, (low, high) = judgement.category, SIZES[name]
        boxes = category.truth.boxes
        area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        overlaps = judgement.overlaps.among((area >= low) & (area <= high))
        outcomes = match(category.labels, overlaps, MATCH_IOU, SIZES[name]).outcomes[0]
        return _part(outcomes, category.labels.scores, overlaps.truth_count)

    return _groups(judgements, list(SIZES), part)


def _groups(
    judgements: Mapping[str, Judgement], names: Sequence[str], part: Callable[[Judgement, str], Part]
) -> list[Group]:
    """The groups that have any truth."""
    groups = []
    for name in names:
        parts = {category: part(judgement, name) for category, judgement in judgements.items()}
        parts = {category: found for category, found in parts.items() if found.truth}
        if parts:
            mean = Part(
                truth=sum(found.truth for found in parts.values()),
                ap50=float(np.mean([found.ap50 for found in parts.values()])),
                recall50=float(np.mean([found.recall50 for found in parts.values()])),
            )
            groups.append(Group(name, mean, parts))
    return groups


def _part(outcomes: OutcomeArray, scores: npt.NDArray[np.float64], truth: int) -> Part:
    order = np.argsort(-scores, kind="stable")
    return Part(truth, interpolated(outcomes[order], truth), recall(outcomes, truth))
