"""TOML files that a user names."""

import tomllib
from pathlib import Path
from typing import Any, Final

from pipelines.outcome import UsageError

MAX_TOML_BYTES: Final = 1 << 24
"""Longest file that is read: a job may list a hundred thousand inputs."""


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Args:
        path: the file.

    Raises:
        UsageError: it is not there, cannot be read, or is not TOML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TOML_BYTES + 1)
        if len(content) > MAX_TOML_BYTES:
            raise UsageError(f"{path}: more than {MAX_TOML_BYTES} bytes, which is no such file")
        return tomllib.loads(content.decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    except ValueError as error:  # also numbers of thousands of digits, which the parser does not name
        raise UsageError(f"{path}: not TOML: {error}") from error
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply") from None
