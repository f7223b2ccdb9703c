"""The commands of pages that a reader follows step by step, and what they are said to print."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from pipelines.cli import main

WIDTH = "100"
"""Columns of the terminal that pages show."""
NOT_RUN = re.compile(r"  # needs .+$")
"""How a page marks what a test cannot run: a cluster, a network connection, a reader's own clips."""


@dataclass(frozen=True)
class Step:
    """A line of a page.

    Attributes:
        command: without its prompt.
        output: lines below it, where there are any; `...` stands for what differs from run to run.
    """

    command: str
    output: str

    @property
    def is_run(self) -> bool:
        """Whether the page does not mark it as one that needs something."""
        return not NOT_RUN.search(self.command)


def steps(page: Path) -> list[Step]:
    """The commands of a page's `console` blocks: lines that begin with `$ `, continued after a backslash."""
    text = page.read_text(encoding="utf-8").replace("\\\n", "")
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Step(command.strip(), output))
    return found


def files(page: Path) -> dict[str, str]:
    """Files that a page tells to write: blocks after a line that ends with their name in backquotes and a colon."""
    text = page.read_text(encoding="utf-8")
    return dict(re.findall(r"`([\w.-]+)`:\n\n```(?:toml|python)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def follow(page: Path, place: Path) -> None:
    """Does what a page says, from its first command to its last.

    Args:
        page: the page.
        place: the folder in which its commands are given; `clipmill` runs in this process.

    Raises:
        AssertionError: a command fails, or prints something else than the page says.
    """
    for name, text in files(page).items():
        (place / name).write_text(text, encoding="utf-8")
    for step in steps(page):
        if not step.is_run:
            continue
        code, output = _run(step.command, place)
        assert code == 0, f"{page.name}: {step.command}: exit code {code}\n{output}"
        if step.output and not is_said(step.output, output):
            raise AssertionError(f"{page.name}: {step.command} prints\n{output}")


def is_said(page: str, output: str) -> bool:
    """Whether a page tells what comes out: `...` is anything, and numbers are near.

    A network's floating-point numbers are not the same on every processor, so some box more or less is over a score.
    """
    words = [re.escape(word) for word in page.split()]
    pattern = r"\s+".join(words).replace(r"\.\.\.", ".*?")
    found = re.fullmatch(rf"\s*{_NUMBER.sub(_CAPTURED, pattern)}\s*", output, flags=re.DOTALL)
    if found is None:
        return False
    said = [float(number) for number in _NUMBER.findall(pattern)]
    return all(
        abs(float(number) - was) <= max(2, was / 20) for number, was in zip(found.groups(), said, strict=True)
    )


_NUMBER = re.compile(r"\d+")
_CAPTURED = r"(\\d+)"


def _run(command: str, place: Path) -> tuple[int, str]:
    words = shlex.split(command, comments=True)
    if words[0] != "clipmill":
        # a page's `python` is that of clipmill's environment, and finds `clipmill` beside itself
        binaries = Path(sys.executable).parent
        paths = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
        words[0] = sys.executable if words[0] == "python" else words[0]
        done = subprocess.run(
            words, cwd=place, env=paths, capture_output=True, text=True, timeout=300, check=False
        )
        return done.returncode, done.stdout + done.stderr
    shown, told = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(place),
        contextlib.redirect_stdout(shown),
        contextlib.redirect_stderr(told),
        patch.dict(os.environ, {"COLUMNS": WIDTH}),
    ):
        code = main(words[1:])
    return code, shown.getvalue() or told.getvalue()
