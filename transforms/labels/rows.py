"""Rows of a shard: ids, tracks and columns from what the detectors said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.detections import Detections
from models.sessions import Detector
from models.taxonomy import CATEGORIES
from transforms.clips.refs import ClipRef
from transforms.clips.shards import WHOLE_CLIP_NS, Part, ShardPlan
from transforms.labels.settings import LabelSettings
from transforms.labels.tracking import TrackerSettings, track
from transforms.labels.tracklets import summarise
from transforms.tables.ids import stable_id
from transforms.tables.schemas import SHARD_TABLES

if TYPE_CHECKING:
    from transforms.labels.labelling import PartLabels

NO_TRACK = -1

Columns = dict[str, Any]


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

    labels: "PartLabels"
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

    def previous_ids(self) -> dict[int, str]:
        """Track number to the id of its last detection in the context."""
        numbers = self.tracks[: self.own].tolist()
        return {
            number: identity
            for number, identity in zip(numbers, self.ids[: self.own], strict=True)
            if number != NO_TRACK
        }

    def times(self) -> npt.NDArray[np.int64]:
        """Time stamp of each detection in its part's clip, int64[N] in ns."""
        stamps = np.array([frame.timestamp_ns for frame in self.labels.frames], np.int64)
        return stamps[self.frame_of]


@dataclass(frozen=True, slots=True)
class Links:
    """What joins a shard's tracks to its neighbours'.

    Attributes:
        tracks: track ids of the shard.
        heads: track id to the detection of the previous minute that it continues.
        tail: detection id to track id, for the end of the minute that the next one sees as context.
    """

    tracks: tuple[str, ...]
    heads: dict[str, str]
    tail: dict[str, str]


def follow(labels: "PartLabels", detectors: Sequence[Detector]) -> list[Tracked]:
    """Tracks each detector's detections over the context and the minute itself.

    Args:
        labels: one camera's frames and detections.
        detectors: the networks, in the job's order.
    """
    return [
        _follow(labels, detector, found) for detector, found in zip(detectors, labels.detections, strict=True)
    ]


def _follow(labels: "PartLabels", detector: Detector, found: Sequence[Detections]) -> Tracked:
    model, confident = detector.sha256, detector.card.confident_score
    settings = TrackerSettings(high_score=confident, new_score=confident)
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
    heads: dict[str, str] = {}
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


def tables(
    plan: ShardPlan,
    labelled: "Sequence[PartLabels]",
    tracked: Sequence[Sequence[Tracked]],
    settings: LabelSettings,
) -> dict[str, pa.Table]:
    """Lays a shard's rows out as tables.

    Args:
        plan: the shard.
        labelled: one a part, in the plan's order.
        tracked: for each part one a detector.
        settings: the job's options.

    Returns:
        A table for every shard table, also where there are no rows; clips are in the order of their
        cameras, frames in the decoder's.
    """
    every = [item for camera in tracked for item in camera]
    columns = {
        "clips": [
            _clip(plan, part, event, settings)
            for part, event in zip(plan.parts, plan.event_ids, strict=True)
            if part.start_ns == 0
        ],
        "frames": [_frames(labels) for labels in labelled],
        "telemetry": [_telemetry(labels) for labels in labelled],
        "detections": [_detections(item) for item in every],
        "tracks": [_tracks(item) for item in every],
    }
    return {
        name: pa.concat_tables(
            [
                schema.empty_table(),
                *(pa.table({f.name: part[f.name] for f in schema}, schema) for part in columns[name]),
            ]
        ).combine_chunks()
        for name, schema in SHARD_TABLES.items()
    }


def clip_columns(
    clip: ClipRef,
    *,
    clip_id: str,
    drive_id: str | None,
    event_id: str | None,
    duplicate_of: str | None,
    settings: LabelSettings,
) -> Columns:
    """The row of `clips` of one clip, as columns of length 1."""
    row = {name: getattr(clip, name) for name in _CLIP_FACTS}
    row |= {
        "clip_id": clip_id,
        "drive_id": drive_id,
        "event_id": event_id,
        "source": clip.name.source,
        "camera": clip.name.camera,
        "duplicate_of": duplicate_of,
        "license": settings.license,
        "region": settings.region,
    }
    return {name: [value] for name, value in row.items()}


_CLIP_FACTS = (
    "uri",
    "content_sha256",
    "bytes",
    "codec",
    "width",
    "height",
    "duration_ns",
    "frame_count",
    "fps_mean",
    "frame_jitter_ns",
    "start_utc_ns",
    "clock_source",
    "clock_uncertainty_ns",
    "clock_offset_ns",
    "telemetry_rows",
)


def _clip(plan: ShardPlan, part: Part, event: str, settings: LabelSettings) -> Columns:
    return clip_columns(
        part.clip,
        clip_id=part.clip.clip_id,
        drive_id=plan.drive_id,
        event_id=event or None,
        duplicate_of=None,
        settings=settings,
    )


def _frames(labels: "PartLabels") -> Columns:
    clip = labels.part.clip
    frames = [frame for frame in labels.frames if not frame.in_context]
    start = clip.start_utc_ns
    return {
        "frame_id": [frame.frame_id for frame in frames],
        "clip_id": [clip.clip_id] * len(frames),
        "camera": [clip.name.camera] * len(frames),
        "pts": [frame.pts for frame in frames],
        "timestamp_ns": [frame.timestamp_ns for frame in frames],
        "utc_ns": [None if start is None else start + frame.timestamp_ns for frame in frames],
        "sample_index": [frame.sample_index for frame in frames],
        "width": [clip.width] * len(frames),
        "height": [clip.height] * len(frames),
        "is_keyframe": [frame.is_keyframe for frame in frames],
        "is_damaged": [frame.is_damaged for frame in frames],
        "gop_start_pts": [frame.gop_start_pts for frame in frames],
        "sharpness": [frame.quality and frame.quality.sharpness for frame in frames],
        "luma_mean": [frame.quality and frame.quality.luma_mean for frame in frames],
        "luma_std": [frame.quality and frame.quality.luma_std for frame in frames],
    }


def _telemetry(labels: "PartLabels") -> Columns:
    messages = labels.telemetry
    own = ("clip_id", "pts", "timestamp_ns")
    return {
        "clip_id": [labels.part.clip.clip_id] * len(messages),
        "pts": [pts for pts, _, _ in messages],
        "timestamp_ns": [stamp for _, stamp, _ in messages],
        **{
            name: [getattr(message, name) for _, _, message in messages]
            for name in SHARD_TABLES["telemetry"].names
            if name not in own
        },
    }


def _detections(item: Tracked) -> Columns:
    own = slice(item.own, None)
    frames = [item.labels.frames[at] for at in item.frame_of[own].tolist()]
    track_ids = item.track_ids()
    edges = dict(zip(("x_min_px", "y_min_px", "x_max_px", "y_max_px"), item.boxes[own].T, strict=True))
    return {
        "detection_id": item.ids[own],
        "frame_id": [frame.frame_id for frame in frames],
        "clip_id": [item.labels.part.clip.clip_id] * len(frames),
        "timestamp_ns": [frame.timestamp_ns for frame in frames],
        "track_id": [track_ids.get(number) for number in item.tracks[own].tolist()],
        "category": [CATEGORIES[index] for index in item.categories[own].tolist()],
        **edges,
        **{f"raw_{name}": edge for name, edge in edges.items()},
        "score_raw": item.scores[own],
        "score": item.scores[own],
        "label_source": ["detected"] * len(frames),
        "model_digest": [item.model_digest] * len(frames),
    }


def _tracks(item: Tracked) -> Columns:
    own = slice(item.own, None)
    track_ids, previous = item.track_ids(), item.previous_ids()
    summary = summarise(item.tracks[own], item.times()[own], item.scores[own], item.categories[own])
    numbers = summary.numbers.tolist()
    offsets, voted, weights = summary.vote_entries()
    names = pa.array(CATEGORIES).take(pa.array(voted, pa.int32()))
    votes = pa.MapArray.from_arrays(pa.array(offsets), names, pa.array(weights, pa.float32()))  # type: ignore[call-overload]  # the stubs want int64 where Arrow has int32
    return {
        "track_id": [track_ids[number] for number in numbers],
        "clip_id": [item.labels.part.clip.clip_id] * len(numbers),
        "model_digest": [item.model_digest] * len(numbers),
        "category": [CATEGORIES[index] for index in summary.categories.tolist()],
        "category_votes": votes,
        "first_ns": summary.first_ns,
        "last_ns": summary.last_ns,
        "detected": summary.detected,
        "added": np.zeros(len(numbers), np.int32),
        "score": summary.score,
        "previous_detection_id": [previous.get(number) for number in numbers],
    }
