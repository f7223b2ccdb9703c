"""An evaluation as one JSON object: the keys that docs/reference/evaluate.md names."""

from collections.abc import Mapping
from dataclasses import asdict

from transforms.evaluation.additions import Added, Recovery, all_added
from transforms.evaluation.ap import AveragePrecision
from transforms.evaluation.breakdowns import Group
from transforms.evaluation.calibration_error import CalibrationError
from transforms.evaluation.evaluating import CategoryFigures, Evaluation
from transforms.evaluation.mot import TrackingFigures
from transforms.evaluation.thresholds import MeanTracking, Tracking, mean_tracking


def as_json(found: Evaluation) -> dict[str, object]:
    """Everything that was found, as JSON can hold it.

    Args:
        found: an evaluation.
    """
    common = found.common
    return {
        "score": found.score,
        "neutral": {category: list(names) for category, names in found.neutral.items()},
        "clips": {
            "compared": len(common.clips.label_of),
            "unmatched": list(common.clips.unmatched),
            "ambiguous": list(common.clips.ambiguous),
            "repeated": list(common.clips.repeated),
        },
        "frames": {
            "compared": common.frames.num_rows,
            "truth": common.truth_frames,
            "truth_without_labels": common.truth_frames - common.frames.num_rows,
            "labels": common.label_frames,
            "tolerance_ms": common.tolerance_ns / 1e6,
        },
        "mean": {
            **(_precision(found.mean) or dict.fromkeys(AveragePrecision.__dataclass_fields__)),
            "raw": _precision(found.raw_mean),
            "tracking": _mean_tracking(found),
            "hindsight": _hindsight(total_added(found), total_recovery(found)),
            "calibration": _calibration(found.calibration, found.raw_calibration),
        },
        "categories": {name: _category(one) for name, one in found.categories.items()},
        "not_looked_for": list(found.not_looked_for),
        "breakdowns": {
            name: [_group(group) for group in groups] for name, groups in found.breakdowns.items()
        },
    }


def means_of_tracking(found: Evaluation) -> tuple[MeanTracking | None, MeanTracking | None]:
    """The mean tracking figures at the score asked for, and at each category's best.

    Args:
        found: an evaluation.
    """
    tracked = [one.tracking for one in found.categories.values() if one.tracking is not None]
    return mean_tracking([one.figures for one in tracked]), mean_tracking([one.best for one in tracked])


def total_added(found: Evaluation) -> dict[str, Added]:
    """Added rows of all categories, by source.

    Args:
        found: an evaluation.
    """
    sources = sorted({source for one in found.categories.values() for source in one.added})
    return {
        source: all_added(
            {name: one.added[source] for name, one in found.categories.items() if source in one.added}
        )
        for source in sources
    }


def total_recovery(found: Evaluation) -> Recovery | None:
    """What was missed and recovered in all categories; None where the labels do not tell.

    Args:
        found: an evaluation.
    """
    parts = [one.recovery for one in found.categories.values() if one.recovery is not None]
    if not parts:
        return None
    return Recovery(sum(part.missed for part in parts), sum(part.recovered for part in parts))


def _category(one: CategoryFigures) -> dict[str, object]:
    return {
        **asdict(one.precision),
        "raw": _precision(one.raw),
        "tracking": None if one.tracking is None else _tracking(one.tracking),
        "hindsight": _hindsight(one.added, one.recovery),
        "calibration": _calibration(one.calibration, one.raw_calibration),
    }


def _precision(figures: AveragePrecision | None) -> dict[str, object] | None:
    return None if figures is None else asdict(figures)


def _tracking(found: Tracking) -> dict[str, object]:
    return {
        "at_score": _tracked(found.score, found.figures),
        "best": _tracked(found.best_score, found.best),
        "curve": [_tracked(score, figures) for score, figures in found.curve.items()],
    }


def _tracked(score: float, figures: TrackingFigures) -> dict[str, object]:
    return {"score": score, **asdict(figures)}


def _mean_tracking(found: Evaluation) -> dict[str, object] | None:
    at_score, best = means_of_tracking(found)
    if at_score is None or best is None:
        return None
    return {"at_score": asdict(at_score), "best": asdict(best)}


def _hindsight(added: Mapping[str, Added], recovered: Recovery | None) -> dict[str, object]:
    return {
        "added": {source: _added(part) for source, part in added.items()},
        "all_added": _added(all_added(added)),
        "recovery": None if recovered is None else {**asdict(recovered), "share": recovered.share},
    }


def _added(part: Added) -> dict[str, object]:
    return {**asdict(part), "precision": part.precision}


def _calibration(final: CalibrationError, raw: CalibrationError | None) -> dict[str, object]:
    return {"score": asdict(final), "score_raw": None if raw is None else asdict(raw)}


def _group(group: Group) -> dict[str, object]:
    return {
        "group": group.name,
        **asdict(group.mean),
        "categories": {name: asdict(part) for name, part in group.categories.items()},
    }
