"""Collecting the truth of rendered clips, and writing it as tables."""

from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from models.taxonomy import CATEGORIES
from transforms.clips.sei import SeiMetadata
from transforms.scenes.cameras import Camera
from transforms.scenes.encoding import TICKS_PER_S
from transforms.scenes.lanes import LaneLine
from transforms.scenes.rendering import FrameTruth
from transforms.scenes.worlds import EgoState, World
from transforms.tables.files import write_parquet
from transforms.tables.ids import clip_id
from transforms.tables.truth import PRIVATE_PARTS, TRUTH_TABLES, TRUTH_VERSION

Columns = dict[str, list[object]]

MIN_EVALUATED_HEIGHT_PX: Final = 12.0
MIN_EVALUATED_VISIBILITY: Final = 0.4
"""Lower or more hidden things are `dontcare` in the evaluation table."""

_PRIVATE: Final = "private_parts"
_BOX: Final = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")


def timestamp_ns(pts: int) -> int:
    """Nanoseconds since the clip's first frame, whose PTS is 0.

    >>> timestamp_ns(90_000)
    1000000000
    """
    return (pts * 1_000_000_000 + TICKS_PER_S // 2) // TICKS_PER_S


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """The truth of one frame.

    Attributes:
        pts: its PTS.
        ego: the car.
        truth: the objects.
        lines: the lane lines.
        telemetry: its message, if it carries one.
    """

    pts: int
    ego: EgoState
    truth: FrameTruth
    lines: list[LaneLine]
    telemetry: SeiMetadata | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRecord:
    """The truth of one clip.

    Attributes:
        content: the file.
        world: what it shows.
        camera: who saw it.
        start_s: time of the world at the first frame.
        start_utc_ns: Unix time of the first frame, or None.
        duration_ticks: first frame to the end of the last.
        frames: the truth of each frame.
    """

    content: bytes
    world: World
    camera: Camera
    start_s: float
    start_utc_ns: int | None
    duration_ticks: int
    frames: list[FrameRecord]


@dataclass
class TruthTables:
    """Truth tables in the making."""

    columns: dict[str, Columns] = field(
        default_factory=lambda: {
            name: {column: [] for column in schema.names}
            for name, schema in (*TRUTH_TABLES.items(), (_PRIVATE, PRIVATE_PARTS))
        }
    )

    def add(self, clip: ClipRecord, files: list[str]) -> None:
        """Adds a clip.

        Args:
            clip: its truth.
            files: where it stands, relative to the sample's folder; more than one for copies.
        """
        digest = sha256(clip.content).hexdigest()
        name = clip_id(digest)
        for file in files:
            self._row(
                "clips", file=file, clip_id=name, content_sha256=digest, camera=clip.camera.name, world_seed=clip.world.seed,
                world_start_s=clip.start_s, start_utc_ns=clip.start_utc_ns, duration_ns=timestamp_ns(clip.duration_ticks),
                frame_count=len(clip.frames), light=clip.world.conditions.light, rain=clip.world.conditions.rain,
            )  # fmt: skip
        camera = asdict(clip.camera)
        centre = {"centre_x_px": clip.camera.width / 2, "centre_y_px": clip.camera.height / 2}
        self._row("cameras", clip_id=name, camera=camera.pop("name"), **camera, **centre)
        for frame in clip.frames:
            self._add_frame(name, clip, frame)

    def _row(self, table: str, **values: object) -> None:
        columns = self.columns[table]
        if columns.keys() != values.keys():
            raise ValueError(
                f"{table}: {sorted(columns.keys() ^ values.keys())} are not both given and declared"
            )
        for key, value in values.items():
            columns[key].append(value)

    def _add_frame(self, name: str, clip: ClipRecord, frame: FrameRecord) -> None:
        at: dict[str, object] = {"clip_id": name, "timestamp_ns": timestamp_ns(frame.pts)}
        camera, ego, truth = clip.camera, frame.ego, frame.truth
        self._row(
            "frames", **at, pts=frame.pts, camera=camera.name, width=camera.width, height=camera.height,
            ego_x_m=ego.x_m, ego_y_m=ego.y_m, ego_yaw_rad=ego.yaw_rad, ego_speed_mps=ego.speed_mps,
        )  # fmt: skip
        if frame.telemetry is not None:
            self._row("telemetry", **at, pts=frame.pts, **asdict(frame.telemetry))
        for line in frame.lines:
            x, y = line.points.T.tolist()
            self._row("lanes", **at, kind=line.kind, lane_id=line.number, x_px=x, y_px=y)
        for index in np.lexsort((truth.object_ids,)).tolist():
            category = CATEGORIES[truth.categories[index]]
            box = dict(zip(_BOX, truth.boxes[index].tolist(), strict=True))
            track = f"{clip.world.seed}-{truth.object_ids[index]}"
            visibility = float(truth.visibility[index])
            self._row(
                "boxes", **at, pts=frame.pts, camera=camera.name, category=category, track_id=track, **box,
                visibility=visibility, truncation=float(truth.truncation[index]), depth_m=float(truth.depth_m[index]),
            )  # fmt: skip
            tall = truth.boxes[index, 3] - truth.boxes[index, 1]
            asked = tall >= MIN_EVALUATED_HEIGHT_PX and visibility >= MIN_EVALUATED_VISIBILITY
            self._row("evaluation", **at, category=category if asked else "dontcare", track_id=track, **box)
        private = truth.private
        for index, kind in enumerate(private.kinds):
            self._row(
                _PRIVATE, **at, pts=frame.pts, camera=camera.name, kind=kind,
                track_id=f"{clip.world.seed}-{private.object_ids[index]}",
                **dict(zip(_BOX, private.boxes[index].tolist(), strict=True)),
                visibility=float(private.visibility[index]),
            )  # fmt: skip

    def write(self, folder: Path) -> dict[str, int]:
        """Writes `<table>.parquet` for every table; that of faces and plates only where there are any.

        Args:
            folder: is made if need be.

        Returns:
            Rows of each table.
        """
        folder.mkdir(parents=True, exist_ok=True)
        rows = {}
        private = {_PRIVATE: PRIVATE_PARTS} if self.columns[_PRIVATE]["kind"] else {}
        for table, schema in (TRUTH_TABLES | private).items():
            written = pa.table(self.columns[table], schema=schema)
            with (folder / f"{table}.parquet").open("wb") as sink:
                write_parquet(sink, written, {"truth_version": str(TRUTH_VERSION)})
            rows[table] = written.num_rows
        return rows
