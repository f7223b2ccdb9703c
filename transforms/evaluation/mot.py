"""Tracking figures: HOTA, IDF1 and MOTA of labels with tracks.

HOTA: Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021.
IDF1: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", 2016.
MOTA: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance", 2008.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from transforms.evaluation.pairing import CategoryPairing, Pairing
from transforms.labels.overlap import covered, iou

ALPHAS: Final = np.arange(0.05, 0.99, 0.05)
"""Localisation thresholds HOTA is averaged over."""

_MATCH: Final = 0.5
_EPS: Final = float(np.finfo(np.float64).eps)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrackingFigures:
    """Figures of one category.

    Attributes:
        hota: geometric mean of `deta` and `assa` at each threshold, averaged.
        deta: how well boxes are found.
        assa: how well identities are kept.
        idf1: share of boxes that carry the right identity, labels mapped one to one to objects.
        mota: 1 - (missed + false + switches) / truth; may be negative.
        switches: how often an object changes its label's identity.
        missed: true boxes that no label finds at IoU .5.
        false: labels that find nothing at IoU .5.
        truth: true boxes.
        labels: judged labels, those left out not counted.
    """

    hota: float
    deta: float
    assa: float
    idf1: float
    mota: float
    switches: int
    missed: int
    false: int
    truth: int
    labels: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is left of a frame once what counts neither way is taken out.

    Attributes:
        truth: object numbers within the clip, int64[G].
        labels: track numbers within the clip, int64[L].
        overlaps: IoU, float64[G, L].
    """

    truth: IntArray
    labels: IntArray
    overlaps: FloatArray


@dataclass(frozen=True, slots=True)
class _Clip:
    """The frames of one clip, with objects and tracks numbered from 0."""

    frames: Sequence[_Frame]
    objects: int
    tracks: int


def tracking_figures(pairing: Pairing, score: float = 0.0) -> dict[str, TrackingFigures]:
    """Tracking figures of every category of the truth.

    Args:
        pairing: labels with tracks, and truth; labels without a track are left out.
        score: labels below it are left out.

    Returns:
        Category → figures.
    """
    return {name: category_figures(pairing.of(name).above(score)) for name in pairing.categories()}


def category_figures(category: CategoryPairing) -> TrackingFigures:
    """Tracking figures of one category.

    Labels that find a neutral box at IoU .5, and those that find nothing and lie by half in a region, are
    taken out first.

    Args:
        category: labels with tracks, and truth.
    """
    clips = list(_clips(category))
    right, missed, false, aligned = _hota(clips)
    deta = right / np.maximum(right + missed + false, 1)
    assa = aligned / np.maximum(right, 1)
    agreed = sum(_identity(clip) for clip in clips)
    truth = sum(len(frame.truth) for clip in clips for frame in clip.frames)
    labels = sum(len(frame.labels) for clip in clips for frame in clip.frames)
    found, switches = (sum(column) for column in zip(*map(_clear, clips), strict=True)) if clips else (0, 0)
    return TrackingFigures(
        hota=float(np.sqrt(deta * assa).mean()),
        deta=float(deta.mean()),
        assa=float(assa.mean()),
        idf1=2 * agreed / max(truth + labels, 1),
        mota=(found - (labels - found) - switches) / max(truth, 1),
        switches=switches,
        missed=truth - found,
        false=labels - found,
        truth=truth,
        labels=labels,
    )


def _clips(category: CategoryPairing) -> Iterable[_Clip]:
    """What is judged, clip by clip."""
    has_track = category.labels.tracks >= 0
    category = CategoryPairing(
        category.clips, category.labels.take(has_track), category.truth, category.neutral, category.regions
    )
    frames: dict[int, list[_Frame]] = {}
    for frame in category.frames():
        boxes = category.labels.boxes[frame.labels]
        true = category.truth.boxes[frame.truth]
        anything = iou(np.concatenate([true, category.neutral.boxes[frame.neutral]]), boxes)
        in_region = covered(boxes, category.regions.boxes[frame.regions])
        counts = _counting(anything, len(true), in_region)
        frames.setdefault(int(category.clips[frame.frame]), []).append(
            _Frame(
                truth=category.truth.tracks[frame.truth],
                labels=category.labels.tracks[frame.labels][counts],
                overlaps=anything[: len(true), counts].astype(np.float64),
            )
        )
    for clip in sorted(frames):
        yield _numbered(frames[clip])


def _counting(
    anything: npt.NDArray[np.floating], true: int, in_region: npt.NDArray[np.floating]
) -> npt.NDArray[np.bool_]:
    """Which labels of a frame count: bool[L]."""
    counts = np.ones(anything.shape[1], dtype=bool)
    free = counts.copy()
    if len(anything) > true or in_region.shape[1]:
        gated = np.where(anything >= _MATCH - _EPS, anything, 0.0)
        found, label = linear_sum_assignment(gated, maximize=True)
        hit = gated[found, label] > 0
        free[label[hit]] = False
        counts[label[hit & (found >= true)]] = False
    if in_region.shape[1]:
        counts &= ~(free & (in_region.max(axis=1) > _MATCH + _EPS))
    return counts


def _numbered(frames: Sequence[_Frame]) -> _Clip:
    """The clip with objects and tracks numbered from 0."""
    objects = np.unique(np.concatenate([frame.truth for frame in frames]))
    tracks = np.unique(np.concatenate([frame.labels for frame in frames]))
    renumbered = [
        _Frame(np.searchsorted(objects, frame.truth), np.searchsorted(tracks, frame.labels), frame.overlaps)
        for frame in frames
    ]
    return _Clip(renumbered, len(objects), len(tracks))


def _hota(clips: Sequence[_Clip]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Right, missed and false boxes and the sum of association scores, float64[A] each."""
    right, missed, false, aligned = (np.zeros(len(ALPHAS)) for _ in range(4))
    for clip in clips:
        truth_count, label_count, alignment = _alignment(clip)
        matches = np.zeros((len(ALPHAS), clip.objects, clip.tracks))
        for frame in clip.frames:
            worth = alignment[frame.truth[:, None], frame.labels[None]] * frame.overlaps
            rows, columns = linear_sum_assignment(worth, maximize=True)
            hits = frame.overlaps[rows, columns][None] >= ALPHAS[:, None] - _EPS
            matches[:, frame.truth[rows], frame.labels[columns]] += hits
            found = hits.sum(axis=1)
            right += found
            missed += len(frame.truth) - found
            false += len(frame.labels) - found
        either = truth_count[None, :, None] + label_count[None, None, :] - matches
        aligned += (matches * matches / np.maximum(either, 1)).sum(axis=(1, 2))
    return right, missed, false, aligned


def _alignment(clip: _Clip) -> tuple[FloatArray, FloatArray, FloatArray]:
    """How often objects and tracks are there, and how well each pair goes together over the clip."""
    truth_count, label_count = np.zeros(clip.objects), np.zeros(clip.tracks)
    together = np.zeros((clip.objects, clip.tracks))
    for frame in clip.frames:
        truth_count[frame.truth] += 1
        label_count[frame.labels] += 1
        total = frame.overlaps.sum(axis=0)[None] + frame.overlaps.sum(axis=1)[:, None] - frame.overlaps
        share = np.divide(frame.overlaps, total, out=np.zeros_like(total), where=total > _EPS)
        together[frame.truth[:, None], frame.labels[None]] += share
    return truth_count, label_count, together / (truth_count[:, None] + label_count[None] - together)


def _identity(clip: _Clip) -> int:
    """Boxes that carry the right identity under the best one-to-one map of tracks to objects."""
    together = np.zeros((clip.objects, clip.tracks), dtype=np.int64)
    for frame in clip.frames:
        rows, columns = np.nonzero(frame.overlaps >= _MATCH)
        together[frame.truth[rows], frame.labels[columns]] += 1
    return int(together[linear_sum_assignment(together, maximize=True)].sum())


def _clear(clip: _Clip) -> tuple[int, int]:
    """Boxes found and identity switches."""
    found = switches = 0
    last = np.full(clip.objects, -1, dtype=np.int64)
    previous = last.copy()
    for frame in clip.frames:
        if not len(frame.labels):
            continue
        # The pair of the frame before goes on where it can, only then the overlap decides.
        worth = frame.overlaps + 1000.0 * (frame.labels[None] == previous[frame.truth][:, None])
        worth[frame.overlaps < _MATCH - _EPS] = 0.0
        rows, columns = linear_sum_assignment(worth, maximize=True)
        hit = worth[rows, columns] > _EPS
        objects, tracks = frame.truth[rows[hit]], frame.labels[columns[hit]]
        switches += int(((last[objects] >= 0) & (last[objects] != tracks)).sum())
        if len(frame.truth):
            previous[:] = -1
        last[objects] = previous[objects] = tracks
        found += len(objects)
    return found, switches
