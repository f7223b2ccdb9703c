"""Tracking figures over score thresholds: at one that is asked for, and at the best."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from transforms.evaluation.judging import Judgement
from transforms.evaluation.mot import TrackingFigures, figures_at

GRID: Final = (*(round(0.05 * step, 2) for step in range(20)), 0.98, 0.99)
"""Thresholds among which the best is looked for; scores of many networks crowd below 1."""


@dataclass(frozen=True, slots=True)
class Tracking:
    """Tracking figures of one category.

    Attributes:
        score: the threshold asked for.
        figures: at that threshold.
        best_score: the threshold with the highest HOTA, the lowest of several.
        best: figures there.
        curve: threshold → figures, over the grid.
    """

    score: float
    figures: TrackingFigures
    best_score: float
    best: TrackingFigures
    curve: Mapping[float, TrackingFigures]


@dataclass(frozen=True, slots=True)
class MeanTracking:
    """The mean over categories, each counting the same; switches are summed."""

    hota: float
    deta: float
    assa: float
    idf1: float
    mota: float
    switches: int


def tracking(judgement: Judgement, score: float) -> Tracking | None:
    """Tracking figures of one category; None where its labels or true boxes have no tracks.

    Args:
        judgement: of the final labels.
        score: the threshold asked for.
    """
    category = judgement.category
    has_labels = not len(category.labels) or (category.labels.tracks >= 0).any()
    if not has_labels or (category.truth.tracks < 0).any():
        return None
    grid = sorted({*GRID, score})
    curve = dict(zip(grid, figures_at(category, grid, judgement.overlaps), strict=True))
    best = max(grid, key=lambda one: (curve[one].hota, -one))
    return Tracking(score, curve[score], best, curve[best], {one: curve[one] for one in GRID})


def mean_tracking(figures: list[TrackingFigures]) -> MeanTracking | None:
    """The mean of several categories; None where there is none.

    Args:
        figures: one for each category.
    """
    if not figures:
        return None
    return MeanTracking(
        hota=float(np.mean([one.hota for one in figures])),
        deta=float(np.mean([one.deta for one in figures])),
        assa=float(np.mean([one.assa for one in figures])),
        idf1=float(np.mean([one.idf1 for one in figures])),
        mota=float(np.mean([one.mota for one in figures])),
        switches=sum(one.switches for one in figures),
    )
