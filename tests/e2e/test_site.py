"""The documentation as a site: it can be built without a warning, and reading it asks nobody."""

import re
import subprocess
import sys

import pytest
from running import ROOT

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-W",
            "--keep-going",
            "-d",
            folder / "read",
            DOCS,
            folder / "html",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_page_is_there(site):
    assert not [
        str(page)
        for page in DOCS.rglob("*.md")
        if not (site / page.relative_to(DOCS).with_suffix(".html")).is_file()
    ]


def test_nothing_is_fetched_from_elsewhere_when_a_page_is_read(site):
    outside = re.compile(
        r"<(?:script|img|iframe|source)[^>]+src=[\"'](?:https?:)?//|<link[^>]+href=[\"'](?:https?:)?//"
        r"|@import\s+[\"']?(?:url\()?[\"']?(?:https?:)?//|url\([\"']?(?:https?:)?//"
    )
    read = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(read) > len(list(DOCS.rglob("*.md")))
    assert not [str(path) for path in read if outside.search(path.read_text(encoding="utf-8"))]


def test_options_keep_both_their_hyphens(site):
    assert "by --fps waits" in (site / "reference" / "label.html").read_text(encoding="utf-8")
