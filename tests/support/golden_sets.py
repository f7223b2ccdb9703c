"""Data sets that earlier versions made."""

import tarfile
from pathlib import Path

from running import ROOT


def unpack_schema_2(folder: Path) -> Path:
    """Two labelled minutes and a copy, of schema 2."""
    with tarfile.open(ROOT / "tests" / "golden" / "schema_2" / "two_minutes.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder
