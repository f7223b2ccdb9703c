"""Labels for the frames between those that the network looked at: boxes go along with the points seen in them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.labels.hindsight.grids import track_order
from transforms.labels.hindsight.rescoring import logits, probabilities
from transforms.labels.motion.carrying import carry
from transforms.labels.motion.extending import carry_forward
from transforms.labels.motion.trails import Trail
from transforms.labels.sightings import NO_TRACK, PROPAGATED, Additions, Sightings

LEAST_BELIEF: Final = 0.05
"""Boxes that are believed less are not carried: every one costs a row in all frames between."""


def carry_between(seen: Sightings, trails: Sequence[Trail], unsound: npt.NDArray[np.bool_]) -> Additions:
    """The boxes of tracked objects in the frames that the network did not look at.

    From one frame that it looked at to the next the path begins and ends in the two boxes; beyond the last one it
    goes as far as points are followed.

    Args:
        seen: a clip with tracks, scored along them.
        trails: points followed between frames that the network looked at, over all frames of the clip.
        unsound: frames that get no labels, bool[F].
    """
    order = track_order(seen)
    following = np.full(len(seen.frames), -1, np.int64)
    same = seen.tracks[order][1:] == seen.tracks[order][:-1]
    following[order[:-1][same]] = order[1:][same]
    own = logits(seen.scores)
    starts = np.searchsorted(seen.frames, np.arange(len(seen.seen) + 1))
    none = np.empty(0, np.int64)
    frames, boxes, beliefs, likes = [none], [np.empty((0, 4), np.float32)], [np.empty(0)], [none]
    for trail in trails:
        ends_seen = bool(seen.seen[trail.last])
        between = np.arange(trail.first + 1, trail.last + (not ends_seen))
        between = between[~unsound[between]]
        if not seen.seen[trail.first] or not len(between):
            continue
        rows = np.arange(starts[trail.first], starts[trail.first + 1])
        rows = rows[(seen.tracks[rows] != NO_TRACK) & (seen.scores[rows] >= LEAST_BELIEF)]
        at = between - trail.first
        if ends_seen:
            rows = rows[following[rows] >= 0]
            rows = rows[seen.frames[following[rows]] == trail.last]
            ends = following[rows]
            path = carry(trail, seen.boxes[rows], seen.boxes[ends]).boxes[at]
            share = trail.shares[at, None]
            belief = (1 - share) * own[rows] + share * own[ends]
        else:
            path = carry_forward(trail, seen.boxes[rows]).boxes[at]
            belief = np.broadcast_to(own[rows], (len(at), len(rows)))
        frames.append(np.repeat(between, len(rows)))
        boxes.append(path.reshape(-1, 4))
        beliefs.append(belief.reshape(-1))
        likes.append(np.tile(rows, len(between)))
    return Additions(
        np.concatenate(frames),
        np.concatenate(boxes),
        probabilities(np.concatenate(beliefs)),
        np.concatenate(likes),
        PROPAGATED,
    )
