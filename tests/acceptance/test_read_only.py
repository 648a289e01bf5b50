"""A read-only file system, really mounted: every command says that it is one, and how to go on.

It is not a matter of permissions, which the user of the store could give.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.opening import open_ledger
from tests.patience import HANG_S
from tests.store.log_rows import log_images

COMMAND = Path(sys.executable).with_name("facemon")
REASON = "read-only file system"
REMEDY = "mount its file system writable, or name a place on another one"
STORE_COMMANDS = [("store", "info"), ("export-metrics",), ("store", "compact"), ("drift-check",)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store."""
    with open_ledger(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 10)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, without what SQLite keeps for its readers."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): path.read_bytes() for path in files if not path.name.endswith(("-shm", "-wal"))}


def run_mounted(mounted: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder` while `mounted` is read-only for it alone."""
    script = f'mount --bind "{mounted}" "{mounted}" && mount -o remount,ro,bind "{mounted}" && cd "$0" && exec "$@"'
    wrapper = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c", script]

    def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        whole = [*wrapper, str(folder), *command]
        return subprocess.run(whole, capture_output=True, text=True, check=False, timeout=HANG_S)

    try:
        possible = run(["true"]).returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("this machine allows no mounts of one's own")
    return run([str(COMMAND), *arguments])


def assert_said(outcome: subprocess.CompletedProcess[str], place: str) -> None:
    assert outcome.returncode == 1, outcome.stderr
    message, hint = outcome.stderr.splitlines()[-2:]
    assert message.startswith("error: ")
    assert f"{place} cannot be written: {REASON}" in message
    assert hint.startswith("  hint: ")
    assert hint.endswith(REMEDY)


@pytest.mark.parametrize("arguments", STORE_COMMANDS, ids=" ".join)
@pytest.mark.parametrize("is_of_another_user", [False, True])
def test_a_store(folder: Path, arguments: tuple[str, ...], is_of_another_user: bool) -> None:
    store = folder / ".facemon"
    if is_of_another_user:
        if os.geteuid() != 0:
            pytest.skip("only root can give a store to another user")
        for path in (store, *store.rglob("*")):
            os.chown(path, 54321, 54321)
    before = contents(folder)
    # For root, who may use the store as its user could.
    options = ("--as-root",) if is_of_another_user else ()
    outcome = run_mounted(store, folder, *arguments, *options)
    assert_said(outcome, f"the store in {store}")
    assert contents(folder) == before


def test_the_recovery_of_a_ledger(folder: Path) -> None:
    store = folder / ".facemon"
    (store / LEDGER_NAME).write_bytes(b"damaged" * 1000)
    before = contents(folder)
    assert_said(run_mounted(store, folder, "store", "recover", "--no-backup"), f"the store in {store}")
    assert contents(folder) == before


@pytest.mark.parametrize("is_there", [False, True])
def test_a_first_configuration(tmp_path: Path, is_there: bool) -> None:
    place = tmp_path / "place"
    place.mkdir()
    if is_there:
        (place / "facemon.yaml").write_text("version: 1\n")
    force = ("--force",) if is_there else ()
    outcome = run_mounted(place, tmp_path, "init", *force, "-o", "place/facemon.yaml")
    assert_said(outcome, "place/facemon.yaml")
    assert contents(place) == ({str(place / "facemon.yaml"): b"version: 1\n"} if is_there else {})
