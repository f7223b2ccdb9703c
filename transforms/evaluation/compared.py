"""Labels and truth brought together: the same clips, frames and names of categories."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from transforms.evaluation.common_frames import CommonFrames, common_frames
from transforms.evaluation.labels import Labels
from transforms.evaluation.naming import category_names, match_clips
from transforms.evaluation.pairing import DONTCARE, Pairing, pair
from transforms.evaluation.truths.truth import Truth


@dataclass(frozen=True, slots=True)
class Compared:
    """Labels beside their truth.

    Attributes:
        common: clips and frames that both have.
        truth: boxes on these frames, with the labels' clips, times and names of categories.
        pairing: the two as arrays.
    """

    common: CommonFrames
    truth: pa.Table
    pairing: Pairing

    def asked(self, labels: Labels) -> list[str]:
        """Categories of the truth that the network looks for.

        Args:
            labels: what is judged.
        """
        return [name for name in self.pairing.categories() if name in labels.looked_for]


def compared(
    labels: Labels, truth: Truth, *, tolerance_ns: int | None, neutral: Mapping[str, tuple[str, ...]]
) -> Compared:
    """Brings labels and truth together.

    Args:
        labels: what is judged.
        truth: what it is judged by.
        tolerance_ns: how far the times of a frame may differ; None = half of the smaller frame distance, at most 50 ms.
        neutral: category → truth categories that count neither for nor against it.

    Raises:
        NothingInCommonError: the two have no clip or no frame in common.
        LabelsError: the labels cannot be read.
    """
    known = {
        str(name)
        for table in (truth.labelled_frames(), truth.boxes)
        for name in table["clip_id"].unique().to_pylist()
    }
    clips = match_clips({name: truth.files.get(name, ()) for name in known}, labels.clips)
    common = common_frames(labels, truth, clips, tolerance_ns)
    boxes = _renamed(common.truth, labels, neutral)
    return Compared(common, boxes, pair(common.labels, boxes, common.frames, neutral=neutral))


def _renamed(truth: pa.Table, labels: Labels, neutral: Mapping[str, tuple[str, ...]]) -> pa.Table:
    """The truth with the labels' names of categories."""
    found = [str(name) for name in truth["category"].to_pylist()]
    kept = {DONTCARE, *(name for names in neutral.values() for name in names)}
    name_of = category_names(set(found), labels.looked_for, kept, in_taxonomy=labels.in_taxonomy)
    column = truth.column_names.index("category")
    return truth.set_column(column, "category", pa.array([name_of[name] for name in found], pa.string()))
