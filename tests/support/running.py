"""Running the installed command, and comparing what it wrote."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data"


class Finished:
    """A command that ended."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.code = done.returncode
        self.errors = done.stderr
        self.output = done.stdout

    @property
    def data(self) -> Any:
        return json.loads(self.output)


def command(*arguments: object) -> list[str]:
    """The installed command, as a user starts it."""
    return [str(Path(sys.executable).with_name("clipmill")), *map(str, arguments)]


def digests(dataset: Path) -> dict[str, str]:
    """What must be equal between runs: every table's files and the manifest."""
    files = [*dataset.glob("*/*.parquet"), dataset / "manifest.parquet", dataset / "dataset.json"]
    return {
        str(path.relative_to(dataset)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(files)
    }
