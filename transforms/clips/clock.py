"""When a clip was recorded: the container's clock, else the name's local time, else nobody knows."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from transforms.clips.refs import ClockSource
from transforms.clips.timeline import NS, round_fraction

__all__ = ["ClipClock", "read_clock"]

_MAC_EPOCH_S: Final = 2_082_844_800
"""Seconds from 1904-01-01, where mvhd counts from, to 1970-01-01."""

_EARLIEST_S: Final = 946_684_800
"""2000-01-01: earlier times are unset clocks."""

_LATEST_S: Final = 4_102_444_800
"""2100-01-01: later times are damage."""

_QUARTER_HOUR_S: Final = 900
_SECOND_FORMAT: Final = "%Y-%m-%d_%H-%M-%S"
_MINUTE_FORMAT: Final = "%Y-%m-%d_%H-%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipClock:
    """When the first shown frame was taken.

    Attributes:
        start_utc_ns: Unix time in ns, or None.
        source: where it comes from.
        uncertainty_ns: half-width of its uncertainty, or None.
        offset_ns: mvhd minus the name's digits read as UTC, to a quarter of an hour; None where either is
            missing. It is the car's distance from UTC with the sign turned; more than 14 h is a wrong clock.
    """

    start_utc_ns: int | None
    source: ClockSource
    uncertainty_ns: int | None
    offset_ns: int | None


def read_clock(created_s: int | None, minute: str | None, timezone: tzinfo | None) -> ClipClock:
    """Chooses among what container and name say; never the file's own dates, which copying changes.

    Args:
        created_s: mvhd creation time in seconds since 1904-01-01 UTC, or None.
        minute: the name's local time (`YYYY-MM-DD_HH-MM` with or without `-SS`), or None.
        timezone: the car's time zone, or None.

    Returns:
        The start, its source and its uncertainty: 1 s (1 min for names without seconds), plus the step
        where the local time is one of a clock change and may mean two moments.
    """
    container_s = None if created_s is None else created_s - _MAC_EPOCH_S
    if container_s is not None and not _EARLIEST_S <= container_s < _LATEST_S:
        container_s = None
    local, precision_s = parse_minute(minute)
    offset_ns = None
    if container_s is not None and local is not None:
        apart_s = container_s - round(local.replace(tzinfo=UTC).timestamp())
        offset_ns = round_fraction(apart_s, _QUARTER_HOUR_S) * _QUARTER_HOUR_S * NS
    if container_s is not None:
        return ClipClock(start_utc_ns=container_s * NS, source="mvhd", uncertainty_ns=NS, offset_ns=offset_ns)
    if local is None or timezone is None:
        return ClipClock(start_utc_ns=None, source="none", uncertainty_ns=None, offset_ns=None)
    first, second = (round(local.replace(tzinfo=timezone, fold=fold).timestamp()) for fold in (0, 1))
    return ClipClock(
        start_utc_ns=first * NS,
        source="file_name",
        uncertainty_ns=(precision_s + abs(second - first)) * NS,
        offset_ns=None,
    )


def parse_minute(minute: str | None) -> tuple[datetime | None, int]:
    """Reads a file name's time stamp.

    Args:
        minute: `YYYY-MM-DD_HH-MM-SS`, or without the seconds; None where a name has none.

    Returns:
        Car-local time without zone and its precision in seconds; (None, 0) for what is no time.
    """
    for form, precision_s in ((_SECOND_FORMAT, 1), (_MINUTE_FORMAT, 60)):
        try:
            local = datetime.strptime(minute or "", form)  # noqa: DTZ007 - the car's local time has no zone
        except ValueError:
            continue
        if 1970 < local.year < 2100:  # noqa: PLR2004 - a clock that was never set, or garbage
            return local, precision_s
    return None, 0
