"""A served API for tests that need nothing special of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.served_api import Api, served


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with served(tmp_path) as api:
        yield api
