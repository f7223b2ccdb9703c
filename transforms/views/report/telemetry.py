"""What the vehicle told of itself: speed, steering, brake and driver assistance over time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from transforms.budget.amounts import count
from transforms.views.pages import figure, table
from transforms.views.report.plots import Band, lines, moment
from transforms.views.report.sections import Section, Tables, figures, number, paragraph
from transforms.views.report.sections import share as percent

_PLOTTED: Final = 6
_POINTS: Final = 400
_GAP_S: Final = 10
_MOST_LATITUDE: Final = 90
_MOST_LONGITUDE: Final = 360

# the cameras of a drive tell the same: one value a second is left of all their frames
_SECONDS: Final = """
    SELECT c.drive_id, (coalesce(c.start_utc_ns, 0) + t.timestamp_ns) // 1000000000 AS second,
           bool_and(c.start_utc_ns IS NOT NULL) AS is_utc,
           avg(latitude_deg) FILTER (latitude_deg <> 0 OR longitude_deg <> 0) AS latitude,
           max(longitude_deg) FILTER (latitude_deg <> 0 OR longitude_deg <> 0) AS longitude,
           avg(vehicle_speed_mps) FILTER (isfinite(vehicle_speed_mps)) AS speed,
           avg(steering_wheel_angle) FILTER (isfinite(steering_wheel_angle)) AS steering,
           bool_or(brake_applied) AS brake, bool_or(autopilot_state > 0) AS assisted,
           bool_or(blinker_on_left OR blinker_on_right) AS blinker
    FROM telemetry t JOIN clips c USING (clip_id)
    WHERE c.duplicate_of IS NULL GROUP BY 1, 2 ORDER BY 1, 2"""


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """The telemetry of a drive, a value a second.

    Attributes:
        drive_id: the drive.
        is_utc: whether seconds are Unix time; else they are the clips' own.
        seconds: float64[seconds], ascending.
        speed: in m/s, float64[seconds], NaN where it is not known.
        steering: in degrees, the same.
        brake: bool[seconds].
        assisted: whether a driver assistance steered or held the speed, bool[seconds].
        blinker: bool[seconds].
        fixed_at: seconds with a position, float64[fixes].
        latitude: in degrees, float64[fixes].
        longitude: in degrees, float64[fixes].
    """

    drive_id: str
    is_utc: bool
    seconds: npt.NDArray[np.float64]
    speed: npt.NDArray[np.float64]
    steering: npt.NDArray[np.float64]
    brake: npt.NDArray[np.bool_]
    assisted: npt.NDArray[np.bool_]
    blinker: npt.NDArray[np.bool_]
    fixed_at: npt.NDArray[np.float64]
    latitude: npt.NDArray[np.float64]
    longitude: npt.NDArray[np.float64]


def read_drives(tables: Tables) -> list[Drive]:
    """The telemetry of all drives, by id."""
    rows = tables.arrow(_SECONDS)
    if not rows.num_rows:
        return []
    names = np.array(rows["drive_id"].to_pylist(), object)
    numbers = {
        name: np.array(rows[name].to_pylist(), np.float64)
        for name in ("second", "speed", "steering", "latitude", "longitude")
    }
    flags = {
        name: np.array(rows[name].to_pylist(), dtype=object).astype(bool)
        for name in ("is_utc", "brake", "assisted", "blinker")
    }
    starts = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1), len(names)]
    return [_drive(str(names[start]), slice(start, stop), numbers, flags) for start, stop in pairwise(starts)]


def telemetry(drives: Sequence[Drive]) -> Section:
    """Plots of the longest drives, and figures of all.

    Args:
        drives: all of them.
    """
    if not drives:
        body = paragraph("No clip carries telemetry.")
        return Section("telemetry", "Telemetry", body)
    longest = sorted(drives, key=lambda its: (-len(its.seconds), its.drive_id))[:_PLOTTED]
    longest.sort(key=lambda its: (its.seconds[0], its.drive_id))
    seconds = sum(len(its.seconds) for its in drives)
    facts = (
        ("drives with telemetry", count(len(drives))),
        ("time", f"{number(seconds / 3600)} h"),
        ("standing (below 0.5 m/s)", percent(sum(int((its.speed < 0.5).sum()) for its in drives), seconds)),  # noqa: PLR2004
        ("braking", percent(sum(int(its.brake.sum()) for its in drives), seconds)),
        ("with driver assistance", percent(sum(int(its.assisted.sum()) for its in drives), seconds)),
        ("fastest", _fastest(drives)),
    )
    body = table("All drives", ("what", "value"), facts) + figures(
        *(plot for its in longest for plot in _plots(its))
    )
    if len(drives) > _PLOTTED:
        body += paragraph(f"The {_PLOTTED} longest of {count(len(drives))} drives are drawn.", "hint")
    return Section("telemetry", "Telemetry", body)


def _drive(
    name: str, at: slice, numbers: dict[str, npt.NDArray[np.float64]], flags: dict[str, npt.NDArray[np.bool_]]
) -> Drive:
    latitude, longitude = numbers["latitude"][at], numbers["longitude"][at]
    fixed = (np.abs(latitude) <= _MOST_LATITUDE) & (np.abs(longitude) <= _MOST_LONGITUDE)
    return Drive(
        drive_id=name,
        is_utc=bool(flags["is_utc"][at].all()),
        seconds=numbers["second"][at],
        speed=numbers["speed"][at],
        steering=numbers["steering"][at],
        brake=flags["brake"][at],
        assisted=flags["assisted"][at],
        blinker=flags["blinker"][at],
        fixed_at=numbers["second"][at][fixed],
        latitude=latitude[fixed],
        longitude=longitude[fixed],
    )


def _fastest(drives: Sequence[Drive]) -> str:
    speeds = [float(np.nanmax(its.speed)) for its in drives if np.isfinite(its.speed).any()]
    return f"{max(speeds):.3g} m/s ({max(speeds) * 3.6:.3g} km/h)" if speeds else "unknown"


def _plots(drive: Drive) -> Iterator[Markup]:
    shown = (float(drive.seconds[0]), float(drive.seconds[-1]) + 1)
    began = f"drive of {moment(shown[0])} UTC" if drive.is_utc else "drive without a clock"
    bands = [
        Band("assist", _spans(drive.seconds, drive.assisted)),
        Band("brake", _spans(drive.seconds, drive.brake)),
        Band("turning", _spans(drive.seconds, drive.blinker)),
    ]
    for values, caption, its_bands in (
        (drive.speed, "speed, m/s", bands),
        (drive.steering, "steering wheel, degrees", []),
    ):
        segments = _segments(drive.seconds, values)
        if segments:
            title = f"{caption.partition(',')[0]}, {began}"
            plot = lines(segments, its_bands, title=title, caption=caption, seconds=shown, utc=drive.is_utc)
            yield figure(plot, title)


def _segments(
    seconds: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
) -> list[list[tuple[float, float]]]:
    """Runs of known values without a gap, thinned to what a plot can show."""
    known = np.isfinite(values)
    times, values = seconds[known], values[known]
    if not len(times):
        return []
    step = max(1, len(times) // _POINTS)
    runs = np.split(np.arange(len(times)), np.flatnonzero(np.diff(times) > _GAP_S) + 1)
    return [[(float(times[at]), float(values[at])) for at in (*run[:-1:step], run[-1])] for run in runs]


def _spans(seconds: npt.NDArray[np.float64], holds: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Half-open spans of seconds in which a condition holds."""
    spans: list[tuple[float, float]] = []
    for second in seconds[holds].tolist():
        if spans and spans[-1][1] == second:
            spans[-1] = (spans[-1][0], second + 1)
        else:
            spans.append((second, second + 1))
    return spans
