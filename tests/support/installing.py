"""Environments of other programs, made by pip where the tests may install."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

INSTALL_S = 900

_allowed = pytest.mark.skipif(
    not os.environ.get("CLIPMILL_INSTALLS"),
    reason="installs packages with pip: make schedules tools fiftyone",
)


def installs(test):
    """Marks a test that needs an environment of its own."""
    return pytest.mark.installs(_allowed(test))


def environment(folder: Path, *packages: str) -> Path:
    """Python of an environment of its own with some packages."""
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True, timeout=INSTALL_S)
    return python


def tool_python(folder: Path, variable: str, *packages: str) -> Path:
    """Python of the environment that a variable names; where it names none, of one that is made in a folder."""
    made = os.environ.get(variable)
    return Path(made) / "bin" / "python" if made else environment(folder, *packages)
