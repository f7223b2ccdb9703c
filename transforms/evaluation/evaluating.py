"""Labels against truth: every figure of `clipmill evaluate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.evaluation.additions import Added, Recovery, added_rows, recovery
from transforms.evaluation.ap import AveragePrecision, mean_precision, precision_of
from transforms.evaluation.breakdowns import Group, by_frame, by_size, by_truth
from transforms.evaluation.calibration_error import CalibrationError, calibration_error
from transforms.evaluation.common_frames import CommonFrames
from transforms.evaluation.compared import compared
from transforms.evaluation.judging import Judgement, judge
from transforms.evaluation.labels import DETECTED, Labels
from transforms.evaluation.pairing import BOX_COLUMNS, Pairing, pair
from transforms.evaluation.thresholds import Tracking, tracking
from transforms.evaluation.truths.truth import OCCLUSIONS, Truth

_DARK: Final = 60.0
"""Mean luma (0 to 255) below which a frame is called dark."""


@dataclass(frozen=True, slots=True)
class CategoryFigures:
    """Figures of one category.

    Attributes:
        precision: of the final labels.
        raw: of what the network alone gave; None where the labels do not tell.
        tracking: None where labels or truth have no tracks.
        added: rows that hindsight added, by source.
        recovery: of what the network missed; None where the labels do not tell what it gave.
        calibration: of the final scores.
        raw_calibration: of the network's own.
    """

    precision: AveragePrecision
    raw: AveragePrecision | None
    tracking: Tracking | None
    added: Mapping[str, Added]
    recovery: Recovery | None
    calibration: CalibrationError
    raw_calibration: CalibrationError | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What labels are worth.

    Attributes:
        common: clips and frames that were compared.
        score: the score threshold.
        neutral: category → truth categories that count neither way for it.
        categories: figures of the categories that were looked for and have truth.
        not_looked_for: categories of the truth that the network does not look for.
        mean: of the final labels' precision; None where no category can be judged.
        raw_mean: the same of what the network alone gave.
        calibration: of all categories' final scores.
        raw_calibration: of the network's own.
        breakdowns: camera, light, size, occlusion → groups; those without any group are not there.
    """

    common: CommonFrames
    score: float
    neutral: Mapping[str, tuple[str, ...]]
    categories: Mapping[str, CategoryFigures]
    not_looked_for: tuple[str, ...]
    mean: AveragePrecision | None
    raw_mean: AveragePrecision | None
    calibration: CalibrationError
    raw_calibration: CalibrationError | None
    breakdowns: Mapping[str, Sequence[Group]]


def evaluate(
    labels: Labels,
    truth: Truth,
    *,
    score: float,
    tolerance_ns: int | None,
    neutral: Mapping[str, tuple[str, ...]],
) -> Evaluation:
    """Judges labels.

    Args:
        labels: what is judged.
        truth: what it is judged by.
        score: labels below it do not count for tracking figures and hindsight.
        tolerance_ns: how far the times of a frame may differ; None = half of the smaller frame distance, at most 50 ms.
        neutral: category → truth categories that count neither for nor against it.

    Raises:
        NothingInCommonError: the two have no clip or no frame in common.
        LabelsError: the labels cannot be read.
    """
    both = compared(labels, truth, tolerance_ns=tolerance_ns, neutral=neutral)
    common, boxes, final = both.common, both.truth, both.pairing
    rows = common.labels
    detections = _raw(rows)
    raw = None if detections is None else pair(detections, boxes, common.frames, neutral=neutral)

    asked = both.asked(labels)
    judgements = {name: judge(final.of(name)) for name in asked}
    raw_judgements = None if raw is None else {name: judge(raw.of(name)) for name in asked}
    sources = np.array(rows["label_source"].to_pylist(), dtype=object)
    categories = {
        name: _figures(
            judgements[name], None if raw_judgements is None else raw_judgements[name], sources, score
        )
        for name in asked
    }
    return Evaluation(
        common=common,
        score=score,
        neutral=neutral,
        categories=categories,
        not_looked_for=tuple(name for name in final.categories() if name not in labels.looked_for),
        mean=mean_precision({name: one.precision for name, one in categories.items()}),
        raw_mean=mean_precision({name: one.raw for name, one in categories.items() if one.raw}),
        calibration=calibration_error(judgements.values()),
        raw_calibration=None if raw_judgements is None else calibration_error(raw_judgements.values()),
        breakdowns=_breakdowns(judgements, final, common, labels, truth, boxes),
    )


def _figures(
    final: Judgement, raw: Judgement | None, sources: npt.NDArray[np.object_], score: float
) -> CategoryFigures:
    return CategoryFigures(
        precision=precision_of(final.matching, final.category.labels.scores),
        raw=None if raw is None else precision_of(raw.matching, raw.category.labels.scores),
        tracking=tracking(final, score),
        added=added_rows([final], sources, score),
        recovery=None if raw is None else recovery(final, raw, score),
        calibration=calibration_error([final]),
        raw_calibration=None if raw is None else calibration_error([raw]),
    )


def _raw(rows: pa.Table) -> pa.Table | None:
    """What the network alone gave: its boxes, scores and categories; None where the labels do not tell."""
    seen = pc.and_(pc.equal(rows["label_source"], pa.scalar(DETECTED)), pc.is_valid(rows["score_raw"]))
    detected = rows.filter(seen)
    if not detected.num_rows:
        return None
    columns = {name: detected[name] for name in ("clip_id", "timestamp_ns", "track_id")}
    columns["category"] = pc.coalesce(detected["category_raw"], detected["category"])
    columns["score"] = detected["score_raw"]
    for name in BOX_COLUMNS:
        columns[name] = pc.coalesce(detected[f"raw_{name}"], detected[name])
    return pa.table(columns)


def _breakdowns(
    judgements: Mapping[str, Judgement],
    pairing: Pairing,
    common: CommonFrames,
    labels: Labels,
    truth: Truth,
    boxes: pa.Table,
) -> dict[str, Sequence[Group]]:
    """Every breakdown that has a group."""
    assert len(pairing.clips) == common.frames.num_rows
    clips = [str(clip) for clip in common.frames["clip_id"].to_pylist()]
    cameras = [labels.clips[clip].camera or None if clip in labels.clips else None for clip in clips]
    occlusions = np.array(boxes["occlusion"].to_pylist(), dtype=object)
    found = {
        "camera": by_frame(judgements, np.array(cameras, dtype=object)),
        "size": by_size(judgements),
        "occlusion": by_truth(judgements, occlusions, OCCLUSIONS),
        "light": by_frame(judgements, _lights(common, clips, truth)),
    }
    return {name: groups for name, groups in found.items() if groups}


def _lights(common: CommonFrames, clips: Sequence[str], truth: Truth) -> npt.NDArray[np.object_]:
    """What the truth says of a clip's light, else whether the frame is dark or bright, object[F]."""
    told = {
        common.clips.label_of[clip]: light
        for clip, light in truth.lights.items()
        if clip in common.clips.label_of
    }
    lumas = common.frames["luma_mean"].to_pylist()
    measured = [None if luma is None else "dark" if luma < _DARK else "bright" for luma in lumas]
    return np.array(
        [told.get(clip, light) for clip, light in zip(clips, measured, strict=True)], dtype=object
    )
