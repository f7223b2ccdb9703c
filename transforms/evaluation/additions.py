"""What hindsight adds: how often its rows are right, and how much of what the network missed they recover."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.evaluation.judging import Judgement
from transforms.evaluation.labels import DETECTED
from transforms.evaluation.matching import LEFT_OUT, MISSED, RIGHT

TextArray = npt.NDArray[np.object_]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Added:
    """Rows that hindsight added, at IoU .5.

    Attributes:
        right: rows that find a true box.
        wrong: rows that find none.
        left_out: rows that count neither way.
    """

    right: int
    wrong: int
    left_out: int

    @property
    def precision(self) -> float | None:
        """Share of the rows that count that are right; None where none counts."""
        counted = self.right + self.wrong
        return self.right / counted if counted else None


@dataclass(frozen=True, slots=True)
class Recovery:
    """Frames within an object's life in which the network missed it.

    Attributes:
        missed: true boxes between the first and the last that the network found of the same object, which it
            did not find.
        recovered: those of them that the final labels find.
    """

    missed: int
    recovered: int

    @property
    def share(self) -> float | None:
        """Share that is recovered; None where nothing was missed."""
        return self.recovered / self.missed if self.missed else None


def added_rows(judgements: Iterable[Judgement], sources: TextArray, score: float) -> dict[str, Added]:
    """How often added rows are right, by their source.

    Args:
        judgements: of the final labels.
        sources: label_source of every row of the labels' table, object[R].
        score: rows below it are not asked.

    Returns:
        Source → counts, for the sources that are neither `detected` nor `human`; sources without a row are not there.
    """
    counts: dict[str, list[int]] = {}
    for judgement in judgements:
        labels = judgement.category.labels
        own = sources[labels.rows]
        asked = labels.scores >= score
        for source in sorted(set(own[asked].tolist()) - {DETECTED, "human"}):
            outcomes = judgement.matching.outcomes[0, asked & (own == source)]
            found = counts.setdefault(source, [0, 0, 0])
            for place, outcome in enumerate((RIGHT, MISSED, LEFT_OUT)):
                found[place] += int((outcomes == outcome).sum())
    return {source: Added(*counts[source]) for source in sorted(counts)}


def all_added(parts: Mapping[str, Added]) -> Added:
    """All sources together.

    Args:
        parts: by source.
    """
    return Added(
        right=sum(part.right for part in parts.values()),
        wrong=sum(part.wrong for part in parts.values()),
        left_out=sum(part.left_out for part in parts.values()),
    )


def recovery(final: Judgement, raw: Judgement, score: float) -> Recovery:
    """How much of what the network missed within an object's life the final labels find.

    An object's life lasts from the first to the last frame in which the network found it; true boxes without a
    track are not asked.

    Args:
        final: the final labels, judged.
        raw: what the network alone gave, judged by the same truth.
        score: final labels and detections below it are not asked.
    """
    truth = raw.category.truth
    seen, labelled = _found(raw, score), _found(final, score)
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for track, frame in zip(truth.tracks[seen].tolist(), truth.frames[seen].tolist(), strict=True):
        first.setdefault(track, frame)
        last[track] = frame
    begins = np.array([first.get(track, 0) for track in truth.tracks.tolist()], dtype=np.int64)
    ends = np.array([last.get(track, -1) for track in truth.tracks.tolist()], dtype=np.int64)
    alive = (truth.tracks >= 0) & (truth.frames >= begins) & (truth.frames <= ends)
    missed = alive & ~seen
    return Recovery(int(missed.sum()), int((missed & labelled).sum()))


def _found(judgement: Judgement, score: float) -> BoolArray:
    """Which true boxes the labels of at least this score find at IoU .5, bool[M]."""
    rows = judgement.matching.found[judgement.category.labels.scores >= score]
    found = np.zeros(len(judgement.category.truth), dtype=bool)
    found[rows[rows >= 0]] = True
    return found
