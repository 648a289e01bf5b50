"""A store of one's own for each test."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from tests.store import kept_stores
from tests.store.log_rows import NOON, log_images

IMPLEMENTATIONS: dict[str, Callable[..., Ledger]] = {"sqlite": open_ledger}
"""How each kind of ledger is opened: what the tests of the store say must hold for all of them."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a test's store lies; nothing is there yet."""
    return tmp_path / "store"


@pytest.fixture(params=IMPLEMENTATIONS)
def ledger(request: pytest.FixtureRequest, folder: Path) -> Iterator[Ledger]:
    """An empty store, in turn with each kind of ledger."""
    with IMPLEMENTATIONS[request.param](folder, create=True) as opened:
        yield opened


@pytest.fixture(
    params=[
        name if name in kept_stores.NEWEST else pytest.param(name, marks=pytest.mark.only_at_length)
        for name in kept_stores.NAMES
    ]
)
def kept_store(request: pytest.FixtureRequest, tmp_path: Path) -> kept_stores.KeptStore:
    """In turn a store of each older version, as its last code left it; at length also those of earlier code."""
    return kept_stores.unpack(request.param, tmp_path)


@pytest.fixture
def full_store(folder: Path) -> Path:
    """Two hundred images, in files and in the ledger, and a file that was given up."""
    with open_ledger(folder, create=True) as ledger:
        log_images(ledger, 100, batch=10)
        compact(ledger, NOON + timedelta(days=1))
        log_images(ledger, 50, batch=10)
        compact(ledger, NOON + timedelta(days=1))
        log_images(ledger, 50, batch=10)
    return folder
