"""Labels one by one, each right or wrong: what scores are calibrated on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.taxonomy import CATEGORIES
from transforms.evaluation.compared import compared
from transforms.evaluation.judging import judge
from transforms.evaluation.labels import DETECTED, Labels
from transforms.evaluation.matching import LEFT_OUT, RIGHT
from transforms.evaluation.pairing import NEUTRAL
from transforms.evaluation.truths.truth import Truth


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """Labels that count for or against their network.

    Attributes:
        clips: clip_id, object[N].
        categories: index into `models.taxonomy.CATEGORIES`, uint8[N].
        scores: 0..1, float64[N].
        right: whether it finds a true box at IoU .5 that no better one has found, bool[N].
        detected: whether a network saw it, rather than hindsight added it, bool[N].
    """

    clips: npt.NDArray[np.object_]
    categories: npt.NDArray[np.uint8]
    scores: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]
    detected: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: npt.NDArray[np.bool_]) -> "JudgedRows":
        """These rows only.

        Args:
            rows: which to keep, bool[N].
        """
        return JudgedRows(
            clips=self.clips[rows],
            categories=self.categories[rows],
            scores=self.scores[rows],
            right=self.right[rows],
            detected=self.detected[rows],
        )


def judged_rows(
    labels: Labels, truth: Truth, *, neutral: Mapping[str, tuple[str, ...]] = NEUTRAL
) -> JudgedRows:
    """Judges the labels of a data set one by one, as `evaluate` does.

    Args:
        labels: what is judged, with the taxonomy's categories.
        truth: what it is judged by.
        neutral: category → truth categories that count neither for nor against it.

    Returns:
        The labels that count, by category; those that are left out are not there.

    Raises:
        NothingInCommonError: the two have no clip or no frame in common.
        LabelsError: the labels cannot be read.
    """
    both = compared(labels, truth, tolerance_ns=None, neutral=neutral)
    table = both.common.labels
    sources = table["label_source"].to_numpy(zero_copy_only=False)
    clip_of = table["clip_id"].to_numpy(zero_copy_only=False)
    parts = [JudgedRows(*_NOTHING)]
    for name in both.asked(labels):
        judgement = judge(both.pairing.of(name))
        outcomes = judgement.matching.outcomes[0]
        rows = judgement.category.labels.rows
        every = JudgedRows(
            clips=clip_of[rows],
            categories=np.full(len(rows), CATEGORIES.index(name), dtype=np.uint8),
            scores=judgement.category.labels.scores,
            right=outcomes == RIGHT,
            detected=sources[rows] == DETECTED,
        )
        parts.append(every.take(outcomes != LEFT_OUT))
    return _joined(parts)


def _joined(parts: Sequence[JudgedRows]) -> JudgedRows:
    return JudgedRows(
        clips=np.concatenate([part.clips for part in parts]),
        categories=np.concatenate([part.categories for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        right=np.concatenate([part.right for part in parts]),
        detected=np.concatenate([part.detected for part in parts]),
    )


_NOTHING: Final = (
    np.zeros(0, object),
    np.zeros(0, np.uint8),
    np.zeros(0),
    np.zeros(0, np.bool_),
    np.zeros(0, np.bool_),
)
