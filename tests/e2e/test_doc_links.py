"""Links and anchors between the pages of the documentation, and the length of a page."""

import re
from functools import cache
from pathlib import Path

import pytest
from running import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
MOST_LINES = 300


def prose(page: Path) -> str:
    """A page without blocks of code, which are no headings and hold no links."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def slug(heading: str) -> str:
    """The anchor that GitHub, and the site, give a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


@cache
def anchors(page: Path) -> set[str]:
    seen: dict[str, int] = {}
    found = set()
    for heading in re.findall(r"^#{1,6} (.+)$", prose(page), flags=re.MULTILINE):
        name = slug(heading)
        found.add(f"{name}-{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    return found


def faults(page: Path) -> list[str]:
    """Links of a page that lead nowhere."""
    found = []
    for link in re.findall(r"(?:\]\(|src=\")([^)\s\"]+)", re.sub(r"`[^`]*`", "", prose(page))):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    assert not faults(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_is_long(page):
    assert len(page.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_every_page_can_be_reached_from_the_first_one():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#:]+\.md)(?:#[^)]*)?\)", prose(page))
        waiting += [(page.parent / link).resolve() for link in links]
    assert not [str(page.relative_to(ROOT)) for page in PAGES if page.resolve() not in reached]


def test_links_and_anchors_that_lead_nowhere_are_found(tmp_path):
    (tmp_path / "other.md").write_text("# A `title`, two\n\n## A title two\n\n```\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n\n[a](other.md#a-title-two) [b](other.md#a-title-two-1) [c](#here) [d](https://example.org)\n"
        "[e](other.md#no-heading) [f](gone.md) [g](#there) `[h](gone.md)`\n"
        '<img src="gone.jpg">\n'
    )
    assert faults(page) == ["other.md#no-heading", "gone.md", "#there", "gone.jpg"]
