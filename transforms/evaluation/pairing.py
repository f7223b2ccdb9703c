"""Brings labels and truth together: the same frames, the same categories, plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

DONTCARE: Final = "dontcare"
"""Category of a region of the truth that counts neither for nor against."""

NEUTRAL: Final[Mapping[str, tuple[str, ...]]] = {"car": ("van",)}
"""Truth categories that count neither for nor against another one, unless the caller says otherwise."""

BOX_COLUMNS: Final = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")

BoxArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes of many frames, sorted by frame.

    Attributes:
        frames: index of the frame, int64[N], ascending.
        boxes: xyxy edges in pixels, float64[N, 4].
        categories: the category's text, object[N].
        tracks: index of the object within the whole set (two clips share none), int64[N], -1 where there is none.
        scores: float64[N]; 1 where the table has no scores.
        rows: where each stands in the table it came from, int64[N].
    """

    frames: IntArray
    boxes: BoxArray
    categories: npt.NDArray[np.object_]
    tracks: IntArray
    scores: npt.NDArray[np.float64]
    rows: IntArray

    def __len__(self) -> int:
        return len(self.frames)

    def take(self, rows: npt.NDArray[np.bool_]) -> "Boxes":
        """These rows only.

        Args:
            rows: which to keep, bool[N].
        """
        return Boxes(
            frames=self.frames[rows],
            boxes=self.boxes[rows],
            categories=self.categories[rows],
            tracks=self.tracks[rows],
            scores=self.scores[rows],
            rows=self.rows[rows],
        )


@dataclass(frozen=True, slots=True)
class Pairing:
    """Labels and truth on the same frames.

    Attributes:
        clips: index of every frame's clip, int64[F], ascending; times ascend within a clip.
        labels: what is judged.
        truth: what it is judged by, regions included.
        neutral: category → truth categories that count neither for nor against it.
    """

    clips: IntArray
    labels: Boxes
    truth: Boxes
    neutral: Mapping[str, tuple[str, ...]]

    def categories(self) -> list[str]:
        """Categories that can be judged: those of the truth that are neither regions nor neutral only."""
        never = {DONTCARE, *(name for names in self.neutral.values() for name in names)}
        return sorted(set(self.truth.categories.tolist()) - never)

    def of(self, category: str) -> "CategoryPairing":
        """The part that judges one category.

        Args:
            category: a category of the truth.
        """
        names = self.truth.categories
        neutral = np.isin(names, self.neutral.get(category, ()))
        return CategoryPairing(
            clips=self.clips,
            labels=self.labels.take(self.labels.categories == category),
            truth=self.truth.take(names == category),
            neutral=self.truth.take(neutral),
            regions=self.truth.take(names == DONTCARE),
        )


@dataclass(frozen=True, slots=True)
class CategoryPairing:
    """Labels and truth of one category.

    Attributes:
        clips: index of every frame's clip, int64[F].
        labels: what is judged.
        truth: boxes that should be found.
        neutral: boxes that may be found: whoever finds one is left out.
        regions: areas in which what is found and not true is left out.
    """

    clips: IntArray
    labels: Boxes
    truth: Boxes
    neutral: Boxes
    regions: Boxes

    def above(self, score: float) -> "CategoryPairing":
        """The same with the labels of at least this score only.

        Args:
            score: 0..1.
        """
        labels = self.labels.take(self.labels.scores >= score)
        return CategoryPairing(self.clips, labels, self.truth, self.neutral, self.regions)


def pair(
    labels: pa.Table,
    truth: pa.Table,
    frames: pa.Table | None = None,
    *,
    tolerance_ns: int = 0,
    neutral: Mapping[str, tuple[str, ...]] = NEUTRAL,
) -> Pairing:
    """Brings two tables onto the same frames.

    Both tables have clip_id, timestamp_ns, category, x_min_px, y_min_px, x_max_px, y_max_px and may have
    track_id (any type; null or a negative number = no track) and score. Text is compared as it stands.

    Args:
        labels: what is judged.
        truth: what it is judged by; category `dontcare` marks regions.
        frames: clip_id and timestamp_ns of the frames that count, those without any truth included;
            None = the frames that have a row in `truth`. Rows elsewhere are left out.
        tolerance_ns: how far a row's time may lie from its frame's.
        neutral: category → truth categories that count neither for nor against it.

    Returns:
        The pairing; rows in order of frame, then as in their table.

    Raises:
        ValueError: a column is missing.
    """
    for name, table, needed in (
        ("labels", labels, ("clip_id", "timestamp_ns", "category", *BOX_COLUMNS)),
        ("truth", truth, ("clip_id", "timestamp_ns", "category", *BOX_COLUMNS)),
        ("frames", truth if frames is None else frames, ("clip_id", "timestamp_ns")),
    ):
        if missing := [column for column in needed if column not in table.column_names]:
            raise ValueError(
                f"{name}: no column {', '.join(missing)}; there are {', '.join(table.column_names)}"
            )
    source = truth if frames is None else frames
    keys = sorted(set(zip(_texts(source, "clip_id"), _times(source).tolist(), strict=True)))
    names = sorted({clip for clip, _ in keys})
    code_of = {clip: code for code, clip in enumerate(names)}
    clips = np.array([code_of[clip] for clip, _ in keys], dtype=np.int64)
    times = np.array([time for _, time in keys], dtype=np.int64)
    return Pairing(
        clips=clips,
        labels=_boxes(labels, code_of, clips, times, tolerance_ns),
        truth=_boxes(truth, code_of, clips, times, tolerance_ns),
        neutral=neutral,
    )


def _boxes(
    table: pa.Table, code_of: Mapping[str, int], clips: IntArray, times: IntArray, tolerance_ns: int
) -> Boxes:
    """The rows of a table that lie on a frame."""
    row_clips = np.array([code_of.get(clip, -1) for clip in _texts(table, "clip_id")], dtype=np.int64)
    frames = _nearest(row_clips, _times(table), clips, times, tolerance_ns)
    kept = np.flatnonzero(frames >= 0)
    kept = kept[np.argsort(frames[kept], kind="stable")]
    corners = [table[name].to_numpy().astype(np.float64) for name in BOX_COLUMNS]
    scores = (
        table["score"].to_numpy().astype(np.float64)
        if "score" in table.column_names
        else np.ones(table.num_rows)
    )
    return Boxes(
        frames=frames[kept],
        boxes=np.stack(corners, axis=1)[kept],
        categories=np.array(_texts(table, "category"), dtype=object)[kept],
        tracks=_tracks(table, row_clips)[kept],
        scores=scores[kept],
        rows=kept,
    )


def _tracks(table: pa.Table, row_clips: IntArray) -> IntArray:
    """Numbers the tracks of all clips, int64[N]; -1 = none."""
    tracks = np.full(table.num_rows, -1, dtype=np.int64)
    if "track_id" in table.column_names:
        known: dict[tuple[int, object], int] = {}
        for row, (clip, track) in enumerate(
            zip(row_clips.tolist(), table["track_id"].to_pylist(), strict=True)
        ):
            if track is not None and not (isinstance(track, int) and track < 0):
                tracks[row] = known.setdefault((clip, track), len(known))
    return tracks


def _texts(table: pa.Table, name: str) -> list[str]:
    """A column as text."""
    return [str(value) for value in table[name].to_pylist()]


def _times(table: pa.Table) -> IntArray:
    """The column timestamp_ns."""
    return table["timestamp_ns"].to_numpy().astype(np.int64)


def _nearest(
    row_clips: IntArray, row_times: IntArray, clips: IntArray, times: IntArray, tolerance_ns: int
) -> IntArray:
    """Index of the frame nearest to every row within its clip, -1 where none is near enough."""
    found = np.full(len(row_clips), -1, dtype=np.int64)
    for clip in np.unique(row_clips[row_clips >= 0]):
        rows = np.flatnonzero(row_clips == clip)
        start, stop = np.searchsorted(clips, (clip, clip + 1))
        own = times[start:stop]
        after = np.searchsorted(own, row_times[rows]).clip(0, len(own) - 1)
        before = np.maximum(after - 1, 0)
        earlier = np.abs(own[before] - row_times[rows]) < np.abs(own[after] - row_times[rows])
        nearest = np.where(earlier, before, after)
        near = np.abs(own[nearest] - row_times[rows]) <= tolerance_ns
        found[rows[near]] = start + nearest[near]
    return found
