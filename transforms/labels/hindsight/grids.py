"""Tracks side by side: a cell for each track and each frame of its life, so that all tracks take a step at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.sightings import NO_TRACK, Sightings

EMPTY: Final = -1

_MOST_CELLS: Final = 1 << 16
"""Cells of one grid: bounds memory while a step still serves many tracks."""


@dataclass(frozen=True, slots=True)
class TrackGrid:
    """Some tracks, a line each.

    Attributes:
        frames: frame of each cell, int32[K, L]; after the end of its track a line repeats the last one.
        rows: row of the sightings that stands in a cell, `EMPTY` for none, int32[K, L].
    """

    frames: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Cells with a row, bool[K, L]."""
        result: npt.NDArray[np.bool_] = self.rows != EMPTY
        return result


def track_order(seen: Sightings) -> npt.NDArray[np.int64]:
    """Rows that have a track, by track and then by frame, int64[M]."""
    tracked = np.flatnonzero(seen.tracks != NO_TRACK)
    return tracked[np.argsort(seen.tracks[tracked], kind="stable")]


def track_grids(seen: Sightings) -> Iterator[TrackGrid]:
    """Lays the tracks out, those of like length together. Cells are the frames that the network looked at.

    Args:
        seen: a clip whose rows lie on frames that the network looked at, at most one a track and frame.
    """
    looked = np.flatnonzero(seen.seen).astype(np.int32)
    order = track_order(seen)
    if not len(order):
        return
    _, starts, counts = np.unique(seen.tracks[order], return_index=True, return_counts=True)
    place = np.searchsorted(looked, seen.frames[order])
    first, last = place[starts], place[starts + counts - 1]
    lengths = last - first + 1
    by_length = np.argsort(lengths, kind="stable")
    begin = 0
    while begin < len(by_length):
        end = begin + 1
        while end < len(by_length) and (end + 1 - begin) * lengths[by_length[end]] <= _MOST_CELLS:
            end += 1
        group = by_length[begin:end]
        begin = end
        cells = first[group][:, None] + np.arange(lengths[group].max())
        frames = looked[np.minimum(cells, last[group][:, None])]
        rows = np.full(frames.shape, EMPTY, np.int32)
        line = np.repeat(np.arange(len(group)), counts[group])
        within = np.arange(len(line)) - np.repeat(np.cumsum(counts[group]) - counts[group], counts[group])
        at = np.repeat(starts[group], counts[group]) + within
        rows[line, place[at] - first[group][line]] = order[at]
        yield TrackGrid(frames, rows)
