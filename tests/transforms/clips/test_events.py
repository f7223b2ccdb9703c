import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.clips.events import MAX_DEPTH, EventFacts, read_event

FULL = {
    "timestamp": "2024-05-01T10:20:30",
    "city": "Győr",
    "street": "Baross út",
    "est_lat": "47.6875",
    "est_lon": "17.6504",
    "reason": "user_interaction_dashcam_icon_tapped",
    "camera": "0",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*FULL, "other"]), inner),
    max_leaves=10,
)


def read(**changes) -> EventFacts:
    return read_event(json.dumps(FULL | changes).encode())


def test_a_whole_event():
    assert read() == EventFacts(
        reason="user_interaction_dashcam_icon_tapped",
        timestamp="2024-05-01T10:20:30",
        lat=47.6875,
        lon=17.6504,
        city="Győr",
        street="Baross út",
        camera="0",
    )


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("sentry_aware_accel_0.412345", ("sentry_aware_accel", 0.412345)),
        ("sentry_panic_accel_-1.5", ("sentry_panic_accel", -1.5)),
        ("sentry_panic_accel_2e-05", ("sentry_panic_accel", 2e-05)),
        ("sentry_aware_object_detection", ("sentry_aware_object_detection", None)),
        ("something_new", ("something_new", None)),
        ("accel_1e999", ("accel_1e999", None)),
        ("", (None, None)),
        (None, (None, None)),
        (7, ("7", None)),
    ],
)
def test_the_number_at_the_end_of_the_reason(reason, expected):
    facts = read(reason=reason)
    assert (facts.reason, facts.reason_value) == expected


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        ("0", "0"),
        ("0.0", "-0.0"),
        ("91", "0"),
        ("5", "181"),
        ("nan", "5"),
        ("x", "5"),
        (None, "5"),
        (True, 5),
    ],
)
def test_half_a_position_is_none(lat, lon):
    facts = read(est_lat=lat, est_lon=lon)
    assert facts.lat is None
    assert facts.lon is None
    assert read(est_lat=47.5, est_lon=19).lat == 47.5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "missing"),
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\x00" * 4096, "empty"),
        (b"{}", "says nothing"),
        (b"[1]", "says nothing"),
        (b'{"reason": ', "malformed"),
        (b"[" * 60_000, "malformed"),
        (b'{"camera": ' + b"9" * 60_000 + b"}", "malformed"),
        (b"\x9c\xff\x00\x01" * 100, "no text"),
        (b" " * 66_000 + b"{}", "66002 bytes"),
    ],
)
def test_what_is_wrong_is_said(text, problem):
    facts = read_event(text)
    assert problem in facts.problem
    assert facts.reason is facts.timestamp is facts.lat is facts.city is None


def test_bad_timestamps_do_not_hide_the_rest():
    for stamp in ("yesterday", "2024-05-01T10:20:30+02:00", None):
        facts = read(timestamp=stamp)
        assert facts.timestamp is None
        assert "timestamp" in facts.problem
        assert facts.city == "Győr"


def test_text_is_cleaned_and_bounded():
    facts = read_event(
        b'\xef\xbb\xbf{"timestamp": "2024-05-01T10:20:30", "city": "a\\u0007\\ud800\\n", "street": "'
        + b"s" * 999
        + b'"}'
    )
    assert facts.city == "a ?"
    assert len(facts.street) == 200
    assert facts.problem is None


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_breaks_it(text):
    facts = read_event(text)
    for value in (facts.reason, facts.timestamp, facts.city, facts.street, facts.camera, facts.problem):
        assert value is None or value.encode()
    assert facts.lat is None or -90 <= facts.lat <= 90


def test_nesting_is_bounded_wherever_it_stands():
    def nested(depth: int) -> bytes:
        return b'{"timestamp": "2024-05-01T10:20:30", "more": ' + b"[" * depth + b"]" * depth + b"}"

    assert read_event(nested(MAX_DEPTH - 1)).problem is None
    assert "nested more than 32 deep" in read_event(nested(MAX_DEPTH)).problem
    brackets = b'{"city": "' + b"[{" * 500 + b'\\"' + b"[" * 500 + b'", "timestamp": "2024-05-01T10:20:30"}'
    assert read_event(brackets).problem is None


@pytest.mark.parametrize(
    "text", [b'"' + b'\\"' * 32_000, b"[" * 65_000, b'"\\' * 21_000, b"{" * 32_000 + b"}" * 32_000]
)
def test_no_text_takes_long(text):
    started = time.perf_counter()
    assert "malformed" in read_event(text).problem
    assert time.perf_counter() - started < 1
