from collections.abc import Iterator
from pathlib import Path

import browsers
import pytest
from playwright.sync_api import Browser
from running import ROOT, SAMPLE

from pipelines.cli import main


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with browsers.browser() as started:
        yield started


@pytest.fixture(scope="session")
def reported(tmp_path_factory) -> Path:
    """A report of one labelled clip whose path is a script, and of a file that is none."""
    folder = tmp_path_factory.mktemp("reported")
    hostile = folder / "clips" / "<script>alert(1)</script>.mp4"
    hostile.parent.mkdir(parents=True)
    hostile.write_bytes((SAMPLE / "generic" / "variable_rate.mp4").read_bytes())
    (folder / "clips" / "empty.mp4").touch()
    dataset, target = folder / "out", folder / "report.html"
    options = ("--model", "demo", "--fps", "1", "--workers", "1", "--max-failed-share", "1")
    assert main(["label", str(folder / "clips"), "-o", str(dataset), *options]) == 0
    assert main(["report", str(dataset), "-o", str(target)]) == 0
    assert ROOT not in target.parents
    return target
