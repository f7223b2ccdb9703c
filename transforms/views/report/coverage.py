"""Which cameras filmed when, and where the drives went."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from transforms.budget.amounts import count, short
from transforms.views.axes import fitted
from transforms.views.charts import PALETTE
from transforms.views.pages import figure, table
from transforms.views.report.plots import WIDTH, LinearScale, time_axis
from transforms.views.report.sections import Section, Tables, figures, heading, paragraph, said
from transforms.views.report.telemetry import Drive
from transforms.views.svg import drawing, element

_MOST_CAMERAS: Final = 24
_MOST_BINS: Final = 100
_ROW: Final = 22.0
_CAMERA: Final = 96.0
_WIDE: Final = 800.0
_SHADES: Final = 5
_BIN_SECONDS: Final = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400)

_EARTH_M: Final = 6_371_008.8  # mean radius
_NEAR_M: Final = 30_000.0
_MOST_MAPS: Final = 4
_MOST_DRIVES_A_MAP: Final = 60
_POINTS: Final = 300
_MARGIN: Final = 14.0
_GAP_S: Final = 10

_CLIPS: Final = """
    SELECT camera, start_utc_ns / 1e9 AS start, duration_ns / 1e9 AS seconds FROM clips
    WHERE duplicate_of IS NULL AND start_utc_ns IS NOT NULL ORDER BY camera, start"""
_LOOKED_FOR: Final = """
    SELECT model_digest, array_to_string(categories, ', ') AS categories, count(DISTINCT clip_id) AS clips,
           sum(frames_labelled)::BIGINT AS frames
    FROM coverage GROUP BY ALL ORDER BY frames DESC, model_digest, categories LIMIT 40"""
_WITHOUT_CLOCK: Final = """
    SELECT count(*) AS clips FROM clips WHERE duplicate_of IS NULL AND start_utc_ns IS NULL"""


def coverage(tables: Tables, drives: Sequence[Drive], networks: Mapping[str, str]) -> Section:
    """Cameras over time, the map of the drives, and what was looked for.

    Args:
        tables: the data set.
        drives: their telemetry.
        networks: names by digest.
    """
    clips = tables.arrow(_CLIPS)
    times = clips["start"].to_numpy(), clips["seconds"].to_numpy()
    cameras = np.array(clips["camera"].to_pylist(), object)
    unknown = tables.ask(_WITHOUT_CLOCK)[0]["clips"]
    parts = [heading("Cameras over time")]
    if len(cameras):
        strip = camera_strips(
            {name: (times[0][cameras == name], times[1][cameras == name]) for name in dict.fromkeys(cameras)}
        )
        parts.append(figure(strip, "Footage by camera and time; the darker, the more of the time is filmed"))
    else:
        parts.append(paragraph("No clip tells when it was filmed."))
    if unknown and len(cameras):
        parts.append(paragraph(f"{count(unknown)} clips do not tell when they were filmed.", "hint"))
    parts.append(heading("Where the drives went"))
    maps = list(_maps(drives))
    parts.append(
        figures(*maps)
        if maps
        else paragraph("No clip carries telemetry with positions (or all are private places).")
    )
    parts += [heading("What was looked for"), _looked_for(tables, networks)]
    return Section("coverage", "Coverage", Markup().join(parts))


def camera_strips(cameras: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]) -> str:
    """A row a camera, with time from left to right: how much of each span of time was filmed.

    Args:
        cameras: starts in Unix seconds and lengths in seconds of its clips, by camera; at least one clip.

    Returns:
        An `svg` element.
    """
    shown = list(cameras)[:_MOST_CAMERAS]
    low = min(float(starts.min()) for starts, _ in cameras.values())
    high = max(float((starts + lengths).max()) for starts, lengths in cameras.values())
    span = max(high - low, 1.0)
    step = next((size for size in _BIN_SECONDS if span / size <= _MOST_BINS), span / _MOST_BINS)
    first = low // step * step
    edges = np.array([first + step * at for at in range(int((high - first) // step) + 2)], np.float64)
    across = LinearScale(float(edges[0]), float(edges[-1]), _CAMERA, _WIDE - 14)
    parts, told = list[Element](), []
    for at, name in enumerate(shown):
        starts, lengths = cameras[name]
        filled = np.minimum(_filmed(starts, lengths, edges) / step, 1.0)
        top = _ROW * at
        label = fitted(said(name), _CAMERA - 6)
        parts.append(element("text", text=label, x=_CAMERA - 6, y=top + 15, text_anchor="end"))
        parts.append(
            element(
                "rect", x=_CAMERA, y=top + 2, width=_WIDE - 14 - _CAMERA, height=_ROW - 4, fill_opacity=0.06
            )
        )
        parts += _cells(np.ceil(filled * _SHADES).astype(int), edges, across, top + 2)
        told.append(f"{said(name)}: {float(lengths.sum()) / 3600:.3g} h in {len(starts)} clips")
    bottom = _ROW * len(shown) + 4
    parts += time_axis(across, bottom, utc=True)
    return drawing(_WIDE, bottom + 34, "Footage by camera and time", "; ".join(told), *parts)


def _filmed(
    starts: npt.NDArray[np.float64], lengths: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Seconds of footage in each bin, float64[bins]."""
    until = np.array([np.clip(edge - starts, 0, lengths).sum() for edge in edges])
    return np.diff(until)


def _cells(
    shades: npt.NDArray[np.int64], edges: npt.NDArray[np.float64], across: LinearScale, top: float
) -> Iterator[Element]:
    """Bins of one shade in a row become one rectangle."""
    start = 0
    for at in range(1, len(shades) + 1):
        if at == len(shades) or shades[at] != shades[start]:
            if shades[start]:
                left, right = across.at(float(edges[start])), across.at(float(edges[at]))
                yield element(
                    "rect",
                    class_="filmed",
                    x=left,
                    y=top,
                    width=max(1.0, right - left),
                    height=_ROW - 4,
                    fill=PALETTE[0],
                    fill_opacity=0.25 + 0.75 * float(shades[start]) / _SHADES,
                )
            start = at


@dataclass(frozen=True, slots=True)
class _Path:
    """A drive on a plane: seconds and metres east and north, float64[points] each."""

    seconds: npt.NDArray[np.float64]
    east: npt.NDArray[np.float64]
    north: npt.NDArray[np.float64]

    @property
    def length_m(self) -> float:
        """Metres driven, gaps left out."""
        steps = np.hypot(np.diff(self.east), np.diff(self.north))
        return float(steps[np.diff(self.seconds) <= _GAP_S].sum())


def _maps(drives: Sequence[Drive]) -> Iterator[Markup]:
    """A map for each region, those with most drives first."""
    regions: list[tuple[tuple[float, float], list[Drive]]] = []
    for drive in sorted(
        (its for its in drives if len(its.latitude)), key=lambda its: (-len(its.latitude), its.drive_id)
    ):
        centre = float(drive.latitude.mean()), float(drive.longitude[0])
        near = next((its for at, its in regions if _apart(at, centre) < _NEAR_M), None)
        if near is None:
            regions.append((centre, [drive]))
        else:
            near.append(drive)
    for centre, its in regions[:_MOST_MAPS]:
        paths = [_flat(drive, centre) for drive in its[:_MOST_DRIVES_A_MAP]]
        driven = sum(path.length_m for path in paths)
        drives_told = "1 drive" if len(paths) == 1 else f"{count(len(paths))} drives"
        caption = f"{drives_told}, {_metres(driven)}; north is up, rings mark starts"
        yield figure(drive_map(paths), caption)
    if len(regions) > _MOST_MAPS:
        yield paragraph(f"{len(regions) - _MOST_MAPS} more regions are not drawn.", "hint")


def _flat(drive: Drive, centre: tuple[float, float]) -> _Path:
    # the shorter way round, for drives across the date line
    turned = (drive.longitude - centre[1] + 180) % 360 - 180
    scale = radians(1) * _EARTH_M
    return _Path(
        drive.fixed_at, turned * cos(radians(centre[0])) * scale, (drive.latitude - centre[0]) * scale
    )


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    east = ((other[1] - one[1] + 180) % 360 - 180) * cos(radians(one[0]))
    return hypot(east, other[0] - one[0]) * radians(1) * _EARTH_M


def drive_map(paths: Sequence[_Path]) -> str:
    """Drives seen from above, with a scale.

    Args:
        paths: at least one with at least one point.

    Returns:
        An `svg` element.
    """
    west, east = (float(pick([pick(path.east) for path in paths])) for pick in (np.min, np.max))
    south, north = (float(pick([pick(path.north) for path in paths])) for pick in (np.min, np.max))
    room = WIDTH - 2 * _MARGIN
    reach = max(east - west, north - south, 20.0)
    unit = room / reach
    height = max((north - south) * unit, 60.0) + 2 * _MARGIN + 24
    shift = (room - (east - west) * unit) / 2
    parts = []
    for at, path in enumerate(paths):
        x = _MARGIN + shift + (path.east - west) * unit
        y = _MARGIN + (north - path.north) * unit
        colour = PALETTE[at % len(PALETTE)]
        for run in _runs(path.seconds):
            thinned = run[:: max(1, len(run) // _POINTS)]
            points = " ".join(f"{x[index]:.1f},{y[index]:.1f}" for index in [*thinned, run[-1]])
            parts.append(
                element(
                    "polyline",
                    points=points,
                    fill="none",
                    stroke=colour,
                    stroke_width=2,
                    stroke_linecap="round",
                )
            )
        parts.append(
            element("circle", cx=float(x[0]), cy=float(y[0]), r=4, fill="none", stroke=colour, stroke_width=2)
        )
    bar = _round_below(reach / 3)
    base = height - 10
    parts += [
        element(
            "line",
            x1=_MARGIN,
            x2=_MARGIN + bar * unit,
            y1=base,
            y2=base,
            stroke="currentColor",
            stroke_width=2,
        ),
        element("text", text=_metres(bar), x=_MARGIN, y=base - 5, font_size=11),
    ]
    size = f"{_metres(east - west)} from west to east, {_metres(north - south)} from south to north"
    return drawing(WIDTH, height, "Map of drives", f"{len(paths)} drives; {size}.", *parts)


def _metres(length: float) -> str:
    return f"{short(length / 1000)} km" if length >= 1000 else f"{short(length)} m"  # noqa: PLR2004 - metres a kilometre


def _runs(seconds: npt.NDArray[np.float64]) -> Iterator[list[int]]:
    """Places of points that follow each other without a gap."""
    breaks = np.flatnonzero(np.diff(seconds) > _GAP_S) + 1
    for run in np.split(np.arange(len(seconds)), breaks):
        yield run.tolist()


def _round_below(value: float) -> float:
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(size * power for size in (5, 2, 1) if size * power <= value))


def _looked_for(tables: Tables, networks: Mapping[str, str]) -> Markup:
    rows = tables.ask(_LOOKED_FOR)
    if not rows:
        return paragraph("No clip was labelled.")
    return table(
        "What each network looked for; what it did not look for is not absent",
        ("network", "categories", "clips", "frames it saw"),
        (
            (
                said(networks.get(row["model_digest"], row["model_digest"][:12])),
                said(row["categories"]),
                count(row["clips"]),
                count(row["frames"]),
            )
            for row in rows
        ),
    )
