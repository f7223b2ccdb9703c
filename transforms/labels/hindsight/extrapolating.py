"""A moment beyond first and last sight: objects are there before a network is sure of them, and a little after."""

from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.hindsight.smoothing import SmoothedGrid
from transforms.labels.kalman import to_edges
from transforms.labels.overlap import areas
from transforms.labels.sightings import EXTRAPOLATED, Additions, Sightings

FARTHEST_S: Final = 0.25
"""How far beyond the boxes of a track: two frames at 10 a second, one at 5."""

BELIEF: Final = 0.2
"""Score of the carried boxes: most objects that are not seen any more have gone. On KITTI tracking one in five is
still labelled there, however sure its last box is."""

LEAST_END: Final = 0.5
"""Tracks whose end is believed less are not carried on."""

_LEAST_BOXES: Final = 3
"""Fewer boxes do not tell a speed that can be relied on."""

_LEAST_INSIDE: Final = 0.6
"""Where less of a carried box lies in the picture, the object has left it."""

FloatArray = npt.NDArray[np.float64]


def extrapolate(seen: Sightings, paths: list[SmoothedGrid], extent: FloatArray) -> Additions:
    """Carries tracks on at their speed, in both directions of time.

    Args:
        seen: a clip with tracks, scored along them.
        paths: `smoothed_paths` of the same rows.
        extent: xyxy edges of the picture in pixels, float64[4].
    """
    none = np.empty(0, np.int64)
    frames, boxes, likes = [none], [np.empty((0, 4))], [none]
    for path in paths:
        filled = path.grid.filled
        long_enough = filled.sum(axis=1) >= _LEAST_BOXES
        last = filled.shape[1] - 1 - filled[:, ::-1].argmax(axis=1)
        for cells, direction in ((np.zeros_like(last), -1), (last, 1)):
            lines = np.flatnonzero(long_enough)
            lines = lines[seen.scores[path.grid.rows[lines, cells[lines]]] >= LEAST_END]
            rows = path.grid.rows[lines, cells[lines]]
            for wanted, at, ahead_s in _frames_beyond(seen, rows, direction):
                place, velocity = path.states[:, lines[wanted], cells[lines[wanted]]]
                frames.append(at)
                boxes.append(to_edges(place + velocity * ahead_s[:, None]))
                likes.append(rows[wanted])
    every = np.concatenate(boxes)
    clipped = np.clip(every, np.tile(extent[:2], 2), np.tile(extent[2:], 2))
    inside = areas(clipped) >= _LEAST_INSIDE * areas(every)
    scores = np.full(int(inside.sum()), BELIEF)
    return Additions(
        np.concatenate(frames)[inside], clipped[inside], scores, np.concatenate(likes)[inside], EXTRAPOLATED
    )


def _frames_beyond(
    seen: Sightings, rows: npt.NDArray[np.integer], direction: int
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]]:
    """For each step away from rows: which of them still have a frame there, which frame, and the seconds between."""
    looked = np.flatnonzero(seen.seen)
    place = np.searchsorted(looked, seen.frames[rows])
    steps = []
    for step in range(1, len(looked)):
        at = place + direction * step
        there = np.flatnonzero((at >= 0) & (at < len(looked)))
        frames = looked[at[there]]
        ahead_s = (seen.timestamps_ns[frames] - seen.timestamps_ns[seen.frames[rows[there]]]) / 1e9
        near = np.abs(ahead_s) <= FARTHEST_S
        if not near.any():
            break
        steps.append((there[near], frames[near], ahead_s[near]))
    return steps
