"""From detections to tracks: ids, the context's share, and what joins neighbouring shards."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.detections import Detections
from models.sessions import Detector
from transforms.clips.shards import WHOLE_CLIP_NS, Part
from transforms.labels.seen import PartLabels
from transforms.labels.tracking import TrackerSettings, track
from transforms.tables.ids import stable_id

NO_TRACK = -1


@dataclass(frozen=True, slots=True)
class Tracked:
    """Detections of one camera by one network, frame by frame, those of the context first.

    Attributes:
        labels: the camera's frames.
        model_digest: sha256 of the network.
        frame_of: position of each detection's frame in `labels.frames`, int32[N].
        boxes: xyxy edges in pixels, float32[N, 4].
        scores: float32[N].
        categories: taxonomy indices, uint8[N].
        ids: detection ids.
        tracks: track numbers, -1 for none, int32[N].
        own: number of the first detection that is not of the context.
    """

    labels: PartLabels
    model_digest: str
    frame_of: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    categories: npt.NDArray[np.uint8]
    ids: list[str]
    tracks: npt.NDArray[np.int32]
    own: int

    def track_ids(self) -> dict[int, str]:
        """Track number to track id, for tracks with a detection in the shard itself, in order of time."""
        found: dict[int, str] = {}
        for number, identity in zip(self.tracks[self.own :].tolist(), self.ids[self.own :], strict=True):
            if number != NO_TRACK and number not in found:
                found[number] = stable_id("track", identity)
        return found

    def previous_ids(self) -> dict[int, tuple[str, ...]]:
        """Track number to the ids of its detections in the context, the last one first."""
        found: dict[int, tuple[str, ...]] = {}
        for number, identity in zip(self.tracks[: self.own].tolist(), self.ids[: self.own], strict=True):
            if number != NO_TRACK:
                found[number] = (identity, *found.get(number, ()))
        return found

    def times(self) -> npt.NDArray[np.int64]:
        """Time stamp of each detection in its part's clip, int64[N] in ns."""
        stamps = np.array([frame.timestamp_ns for frame in self.labels.frames], np.int64)
        return stamps[self.frame_of]


@dataclass(frozen=True, slots=True)
class Links:
    """What joins a shard's tracks to its neighbours'.

    Attributes:
        tracks: track ids of the shard.
        heads: track id to its detections in the previous minute, the last one first.
        tail: detection id to track id, for the end of the minute that the next one sees as context.
    """

    tracks: tuple[str, ...]
    heads: dict[str, tuple[str, ...]]
    tail: dict[str, str]


def follow(labels: PartLabels, detectors: Sequence[Detector]) -> list[Tracked]:
    """Tracks each detector's detections over the context and the minute itself.

    Args:
        labels: one camera's frames and detections.
        detectors: the networks, in the job's order.
    """
    return [
        _follow(labels, detector, found) for detector, found in zip(detectors, labels.detections, strict=True)
    ]


def _follow(labels: PartLabels, detector: Detector, found: Sequence[Detections]) -> Tracked:
    model, confident = detector.sha256, detector.card.confident_score
    settings = TrackerSettings(
        high_score=confident, new_score=confident, low_score=min(detector.card.min_score, confident)
    )
    counts = np.array([len(item.scores) for item in found], np.int64)
    frame_of = np.repeat(np.array(labels.labelled, np.int32), counts)
    boxes = np.concatenate([np.empty((0, 4), np.float32), *(item.boxes for item in found)])
    scores = np.concatenate([np.empty(0, np.float32), *(item.scores for item in found)])
    categories = np.concatenate([np.empty(0, np.uint8), *(item.categories for item in found)])
    ids = [
        stable_id("detection", labels.frames[frame].frame_id, model, category, box.tobytes().hex())
        for frame, category, box in zip(frame_of.tolist(), categories.tolist(), boxes, strict=True)
    ]
    stamps = np.array([labels.frames[at].timestamp_ns for at in labels.labelled], np.int64)
    ordinal = np.repeat(np.arange(len(labels.labelled), dtype=np.int32), counts)
    numbers = track(stamps, ordinal, boxes, scores, categories, settings)
    in_context = np.array([labels.frames[at].in_context for at in labels.labelled], bool)
    own = int(counts[in_context].sum())
    return Tracked(labels, model, frame_of, boxes, scores, categories, ids, numbers, own)


def links(tracked: Sequence[Sequence[Tracked]], context_ns: int) -> Links:
    """Collects what the join of neighbouring shards needs."""
    every: list[str] = []
    heads: dict[str, tuple[str, ...]] = {}
    tail: dict[str, str] = {}
    for item in (item for camera in tracked for item in camera):
        track_ids, previous = item.track_ids(), item.previous_ids()
        every += track_ids.values()
        heads |= {track_ids[number]: previous[number] for number in track_ids if number in previous}
        start_ns = _end_ns(item.labels.part) - context_ns
        for at in np.flatnonzero((item.times() >= start_ns) & (item.tracks != NO_TRACK)).tolist():
            if at >= item.own:
                tail[item.ids[at]] = track_ids[int(item.tracks[at])]
    return Links(tuple(sorted(every)), heads, tail)


def _end_ns(part: Part) -> int:
    return part.clip.duration_ns if part.stop_ns == WHOLE_CLIP_NS else part.stop_ns
