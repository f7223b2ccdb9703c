"""From a label's score to the probability that the label is right, as a card tells.

Beta calibration: Kull, Silva Filho, Flach, "Beta calibration: a well-founded and easily implemented improvement on
logistic calibration for binary classifiers", 2017. Platt's logistic curve is the case a = b.
"""

from typing import Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.detections import CategoryArray, FloatArray
from models.taxonomy import CATEGORIES

LEAST_SLOPE: Final = 0.02
"""Above 0, so that two scores of a category never change places."""

MOST_SLOPE: Final = 20.0
MOST_OFFSET: Final = 50.0

_NEAREST: Final = 1e-7
"""How near to 0 and 1 scores are told apart: the distance of two float32 below 1."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Curve(_Part):
    """probability = 1 / (1 + exp(-(a ln(score) - b ln(1 - score) + c))); rises for all scores.

    Attributes:
        a: slope at low scores.
        b: slope at high scores.
        c: offset.
    """

    a: float = Field(ge=LEAST_SLOPE, le=MOST_SLOPE)
    b: float = Field(ge=LEAST_SLOPE, le=MOST_SLOPE)
    c: float = Field(ge=-MOST_OFFSET, le=MOST_OFFSET)

    def probabilities(self, scores: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """What the curve makes of scores.

        Args:
            scores: 0..1, float[N]; what lies outside counts as 0 or 1.

        Returns:
            0..1, float64[N].
        """
        low, high = log_odds(scores)
        return 1 / (1 + np.exp(-(self.a * low + self.b * high + self.c)))


class Calibration(_Part):
    """The curves of a network.

    Attributes:
        fallback: curve of the categories that have none of their own.
        categories: curve by category of the taxonomy.
        source: what they were fitted on.
    """

    fallback: Curve
    categories: dict[str, Curve] = Field(default_factory=dict)
    source: str = Field(default="", max_length=1000)

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in self.categories:
            if name not in CATEGORIES:
                msg = f"{name!r} is no category; they are {', '.join(CATEGORIES)}"
                raise ValueError(msg)
        return self

    def curve(self, category: int) -> Curve:
        """The curve of a category.

        Args:
            category: index into `models.taxonomy.CATEGORIES`.
        """
        return self.categories.get(CATEGORIES[category], self.fallback)


def log_odds(scores: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The two terms that a curve weighs; their sum is the score's log odds.

    Args:
        scores: 0..1, float[N].

    Returns:
        ln(score) and -ln(1 - score), float64[N] each; finite for all scores.
    """
    inside = np.clip(np.asarray(scores, dtype=np.float64), _NEAREST, 1 - _NEAREST)
    return np.log(inside), -np.log1p(-inside)


def calibrated(scores: FloatArray, categories: CategoryArray, calibration: Calibration) -> FloatArray:
    """Turns scores into probabilities, category by category; within one the order stays.

    Args:
        scores: 0..1, float32[N].
        categories: indices into `models.taxonomy.CATEGORIES`, uint8[N].
        calibration: the network's.

    Returns:
        The probability that each label is right, float32[N], 0..1.
    """
    found = np.empty(len(scores), dtype=np.float32)
    for category in np.unique(categories).tolist():
        rows = categories == category
        found[rows] = calibration.curve(category).probabilities(scores[rows])
    return found
