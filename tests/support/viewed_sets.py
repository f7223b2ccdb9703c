"""A data set for the viewer's tests: two cameras of one drive, filmed quickly, with labels that are a known function."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
from made_sets import MODEL, filled

from transforms.budget.demand.figures import Tally
from transforms.clips.refs import Failure
from transforms.tables.commits import ShardSummary, commit_shard
from transforms.tables.dataset import Gathered, whole_tables, write_dataset, write_manifest, write_whole
from transforms.tables.digests import digest
from transforms.tables.earlier import Earlier
from transforms.tables.schemas import BUDGET, CLIPS, OBJECTS, SHARD_TABLES
from transforms.tables.store import LocalStore

FPS = 25
SIZE = (320, 180)
START_NS = 1_750_000_000_000_000_000
LATE_NS = 480_000_000
"""By how much the back camera begins later than the front one."""
BRAKES_AT_S = 4


@dataclass(frozen=True)
class Filmed:
    """A clip of the set."""

    clip_id: str
    camera: str
    name: str
    begin_ns: int
    seconds: float
    codec: str = "h264"


def film(seconds: float, codec: str = "libx264", container: str = "mp4") -> bytes:
    """Pictures whose brightness tells their number, coarsely; a keyframe a second."""
    sink = io.BytesIO()
    with av.open(sink, "w", format=container) as output:
        stream = output.add_stream(codec, rate=FPS)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.gop_size = FPS
        stream.thread_count = 1
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "20"}
        noise = np.random.default_rng(1)
        for number in range(round(seconds * FPS)):
            picture = np.full((SIZE[1], SIZE[0], 3), 40 + number % 160, np.uint8)
            picture[:, (number * 4) % SIZE[0] :][:, :8] = 255
            if codec == "libx264":
                # files of some size: the server gives them piece by piece
                picture[130:] = noise.integers(0, 256, (SIZE[1] - 130, SIZE[0], 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return sink.getvalue()


def make_viewed_set(root: Path, seconds: float) -> Path:
    """Writes clips and a data set of them.

    Front and back are of one drive; the back camera begins `LATE_NS` later. A third clip, `old`, is MPEG-2 in a
    transport stream, which no browser plays. Every tenth frame has a car that moves right by 10 px a second, and a
    person whom only the network saw. The car brakes hard at `BRAKES_AT_S`.

    Returns:
        The data set; its clips lie beside it, in `clips`.
    """
    clips = root / "clips"
    clips.mkdir(parents=True)
    h264, old = film(seconds), film(2.0, "mpeg2video", "mpegts")
    made = [
        (Filmed("front-1", "front", "front.mp4", START_NS, seconds), h264),
        (Filmed("back-1", "back", "back.mp4", START_NS + LATE_NS, seconds), h264),
        (Filmed("old-1", "unknown", "old <b>&.ts", START_NS, 2.0, "mpeg2video"), old),
    ]
    for one, content in made:
        (clips / one.name).write_bytes(content)
    store = LocalStore(root / "out")
    shards = [
        commit_shard(store, *_shard("drive", clips, made[:2])),
        commit_shard(store, *_shard("old", clips, made[2:])),
    ]
    fault = Failure(
        uri=str(clips / "back.mp4"), clip_id="back-1", stage="decode", error="damaged_packets",
        message="<b>3 damaged frames</b>", retryable=False,
    )  # fmt: skip
    found = Gathered(
        summaries=shards,
        duplicates=(),
        duplicate_rows=CLIPS.empty_table(),
        events=(),
        failures=(fault,),
        objects=pa.table(
            {
                "track_id": ["track front-1", "track back-1"],
                "object_id": ["object-of-the-car"] * 2,
                "drive_id": ["drive"] * 2,
            },
            OBJECTS,
        ),
    )
    tables = whole_tables(found, (), Earlier()) | {"budget": BUDGET.empty_table()}
    whole = write_whole(store, tables, found.duplicate_rows)
    rows = {name: sum(shard.counts[name] for shard in shards) for name in SHARD_TABLES}
    rows.update({file.path.partition("/")[0]: file.rows for file in whole})
    write_dataset(store, write_manifest(store, shards, whole), rows, shards, {"fps": "2.5"})
    return root / "out"


def _shard(
    name: str, clips: Path, made: list[tuple[Filmed, bytes]]
) -> tuple[ShardSummary, dict[str, pa.Table]]:
    rows: dict[str, list[pa.Table]] = {table: [] for table in SHARD_TABLES}
    for one, content in made:
        for table, columns in _rows(name, clips, one, content).items():
            rows[table].append(filled(SHARD_TABLES[table], columns))
    tables = {
        table: pa.concat_tables(pieces) if pieces else SHARD_TABLES[table].empty_table()
        for table, pieces in rows.items()
    }
    frames = {one.clip_id: round(one.seconds * FPS) // 10 for one, _ in made}
    summary = ShardSummary(
        name=name, drive_id=name, label_digest=digest([name]), made_from={}, files=(),
        counts={table: held.num_rows for table, held in tables.items()},
        clips=tuple((one.clip_id, str(clips / one.name)) for one, _ in made), event_ids=(), models=(MODEL,),
        frames_labelled=frames, tally=Tally(clips=len(made), frames=sum(frames.values())),
        tracks=tuple(f"track {one.clip_id}" for one, _ in made), heads={}, tail={}, failures=(),
    )  # fmt: skip
    return summary, tables


def _rows(drive: str, clips: Path, one: Filmed, content: bytes) -> Mapping[str, Mapping[str, Any]]:
    count = round(one.seconds * FPS)
    every = [number * 1_000_000_000 // FPS for number in range(count)]
    times = every[::10]
    both = [time for time in times for _ in range(2)]
    left = [20.0 + time / 1e8 for time in times]
    tables: dict[str, dict[str, Any]] = {
        "clips": {
            "clip_id": [one.clip_id], "drive_id": [drive], "camera": [one.camera], "codec": [one.codec],
            "uri": [str(clips / one.name)], "content_sha256": [hashlib.sha256(content).hexdigest()],
            "bytes": [len(content)], "width": [SIZE[0]], "height": [SIZE[1]], "fps_mean": [float(FPS)],
            "duration_ns": [count * 1_000_000_000 // FPS], "start_utc_ns": [one.begin_ns],
        },
        "frames": {
            "frame_id": [f"{one.clip_id} {time}" for time in times], "clip_id": [one.clip_id] * len(times),
            "timestamp_ns": times, "sample_index": list(range(len(times))),
        },
        "detections": {
            "detection_id": [f"{one.clip_id}-{number:06d}" for number in range(2 * len(times))],
            "frame_id": [f"{one.clip_id} {time}" for time in both], "clip_id": [one.clip_id] * len(both),
            "timestamp_ns": both, "track_id": [f"track {one.clip_id}", None] * len(times),
            "category": ["car", "person"] * len(times), "label_source": ["detected"] * len(both),
            # the person is set aside: no object with hindsight
            "score": [0.9, 0.0] * len(times), "category_raw": ["truck", "person"] * len(times),
            "score_raw": [0.6, 0.7] * len(times), "model_digest": [MODEL.sha256] * len(both),
            **_edges("", left, 0.0), **_edges("raw_", left, 3.0),
        },
    }  # fmt: skip
    if one.camera == "front":
        seconds = np.array(every) / 1e9
        # 20 m/s, and from BRAKES_AT_S on 5 m/s² less for two seconds
        speeds = 20.0 - 5.0 * np.clip(seconds - BRAKES_AT_S, 0.0, 2.0)
        tables["telemetry"] = {
            "clip_id": [one.clip_id] * count, "timestamp_ns": every, "pts": list(range(count)),
            "vehicle_speed_mps": speeds.tolist(), "steering_wheel_angle": [-3.25] * count,
        }  # fmt: skip
    return tables


def _edges(prefix: str, left: list[float], by: float) -> dict[str, list[float]]:
    """The car, 100 of 180 pixels high; and beside it, smaller, the person."""
    return {
        f"{prefix}x_min_px": [x for one in left for x in (one + by, 250.0)],
        f"{prefix}y_min_px": [y for _ in left for y in (50.0, 100.0)],
        f"{prefix}x_max_px": [x for one in left for x in (one + by + 60.0, 262.0)],
        f"{prefix}y_max_px": [y for _ in left for y in (150.0, 130.0)],
    }
