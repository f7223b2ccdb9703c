"""What a run tells on standard error: nothing but errors, or one line for each thing that happens, as text or as JSON."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from transforms.clips.vins import mask_vins

FORMATS: Final = ("text", "json")
LEVELS: Final = ("info", "warning", "error")

_LOGGER: Final = logging.getLogger("clipmill")


def event(name: str, level: int = logging.INFO, **facts: object) -> None:
    """Tells of something that happened.

    Args:
        name: what, in a word of its own that scripts may look for.
        level: of `logging`.
        facts: what there is to know of it; `run_id` goes with all that is told after it.
    """
    _LOGGER.log(level, name, extra={"facts": facts})


def configure(log_format: str, level: str | None) -> None:
    """Sets up what is told, for the process.

    Args:
        log_format: text or json.
        level: the least that is told; None is errors for text, which a command tells itself, and info for JSON.
    """
    formatter = JsonLines() if log_format == "json" else TextLines()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    _LOGGER.handlers = [handler]
    _LOGGER.propagate = False
    _LOGGER.setLevel((level or ("info" if log_format == "json" else "error")).upper())
    if log_format == "json":
        # notes of networks come by the root's handlers
        for other in logging.getLogger().handlers:
            other.setFormatter(formatter)


def is_json() -> bool:
    """Whether standard error takes JSON lines, and nothing else."""
    return any(isinstance(handler.formatter, JsonLines) for handler in _LOGGER.handlers)


def tells_steps() -> bool:
    """Whether each shard is told of."""
    return _LOGGER.isEnabledFor(logging.INFO) and bool(_LOGGER.handlers)


class _Lines(logging.Formatter):
    """One line for each record, without vehicle identification numbers."""

    def __init__(self) -> None:
        super().__init__()
        self._run_id: object = None

    def _facts(self, record: logging.LogRecord) -> dict[str, Any]:
        facts: Mapping[str, object] | None = getattr(record, "facts", None)
        if facts is None:
            return {"event": "note", "message": mask_vins(record.getMessage())}
        self._run_id = facts.get("run_id", self._run_id)
        known = {"run_id": self._run_id} if self._run_id else {}
        return {
            "event": record.getMessage(),
            **known,
            **{key: _masked(value) for key, value in facts.items()},
        }


class JsonLines(_Lines):
    """`time`, `level`, `event`, and what there is to know of it, as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        head = {"time": _time(record.created), "level": record.levelname.lower()}
        return json.dumps({**head, **self._facts(record)})


class TextLines(_Lines):
    """The same as words and key=value."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts = self._facts(record)
        name = facts.pop("event")
        pairs = (f"{key}={value if _is_plain(value) else json.dumps(value)}" for key, value in facts.items())
        return " ".join((_time(record.created), record.levelname.lower(), name, *pairs))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_plain(value: object) -> bool:
    """Whether a value needs no quotes to be told from what stands beside it, nor steers a terminal."""
    return (
        isinstance(value, str) and value.isascii() and value.isprintable() and not set(value) & set(' "=\\')
    )


def _masked(value: object) -> object:
    if isinstance(value, str):
        return mask_vins(value)
    if isinstance(value, Mapping):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(inner) for inner in value]
    return value
