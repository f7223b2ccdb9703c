"""TOML files that a user names."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.outcome import UsageError

MAX_TOML_BYTES: Final = 1 << 24
"""Longest file that is read: a job may list a hundred thousand inputs."""

_PLACE: Final = re.compile(r" \((?:at line (?P<line>\d+), column (?P<column>\d+)|at end of document)\)$")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A TOML file that was read.

    Attributes:
        values: its content.
        text: the same as it was written.
    """

    values: dict[str, Any]
    text: str


def read_toml(path: Path) -> TomlFile:
    """Reads a TOML file.

    Args:
        path: the file.

    Raises:
        UsageError: it is not there, cannot be read, or is not TOML; the message names the line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TOML_BYTES + 1)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_TOML_BYTES:
        raise UsageError(f"{path}: more than {MAX_TOML_BYTES} bytes, which is no such file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: cannot be read: not UTF-8 text") from error
    try:
        return TomlFile(tomllib.loads(text), text)
    except ValueError as error:  # also numbers of thousands of digits, which the parser does not name
        place = _PLACE.search(str(error))
        where = _line(place, text) if place else ""
        what = str(error)[: place.start()] if place else str(error)
        raise UsageError(f"{path}{where}: not TOML: {what}") from error
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply") from None


def _line(place: re.Match[str], text: str) -> str:
    if place["line"]:
        return f":{place['line']}:{place['column']}"
    return f":{text.rstrip().count(chr(10)) + 1}"
