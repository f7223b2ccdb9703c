"""`clipmill view` as a user starts it, in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LONGEST_START_S = 120


@dataclass(frozen=True)
class Viewer:
    """A viewer that runs.

    Attributes:
        address: what it printed, with the key.
        process: its process.
    """

    address: str
    process: "subprocess.Popen[str]"

    @property
    def origin(self) -> str:
        return self.address.partition("/?")[0]

    @property
    def key(self) -> str:
        return self.address.partition("?key=")[2]


@contextmanager
def viewer(dataset: Path, *arguments: str, browser: str | None = None) -> Iterator[Viewer]:
    """Runs the viewer while the block lasts, and sees that it ends well.

    Args:
        dataset: what it shows.
        arguments: options.
        browser: command that stands for the user's browser; None: none is started.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if browser is None:
        arguments = ("--no-browser", *arguments)
    else:
        environment["BROWSER"] = browser
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "pipelines.cli", "view", str(dataset), *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\?key=\S+", line)
        assert found, line + process.stderr.read()
        yield Viewer(found[0], process)
        process.send_signal(signal.SIGINT)
        assert process.wait(_LONGEST_START_S) == 0
    finally:
        process.kill()
        process.communicate()
