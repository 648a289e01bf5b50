"""A store of one's own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facemon.store.ledger import Ledger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a test's store lies; nothing is there yet."""
    return tmp_path / "store"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    """An empty store."""
    with Ledger.open(folder, create=True) as opened:
        yield opened
