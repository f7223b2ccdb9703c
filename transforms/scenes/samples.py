"""The sample set: a TeslaCam stick and loose clips of a rendered drive, with their truth."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pyarrow as pa

from transforms.scenes.cameras import Camera, mounted_camera
from transforms.scenes.encoding import TICKS_PER_S, versions
from transforms.scenes.filming import Take, even_pts, film
from transforms.scenes.records import ClipRecord, TruthTables
from transforms.scenes.rendering import render
from transforms.scenes.telemetry import position_deg
from transforms.scenes.worlds import Conditions, World, draw_conditions, make_world

DEFAULT_CAMERAS: Final = ("front", "back", "left_repeater", "right_repeater")
DEFAULT_SECONDS: Final = 4.0
MAX_SECONDS: Final = 19.0
"""Longest footage on either side of the minute border: the world lives a second longer, for what is told by differences."""

MADE_WITH: Final = "made_with.json"
"""Tells a sample's folder from any other: seed, options and versions."""

_FPS: Final = Fraction(12)
_BORDER_UTC: Final = datetime(2025, 6, 14, 16, 1, 0, tzinfo=UTC)
_ZONE_OFFSET: Final = timedelta(hours=-7)
_FRONT_SIZE: Final = (640, 360)
_OTHER_SIZE: Final = (480, 270)
_GAP: Final = (0.25, 0.5)
"""Shares of the second minute's footage between which one camera has no frames."""


@dataclass(slots=True)
class SampleReport:
    """What was written.

    Attributes:
        files: paths below the folder, in order.
        frames: rendered frames.
        bytes: size of all files.
        rows: rows of each truth table.
    """

    files: list[str] = field(default_factory=list)
    frames: int = 0
    bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)


class _Writer:
    """Writes files below a folder and keeps account of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _remove_earlier(folder)
        self.report = SampleReport()
        self.truth = TruthTables()

    def file(self, name: str, content: bytes) -> None:
        """Writes one file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.report.files.append(name)
        self.report.bytes += len(content)

    def clip(self, record: ClipRecord, *names: str) -> None:
        """Writes a clip, under several names for copies, and takes down its truth."""
        for name in names:
            self.file(name, record.content)
        self.truth.add(record, list(names))
        self.report.frames += len(record.frames)

    def finish(self, made_with: dict[str, object]) -> SampleReport:
        """Writes the truth and what the sample was made with."""
        self.report.rows = self.truth.write(self.folder / "truth")
        for table in self.report.rows:
            self.report.files.append(f"truth/{table}.parquet")
            self.report.bytes += (self.folder / "truth" / f"{table}.parquet").stat().st_size
        made = made_with | {"versions": versions() | {"pyarrow": pa.__version__}, "files": self.report.files}
        self.file(MADE_WITH, (json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode())
        return self.report


def write_sample(
    folder: Path, seed: int, seconds: float = DEFAULT_SECONDS, cameras: Sequence[str] = DEFAULT_CAMERAS
) -> SampleReport:
    """Writes the sample set.

    Args:
        folder: where to; is made if need be.
        seed: of the world.
        seconds: footage on either side of the minute border, at most `MAX_SECONDS`.
        cameras: names of at least one camera; from three on, the last has no clip of the first minute and
            the one before it lacks frames in the second.
    """
    writer = _Writer(folder)
    world = make_world(seed, Conditions("day"))
    event = _Event(writer, world, seconds, tuple(cameras))
    event.write()
    _write_loose(writer, seed)
    writer.file("README.md", _readme(seed, seconds, cameras).encode())
    made = {"seed": seed, "seconds": seconds, "cameras": list(cameras)}
    return writer.finish(made)


def write_clips(
    folder: Path,
    seed: int,
    count: int,
    seconds: float = DEFAULT_SECONDS,
    *,
    has_private_parts: bool = False,
) -> SampleReport:
    """Writes loose clips with truth: clip k shows the world of seed + k; at least a quarter at night or in rain.

    Args:
        folder: where to; is made if need be.
        seed: of the first clip's world.
        count: how many.
        seconds: how long each is.
        has_private_parts: whether people have faces and vehicles number plates.
    """
    writer = _Writer(folder)
    pts = even_pts(seconds, _FPS)
    take = Take(start_s=0.0, pts=pts, duration_ticks=round(len(pts) * TICKS_PER_S / _FPS), fps=_FPS)
    for number in range(count):
        record = film(
            make_world(seed + number, clip_conditions(seed, number), has_private_parts=has_private_parts),
            mounted_camera("front", *_FRONT_SIZE),
            take,
        )
        writer.clip(record, f"generic/clip_{number:04d}.mp4")
    made: dict[str, object] = {"seed": seed, "seconds": seconds, "clips": count}
    return writer.finish(made | ({"private_parts": True} if has_private_parts else {}))


def clip_conditions(seed: int, number: int) -> Conditions:
    """Light and weather of one of many clips: every fourth is at night, should its seed not say night or rain.

    Args:
        seed: of the first clip's world.
        number: the clip's number.
    """
    drawn = draw_conditions(np.random.Generator(np.random.PCG64(seed + number)))
    if number % 4 == 3 and drawn.light != "night" and not drawn.rain:  # noqa: PLR2004 - every fourth
        return Conditions("night")
    return drawn


def earlier_files(folder: Path) -> list[str] | None:
    """Names of the files that an earlier sample wrote into a folder, or None where there was none."""
    try:
        made = json.loads((folder / MADE_WITH).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    names = made.get("files") if isinstance(made, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else None


def _remove_earlier(folder: Path) -> None:
    """Takes away the files of an earlier sample, and nothing else."""
    for name in earlier_files(folder) or []:
        path = (folder / name).resolve()
        if path.is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Event:
    """A saved event over two minutes' border, and recent clips that overlap it."""

    writer: _Writer
    world: World
    seconds: float
    cameras: tuple[str, ...]

    def write(self) -> None:
        """Writes all of its clips, event.json and thumb.png."""
        broken = len(self.cameras) > 2  # noqa: PLR2004 - two cameras must be left whole
        folder = f"TeslaCam/SavedClips/{self._name(0, 0.5 * self.seconds)}"
        for minute in (-1, 0, 1):
            for index, name in enumerate(self.cameras):
                if minute < 0 and broken and index == len(self.cameras) - 1:
                    continue
                gap = minute == 0 and broken and index == len(self.cameras) - 2
                record = self._film(name, minute, every=1 + index % 2, gap=gap)
                file = f"{self._name(minute)}-{name}.mp4"
                recent, saved = f"TeslaCam/RecentClips/{file}", f"{folder}/{file}"
                self.writer.clip(record, *{-1: (saved,), 0: (recent, saved), 1: (recent,)}[minute])
        self.writer.file(f"{folder}/event.json", self._event_json())
        picture = render(self.world, mounted_camera("front", 160, 90), 0.5 * self.seconds)[0]
        self.writer.file(f"{folder}/thumb.png", cv2.imencode(".png", picture)[1].tobytes())

    def _time(self, minute: int, plus_s: float = 0.0) -> datetime:
        return _BORDER_UTC + timedelta(seconds=max(minute, -1) * self.seconds + plus_s)

    def _name(self, minute: int, plus_s: float = 0.0) -> str:
        local = self._time(minute, plus_s) + _ZONE_OFFSET
        return local.strftime("%Y-%m-%d_%H-%M-%S")

    def _film(self, name: str, minute: int, *, every: int, gap: bool) -> ClipRecord:
        pts = even_pts(self.seconds, _FPS)
        length = round(len(pts) * TICKS_PER_S / _FPS)
        if gap:
            pts = [p for p in pts if not _GAP[0] * length <= p < _GAP[1] * length]
        take = Take(
            start_s=minute * self.seconds,
            pts=pts,
            duration_ticks=length,
            fps=_FPS,
            telemetry_every=every,
            first_number=(minute + 1) * len(even_pts(self.seconds, _FPS)),
            start_utc_ns=int(self._time(minute).timestamp()) * 10**9,
        )
        return film(self.world, _camera(name), take)

    def _event_json(self) -> bytes:
        ego = self.world.ego(0.5 * self.seconds)
        latitude, longitude = position_deg(ego.x_m, ego.y_m)
        local = self._time(0, 0.5 * self.seconds) + _ZONE_OFFSET
        facts = {
            "timestamp": local.strftime("%Y-%m-%dT%H:%M:%S"),
            "city": "Rendered",
            "street": "Winding Road",
            "est_lat": f"{latitude:.4f}",
            "est_lon": f"{longitude:.4f}",
            "reason": "user_interaction_dashcam_launcher_action_tapped",
            "camera": "0",
        }
        return (json.dumps(facts, indent=2) + "\n").encode()


def _camera(name: str) -> Camera:
    return mounted_camera(name, *(_FRONT_SIZE if name == "front" else _OTHER_SIZE))


def _write_loose(writer: _Writer, seed: int) -> None:
    """Clips without a stick: of a variable rate, with a difficult name, cut off, and empty."""
    rng = np.random.Generator(np.random.PCG64(seed))
    steps = np.rint(TICKS_PER_S / rng.uniform(7.0, 30.0, 40)).astype(int)
    pts = np.concatenate([[0], np.cumsum(steps)])
    varying = Take(start_s=2.0, pts=pts[:-1].tolist(), duration_ticks=int(pts[-1]), fps=Fraction(15))
    camera = mounted_camera("front", *_OTHER_SIZE)
    writer.clip(film(make_world(seed + 1, Conditions("dusk")), camera, varying), "generic/variable_rate.mp4")
    steady = Take(start_s=0.0, pts=even_pts(2.0, _FPS), duration_ticks=2 * TICKS_PER_S, fps=_FPS)
    night = film(make_world(seed + 2, Conditions("night", rain=True)), camera, steady)
    writer.clip(night, "generic/rainy night über land.mp4")
    writer.file("generic/truncated.mp4", night.content[: len(night.content) // 5])
    writer.file("generic/empty.mp4", b"")


def _readme(seed: int, seconds: float, cameras: Sequence[str]) -> str:
    options = "" if seconds == DEFAULT_SECONDS else f" --seconds {seconds:g}"
    if tuple(cameras) != DEFAULT_CAMERAS:
        options += f" --cameras {','.join(cameras)}"
    return f"""# A rendered drive, with its truth

Written by

    clipmill sample sample_data --seed {seed}{options}

and the same byte for byte wherever the versions in `{MADE_WITH}` are installed. Nothing here was filmed.

- `TeslaCam/SavedClips/`: an event over the border of two minutes; of the minute files only the seconds next to the
  border exist, so that the second begins where the first ends. Names are car-local time (UTC-7), `mvhd` is UTC.
  With three cameras or more, the last has no clip of the first minute, and the one before it lacks frames in the second.
  Frames carry telemetry (every frame of the first, third, ... camera, every other one of the rest).
- `TeslaCam/RecentClips/`: copies of the event's second minute, and the minute after it.
- `generic/`: a clip of variable rate, one with a blank and an umlaut in its name, one cut off and one empty.
- `truth/*.parquet`: clips, boxes, evaluation (the boxes, with what is under 12 px high or under 40 % visible as
  `dontcare`), frames (with the car's pose), telemetry, cameras (calibration) and lanes.
"""
