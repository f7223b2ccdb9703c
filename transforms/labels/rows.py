"""Rows of a shard: columns from what was seen and tracked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.detections import CategoryArray, FloatArray
from models.taxonomy import CATEGORIES
from transforms.clips.refs import ClipRef
from transforms.clips.shards import Part, ShardPlan
from transforms.labels.private_places import PrivatePlace, hide
from transforms.labels.seen import PartLabels
from transforms.labels.settings import LabelSettings
from transforms.labels.sightings import ADDED, LABEL_SOURCES, NO_TRACK, Sightings
from transforms.labels.tracklets import summarise
from transforms.tables.schemas import SHARD_TABLES

if TYPE_CHECKING:
    from transforms.labels.following import Tracked

Columns = dict[str, Any]


def tables(
    plan: ShardPlan,
    labelled: Sequence[PartLabels],
    tracked: "Sequence[Sequence[Tracked]]",
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
        "frames": [frame_columns(labels) for labels in labelled],
        "telemetry": [_telemetry(labels, settings.location_privacy) for labels in labelled],
        "detections": [detection_columns(item) for item in every],
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
    row = {name: getattr(clip, name) for name in CLIP_FACTS}
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


CLIP_FACTS = (
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
"""Columns of `clips` that are fields of a clip's reference by the same name."""


def _clip(plan: ShardPlan, part: Part, event: str, settings: LabelSettings) -> Columns:
    return clip_columns(
        part.clip,
        clip_id=part.clip.clip_id,
        drive_id=plan.drive_id,
        event_id=event or None,
        duplicate_of=None,
        settings=settings,
    )


def frame_columns(labels: PartLabels) -> Columns:
    """The rows of `frames` of one camera, without those of the context, as columns."""
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
        "network_ran": [frame.network_ran for frame in frames],
        "gop_start_pts": [frame.gop_start_pts for frame in frames],
        "sharpness": [frame.quality and frame.quality.sharpness for frame in frames],
        "luma_mean": [frame.quality and frame.quality.luma_mean for frame in frames],
        "luma_std": [frame.quality and frame.quality.luma_std for frame in frames],
    }


def _telemetry(labels: PartLabels, places: Sequence[PrivatePlace]) -> Columns:
    messages = labels.telemetry
    own = ("clip_id", "pts", "timestamp_ns")
    columns = {
        "clip_id": [labels.part.clip.clip_id] * len(messages),
        "pts": [pts for pts, _, _ in messages],
        "timestamp_ns": [stamp for _, stamp, _ in messages],
        **{
            name: [getattr(message, name) for _, _, message in messages]
            for name in SHARD_TABLES["telemetry"].names
            if name not in own
        },
    }
    return columns | _hidden(columns, places) if places else columns


def _hidden(columns: Columns, places: Sequence[PrivatePlace]) -> Columns:
    """Positions as they may be shown; a heading would lead on from the last one to the place."""
    exact = np.array(columns["latitude_deg"], np.float64)
    latitude, longitude, hidden = hide(exact, np.array(columns["longitude_deg"], np.float64), places)
    # what was no number before stays what the vehicle said
    dropped = np.isnan(latitude) & ~np.isnan(exact)
    return {
        "latitude_deg": pa.array(latitude, pa.float64(), mask=dropped),
        "longitude_deg": pa.array(longitude, pa.float64(), mask=dropped),
        "heading_deg": pa.array(columns["heading_deg"], pa.float64(), mask=hidden),
    }


def detection_columns(item: "Tracked") -> Columns:
    """The rows of `detections` of one camera by one network, without those of the context, as columns."""
    detected, seen = item.detected, item.seen.take(np.arange(len(item.ids)) >= item.own)
    ids = item.ids[item.own :]
    frames = [item.frame(row) for row in range(item.own, len(item.ids))]
    track_ids = item.track_ids()
    added = seen.origins == ADDED
    origins = np.where(added, 0, seen.origins) if len(detected.frames) else seen.origins
    raw_boxes, raw_categories = detected.boxes[origins], detected.categories[origins]
    raw_scores = detected.scores[origins]
    return {
        "detection_id": ids,
        "frame_id": [frame.frame_id for frame in frames],
        "clip_id": [item.labels.part.clip.clip_id] * len(frames),
        "timestamp_ns": [frame.timestamp_ns for frame in frames],
        "track_id": [track_ids.get(number) for number in seen.tracks.tolist()],
        "category": [CATEGORIES[index] for index in seen.categories.tolist()],
        **dict(zip(_EDGES, seen.boxes.T, strict=True)),
        "score": seen.scores,
        "label_source": [LABEL_SOURCES[index] for index in seen.sources.tolist()],
        "changes": _changes(added, seen, raw_boxes, raw_scores, raw_categories),
        "category_raw": [
            None if new else CATEGORIES[index]
            for new, index in zip(added.tolist(), raw_categories.tolist(), strict=True)
        ],
        **{
            f"raw_{name}": pa.array(edge, pa.float32(), mask=added)
            for name, edge in zip(_EDGES, raw_boxes.T, strict=True)
        },
        "score_raw": pa.array(raw_scores, pa.float32(), mask=added),
        "model_digest": [item.model_digest] * len(frames),
    }


_EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")


def _changes(
    added: npt.NDArray[np.bool_],
    seen: Sightings,
    raw_boxes: FloatArray,
    raw_scores: FloatArray,
    raw_categories: CategoryArray,
) -> list[list[str]]:
    """Columns of each row that hindsight changed."""
    changed = {
        "box": (seen.boxes != raw_boxes).any(axis=1),
        "score": seen.scores != raw_scores,
        "category": seen.categories != raw_categories,
    }
    columns = [mask & ~added for mask in changed.values()]
    return [
        [name for name, is_changed in zip(changed, row, strict=True) if is_changed]
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _tracks(item: "Tracked") -> Columns:
    track_ids, previous = item.track_ids(), item.previous_ids()
    own = np.arange(len(item.ids)) >= item.own
    seen = item.seen.take(own & item.seen.is_detected)
    times_ns, detected = seen.timestamps_ns[seen.frames], item.detected
    summary = summarise(seen.tracks, times_ns, seen.scores, seen.categories)
    raw_categories, raw_scores = detected.categories[seen.origins], detected.scores[seen.origins]
    raw = summarise(seen.tracks, times_ns, raw_scores, raw_categories)
    numbers = summary.numbers.tolist()
    offsets, voted, weights = raw.vote_entries()
    names = pa.array(CATEGORIES).take(pa.array(voted, pa.int32()))
    votes = pa.MapArray.from_arrays(pa.array(offsets), names, pa.array(weights, pa.float32()))  # type: ignore[call-overload]  # the stubs want int64 where Arrow has int32
    more = item.seen.tracks[own & ~item.seen.is_detected]
    added = np.bincount(more[more != NO_TRACK], minlength=int(summary.numbers.max(initial=-1)) + 1)
    return {
        "track_id": [track_ids[number] for number in numbers],
        "clip_id": [item.labels.part.clip.clip_id] * len(numbers),
        "model_digest": [item.model_digest] * len(numbers),
        "category": [CATEGORIES[index] for index in summary.categories.tolist()],
        "category_votes": votes,
        "first_ns": summary.first_ns,
        "last_ns": summary.last_ns,
        "detected": summary.detected,
        "added": added[summary.numbers],
        "score": summary.score,
        "previous_detection_id": [previous.get(number, (None,))[0] for number in numbers],
    }
