"""The healthy folder, made once, and copies of it to break."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import RunFacemon
from tests.doctor.healthy import make_healthy


@pytest.fixture(scope="module")
def kept_healthy(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy folder that tests only read."""
    return make_healthy(facemon, tmp_path_factory.mktemp("healthy"))


@pytest.fixture
def healthy(kept_healthy: Path, tmp_path: Path) -> Path:
    """A healthy folder of the test's own."""
    return Path(shutil.copytree(kept_healthy, tmp_path / "healthy"))
