"""The truth tables of rendered drives: `truth/<table>.parquet` of a sample set."""

from typing import Final

import pyarrow as pa

from transforms.tables.fields import field
from transforms.tables.schemas import TELEMETRY

TRUTH_VERSION: Final = 1

_TEXT: Final = pa.string()
_CLIP: Final = field("clip_id", _TEXT, "uuid5 of the file's content")
_PTS: Final = field("pts", pa.int64(), "the frame's PTS in the container's ticks")
_TIME: Final = field("timestamp_ns", pa.int64(), "time since the clip's first frame", "ns")

CLIPS: Final = pa.schema(
    [
        field("file", _TEXT, "path below the sample's folder; copies of one clip have a row each"),
        _CLIP,
        field("content_sha256", _TEXT, "digest of the whole file, hexadecimal"),
        field("camera", _TEXT, "the camera that took it"),
        field("world_seed", pa.int64(), "seed of the world it shows"),
        field("world_start_s", pa.float64(), "time of the world at the first frame", "s"),
        field("start_utc_ns", pa.int64(), "Unix time of the first frame", "ns", nullable=True),
        field("duration_ns", pa.int64(), "first frame to the end of the last", "ns"),
        field("frame_count", pa.int64(), "frames"),
        field("light", _TEXT, "day, dusk or night"),
        field("rain", pa.bool_(), "whether it rains"),
    ]
)

BOXES: Final = pa.schema(
    [
        _CLIP,
        _TIME,
        _PTS,
        field("camera", _TEXT, "the clip's camera"),
        field("category", _TEXT, "category of taxonomy 1; a cyclist and the bicycle are one rider"),
        field("track_id", _TEXT, "the same thing in every frame, camera and clip of its world"),
        field("x_min_px", pa.float32(), "left edge of the silhouette in the frame", "px"),
        field("y_min_px", pa.float32(), "upper edge", "px"),
        field("x_max_px", pa.float32(), "right edge", "px"),
        field("y_max_px", pa.float32(), "lower edge", "px"),
        field("visibility", pa.float32(), "share of the silhouette in the frame that nothing nearer hides"),
        field("truncation", pa.float32(), "share of the whole silhouette's box outside the frame"),
        field("depth_m", pa.float32(), "distance of its middle along the camera's axis", "m"),
    ]
)

EVALUATION: Final = pa.schema(
    [
        *(BOXES.field(name) for name in ("clip_id", "timestamp_ns")),
        field("category", _TEXT, "as in boxes; dontcare where too small or too hidden to be asked for"),
        *(BOXES.field(name) for name in ("track_id", "x_min_px", "y_min_px", "x_max_px", "y_max_px")),
    ]
)

FRAMES: Final = pa.schema(
    [
        _CLIP,
        _TIME,
        _PTS,
        field("camera", _TEXT, "the clip's camera"),
        field("width", pa.int32(), "width", "px"),
        field("height", pa.int32(), "height", "px"),
        field("ego_x_m", pa.float64(), "the car's middle, east", "m"),
        field("ego_y_m", pa.float64(), "the car's middle, north", "m"),
        field("ego_yaw_rad", pa.float64(), "the car's heading, anticlockwise from east", "rad"),
        field("ego_speed_mps", pa.float64(), "speed over ground", "m/s"),
    ]
)

CAMERAS: Final = pa.schema(
    [
        _CLIP,
        field("camera", _TEXT, "name of the camera"),
        field("width", pa.int32(), "width", "px"),
        field("height", pa.int32(), "height", "px"),
        field("focal_px", pa.float64(), "focal length of both axes; there is no distortion", "px"),
        field("centre_x_px", pa.float64(), "principal point", "px"),
        field("centre_y_px", pa.float64(), "principal point", "px"),
        field("forward_m", pa.float64(), "place ahead of the car's middle", "m"),
        field("left_m", pa.float64(), "place to the left of the car's middle", "m"),
        field("up_m", pa.float64(), "height above ground", "m"),
        field("yaw_deg", pa.float64(), "turn to the left, 0 looks ahead", "deg"),
        field("pitch_deg", pa.float64(), "tilt, positive looks down", "deg"),
    ]
)

LANES: Final = pa.schema(
    [
        _CLIP,
        _TIME,
        field("kind", _TEXT, "solid, dashed or kerb"),
        field("lane_id", pa.int32(), "number of the line from the road's right edge to its left"),
        field("x_px", pa.list_(pa.float32()), "points of the line, rear to front along the road", "px"),
        field("y_px", pa.list_(pa.float32()), "the same", "px"),
    ]
)

_POSITION: Final = {
    "latitude_deg": "latitude; 0 with longitude 0 is no fix",
    "longitude_deg": "longitude",
    "heading_deg": "heading",
}

EXACT_TELEMETRY: Final = pa.schema(
    [
        field(column.name, column.type, _POSITION[column.name], "deg") if column.name in _POSITION else column
        for column in TELEMETRY
    ]
)
"""What the rendered car says: it has no private places."""

PRIVATE_PARTS: Final = pa.schema(
    [
        *(BOXES.field(name) for name in ("clip_id", "timestamp_ns", "pts", "camera")),
        field("kind", _TEXT, "face or plate"),
        field("track_id", _TEXT, "the person or vehicle, as in boxes"),
        field("x_min_px", pa.float32(), "left edge of what lies within the frame", "px"),
        *(BOXES.field(name) for name in ("y_min_px", "x_max_px", "y_max_px")),
        field(
            "visibility", pa.float32(), "share of the box that shows its person or vehicle and nothing nearer"
        ),
    ]
)
"""`truth/private_parts.parquet`, only of scenes with faces and plates."""

TRUTH_TABLES: Final[dict[str, pa.Schema]] = {
    "clips": CLIPS,
    "boxes": BOXES,
    "evaluation": EVALUATION,
    "frames": FRAMES,
    "telemetry": EXACT_TELEMETRY,
    "cameras": CAMERAS,
    "lanes": LANES,
}
"""Every truth table and its schema."""
