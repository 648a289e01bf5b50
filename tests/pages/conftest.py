"""A browser for the tests of the pages: one process, and a new tab with a memory of its own for each look."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.browser import Browser, browser


@pytest.fixture(scope="session")
def chrome(chromium: Path) -> Iterator[Browser]:
    with browser() as running:
        yield running
