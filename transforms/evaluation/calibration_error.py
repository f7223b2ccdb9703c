"""How far scores are from the share of labels that are right.

Expected calibration error: Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015;
Guo et al., "On Calibration of Modern Neural Networks", 2017.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.evaluation.judging import Judgement
from transforms.evaluation.matching import LEFT_OUT, RIGHT

BINS: Final = 15


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """Scores against outcomes at IoU .5.

    Attributes:
        error: expected calibration error, 0..1; None where no label counts.
        rows: labels that count.
    """

    error: float | None
    rows: int


def calibration_error(judgements: Iterable[Judgement]) -> CalibrationError:
    """Expected calibration error of labels that count.

    Args:
        judgements: of the categories.
    """
    scores, right = [np.zeros(0)], [np.zeros(0, dtype=bool)]
    for judgement in judgements:
        outcomes = judgement.matching.outcomes[0]
        counts = outcomes != LEFT_OUT
        scores.append(judgement.category.labels.scores[counts])
        right.append(outcomes[counts] == RIGHT)
    every = np.concatenate(scores)
    return CalibrationError(expected_calibration_error(every, np.concatenate(right)), len(every))


def expected_calibration_error(scores: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float | None:
    """Mean distance of mean score and share right over 15 bins of equal width, weighted by their rows.

    Args:
        scores: 0..1, float64[N].
        right: bool[N].

    Returns:
        0..1; None without rows.

    >>> expected_calibration_error(np.array([0.75] * 4), np.array([True, True, False, False]))
    0.25
    """
    if not len(scores):
        return None
    place = (scores * BINS).astype(np.int64).clip(0, BINS - 1)
    gaps = np.bincount(place, right - scores, minlength=BINS)
    return float(np.abs(gaps).sum() / len(scores))
