"""What several acceptance tests need of the machine."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.acceptance.camera import DAY_ONE, DAY_THREE, DAY_TWO, IMAGES, take_pictures, window
from tests.acceptance.logged_folder import log_some
from tests.conftest import RunFacemon
from tests.patience import HANG_S

OWN_CHECKS = {"data", "model", "--history", "--explain"}
"""With one of these words `drift-check` leaves Evidently out."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call every test of this folder slow: each runs the installed command, most of them several times."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def logged(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that has some rows and a reference, and a manifest of 100 images."""
    folder = tmp_path_factory.mktemp("logged")
    log_some(facemon, folder)
    return folder


@pytest.fixture
def logged_copy(logged: Path, open_folder: Path) -> Path:
    """A copy of `logged` for one test, which node-exporter can read."""
    copy = shutil.copytree(logged, open_folder / "copy")
    copy.chmod(0o755)
    return copy


@pytest.fixture(scope="session")
def facemon(facemon: RunFacemon, facemon_with_evidently: RunFacemon) -> RunFacemon:
    """The command; a check that may write Evidently's report is forked from an interpreter that has loaded Evidently.

    To load it takes longer than all else that a check does, and each check that finds drift would.
    """

    def run(
        *args: str | Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout_s: float = HANG_S,
    ) -> subprocess.CompletedProcess[str]:
        chosen = facemon_with_evidently if "drift-check" in args and not OWN_CHECKS & set(args) else facemon
        return chosen(*args, cwd=cwd, env=env, stdin=stdin, timeout_s=timeout_s)

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 500 kB; skips the test where none may be mounted."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", str(mounted)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield mounted
    subprocess.run(["umount", "-l", str(mounted)], check=True)


@pytest.fixture(scope="session")
def three_days(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bright day of a camera, a dark one and a bright one: in the folders one, two and three, and predicted.

    The stores after-two and after-three have the log of two days and of all three, and the first day as the reference
    `bright`. They are made once for all workers: copy what you write to.
    """
    base = tmp_path_factory.getbasetemp()
    made = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "three-days"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            draft = made.with_suffix(".draft")
            _predict_three_days(facemon, draft)
            draft.rename(made)
    return made


def _predict_three_days(facemon: RunFacemon, folder: Path) -> None:
    take_pictures(folder / "one", images=IMAGES, day=DAY_ONE, seed=1)
    take_pictures(folder / "two", images=IMAGES, day=DAY_TWO, seed=2, exposure=0.35)
    take_pictures(folder / "three", images=IMAGES, day=DAY_THREE, seed=3)
    predict = ("predict", "-q", "--observed-at", "mtime")
    _succeed(facemon, folder, *predict, "one", "two")
    _succeed(facemon, folder, "reference", "set", "--name", "bright", *window(DAY_ONE))
    shutil.copytree(folder / ".facemon", folder / "after-two")
    _succeed(facemon, folder, *predict, "three")
    shutil.copytree(folder / ".facemon", folder / "after-three")


def _succeed(facemon: RunFacemon, folder: Path, *arguments: str) -> None:
    outcome = facemon(*arguments, cwd=folder)
    assert outcome.returncode == 0, outcome.stderr
