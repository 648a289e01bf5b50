"""Where the tests of the configuration run."""

from pathlib import Path

import pytest


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder, with nothing in it."""
    monkeypatch.chdir(tmp_path)
