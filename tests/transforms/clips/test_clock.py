from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.clips.clock import ClipClock, read_clock

S = 10**9
MAC = 2_082_844_800
BERLIN = ZoneInfo("Europe/Berlin")


def unix(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())


def test_the_container_is_trusted_first_and_the_offset_is_the_cars_zone():
    clock = read_clock(unix(2024, 7, 1, 10, 0, 3) + MAC, "2024-07-01_12-00-00", BERLIN)
    assert clock == ClipClock(
        start_utc_ns=unix(2024, 7, 1, 10, 0, 3) * S, source="mvhd", uncertainty_ns=S, offset_ns=-7200 * S
    )


def test_a_name_that_is_far_off_shows_in_the_offset():
    clock = read_clock(unix(2024, 7, 2, 7, 53) + MAC, "2024-07-01_12-00-00", None)
    assert clock.source == "mvhd"
    assert clock.offset_ns == 20 * 3600 * S


@pytest.mark.parametrize("created", [None, 0, 1, MAC, MAC + 946_684_799, MAC + 4_102_444_800, 2**64 - 1])
def test_an_unset_or_mad_container_clock_is_absent(created):
    clock = read_clock(created, "2024-07-01_12-00-00", BERLIN)
    assert clock == ClipClock(
        start_utc_ns=unix(2024, 7, 1, 10) * S, source="file_name", uncertainty_ns=S, offset_ns=None
    )


def test_a_name_needs_a_zone_and_digits_that_are_a_time():
    nothing = ClipClock(start_utc_ns=None, source="none", uncertainty_ns=None, offset_ns=None)
    assert read_clock(None, "2024-07-01_12-00-00", None) == nothing
    assert read_clock(None, None, BERLIN) == nothing
    for minute in (
        "2024-13-01_12-00-00",
        "2024-07-01_25-00-00",
        "0001-01-01_00-00-00",
        "9999-12-31_23-59-59",
        "x",
    ):
        assert read_clock(None, minute, BERLIN) == nothing
        assert read_clock(MAC + 10**9, minute, BERLIN).offset_ns is None


def test_a_name_without_seconds_is_a_minute_uncertain():
    clock = read_clock(None, "2019-03-01_08-15", ZoneInfo("America/Los_Angeles"))
    assert clock.start_utc_ns == unix(2019, 3, 1, 16, 15) * S
    assert clock.uncertainty_ns == 60 * S


def test_the_repeated_hour_is_an_hour_more_uncertain():
    clock = read_clock(None, "2024-10-27_02-30-00", BERLIN)
    assert clock.start_utc_ns == unix(2024, 10, 27, 0, 30) * S
    assert clock.uncertainty_ns == 3601 * S


def test_the_skipped_hour_too():
    assert read_clock(None, "2024-03-31_02-30-00", BERLIN).uncertainty_ns == 3601 * S


@given(
    st.integers(unix(2000, 1, 2), unix(2099, 12, 30)),
    st.integers(-56, 56),
)
def test_names_in_fixed_zones_come_back(start, quarters):
    zone = timezone(timedelta(minutes=15 * quarters))
    local = datetime.fromtimestamp(start, zone)
    clock = read_clock(None, local.strftime("%Y-%m-%d_%H-%M-%S"), zone)
    assert clock.start_utc_ns == start * S
    assert clock.uncertainty_ns == S
    both = read_clock(start + MAC, local.strftime("%Y-%m-%d_%H-%M-%S"), zone)
    assert both.offset_ns == -quarters * 900 * S
