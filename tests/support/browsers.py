"""A real browser for tests of pages: Debian's Chromium, headless, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
# what a person looks at after a run of the tests
SCREENSHOTS = ROOT / "build" / "screenshots"


def chromium() -> str:
    """Where Chromium is: CLIPMILL_CHROMIUM (as CI sets it), or the one on the path; a test is skipped without."""
    found = os.environ.get("CLIPMILL_CHROMIUM") or shutil.which("chromium")
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium, or name one in CLIPMILL_CHROMIUM")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium while the block lasts; it reaches no other machine."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium(),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--proxy-server=127.0.0.1:9",
                "--proxy-bypass-list=127.0.0.1",
            ],
        )
        try:
            yield started
        finally:
            started.close()


def watched(page: Page) -> list[str]:
    """What goes wrong in a page from here on: console errors, exceptions, failed requests."""
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"{request.url}: {request.failure}"))
    page.on(
        "response",
        lambda response: (
            wrong.append(f"{response.status} {response.url}") if response.status >= 400 else None
        ),
    )
    return wrong


def screenshot(page: Page, name: str) -> Path:
    """A picture of the whole page as build/screenshots/`name`.png."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    target = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=target, full_page=True)
    return target
