"""System calls that fail under every command: each says what failed and what to do, and leaves a whole store."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from facemon.error_hints import hint_of
from facemon.errors import FacemonError
from facemon.store.ledger.opening import open_ledger
from facemon.store.verification import verify
from facemon.system_errors import explained
from tests.patience import HANG_S

COMMAND = Path(sys.executable).with_name("facemon")
# Python asks this hook before it makes a system call, which then fails as the hook says.
FAILING = """
import errno, os, sys
def hook(name, arguments):
    if {when}:
        raise OSError(errno.{error}, os.strerror(errno.{error}))
sys.addaudithook(hook)
"""
WRITES = "name in ('os.mkdir', 'tempfile.mkstemp') or name == 'open' and str(arguments[0]).endswith(('.part', '.lock'))"
LINES = {
    "predict": "predict many.jsonl -q",
    "a new store": "predict many.jsonl -q -c elsewhere.yaml",
    "reference": "reference set --since 2026-11-20 --name other",
    "drift-check": "drift-check --exit-zero",
    "compact": "store compact",
    "backup": "store backup ../backup.tar",
    "export-metrics": "export-metrics --textfile {folder}/m.prom",
    "render-config": "render-config",
}
CALLS = {
    "ENOLCK": ("name == 'fcntl.flock'", "a folder on a local disk"),
    "EDQUOT": (WRITES, "quota"),
    "ENOSPC": ("name == 'os.rename'", "free space"),
    "EROFS": (WRITES, "writable"),
    "EAGAIN": ("name == 'os.fork'", "ulimit -u"),
}
FAILS_WITH = {
    "ENOLCK": ("predict", "a new store", "reference", "drift-check", "compact", "backup"),
    "EDQUOT": ("predict", "a new store", "compact", "render-config"),
    "ENOSPC": ("a new store", "reference", "export-metrics", "render-config"),
    "EROFS": ("a new store", "drift-check"),
    "EAGAIN": ("predict",),
}
LIMITS = {
    "open files": (resource.RLIMIT_NOFILE, 12, ("predict", "backup"), "ulimit -n"),
    "file size": (resource.RLIMIT_FSIZE, 2_000, ("compact", "a new store", "render-config"), "ulimit -f"),
    "memory": (resource.RLIMIT_AS, 150 << 20, ("predict", "drift-check", "compact"), "ulimit -v"),
}


BRIEFLY = {
    ("ENOLCK", "a new store"), ("ENOLCK", "compact"), ("EDQUOT", "predict"), ("ENOSPC", "export-metrics"),
    ("ENOSPC", "render-config"), ("EROFS", "drift-check"), ("EAGAIN", "predict"), ("open files", "predict"),
    ("file size", "compact"), ("memory", "predict"),
}  # fmt: skip
"""What is tried each time; the rest at length."""


def cases(table: Mapping[str, Iterable[str]]) -> list[ParameterSet]:
    """Each fault with each command that it makes fail."""
    pairs = [(fault, command) for fault, commands in table.items() for command in commands]
    return [pytest.param(*pair, marks=() if pair in BRIEFLY else pytest.mark.only_at_length) for pair in pairs]


@pytest.fixture
def folder(logged_copy: Path) -> Path:
    return logged_copy


def failing(folder: Path, line: str, hook: str = "", limit: Callable[[], None] | None = None) -> str:
    """What the command says on stderr that ends in 1 under a hook or a limit."""
    (folder / "hooks").mkdir()
    (folder / "hooks" / "sitecustomize.py").write_text(hook)
    answer = subprocess.run(
        [COMMAND, *line.format(folder=folder).split()], cwd=folder, capture_output=True, text=True, timeout=HANG_S,
        env={**os.environ, "PYTHONPATH": str(folder / "hooks")}, stdin=subprocess.DEVNULL, check=False,
        preexec_fn=limit,
    )  # fmt: skip
    assert answer.returncode == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    assert "unexpectedly" not in answer.stderr
    with open_ledger(folder / ".facemon") as ledger:
        assert not verify(ledger).problems
    return answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("error", "command"), cases(FAILS_WITH))
def test_a_failing_system_call_has_its_own_message_and_hint(folder: Path, error: str, command: str) -> None:
    when, hint = CALLS[error]
    said = failing(folder, LINES[command], FAILING.format(when=when, error=error))
    *_, message, remedy = said.splitlines()
    assert message.startswith("error: ")
    assert os.strerror(getattr(errno, error)).lower() in message.lower()
    assert remedy.startswith("  hint: ")
    assert hint in remedy


@pytest.mark.slow
@pytest.mark.parametrize(("what", "command"), cases({what: commands for what, (_, _, commands, _) in LIMITS.items()}))
def test_a_limit_of_the_process_is_told_by_its_name(folder: Path, what: str, command: str) -> None:
    which, limit, _, hint = LIMITS[what]
    said = failing(folder, LINES[command], limit=lambda: resource.setrlimit(which, (limit, limit)))
    *_, message, remedy = said.splitlines()
    assert message.startswith("error: ")
    assert remedy.startswith("  hint: ")
    assert hint in remedy


@pytest.mark.slow
def test_a_name_that_is_too_long_is_told(folder: Path) -> None:
    (folder / "elsewhere.yaml").write_text((folder / "facemon.yaml").read_text() + f"store: {{path: {'x' * 300}}}\n")
    said = failing(folder, LINES["a new store"])
    assert "File name too long" in said
    assert said.endswith("  hint: name a shorter path\n")


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE), "a.png"), "a.png failed: Too many open files", "ulimit -n"),
        (OSError(errno.ESTALE, os.strerror(errno.ESTALE)), "a system call failed: Stale file handle", "network"),
        (MemoryError(), "there is not enough memory", "ulimit -v"),
        (RuntimeError("can't start new thread"), "no thread can be started", "ulimit -u"),
        (ImportError("x.so: Too many open files"), "a library cannot be loaded: Too many open files", "ulimit -n"),
    ],
)
def test_what_no_code_of_ours_has_met_is_explained(error: Exception, message: str, hint: str) -> None:
    found = explained(error)
    assert found is not None
    assert found.message == message
    assert hint in (found.hint or "")


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), ValueError("x"), OSError("no number"), RuntimeError("x"), ImportError("no x")]
)
def test_a_fault_of_our_own_is_not_explained_away(error: Exception) -> None:
    assert explained(error) is None
    assert hint_of(error) is None
    assert hint_of(FacemonError("x")) is None
