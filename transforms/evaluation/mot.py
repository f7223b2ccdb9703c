"""Tracking figures: HOTA, IDF1 and MOTA of labels with tracks.

HOTA: Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021.
IDF1: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", 2016.
MOTA: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance", 2008.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.evaluation.overlaps import (
    CategoryOverlaps,
    Pairs,
    assign,
    best_pairs,
    category_overlaps,
    uncontested,
)
from transforms.evaluation.pairing import CategoryPairing, Pairing

ALPHAS: Final = np.arange(0.05, 0.99, 0.05)
"""Localisation thresholds HOTA is averaged over."""

_MATCH: Final = 0.5
_EPS: Final = float(np.finfo(np.float64).eps)

BoolArray = npt.NDArray[np.bool_]
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
class _Judged:
    """What is left once what counts neither way is taken out.

    Attributes:
        truth_frames: frame of every true box, int64[M].
        label_frames: frame of every label that counts, int64[K].
        objects: object of every true box, int64[M].
        tracks: track of every label, also of those that do not count, int64[N].
        counted_tracks: track of every label that counts, int64[K].
        pairs: labels that count and true boxes that overlap.
        frames: frame of every pair, int64[P].
        clips: clip of every frame, int64[F].
    """

    truth_frames: IntArray
    label_frames: IntArray
    objects: IntArray
    tracks: IntArray
    counted_tracks: IntArray
    pairs: Pairs
    frames: IntArray
    clips: IntArray


def tracking_figures(pairing: Pairing, score: float = 0.0) -> dict[str, TrackingFigures]:
    """Tracking figures of every category of the truth.

    Args:
        pairing: labels with tracks, and truth; labels without a track are left out.
        score: labels below it are left out.

    Returns:
        Category → figures.
    """
    return {name: figures_at(pairing.of(name), [score])[0] for name in pairing.categories()}


def category_figures(category: CategoryPairing) -> TrackingFigures:
    """Tracking figures of one category.

    Labels that find a neutral box at IoU .5, and those that find nothing and lie by half in a region, are
    taken out first.

    Args:
        category: labels with tracks, and truth.
    """
    return figures_at(category, [-np.inf])[0]


def figures_at(
    category: CategoryPairing, scores: Sequence[float], overlaps: CategoryOverlaps | None = None
) -> list[TrackingFigures]:
    """Tracking figures of one category at several score thresholds.

    Args:
        category: labels with tracks, and truth.
        scores: thresholds; labels below are left out.
        overlaps: what the labels overlap, where that is known already.

    Returns:
        Figures at each threshold, in order.
    """
    known = category_overlaps(category) if overlaps is None else overlaps
    has_track = category.labels.tracks >= 0
    return [
        _figures(_judged(category, known, has_track & (category.labels.scores >= score))) for score in scores
    ]


def _figures(judged: _Judged) -> TrackingFigures:
    """Figures of what is judged."""
    truth, labels = len(judged.truth_frames), len(judged.label_frames)
    right, aligned = _hota(judged)
    deta = right / np.maximum(truth + labels - right, 1)
    assa = aligned / np.maximum(right, 1)
    found, switches = _clear(judged)
    return TrackingFigures(
        hota=float(np.sqrt(deta * assa).mean()),
        deta=float(deta.mean()),
        assa=float(assa.mean()),
        idf1=2 * _identity(judged) / max(truth + labels, 1),
        mota=(found - (labels - found) - switches) / max(truth, 1),
        switches=switches,
        missed=truth - found,
        false=labels - found,
        truth=truth,
        labels=labels,
    )


def _judged(category: CategoryPairing, overlaps: CategoryOverlaps, asked: BoolArray) -> _Judged:
    """What is left of the labels that are asked, bool[N]."""
    labels = category.labels
    counts = asked & _counting(category, overlaps, asked)
    pairs = overlaps.truth.take(counts[overlaps.truth.labels])
    return _Judged(
        truth_frames=category.truth.frames,
        label_frames=labels.frames[counts],
        objects=_objects(category.truth.tracks),
        tracks=labels.tracks,
        counted_tracks=labels.tracks[counts],
        pairs=pairs,
        frames=labels.frames[pairs.labels],
        clips=category.clips,
    )


def _objects(tracks: IntArray) -> IntArray:
    """Numbers the objects; a true box without a track is an object of its own."""
    own = tracks < 0
    return np.where(own, tracks.max(initial=-1) + np.cumsum(own), tracks)


def _counting(category: CategoryPairing, overlaps: CategoryOverlaps, asked: BoolArray) -> BoolArray:
    """Which labels find no neutral box and, where they find nothing, lie in no region: bool[N]."""
    counts = np.ones(len(asked), dtype=bool)
    if not overlaps.neutral_count and not overlaps.covered.any():
        return counts
    rows, others, values = (
        np.concatenate([getattr(overlaps.truth, name), getattr(overlaps.neutral, name)])
        for name in ("labels", "others", "overlaps")
    )
    others[len(overlaps.truth.labels) :] += overlaps.truth_count
    near = asked[rows] & (values >= _MATCH - _EPS)
    rows, others, values = rows[near], others[near], values[near]
    order = np.argsort(rows, kind="stable")
    rows, others, values = rows[order], others[order], values[order]
    hit = assign(category.labels.frames[rows], rows, others, values)
    counts[rows[hit & (others >= overlaps.truth_count)]] = False
    free = np.ones(len(asked), dtype=bool)
    free[rows[hit]] = False
    return counts & ~(free & (overlaps.covered > _MATCH + _EPS))


def _hota(judged: _Judged) -> tuple[FloatArray, FloatArray]:
    """Right boxes and the sum of association scores at every threshold, float64[A] each."""
    pairs = judged.pairs
    objects, tracks = judged.objects[pairs.others], judged.tracks[pairs.labels]
    if not len(objects):
        return np.zeros(len(ALPHAS)), np.zeros(len(ALPHAS))
    # An object and a track that ever overlap are a couple; no other has a score.
    width = int(tracks.max()) + 1
    couples, couple = np.unique(objects * width + tracks, return_inverse=True)
    either = (
        np.bincount(judged.objects)[couples // width] + np.bincount(judged.counted_tracks)[couples % width]
    )

    total = (
        np.bincount(pairs.labels, pairs.overlaps)[pairs.labels]
        + np.bincount(pairs.others, pairs.overlaps)[pairs.others]
        - pairs.overlaps
    )
    share = np.divide(pairs.overlaps, total, out=np.zeros_like(total), where=total > _EPS)
    together = np.bincount(couple, share)
    alignment = together / (either - together)

    chosen = assign(judged.frames, pairs.labels, pairs.others, alignment[couple] * pairs.overlaps)
    hits = pairs.overlaps[chosen][None] >= ALPHAS[:, None] - _EPS
    matches = np.stack([np.bincount(couple[chosen][row], minlength=len(couples)) for row in hits])
    aligned = (matches * matches / np.maximum(either - matches, 1)).sum(axis=1)
    return hits.sum(axis=1).astype(np.float64), aligned


def _identity(judged: _Judged) -> int:
    """Boxes that carry the right identity under the best one-to-one map of tracks to objects."""
    near = judged.pairs.overlaps >= _MATCH
    objects, object_number = np.unique(judged.objects[judged.pairs.others[near]], return_inverse=True)
    tracks, track_number = np.unique(judged.tracks[judged.pairs.labels[near]], return_inverse=True)
    if not len(objects):
        return 0
    couples, together = np.unique(object_number * len(tracks) + track_number, return_counts=True)
    rows, columns = couples // len(tracks), couples % len(tracks)
    # The clip of a couple stands for its frame: objects and tracks of two clips never meet.
    clip_of = np.zeros(len(objects), dtype=np.int64)
    clip_of[object_number] = judged.clips[judged.frames[near]]
    order = np.argsort(clip_of[rows], kind="stable")
    rows, columns, together = rows[order], columns[order], together[order]
    chosen = assign(clip_of[rows], rows, columns, together.astype(np.float64))
    return int(together[chosen].sum())


def _clear(judged: _Judged) -> tuple[int, int]:
    """Boxes found and identity switches."""
    near = judged.pairs.overlaps >= _MATCH - _EPS
    pairs, frames = judged.pairs.take(near), judged.frames[near]
    objects, tracks = judged.objects[pairs.others], judged.tracks[pairs.labels]
    alone = uncontested(pairs.labels, pairs.others)
    both = np.intersect1d(judged.truth_frames, judged.label_frames)
    starts, stops = np.searchsorted(frames, both), np.searchsorted(frames, both, side="right")
    contested = np.concatenate([[0], np.cumsum(~alone)])
    settled = (contested[starts] == contested[stops]).tolist()
    found = switches = 0
    last: dict[int, int] = {}
    previous: dict[int, int] = {}
    for begin, end, is_settled in zip(starts.tolist(), stops.tolist(), settled, strict=True):
        seen, ids = objects[begin:end].tolist(), tracks[begin:end].tolist()
        if not is_settled:
            # The pair of the frame before goes on where it can, only then the overlap decides.
            goes_on = np.array([previous.get(one) == track for one, track in zip(seen, ids, strict=True)])
            worth = pairs.overlaps[begin:end] + 1000.0 * goes_on
            kept = best_pairs(pairs.labels[begin:end], pairs.others[begin:end], worth).tolist()
            seen = [one for one, keep in zip(seen, kept, strict=True) if keep]
            ids = [track for track, keep in zip(ids, kept, strict=True) if keep]
        previous = dict(zip(seen, ids, strict=True))
        switches += sum(last.get(one, track) != track for one, track in previous.items())
        last.update(previous)
        found += len(seen)
    return found, switches
