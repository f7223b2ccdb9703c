"""The tracks of labelled tables, a row each."""

from itertools import pairwise
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from transforms.labels.sightings import ADDED, NO_TRACK
from transforms.labels.table_columns import Ids, Labelled
from transforms.labels.table_rows import TableRows
from transforms.labels.tracklets import summarise

TRACKS: Final = pa.schema(
    [
        ("track_id", pa.string()),
        ("clip_id", pa.string()),
        ("category", pa.string()),
        ("category_votes", pa.map_(pa.string(), pa.float32())),
        ("first_ns", pa.int64()),
        ("last_ns", pa.int64()),
        ("detected", pa.int32()),
        ("added", pa.int32()),
        ("score", pa.float32()),
    ]
)
"""What a data set's table `tracks` tells too, without what only a data set knows."""


def track_table(rows: TableRows, labels: Labelled, ids: Ids) -> pa.Table:
    """Sums up every track.

    Args:
        rows: the input.
        labels: of all clips, by clip.
        ids: names of the tracks.

    Returns:
        `TRACKS`, by clip, time and id. Categories are in the input's words.
    """
    bounds = np.searchsorted(labels.clips, np.arange(len(rows.clips) + 1)).tolist()
    parts = [
        _tracks_of_clip(rows, labels.part(begin, end), ids) for begin, end in pairwise(bounds) if begin < end
    ]
    every = pa.concat_tables([TRACKS.empty_table(), *parts])
    keys: list[tuple[str, Literal["ascending", "descending"]]] = [
        ("clip_id", "ascending"),
        ("first_ns", "ascending"),
        ("track_id", "ascending"),
    ]
    return every.sort_by(keys).combine_chunks()


def _tracks_of_clip(rows: TableRows, labels: Labelled, ids: Ids) -> pa.Table:
    is_added = labels.origins == ADDED
    own = np.flatnonzero(~is_added & (labels.tracks != NO_TRACK))
    origins = labels.origins[own]
    weights = rows.scores[origins].astype(np.float32)
    # indices among the clip's own words are small, so that votes take little room
    words, places = np.unique(np.stack([labels.words[own], rows.word_of[origins]]), return_inverse=True)
    final, raw = places.reshape(2, -1).astype(np.uint8)
    numbers, times_ns, scores = labels.tracks[own], labels.times_ns[own], labels.scores[own]
    summary = summarise(numbers, times_ns, scores, final, weights)
    voted = summarise(numbers, times_ns, scores, raw, weights)
    offsets, entries, sums = voted.vote_entries()
    texts = pa.array(rows.words, pa.string()).take(pa.array(words, pa.int64()))
    named = texts.take(pa.array(entries, pa.uint8()))
    votes = pa.MapArray.from_arrays(pa.array(offsets), named, pa.array(sums, pa.float32()))  # type: ignore[call-overload]  # the stubs want int64 where Arrow has int32
    numbers = summary.numbers
    first = int(numbers[0]) if len(numbers) else 0
    added = np.bincount(labels.tracks[is_added] - first, minlength=len(numbers))
    clip = rows.clips[int(labels.clips[0])]
    columns = {
        "track_id": pa.array([ids.tracks[number] for number in numbers.tolist()], pa.string()),
        "clip_id": pa.array([clip] * len(numbers), pa.string()),
        "category": texts.take(pa.array(summary.categories, pa.uint8())),
        "category_votes": votes,
        "first_ns": summary.first_ns,
        "last_ns": summary.last_ns,
        "detected": summary.detected,
        "added": added,
        "score": summary.score,
    }
    return pa.table(columns, TRACKS)
