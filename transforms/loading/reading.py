"""The samples of a unit: its labels, and its pictures from one pass over its part of the clip."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import BinaryIO, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from transforms.clips.decoding import ClipDecoder
from transforms.clips.errors import ClipError
from transforms.clips.refs import ClipRef
from transforms.clips.reopening import ClipChangedError, reopen
from transforms.clips.sampling import Sampling
from transforms.loading.index import LoadedClip, Unit, Windows, rows_of_unit
from transforms.loading.labels import BOX_COLUMNS, Labelled, asked_boxes
from transforms.loading.samples import FrameLabels, LoadingError, Selection
from transforms.tables.layout import table_file
from transforms.tables.row_groups import RowsByKey
from transforms.tables.store import Store

OpenStream = Callable[[str], BinaryIO]

Pictured = tuple[list[NDArray[np.uint8]], list[FrameLabels]]
"""The pictures of a window and their labels."""

_FRAME: Final = (
    "clip_id",
    "frame_id",
    "pts",
    "timestamp_ns",
    "sample_index",
    "width",
    "height",
    "is_damaged",
)

_MOST_PLACES: Final = 8
"""Shards of which it is known where the rows of each clip are; a pass that mixes goes to another one each time."""


class UnitReader:
    """Reads the samples of units, clip by clip.

    Args:
        store: the data set.
        open_stream: opens a clip's URI.
        selection: which labels, and how large the pictures are.
        windows: how frames are gathered.
        sampling: which frames are labelled: where it is keyframes alone, nothing else is decoded.
        model: sha256 of the network whose labels are given; "" = of all.
    """

    def __init__(
        self,
        store: Store,
        open_stream: OpenStream,
        selection: Selection,
        windows: Windows,
        sampling: Sampling,
        model: str,
    ) -> None:
        self._store = store
        self._open = open_stream
        self._selection = selection
        self._windows = windows
        self._sampling = sampling if sampling.kind == "keyframes" else Sampling("all")
        self._model = model
        # a clip's bytes are gone through once, not once a minute of it
        self._known: dict[str, ClipRef] = {}
        self._places: dict[str, RowsByKey] = {}

    def read(self, unit: Unit, clip: LoadedClip, places: Sequence[int]) -> Iterator[Pictured]:
        """Some samples of a unit.

        Args:
            unit: the unit.
            clip: its clip.
            places: which of its samples, rising.

        Yields:
            Each of them, in order.

        Raises:
            LoadingError: the clip is gone, has changed, or lacks frames, or the data set has changed; what was given before
                is right.
        """
        labelled, starts = self._labels(unit, clip)
        if len(starts) != unit.samples:
            raise LoadingError(
                f"{unit.shard}: a run has changed the data set since it was opened; open it again"
            )
        wanted = [int(starts[place]) for place in places]
        try:
            yield from self._decoded(clip, labelled, wanted)
        except ClipChangedError as error:
            raise LoadingError(f"{error}; label again") from error
        except ClipError as error:
            raise LoadingError(f"{clip.uri}: cannot be read ({error})") from error
        except OSError as error:
            raise LoadingError(f"{clip.uri}: cannot be opened ({error.strerror or error})") from error

    def _decoded(self, clip: LoadedClip, labelled: Labelled, wanted: Sequence[int]) -> Iterator[Pictured]:
        length = self._windows.length
        needed = {row for start in wanted for row in range(start, start + length)}
        row_of = {labelled.pts[row]: row for row in sorted(needed, reverse=True)}
        first, last = wanted[0], wanted[-1] + length - 1
        held: dict[int, NDArray[np.uint8]] = {}
        given = 0
        reference = self._reference(clip)
        width, height = self._selection.size or (clip.width, clip.height)
        begin = max(0, labelled.times[first])
        with self._open(clip.uri) as stream, ClipDecoder(stream, reference) as decoder:
            for decoded in decoder.frames(self._sampling, begin, labelled.times[last] + 1):
                row = row_of.get(decoded.pts)
                if row is None or row in held or decoded.is_damaged:
                    continue
                held[row] = decoded.rgb(width, height)
                while given < len(wanted) and row >= wanted[given] + length - 1:
                    start = wanted[given]
                    yield self._window(clip, held, start, labelled)
                    given += 1
                    following = wanted[given] if given < len(wanted) else start + length
                    for done in [item for item in held if item < following]:
                        del held[done]
        if given < len(wanted):
            raise self._missing(clip)

    def _window(
        self, clip: LoadedClip, held: dict[int, NDArray[np.uint8]], start: int, labelled: Labelled
    ) -> Pictured:
        rows = range(start, start + self._windows.length)
        if not all(row in held for row in rows):
            raise self._missing(clip)
        return [held[row] for row in rows], [labelled.labels[row] for row in rows]

    @staticmethod
    def _missing(clip: LoadedClip) -> LoadingError:
        return LoadingError(f"{clip.uri}: labelled frames are not found in it any more; label again")

    def _reference(self, clip: LoadedClip) -> ClipRef:
        if clip.clip_id not in self._known:
            self._known[clip.clip_id] = reopen(clip.uri, clip.content_sha256, self._open)
        return self._known[clip.clip_id]

    def _labels(self, unit: Unit, clip: LoadedClip) -> tuple[Labelled, NDArray[np.int64]]:
        """The labelled frames of a unit and where windows begin among them."""
        path = table_file("frames", unit.shard)
        with closing(self._store.open(path)) as source, pq.ParquetFile(source) as file:
            rows = file.read_row_group(unit.row_group, list(_FRAME), use_threads=False)
        rows = rows_of_unit(rows, unit)
        order, starts = self._windows.starts(rows)
        frames = rows.take(order)
        pieces = self._detections(unit.shard).pieces(unit.clip_id) if unit.has_boxes else iter(())
        boxes = asked_boxes(
            (rows_of_unit(piece, unit) for piece in pieces), frames, self._selection, self._model
        )
        return Labelled(frames, boxes, clip, self._selection.size), starts

    def _detections(self, shard: str) -> RowsByKey:
        """The rows of a shard by clip; a day of a compacted copy has many clips, and which is where is found once."""
        if shard not in self._places:
            if len(self._places) == _MOST_PLACES:
                del self._places[next(iter(self._places))]
            path = table_file("detections", shard)
            self._places[shard] = RowsByKey(self._store, [path], "clip_id", BOX_COLUMNS)
        return self._places[shard]
