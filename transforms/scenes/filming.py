"""Filming: rendering the frames of a clip and encoding them, with their truth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from transforms.scenes.cameras import Camera, front_camera
from transforms.scenes.encoding import TICKS_PER_S, ClipFrame, Encoding, encode
from transforms.scenes.lanes import lane_truth
from transforms.scenes.records import ClipRecord, FrameRecord
from transforms.scenes.rendering import render
from transforms.scenes.telemetry import telemetry_at
from transforms.scenes.worlds import World, make_world


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """What is to be filmed.

    Attributes:
        start_s: time of the world at the first frame.
        pts: of every frame, ascending from 0, in ticks of 1 / 90000 s.
        duration_ticks: first frame to the end of the last.
        fps: nominal rate, frames a second.
        telemetry_every: every how many frames carry telemetry, 0 for none.
        first_number: the vehicle's number of the first frame.
        start_utc_ns: Unix time of the first frame, which the container then tells, or None.
    """

    start_s: float
    pts: Sequence[int]
    duration_ticks: int
    fps: Fraction
    telemetry_every: int = 0
    first_number: int = 0
    start_utc_ns: int | None = None


def even_pts(seconds: float, fps: Fraction) -> list[int]:
    """PTS of frames at equal distances.

    >>> even_pts(0.25, Fraction(12))
    [0, 7500, 15000]
    """
    count = max(round(seconds * fps), 1)
    return [round(k * TICKS_PER_S / fps) for k in range(count)]


def film(world: World, camera: Camera, take: Take) -> ClipRecord:
    """Renders and encodes a clip.

    Args:
        world: what is to be seen.
        camera: who sees it.
        take: when, and how it is written.
    """
    records: list[FrameRecord] = []

    def frames() -> Iterator[ClipFrame]:
        for index, pts in enumerate(take.pts):
            time_s = take.start_s + pts / TICKS_PER_S
            image, truth = render(world, camera, time_s)
            speaks = take.telemetry_every and index % take.telemetry_every == 0
            telemetry = telemetry_at(world, time_s, take.first_number + index) if speaks else None
            records.append(
                FrameRecord(pts, world.ego(time_s), truth, lane_truth(world, camera, time_s), telemetry)
            )
            yield ClipFrame(pts, image, telemetry)

    how = Encoding(fps=take.fps, duration_ticks=take.duration_ticks, start_utc=_iso(take.start_utc_ns))
    content = encode(frames(), how)
    return ClipRecord(
        content=content,
        world=world,
        camera=camera,
        start_s=take.start_s,
        start_utc_ns=take.start_utc_ns,
        duration_ticks=take.duration_ticks,
        frames=records,
    )


def film_seed(
    seed: int, seconds: float = 4.0, fps: int = 12, width: int = 640, height: int = 360
) -> ClipRecord:
    """A clip of the front camera through the world of a seed, in the seed's own light and weather.

    Args:
        seed: the world's seed.
        seconds: how long.
        fps: frames a second.
        width: pixels, even.
        height: pixels, even.
    """
    pts = even_pts(seconds, Fraction(fps))
    ticks = round(len(pts) * TICKS_PER_S / fps)
    return film(
        make_world(seed),
        front_camera(width, height),
        Take(start_s=0.0, pts=pts, duration_ticks=ticks, fps=Fraction(fps)),
    )


def _iso(utc_ns: int | None) -> str:
    if utc_ns is None:
        return ""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(utc_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
