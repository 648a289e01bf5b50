"""A store of one's own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facemon.store.ledger.sqlite_ledger import Ledger
from tests.store import kept_stores


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a test's store lies; nothing is there yet."""
    return tmp_path / "store"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    """An empty store."""
    with Ledger.open(folder, create=True) as opened:
        yield opened


@pytest.fixture(params=kept_stores.NAMES)
def kept_store(request: pytest.FixtureRequest, tmp_path: Path) -> kept_stores.KeptStore:
    """In turn a store of each older version, as its own code left it."""
    return kept_stores.unpack(request.param, tmp_path)
