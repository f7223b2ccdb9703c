"""The commands of the documentation: every one parses, and those on the sample run."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from running import ROOT, SAMPLE

from pipelines.beam_options import beam_options
from pipelines.cli import build_parser, split_arguments

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> list[str]:
    """Indented or fenced lines that begin with the command, its continuation lines joined."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(r"^\s*(?:\.venv/bin/)?clipmill ([a-z].*)$", text, flags=re.MULTILINE)


EVERY = [(page.name, line) for page in PAGES for line in commands(page)]
ON_THE_SAMPLE = [(name, line) for name, line in EVERY if re.search(r"\bdemo\b", line) and "label" not in line]


@pytest.mark.parametrize(("page", "line"), EVERY, ids=[f"{page}: {line}" for page, line in EVERY])
def test_every_command_parses(page, line):
    own, beam_flags = split_arguments(shlex.split(line, comments=True))
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


def test_pages_that_the_readme_names_are_there():
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
