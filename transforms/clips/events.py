"""event.json: why the car kept a clip. Whatever the file holds, reading it never fails."""

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Final

__all__ = ["MAX_DEPTH", "MAX_EVENT_BYTES", "EventFacts", "read_event"]

MAX_EVENT_BYTES: Final = 1 << 16
"""Longest event.json: cars write some hundred bytes."""

MAX_DEPTH: Final = 32
"""Deepest nesting. Python's own limit would depend on who calls, and the rows with it."""

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_MAX_TEXT: Final = 200
_NUMBER_AT_END: Final = re.compile(r"(.+?)_(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What event.json says; None where it does not.

    Attributes:
        reason: why the car kept the clips, without the number at its end; unknown ones are kept.
        reason_value: that number, such as the acceleration of `sentry_aware_accel_0.42`.
        timestamp: car-local time of the event, ISO 8601 without zone.
        lat: estimated latitude in degrees.
        lon: estimated longitude in degrees.
        city: nearest town.
        street: nearest street.
        camera: the camera's number as it stands: tools disagree on its meaning.
        problem: what is wrong with the file, or None.
    """

    reason: str | None = None
    reason_value: float | None = None
    timestamp: str | None = None
    lat: float | None = None
    lon: float | None = None
    city: str | None = None
    street: str | None = None
    camera: str | None = None
    problem: str | None = None


def read_event(text: bytes | None) -> EventFacts:
    """Reads event.json.

    Args:
        text: the file's bytes, None where there is no file.

    Returns:
        The facts that could be read; `problem` tells what could not.

    >>> facts = read_event(b'{"reason": "sentry_aware_accel_0.42", "est_lat": "47.5", "est_lon": "19.1"}')
    >>> facts.reason, facts.reason_value, facts.lat
    ('sentry_aware_accel', 0.42, 47.5)
    """
    content, problem = _load(text)
    if problem is not None:
        return EventFacts(problem=problem)
    reason, reason_value = _split_reason(_text(content.get("reason")))
    lat, lon = _degrees(content.get("est_lat"), 90), _degrees(content.get("est_lon"), 180)
    if lat is None or lon is None or lat == lon == 0:
        lat = lon = None  # half a position is none, and 0, 0 is the car's way to say that it has no fix
    stamp = _text(content.get("timestamp"))
    is_stamp = stamp is not None and _is_local_time(stamp)
    return EventFacts(
        reason=reason,
        reason_value=reason_value,
        timestamp=stamp if is_stamp else None,
        lat=lat,
        lon=lon,
        city=_text(content.get("city")),
        street=_text(content.get("street")),
        camera=_text(content.get("camera")),
        problem=None if is_stamp else "event.json has no readable timestamp",
    )


def _load(text: bytes | None) -> tuple[dict[str, object], str | None]:
    """The object in the file, or what is wrong with it."""
    content: object = None
    problem: str | None = None
    if text is None:
        problem = "event.json is missing"
    elif not text.strip(b" \t\r\n\x00"):
        problem = "event.json is empty"
    elif len(text) > MAX_EVENT_BYTES:
        problem = f"event.json has {len(text)} bytes, which is no event"
    else:
        try:
            content = _parse(text.decode("utf-8-sig"))
        except UnicodeDecodeError:
            problem = "event.json is no text: encrypted, or damaged"
        except _TooDeepError:
            problem = f"event.json is malformed: nested more than {MAX_DEPTH} deep"
        except ValueError:
            problem = "event.json is malformed"
    if isinstance(content, dict) and content:
        return content, None
    return {}, problem or "event.json says nothing"


class _TooDeepError(Exception):
    """Brackets are nested more than `MAX_DEPTH` deep."""


def _parse(text: str) -> object:
    opened = (1 if letter in "[{" else -1 for letter in re.sub(r"[^\[\]{}]", "", _STRING.sub("", text)))
    if max(accumulate(opened), default=0) > MAX_DEPTH:
        raise _TooDeepError
    return json.loads(text)


def _split_reason(reason: str | None) -> tuple[str | None, float | None]:
    match = _NUMBER_AT_END.fullmatch(reason or "")
    value = _number(match[2]) if match else None
    return (match[1], value) if match and value is not None else (reason, None)


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    # lone surrogates and control characters would break tables and terminals
    clean = str(value)[:_MAX_TEXT].encode("utf-8", "replace").decode()
    return "".join(letter if letter.isprintable() else " " for letter in clean).strip() or None


def _number(value: object) -> float | None:
    text = _text(value)
    try:
        number = float(text) if text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _degrees(value: object, limit: float) -> float | None:
    number = _number(value)
    return number if number is not None and abs(number) <= limit else None


def _is_local_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False
