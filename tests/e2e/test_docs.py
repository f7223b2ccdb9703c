"""The commands of the documentation: every one parses, and those on the sample run."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from running import ROOT, SAMPLE

from pipelines.beam_options import beam_options
from pipelines.cli import build_parser, split_arguments

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GUIDES = {"tutorial.md", "howto"}
"""Pages whose commands are run one after another, by test_guides.py."""


def commands(text: str) -> list[str]:
    """Indented or fenced lines that begin with the command, its continuation lines joined."""
    joined = text.replace("\\\n", " ")
    return re.findall(r"^\s*(?:\$ )?(?:\.venv/bin/)?clipmill ([a-z].*)$", joined, flags=re.MULTILINE)


def by_hand(text: str) -> str:
    """What a page says beside what is made from the parsers, whose examples speak of other folders."""
    return re.sub(r"<!-- made: command -->.*?<!-- end -->", "", text, flags=re.DOTALL)


TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
EVERY = [(name, line) for name, text in TEXTS.items() for line in commands(text)]
_RUN = {
    line: name
    for name, text in TEXTS.items()
    if not GUIDES & set(Path(name).parts)
    for line in commands(by_hand(text))
    if re.search(r"\bdemo\b", line) and "label" not in line
}
ON_THE_SAMPLE = [(name, line) for line, name in _RUN.items()]
"""What several pages show runs once."""


@pytest.mark.parametrize(("page", "line"), EVERY, ids=[f"{page}: {line}" for page, line in EVERY])
def test_every_command_parses(page, line):
    words = shlex.split(line, comments=True)
    own, beam_flags = split_arguments(words[: words.index(">")] if ">" in words else words)
    assert build_parser().parse_args(own).command, page
    beam_options(beam_flags)


@pytest.fixture(scope="module")
def place(labelled_sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(labelled_sample, folder / "demo")
    (folder / "sample_data").symlink_to(SAMPLE)
    return folder


@pytest.mark.parametrize(
    ("page", "line"), ON_THE_SAMPLE, ids=[f"{page}: {line}" for page, line in ON_THE_SAMPLE]
)
def test_commands_on_the_sample_run(clipmill, place, page, line):
    done = clipmill(*shlex.split(line, comments=True), cwd=place)
    assert done.code == 0, (page, done.errors)
    assert done.output


def test_commands_that_must_run_are_found():
    assert {name for name, _ in ON_THE_SAMPLE} >= {
        "docs/exports.md",
        "docs/cookbook.md",
        "docs/reference/inspect.md",
    }
    assert len(ON_THE_SAMPLE) > 20
