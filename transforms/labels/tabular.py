"""Labels of whole tables: any tool's detections, categories in its own words, many clips."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.detections import CategoryArray
from models.taxonomy import CATEGORIES
from transforms.labels.hindsight.looking_back import Found, Surroundings, find_objects, improve
from transforms.labels.hindsight.persistence import lasting, score_bias, tells
from transforms.labels.hindsight.rescoring import logits, rescore
from transforms.labels.hindsight.settings import HindsightSettings
from transforms.labels.sightings import ADDED, NO_TRACK, Sightings
from transforms.labels.table_columns import NEW, NOTHING, Labelled, detection_table, name_labels
from transforms.labels.table_rows import TableError, TableRows, table_rows, without_views
from transforms.labels.table_tracks import track_table
from transforms.labels.tracking import TrackerSettings

ALIASES: Final[Mapping[str, str]] = {
    "pedestrian": "person",
    "cyclist": "rider",
    "van": "car",
    "lorry": "truck",
    "tram": "train",
}
"""Other names of the taxonomy's categories."""

_FIRST_FOREIGN: Final = 128
_MOST_WORDS: Final = 256

_FEWEST_CUT: Final = 3
"""So many boxes that begin apart and end at the very same pixel, with none beyond, were cut off at the picture's edge."""

_FINDING: Final = 0.7
_IMPROVING: Final = 0.2
"""Shares of the time."""


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """What is known of detections once their clips have been looked back on.

    Attributes:
        detections: the columns of the input, and `table_columns.NEW`; by clip, time and id.
        tracks: a row a track: `table_tracks.TRACKS`; by clip, time and id.
        score_bias: what the rescoring added to all log odds.
        clips: clips that have a frame.
        frames: frames that were looked at.
        replaced: columns of the input that had a name of `table_columns.NEW`.
    """

    detections: pa.Table
    tracks: pa.Table
    score_bias: float
    clips: int
    frames: int
    replaced: tuple[str, ...]


def category_codes(names: Sequence[str]) -> CategoryArray:
    """Category indices of texts, so that categories outside the taxonomy stay apart from each other.

    Args:
        names: categories as text, any number of times; capitals, blanks and hyphens do not matter where a name is the
            taxonomy's.

    Returns:
        uint8[N]: the taxonomy's index; for names outside it 128, 129, ... in their alphabetical order.

    Raises:
        TableError: more than 128 names outside the taxonomy, or 256 in all.

    >>> category_codes(["car", "zebra", "Van", "moose"]).tolist()
    [4, 129, 4, 128]
    """
    code_of = {name: CATEGORIES.index(name) for name in CATEGORIES}
    code_of |= {alias: code_of[name] for alias, name in ALIASES.items()}
    spelt = {name: name.lower().replace(" ", "_").replace("-", "_") for name in set(names)}
    foreign = sorted(name for name, own in spelt.items() if own not in code_of)
    if len(foreign) > _FIRST_FOREIGN or len(spelt) > _MOST_WORDS:
        raise TableError(
            f"{len(foreign)} categories outside the taxonomy in one clip, {len(spelt)} in all; "
            f"at most {_FIRST_FOREIGN} and {_MOST_WORDS} can be told apart"
        )
    own_code = {name: _FIRST_FOREIGN + place for place, name in enumerate(foreign)}
    own_code |= {name: code_of[own] for name, own in spelt.items() if own in code_of}
    return np.array([own_code[name] for name in names], dtype=np.uint8)


def label_table(
    detections: pa.Table,
    frames: pa.Table,
    settings: HindsightSettings | None = None,
    tracker: TrackerSettings | None = None,
    progress: Callable[[float], None] | None = None,
) -> LabelledTable:
    """Tracks the objects of every clip of a table and improves its boxes by them.

    The result depends on what the rows say, not on their order.

    Args:
        detections: clip_id, timestamp_ns, category, x_min_px, y_min_px, x_max_px, y_max_px, score and any others.
        frames: clip_id, timestamp_ns of all frames that were looked at, those without a detection included.
        settings: the steps to take; nothing is known of the camera, so its motion is not among them. None = all.
        tracker: the tracker's settings; None = the defaults.
        progress: is told now and then which share is done.

    Raises:
        TableError: a column is missing, of another type or has a value that cannot be, or a detection lies at a
            time that is not among the frames.
    """
    settings, tracker = settings or HindsightSettings(), tracker or TrackerSettings()
    detections, frames = without_views(detections), without_views(frames)
    rows = table_rows(detections, frames)
    done = _Done(len(rows.order), progress or (lambda _: None))
    clips = deque(_clips(rows))
    found: deque[Found] = deque()
    for clip in clips:
        found.append(find_objects(clip.detected, settings, tracker, clip.around))
        done.add(len(clip.words), _FINDING)
    bias = _score_bias(found) if settings.rescoring else 0.0
    parts = [NOTHING]
    tracks = 0
    while clips:
        # what is done with a clip is let go at once
        clip = clips.popleft()
        seen = improve(found.popleft(), bias=bias)
        parts.append(_labelled(clip, seen, tracks, one_word=settings.category_vote))
        tracks += int(seen.tracks.max(initial=NO_TRACK)) + 1
        done.add(len(clip.words), _IMPROVING)
        del clip, seen
    labels = Labelled.joined(parts)
    del parts
    labels, ids = name_labels(rows, labels)
    return LabelledTable(
        tracks=track_table(rows, labels, ids),
        detections=detection_table(detections, rows, labels, ids),
        score_bias=bias,
        clips=int(np.count_nonzero(np.diff(rows.frame_bounds))),
        frames=len(rows.frame_times_ns),
        replaced=tuple(name for name in detections.column_names if name in NEW),
    )


@dataclass(frozen=True, slots=True)
class _Clip:
    """A clip that has detections.

    Attributes:
        index: among `TableRows.clips`.
        first_row: its first row in the order of `TableRows`.
        times_ns: of its frames, int64[F].
        words: the category of each row as the table calls it, int32[N].
        detected: its rows; times begin with 0.
        around: the picture, as far as its boxes tell.
    """

    index: int
    first_row: int
    times_ns: npt.NDArray[np.int64]
    words: npt.NDArray[np.int32]
    detected: Sightings
    around: Surroundings


@dataclass(slots=True)
class _Done:
    """Tells which share of the work is done."""

    rows: int
    tell: Callable[[float], None]
    share: float = 0.0

    def add(self, rows: int, weight: float) -> None:
        self.share += weight * rows / self.rows
        self.tell(self.share)


def _clips(rows: TableRows) -> Iterator[_Clip]:
    for index in np.flatnonzero(np.diff(rows.row_bounds)).tolist():
        own = slice(*rows.row_bounds[index : index + 2].tolist())
        times_ns = rows.frame_times_ns[slice(*rows.frame_bounds[index : index + 2].tolist())]
        words = rows.word_of[own]
        used, place = np.unique(words, return_inverse=True)
        boxes = rows.boxes[own].astype(np.float32)
        detected = Sightings.detected(
            times_ns - times_ns[0],
            np.ones(len(times_ns), bool),
            rows.frames[own],
            boxes,
            rows.scores[own].astype(np.float32),
            category_codes([rows.words[word] for word in used.tolist()])[place],
        )
        yield _Clip(index, own.start, times_ns, words, detected, Surroundings(extent=_picture(boxes)))


def _picture(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The edges of a picture of which only boxes are known, xyxy in pixels, float64[4].

    Pixels are counted from 0. How far they go tells a pile of boxes that were cut off there; where there is none,
    nothing was seen to leave and the picture has no end.

    Args:
        boxes: xyxy edges in pixels, float32[N, 4], at least one.
    """
    far = boxes[:, 2:].max(axis=0)
    begins = [boxes[boxes[:, 2 + axis] == far[axis], axis] for axis in (0, 1)]
    is_cut = [len(np.unique(some)) >= _FEWEST_CUT for some in begins]
    low = np.minimum(boxes[:, :2].min(axis=0), 0.0)
    return np.concatenate([low, np.where(is_cut, far, np.inf)]).astype(np.float64)


def _score_bias(found: Iterable[Found]) -> float:
    """The bias of all clips that tell anything of what lasts."""
    seen = [one.seen for one in found if tells(one.seen)]
    log_odds = [logits(rescore(one).scores) for one in seen]
    return score_bias(
        np.concatenate([np.empty(0), *log_odds]),
        np.concatenate([np.empty(0, bool), *(lasting(one) for one in seen)]),
    )


def _labelled(clip: _Clip, seen: Sightings, first_track: int, *, one_word: bool) -> Labelled:
    """Rows of one clip as rows of the table."""
    added = seen.origins == ADDED
    own = np.where(added, 0, seen.origins)
    count = len(own)
    return Labelled(
        clips=np.full(count, clip.index, np.int64),
        origins=np.where(added, ADDED, own + clip.first_row).astype(np.int64),
        times_ns=clip.times_ns[seen.frames],
        boxes=seen.boxes,
        scores=seen.scores,
        words=_words(clip, seen, one_word=one_word),
        tracks=np.where(seen.tracks == NO_TRACK, NO_TRACK, seen.tracks.astype(np.int64) + first_track),
        sources=seen.sources,
        moved=(seen.boxes != clip.detected.boxes[own]).any(axis=1),
        rescored=seen.scores != clip.detected.scores[own],
    )


def _words(clip: _Clip, seen: Sightings, *, one_word: bool) -> npt.NDArray[np.int32]:
    """Categories in the input's words: what most boxes of the track call it that say the same.

    Args:
        clip: the input.
        seen: what became of it.
        one_word: False = detections keep their own words.

    Returns:
        int32[M].
    """
    added = seen.origins == ADDED
    own = np.where(added, 0, seen.origins)
    words = clip.words[own]
    # a track and a category of it; at most 256 categories
    keys = seen.tracks.astype(np.int64) * 256 + seen.categories
    says = ~added & (seen.tracks != NO_TRACK) & (seen.categories == clip.detected.categories[own])
    pairs, counts = np.unique(np.stack([keys[says], words[says]]), axis=1, return_counts=True)
    best = np.lexsort((pairs[1], -counts, pairs[0]))
    known, first = np.unique(pairs[0][best], return_index=True)
    reworded = (seen.tracks != NO_TRACK) & (added | one_word)
    words[reworded] = pairs[1][best][first][np.searchsorted(known, keys[reworded])]
    return words
