"""TOML files that a user names."""

import tomllib
from pathlib import Path
from typing import Any

from pipelines.outcome import UsageError


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Args:
        path: the file.

    Raises:
        UsageError: it is not there, cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from error
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply") from None
