from collections.abc import Iterator

import browsers
import pytest
from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with browsers.browser() as started:
        yield started
