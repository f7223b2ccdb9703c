"""Fitting a network's calibration to labels that were judged, and what it is worth on clips it has not seen."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from models.calibration import LEAST_SLOPE, MOST_OFFSET, MOST_SLOPE, Calibration, Curve, log_odds
from models.taxonomy import CATEGORIES
from transforms.evaluation.calibration_error import expected_calibration_error
from transforms.evaluation.judged_rows import JudgedRows

LEAST_ROWS: Final = 20
"""Right rows, and as many wrong ones, below which three numbers are not to be had."""

_DIGITS: Final = 4


class TooFewRowsError(Exception):
    """There is too little to fit a calibration to."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What calibration does to some labels.

    Attributes:
        rows: labels that count.
        right: those of them that are right.
        before: expected calibration error of their scores; None without rows.
        after: the same of calibrated scores, each clip's by a curve that other clips gave; None where that cannot
            be told.
    """

    rows: int
    right: int
    before: float | None
    after: float | None


def fit(rows: JudgedRows, source: str = "") -> Calibration:
    """Fits a curve to every category that has enough rows, and one to all together.

    Args:
        rows: labels that count.
        source: what the card is to say of them.

    Raises:
        TooFewRowsError: even all together are too few.
    """
    if not _enough(rows):
        raise TooFewRowsError(
            f"{_told(rows)} rows are too few to fit a calibration to ({LEAST_ROWS} of either): give more clips"
        )
    curves = {}
    for category in np.unique(rows.categories).tolist():
        own = rows.take(rows.categories == category)
        if _enough(own):
            curves[CATEGORIES[category]] = _curve(own)
    return Calibration(fallback=_curve(rows), categories=curves, source=source)


def lacking(rows: JudgedRows, calibration: Calibration) -> dict[str, str]:
    """Categories that have rows but no curve of their own, and how many rows they have, in words.

    Args:
        rows: that `calibration` was fitted to.
        calibration: of the network.
    """
    names = [CATEGORIES[category] for category in np.unique(rows.categories).tolist()]
    return {
        name: _told(rows.take(rows.categories == CATEGORIES.index(name)))
        for name in names
        if name not in calibration.categories
    }


def gains(rows: JudgedRows) -> tuple[Gain, dict[str, Gain]]:
    """What a calibration fitted to half of the clips does to the other half, and the other way round.

    Args:
        rows: labels that count.

    Returns:
        Of all rows, and by category.
    """
    after = held_out(rows)
    by_category = {
        CATEGORIES[category]: _gain(rows, after, rows.categories == category)
        for category in np.unique(rows.categories).tolist()
    }
    return _gain(rows, after, np.ones(len(rows), dtype=np.bool_)), by_category


def held_out(rows: JudgedRows) -> npt.NDArray[np.float64] | None:
    """Probabilities of all rows, each by the calibration of the half of the clips that it is not in.

    Args:
        rows: labels that count.

    Returns:
        float64[N]; None where one half is too small to fit anything to.
    """
    first = halves(rows.clips)
    found = np.zeros(len(rows))
    try:
        for half in (first, ~first):
            calibration = fit(rows.take(~half))
            for category in np.unique(rows.categories[half]).tolist():
                place = half & (rows.categories == category)
                found[place] = calibration.curve(category).probabilities(rows.scores[place])
    except TooFewRowsError:
        return None
    return found


def halves(clips: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    """Parts clips in two halves: in the order of their ids' digests, every other one.

    Args:
        clips: clip_id of each row, object[N].

    Returns:
        Which rows are of the first half, bool[N].
    """
    order = sorted(set(clips.tolist()), key=lambda clip: hashlib.sha256(str(clip).encode()).digest())
    return np.isin(clips, np.array(order[::2], dtype=object))


def _gain(rows: JudgedRows, after: npt.NDArray[np.float64] | None, place: npt.NDArray[np.bool_]) -> Gain:
    right = rows.right[place]
    return Gain(
        rows=int(place.sum()),
        right=int(right.sum()),
        before=expected_calibration_error(rows.scores[place], right),
        after=None if after is None else expected_calibration_error(after[place], right),
    )


def _enough(rows: JudgedRows) -> bool:
    right = int(rows.right.sum())
    return min(right, len(rows) - right) >= LEAST_ROWS


def _told(rows: JudgedRows) -> str:
    right = int(rows.right.sum())
    return f"{right} right and {len(rows) - right} wrong"


def _curve(rows: JudgedRows) -> Curve:
    """The curve of most likelihood.

    Outcomes count as a little less than sure, as in Platt, "Probabilistic Outputs for Support Vector Machines", 1999:
    a category of which every row is right is not certain for that.
    """
    low, high = log_odds(rows.scores)
    terms = np.stack([low, high, np.ones(len(rows))], axis=1)
    right = int(rows.right.sum())
    wrong = len(rows) - right
    wanted = np.where(rows.right, (right + 1) / (right + 2), 1 / (wrong + 2))

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        values = terms @ weights
        gradient: npt.NDArray[np.float64] = terms.T @ (expit(values) - wanted)
        return float((np.logaddexp(0, values) - wanted * values).mean()), gradient / len(rows)

    slope, offset = (LEAST_SLOPE, MOST_SLOPE), (-MOST_OFFSET, MOST_OFFSET)
    best = minimize(
        loss, np.array([1.0, 1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[slope, slope, offset]
    )
    a, b, c = (round(float(value), _DIGITS) for value in best.x)
    return Curve(a=a, b=b, c=c)
