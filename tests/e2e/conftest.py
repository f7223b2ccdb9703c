import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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


@pytest.fixture(scope="session")
def clipmill() -> Callable[..., Finished]:
    def run(*arguments: object, cwd: Path = ROOT, env: dict[str, str] | None = None) -> Finished:
        return Finished(
            subprocess.run(
                command(*arguments), capture_output=True, text=True, cwd=cwd, env=env, timeout=300, check=False
            )
        )

    return run


def digests(dataset: Path) -> dict[str, str]:
    """What must be equal between runs: every table's files and the manifest."""
    files = [*dataset.glob("*/*.parquet"), dataset / "manifest.parquet", dataset / "dataset.json"]
    return {str(path.relative_to(dataset)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


@pytest.fixture(scope="session")
def labelled_sample(clipmill, tmp_path_factory) -> Path:
    """The sample, labelled once for all tests that only read."""
    output = tmp_path_factory.mktemp("sample") / "out"
    done = clipmill("label", SAMPLE, "-o", output, "--model", "demo", "--max-failed-share", 0.5, "--json")
    assert done.code == 0, done.errors
    return output
