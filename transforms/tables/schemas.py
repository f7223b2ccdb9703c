"""The tables of a data set: the only place where a column is declared."""

from typing import Final

import pyarrow as pa

from transforms.tables.budget_schema import BUDGET
from transforms.tables.fields import field

SCHEMA_VERSION: Final = 3

TEXT: Final = pa.string()

CLIPS: Final = pa.schema(
    [
        field("clip_id", TEXT, "uuid5 of the file's content; a duplicate's also of its place"),
        field("drive_id", TEXT, "run of clips of one car without a gap; null for a duplicate", nullable=True),
        field("event_id", TEXT, "event folder the clip lies in, if any", nullable=True),
        field("source", TEXT, "format of the folder: teslacam or generic"),
        field("camera", TEXT, "camera's name by its file name, unknown where that does not say"),
        field("uri", TEXT, "absolute path or URL of the file"),
        field("content_sha256", TEXT, "digest of the whole file, hexadecimal"),
        field("bytes", pa.int64(), "size of the file", "B"),
        field("codec", TEXT, "video codec, FFmpeg's name"),
        field("width", pa.int32(), "width as displayed (rotation applied)", "px"),
        field("height", pa.int32(), "height as displayed (rotation applied)", "px"),
        field("duration_ns", pa.int64(), "first shown frame to the end of the last", "ns"),
        field("frame_count", pa.int64(), "shown frames, edit lists applied"),
        field("fps_mean", pa.float64(), "shown frames a second", "1/s"),
        field("frame_jitter_ns", pa.int64(), "greatest deviation of a frame distance from the median", "ns"),
        field("start_utc_ns", pa.int64(), "Unix time of the first shown frame", "ns", nullable=True),
        field("clock_source", TEXT, "where start_utc_ns comes from: mvhd, file_name or none"),
        field("clock_uncertainty_ns", pa.int64(), "half-width of start_utc_ns", "ns", nullable=True),
        field("clock_offset_ns", pa.int64(), "mvhd minus file name, to a quarter hour", "ns", nullable=True),
        field("telemetry_rows", pa.int64(), "frames that carry telemetry"),
        field("duplicate_of", TEXT, "clip_id of the clip with the same bytes that is kept", nullable=True),
        field("license", TEXT, "licence of the footage, as the job says", nullable=True),
        field("region", TEXT, "region of the footage, as the job says", nullable=True),
    ]
)

EVENTS: Final = pa.schema(
    [
        field("event_id", TEXT, "uuid5 of the car's and the event folder's names"),
        field("uri", TEXT, "the event folder"),
        field("kind", TEXT, "folder it lies in: SavedClips, SentryClips, EncryptedClips"),
        field("reason", TEXT, "event.json's reason without its number", nullable=True),
        field("reason_value", pa.float64(), "the number at the end of the reason", nullable=True),
        field("timestamp", TEXT, "event.json's time, car-local, without zone", nullable=True),
        field("lat", pa.float64(), "estimated latitude", "deg", nullable=True),
        field("lon", pa.float64(), "estimated longitude", "deg", nullable=True),
        field("city", TEXT, "event.json's city", nullable=True),
        field("street", TEXT, "event.json's street", nullable=True),
        field(
            "camera", TEXT, "event.json's camera, as it stands (tools disagree on its meaning)", nullable=True
        ),
        field("cameras_present", pa.list_(TEXT), "cameras with at least one readable clip"),
        field(
            "cameras_missing", pa.list_(TEXT), "cameras that lack a readable clip for a minute of the event"
        ),
        field("problem", TEXT, "what is wrong with event.json, if anything", nullable=True),
    ]
)

FRAMES: Final = pa.schema(
    [
        field("frame_id", TEXT, "uuid5 of clip and PTS"),
        field("clip_id", TEXT, "the clip"),
        field("camera", TEXT, "the clip's camera"),
        field("pts", pa.int64(), "presentation time stamp in the container's ticks"),
        field("timestamp_ns", pa.int64(), "time since the clip's first shown frame", "ns"),
        field("utc_ns", pa.int64(), "Unix time, where the clip's start is known", "ns", nullable=True),
        field(
            "sample_index",
            pa.int64(),
            "equal for the cameras of one sample; null where the PTS goes back (not labelled)",
            nullable=True,
        ),
        field("width", pa.int32(), "width as displayed", "px"),
        field("height", pa.int32(), "height as displayed", "px"),
        field("is_keyframe", pa.bool_(), "decodable without other frames"),
        field("is_damaged", pa.bool_(), "damaged itself or since the last keyframe; not labelled"),
        field(
            "network_ran", pa.bool_(), "seen by the networks; else its labels come from the frames around it"
        ),
        field("gop_start_pts", pa.int64(), "PTS of the keyframe that decoding starts from", nullable=True),
        field("sharpness", pa.float32(), "variance of the Laplacian of the luma at 320 px", nullable=True),
        field("luma_mean", pa.float32(), "mean luma, 0 to 255", nullable=True),
        field("luma_std", pa.float32(), "standard deviation of the luma", nullable=True),
    ]
)

TELEMETRY: Final = pa.schema(
    [
        field("clip_id", TEXT, "the clip"),
        field("pts", pa.int64(), "the frame's PTS"),
        field("timestamp_ns", pa.int64(), "time since the clip's first shown frame", "ns"),
        field("version", pa.uint32(), "the vehicle's message version"),
        field("gear_state", pa.int32(), "0 park, 1 drive, 2 reverse, 3 neutral"),
        field("frame_seq_no", pa.uint64(), "the vehicle's frame number"),
        field("vehicle_speed_mps", pa.float32(), "speed", "m/s"),
        field("accelerator_pedal_position", pa.float32(), "raw value (tools disagree on its scale)"),
        field("steering_wheel_angle", pa.float32(), "raw value", "deg"),
        field("blinker_on_left", pa.bool_(), "left blinker"),
        field("blinker_on_right", pa.bool_(), "right blinker"),
        field("brake_applied", pa.bool_(), "brake"),
        field("autopilot_state", pa.int32(), "0 none, 1 self-driving, 2 autosteer, 3 adaptive cruise"),
        field(
            "latitude_deg",
            pa.float64(),
            "latitude; 0 with longitude 0 is no fix; null near a private place",
            "deg",
            nullable=True,
        ),
        field("longitude_deg", pa.float64(), "longitude; null near a private place", "deg", nullable=True),
        field("heading_deg", pa.float64(), "heading; null near a private place", "deg", nullable=True),
        field("linear_acceleration_mps2_x", pa.float64(), "raw value (axes differ between tools)", "m/s²"),
        field("linear_acceleration_mps2_y", pa.float64(), "raw value", "m/s²"),
        field("linear_acceleration_mps2_z", pa.float64(), "raw value", "m/s²"),
    ]
)

_RAW_EDGES: Final = {"x_min": "left edge", "y_min": "top edge", "x_max": "right edge", "y_max": "bottom edge"}

DETECTIONS: Final = pa.schema(
    [
        field(
            "detection_id",
            TEXT,
            "uuid5 of frame, network, category and raw box; of an added row, of frame and track, carried box or correction",
        ),
        field("frame_id", TEXT, "the frame"),
        field("clip_id", TEXT, "the clip"),
        field("timestamp_ns", pa.int64(), "the frame's time since the clip's first", "ns"),
        field("track_id", TEXT, "the track of this shard; null where no track holds it", nullable=True),
        field("category", TEXT, "category of taxonomy 1, voted along the track"),
        field("x_min_px", pa.float32(), "left edge in the frame as displayed", "px"),
        field("y_min_px", pa.float32(), "top edge", "px"),
        field("x_max_px", pa.float32(), "right edge", "px"),
        field("y_max_px", pa.float32(), "bottom edge", "px"),
        field(
            "score",
            pa.float32(),
            "confidence in the label, 0 to 1; 0 = set aside as no object, 1 = a person said it",
        ),
        field("label_source", TEXT, "detected, interpolated, propagated, extrapolated or human"),
        field(
            "changes",
            pa.list_(TEXT),
            "what hindsight, or a person, changed: box, score, category; empty for added rows",
        ),
        field("category_raw", TEXT, "category as the network gave it; null for added rows", nullable=True),
        *(
            field(
                f"raw_{edge}_px",
                pa.float32(),
                f"{words} as the network gave it, clipped to the frame",
                "px",
                nullable=True,
            )
            for edge, words in _RAW_EDGES.items()
        ),
        field(
            "score_raw", pa.float32(), "the network's confidence, 0 to 1; null for added rows", nullable=True
        ),
        field("model_digest", TEXT, "sha256 of the network"),
    ]
)

TRACKS: Final = pa.schema(
    [
        field("track_id", TEXT, "uuid5 of the track's first detection in this shard"),
        field("clip_id", TEXT, "the clip"),
        field("model_digest", TEXT, "sha256 of the network whose detections it joins"),
        field("category", TEXT, "the category with most votes"),
        field("category_votes", pa.map_(TEXT, pa.float32()), "summed scores by category"),
        field("first_ns", pa.int64(), "time of its first detection", "ns"),
        field("last_ns", pa.int64(), "time of its last detection", "ns"),
        field("detected", pa.int32(), "rows that the network saw"),
        field("added", pa.int32(), "rows that hindsight added"),
        field("score", pa.float32(), "mean of the better half of its scores"),
        field(
            "previous_detection_id",
            TEXT,
            "the track's last detection in the previous minute, if it began there",
            nullable=True,
        ),
    ]
)

OBJECTS: Final = pa.schema(
    [
        field("track_id", TEXT, "a shard's track"),
        field("object_id", TEXT, "the object it shows, over all minutes of the drive"),
        field("drive_id", TEXT, "the drive"),
    ]
)

COVERAGE: Final = pa.schema(
    [
        field("clip_id", TEXT, "the clip"),
        field("task", TEXT, "what was looked for: detection"),
        field("model_digest", TEXT, "sha256 of the network"),
        field("categories", pa.list_(TEXT), "categories that the network can find"),
        field("frames_labelled", pa.int64(), "frames it saw; frames.network_ran"),
    ]
)

FAILURES: Final = pa.schema(
    [
        field("uri", TEXT, "the file or folder that failed"),
        field("clip_id", TEXT, 'the clip, "" where it could not be probed'),
        field("stage", TEXT, "discover, probe, decode, label or write"),
        field("error", TEXT, "kind of fault"),
        field("message", TEXT, "what, where and what to do"),
        field("retryable", pa.bool_(), "whether the next run may succeed"),
    ]
)

SPLITS: Final = pa.schema(
    [
        field("version", TEXT, "name of the ties and shares that the drive was placed by"),
        field("drive_id", TEXT, "the drive"),
        field("split", TEXT, "train, val or test; none: held out, for it is tied to drives of several"),
        field(
            "rule",
            TEXT,
            "drawn (its group was new), joined (tied to drives of this split), kept (its clips were in this split, "
            "in another drive), bridges or merged (tied to, or grown together from, drives of several: held out)",
        ),
        field("tied_by", TEXT, "what ties drives: vehicle, place, day, folder"),
        field("shares", TEXT, "of the groups that fall to train, val and test", "%"),
        field(
            "clip_ids", pa.list_(TEXT), "the drive's clips; they keep the split if the drive changes its id"
        ),
    ]
)

_CORRECTED_EDGES: Final = tuple(f"{edge}_px" for edge in _RAW_EDGES)

CORRECTIONS: Final = pa.schema(
    [
        field("correction_id", TEXT, "uuid5 of what was said, of what, and by which file"),
        field("clip_id", TEXT, "the clip"),
        field("frame_id", TEXT, "the frame"),
        field("timestamp_ns", pa.int64(), "the frame's time since the clip's first", "ns"),
        field(
            "action",
            TEXT,
            "keep (left as it was), change, add, remove; look: a frame in which nothing was shown or drawn",
        ),
        field("category", TEXT, "category of taxonomy 1; null for remove and look", nullable=True),
        *(
            field(name, pa.float32(), f"{words}; null for remove and look", "px", nullable=True)
            for name, words in zip(_CORRECTED_EDGES, _RAW_EDGES.values(), strict=True)
        ),
        field("detection_id", TEXT, "the label that it was said of; null for add and look", nullable=True),
        field("category_before", TEXT, "category of that label", nullable=True),
        *(
            field(f"{edge}_before_px", pa.float32(), f"{words} of that label", "px", nullable=True)
            for edge, words in _RAW_EDGES.items()
        ),
        field(
            "model_digest",
            TEXT,
            "sha256 of the network whose labels were corrected; null: those of all",
            nullable=True,
        ),
        field("by", TEXT, "who corrected"),
        field("at_utc_ns", pa.int64(), "when, Unix time", "ns"),
        field("source", TEXT, "name of the corrected file"),
        field("source_sha256", TEXT, "digest of the corrected file"),
        field(
            "sequence",
            pa.int32(),
            "number of the file, from 1: later ones are applied to what earlier ones made",
        ),
        field(
            "conflict",
            TEXT,
            "why it does not stand as it was said: no_frame, no_counterpart or no_clip; null where it does",
            nullable=True,
        ),
    ]
)

MANIFEST: Final = pa.schema(
    [
        field("path", TEXT, "file, relative to the data set"),
        field("table", TEXT, "its table"),
        field("shard", TEXT, 'its shard, "all" or "duplicates"'),
        field("rows", pa.int64(), "its rows"),
        field("bytes", pa.int64(), "its size", "B"),
        field("sha256", TEXT, "digest of the file"),
        field(
            "label_digest",
            TEXT,
            "digest of all that the rows depend on; null for joined tables",
            nullable=True,
        ),
        field("state", TEXT, "committed, or pending: planned by a run that has not finished"),
    ]
)

SHARD_TABLES: Final[dict[str, pa.Schema]] = {
    "clips": CLIPS,
    "frames": FRAMES,
    "telemetry": TELEMETRY,
    "detections": DETECTIONS,
    "tracks": TRACKS,
}
"""Tables with one file a shard (where there are rows)."""

WHOLE_TABLES: Final[dict[str, pa.Schema]] = {
    "events": EVENTS,
    "objects": OBJECTS,
    "coverage": COVERAGE,
    "failures": FAILURES,
    "splits": SPLITS,
    "corrections": CORRECTIONS,
    "budget": BUDGET,
}
"""Tables with one file, rewritten whole."""

TABLES: Final[dict[str, pa.Schema]] = {**SHARD_TABLES, **WHOLE_TABLES}
