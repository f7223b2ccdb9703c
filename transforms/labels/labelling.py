"""One minute: decode each clip once, label the sampled frames, track, and lay the rows out as tables."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.detections import Detections
from models.resizing import ResizePlan
from models.sessions import Detector
from transforms.clips.decoding import ClipDecoder, SampledFrame
from transforms.clips.errors import ClipError
from transforms.clips.refs import ClipRef, Failure
from transforms.clips.sampling import Sampler
from transforms.clips.shards import Part, ShardPlan
from transforms.labels import rows
from transforms.labels.following import Links, follow, links
from transforms.labels.motion.trails import PointTracker
from transforms.labels.quality import measure
from transforms.labels.seen import FrameRow, PartLabels
from transforms.labels.settings import LabelSettings
from transforms.tables.ids import frame_id

OpenStream = Callable[[str], BinaryIO]
OnFrame = Callable[[], object]


@dataclass(slots=True)
class Timings:
    """Seconds that labelling spent, by what it spent them on."""

    decode_s: float = 0.0
    detect_s: float = 0.0
    track_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ShardRows:
    """A shard's tables and what does not stand in them.

    Attributes:
        tables: rows by table name.
        failures: faults of its clips.
        frames_labelled: by clip_id; clips that gave no good frame have 0.
        links: what the join needs.
        timings: where the seconds went.
    """

    tables: dict[str, pa.Table]
    failures: tuple[Failure, ...]
    frames_labelled: dict[str, int]
    links: Links
    timings: Timings


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of one clip, decoded in one go.

    Attributes:
        clip: the clip.
        start_ns: begin in the clip's time.
        own_ns: where the part itself begins; frames before are context.
        stop_ns: end, not included.
        offset_ns: what brings the clip's time to the part's.
    """

    clip: ClipRef
    start_ns: int
    own_ns: int
    stop_ns: int
    offset_ns: int


def label_shard(
    plan: ShardPlan,
    open_stream: OpenStream,
    detectors: Sequence[Detector],
    settings: LabelSettings,
    on_frame: OnFrame = tuple,
) -> ShardRows:
    """Labels one shard.

    Args:
        plan: the clips and windows.
        open_stream: opens a clip's URI for reading at any place.
        detectors: the networks, in the job's order.
        settings: the job's options.
        on_frame: called after each sampled frame, for those who watch whether it goes on.

    Returns:
        The rows of the shard; a clip's fault is among its failures and never an exception.
    """
    timings = Timings()
    failures: list[Failure] = []
    labelled: list[PartLabels] = []
    for part in plan.parts:
        labels = PartLabels(part, detections=[[] for _ in detectors])
        fault: ClipError | None = None
        for window in _windows(part):
            # a fault of the previous minute's clip is that minute's to report: the last window is the part's own
            fault = _label_window(window, labels, open_stream, detectors, settings, timings, on_frame)
        labelled.append(labels)
        if fault is not None:
            failures.append(_failure(part.clip, fault))
    started = time.perf_counter()
    tracked = [follow(labels, detectors, settings) for labels in labelled]
    timings.track_s += time.perf_counter() - started
    return ShardRows(
        tables=rows.tables(plan, labelled, tracked, settings),
        failures=tuple(failures),
        frames_labelled={
            labels.part.clip.clip_id: sum(
                frame.network_ran and not frame.in_context for frame in labels.frames
            )
            for labels in labelled
        },
        links=links(tracked, settings.context_ns),
        timings=timings,
    )


def _windows(part: Part) -> list[_Window]:
    """The context and the part: one stretch where they are of one file, so that it is decoded once."""
    context = part.context
    if context is None:
        return [_Window(part.clip, part.start_ns, part.start_ns, part.stop_ns, 0)]
    if context.clip.clip_id == part.clip.clip_id:
        return [_Window(part.clip, context.start_ns, part.start_ns, part.stop_ns, 0)]
    before = _Window(context.clip, context.start_ns, context.stop_ns, context.stop_ns, context.offset_ns)
    return [before, _Window(part.clip, part.start_ns, part.start_ns, part.stop_ns, 0)]


def _label_window(
    window: _Window,
    labels: PartLabels,
    open_stream: OpenStream,
    detectors: Sequence[Detector],
    settings: LabelSettings,
    timings: Timings,
    on_frame: OnFrame,
) -> ClipError | None:
    clip = window.clip
    work = _WindowLabels(window, labels, detectors, settings, timings)
    fault: ClipError | None
    try:
        with open_stream(clip.uri) as stream, ClipDecoder(stream, clip) as decoder:
            frames = decoder.frames(settings.sampling, window.start_ns, window.stop_ns)
            while True:
                started = time.perf_counter()
                sampled = next(frames, None)
                timings.decode_s += time.perf_counter() - started
                if sampled is None:
                    break
                work.add(sampled)
                on_frame()
            if window.own_ns < window.stop_ns:
                labels.telemetry += [row for row in decoder.telemetry if row[1] >= window.own_ns]
            fault = decoder.fault
    except ClipError as error:
        fault = error
    except OSError as error:
        message = f"{clip.uri}: {error.strerror or error}; check the disk and run again"
        fault = ClipError("unreadable", message)
    work.finish()
    return fault


class _WindowLabels:
    """Takes the frames of one window: rows, networks, points."""

    def __init__(
        self,
        window: _Window,
        labels: PartLabels,
        detectors: Sequence[Detector],
        settings: LabelSettings,
        timings: Timings,
    ) -> None:
        self._window = window
        self._labels = labels
        self._lanes = [
            _Lane(detector, window.clip, found, timings)
            for detector, found in zip(detectors, labels.detections, strict=True)
        ]
        self._networks = Sampler(settings.network_sampling)
        self._points = _Points(labels, window.clip, timings) if settings.follows_points else None
        self._repeats: Counter[int] = Counter()
        # a rate counts samples from the clip's begin; `all` and `keyframes` number the part's own frames from 0
        self._counts_own = settings.sampling.fps is None
        self._numbered_from = 0

    def add(self, sampled: SampledFrame) -> None:
        pts = sampled.pts
        identity = frame_id(self._window.clip.clip_id, pts, self._repeats[pts])
        self._repeats[pts] += 1
        is_sound = sampled.sample_index is not None and not sampled.is_damaged
        runs = is_sound and self._is_due(sampled)
        luma = sampled.luma()
        row = _frame_row(sampled, identity, self._window, luma, network_ran=runs)
        if row.in_context and self._counts_own and row.sample_index is not None:
            self._numbered_from = row.sample_index + 1
        self._labels.frames.append(_renumbered(row, self._numbered_from))
        if not is_sound:
            return
        self._labels.sound.append(len(self._labels.frames) - 1)
        if self._points:
            self._points.add(luma, row)
        if runs:
            for lane in self._lanes:
                lane.add(sampled)

    def _is_due(self, sampled: SampledFrame) -> bool:
        _, index = self._networks.take(sampled.timestamp_ns, is_keyframe=sampled.is_keyframe)
        return index is not None

    def finish(self) -> None:
        """Has the networks look at what is waiting, and ends the trails."""
        for lane in self._lanes:
            lane.flush()
        if self._points:
            self._points.finish()


def _frame_row(
    sampled: SampledFrame,
    identity: str,
    window: _Window,
    luma: npt.NDArray[np.uint8],
    *,
    network_ran: bool,
) -> FrameRow:
    in_context = sampled.timestamp_ns < window.own_ns
    return FrameRow(
        frame_id=identity,
        timestamp_ns=sampled.timestamp_ns + window.offset_ns,
        pts=sampled.pts,
        sample_index=sampled.sample_index,
        is_keyframe=sampled.is_keyframe,
        is_damaged=sampled.is_damaged,
        network_ran=network_ran,
        gop_start_pts=sampled.gop_start_pts,
        quality=None if in_context else measure(luma),
        in_context=in_context,
    )


def _renumbered(row: FrameRow, numbered_from: int) -> FrameRow:
    if row.in_context or row.sample_index is None or not numbered_from:
        return row
    return replace(row, sample_index=row.sample_index - numbered_from)


class _Points:
    """Follows points through the sound frames of one window."""

    def __init__(self, labels: PartLabels, clip: ClipRef, timings: Timings) -> None:
        self._labels = labels
        self._timings = timings
        self._before = len(labels.sound)
        self._tracker = PointTracker(clip.width, clip.height)

    def add(self, luma: npt.NDArray[np.uint8], row: FrameRow) -> None:
        started = time.perf_counter()
        self._tracker.add(luma, row.timestamp_ns, is_anchor=row.network_ran)
        self._timings.track_s += time.perf_counter() - started

    def finish(self) -> None:
        """Hands over what was followed; frames are counted over all windows of the part."""
        trails = self._tracker.finish()
        self._labels.trails += [replace(trail, first=trail.first + self._before) for trail in trails]
        self._labels.cuts += [cut + self._before for cut in self._tracker.cuts]


class _Lane:
    """Gives one detector its frames, as many at a time as it wants."""

    def __init__(self, detector: Detector, clip: ClipRef, found: list[Detections], timings: Timings) -> None:
        self._detector = detector
        self._clip = clip
        self._found = found
        self._timings = timings
        self._plan: ResizePlan = detector.plan(clip.width, clip.height)
        self._waiting: list[npt.NDArray[np.uint8]] = []

    def add(self, sampled: SampledFrame) -> None:
        started = time.perf_counter()
        self._waiting.append(sampled.bgr(self._plan.image_width, self._plan.image_height))
        self._timings.decode_s += time.perf_counter() - started
        if len(self._waiting) >= self._detector.batch_size:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        started = time.perf_counter()
        self._found += self._detector.detect(self._waiting, self._plan, self._clip.width, self._clip.height)
        self._waiting = []
        self._timings.detect_s += time.perf_counter() - started


def _failure(clip: ClipRef, fault: ClipError) -> Failure:
    return Failure(
        uri=clip.uri,
        clip_id=clip.clip_id,
        stage="decode",
        error=fault.fault,
        message=str(fault),
        retryable=fault.retryable,
    )
