"""One stretch of a clip: what becomes of its frames one by one, before the minute is looked at as a whole."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.detections import Detections
from models.resizing import ResizePlan
from models.sessions import Detector
from transforms.clips.decoding import SampledFrame
from transforms.clips.refs import ClipRef
from transforms.clips.sampling import Sampler
from transforms.clips.shards import WHOLE_CLIP_NS, Part
from transforms.labels.adaptive import AdaptiveSampler
from transforms.labels.motion.trails import PointTracker
from transforms.labels.quality import measure
from transforms.labels.seen import FrameRow, PartLabels
from transforms.labels.settings import LabelSettings
from transforms.tables.ids import frame_id

__all__ = ["Timings", "Window", "WindowLabels", "adaptive_sampler", "windows_of"]

Luma = npt.NDArray[np.uint8]


@dataclass(slots=True)
class Timings:
    """Seconds that labelling spent, by what it spent them on."""

    decode_s: float = 0.0
    detect_s: float = 0.0
    track_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
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


def windows_of(part: Part) -> list[Window]:
    """The context and the part: one stretch where they are of one file, so that it is decoded once.

    Args:
        part: what a camera gives to a shard.
    """
    context = part.context
    if context is None:
        return [Window(part.clip, part.start_ns, part.start_ns, part.stop_ns, 0)]
    if context.clip.clip_id == part.clip.clip_id:
        return [Window(part.clip, context.start_ns, part.start_ns, part.stop_ns, 0)]
    before = Window(context.clip, context.start_ns, context.stop_ns, context.stop_ns, context.offset_ns)
    return [before, Window(part.clip, part.start_ns, part.start_ns, part.stop_ns, 0)]


class WindowLabels:
    """Takes the frames of one window: rows, networks, points."""

    def __init__(
        self,
        window: Window,
        labels: PartLabels,
        detectors: Sequence[Detector],
        settings: LabelSettings,
        timings: Timings,
    ) -> None:
        """Begins.

        Args:
            window: the stretch.
            labels: gets all that is learnt.
            detectors: the networks, in the job's order.
            settings: the job's options.
            timings: gets the seconds spent.
        """
        self._window = window
        self._labels = labels
        self._lanes = [
            _Lane(detector, window.clip, found, timings)
            for detector, found in zip(detectors, labels.detections, strict=True)
        ]
        self._is_due = _choice(window, settings)
        self._points = _Points(labels, window.clip, timings) if settings.follows_points else None
        self._repeats: Counter[int] = Counter()
        # a rate counts samples from the clip's begin; `all` and `keyframes` number the part's own frames from 0
        self._counts_own = settings.sampling.fps is None
        self._numbered_from = 0

    def add(self, sampled: SampledFrame) -> None:
        """Takes the next frame.

        Args:
            sampled: as decoded; nothing of it is kept but its small pictures.
        """
        pts = sampled.pts
        identity = frame_id(self._window.clip.clip_id, pts, self._repeats[pts])
        self._repeats[pts] += 1
        is_sound = sampled.sample_index is not None and not sampled.is_damaged
        luma = sampled.luma()
        runs = is_sound and self._is_due(sampled, luma)
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

    def finish(self) -> None:
        """Has the networks look at what is waiting, and ends the trails."""
        for lane in self._lanes:
            lane.flush()
        if self._points:
            self._points.finish()


def adaptive_sampler(window: Window, settings: LabelSettings) -> AdaptiveSampler:
    """What chooses the networks' frames of a window by how the picture changes.

    It begins anew where the next minute's context begins: that minute, which has seen nothing before, then chooses
    the same frames, and tracks are joined by detections that both have.

    Args:
        window: the stretch.
        settings: the job's options.
    """
    stop_ns = window.clip.duration_ns if window.stop_ns == WHOLE_CLIP_NS else window.stop_ns
    # where the last minute is shorter than its context, no other begins in what it shares with the one before
    restart_ns = max(window.own_ns, stop_ns - settings.context_ns)
    return AdaptiveSampler(settings.network_sampling, window.start_ns, restart_ns)


def _choice(window: Window, settings: LabelSettings) -> Callable[[SampledFrame, Luma], bool]:
    """Says of each sound frame and its luma whether the networks see it."""
    if settings.adaptive:
        adaptive = adaptive_sampler(window, settings)
        return lambda sampled, luma: adaptive.wants(sampled.timestamp_ns, luma)
    sampler = Sampler(settings.network_sampling)

    def is_due(sampled: SampledFrame, _luma: Luma) -> bool:
        _, index = sampler.take(sampled.timestamp_ns, is_keyframe=sampled.is_keyframe)
        return index is not None

    return is_due


def _frame_row(
    sampled: SampledFrame,
    identity: str,
    window: Window,
    luma: Luma,
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

    def add(self, luma: Luma, row: FrameRow) -> None:
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
